package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.KeyType;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageSigningTest {

  private static final Crypto CRYPTO = new PortableCrypto();

  private static PrivateKey key(int first) {
    byte[] seed = new byte[32];
    for (int i = 0; i < 32; i++) {
      seed[i] = (byte) (first + i);
    }
    return PrivateKey.fromSeed(CRYPTO, seed);
  }

  private static Message signed() {
    return MessageSigning.sign(key(1), CRYPTO, "chat", Bytes.utf8("hello"), 42);
  }

  /** A message signed with a key of the JDK, or with one that only pretends to be its author's. */
  static Message signedBy(KeyPair pair, PublicKey author, String algorithm)
      throws GeneralSecurityException {
    Bytes from = PeerId.of(author).bytes();
    Bytes seqno = Bytes.wrap(new byte[8]);
    Bytes data = Bytes.utf8("hello");
    Message unsigned = new Message(from, data, seqno, "chat", null, null, Bytes.EMPTY);
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(pair.getPrivate());
    signature.update(Bytes.utf8("libp2p-pubsub:").concat(RpcCodec.encode(unsigned)).toArray());
    return unsigned.withSignature(Bytes.wrap(signature.sign()), author.encoded());
  }

  static KeyPair foreign(String algorithm, AlgorithmParameterSpec parameters)
      throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
    generator.initialize(parameters);
    return generator.generateKeyPair();
  }

  static PublicKey author(KeyPair pair, KeyType type) {
    return new PublicKey(type, Bytes.wrap(pair.getPublic().getEncoded()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"secp256r1", "secp384r1", "secp521r1"})
  void acceptsAuthorsOnTheCurvesThatGoAndJsAccept(String curve) throws GeneralSecurityException {
    KeyPair pair = foreign("EC", new ECGenParameterSpec(curve));
    PublicKey author = author(pair, KeyType.ECDSA);
    assertNull(MessageSigning.verify(signedBy(pair, author, "SHA256withECDSA"), CRYPTO));
    assertEquals(
        Rejection.BAD_SIGNATURE,
        MessageSigning.verify(signedBy(pair, author, "SHA384withECDSA"), CRYPTO));
    assertEquals(
        Rejection.UNSUPPORTED_KEY,
        MessageSigning.verify(signedBy(pair, author, "SHA256withECDSAinP1363Format"), CRYPTO));
  }

  @Test
  void doesNotCallASignatureBadThatItDoesNotVerify() throws GeneralSecurityException {
    KeyPair weak = foreign("RSA", new RSAKeyGenParameterSpec(1024, RSAKeyGenParameterSpec.F4));
    Message signed = signedBy(weak, author(weak, KeyType.RSA), "SHA256withRSA");
    assertEquals(Rejection.UNSUPPORTED_KEY, MessageSigning.verify(signed, CRYPTO));
    PublicKey unknown = new PublicKey(KeyType.ECDSA, Bytes.utf8("of an unknown curve"));
    assertEquals(
        Rejection.UNSUPPORTED_KEY,
        MessageSigning.verify(signedBy(weak, unknown, "SHA256withRSA"), CRYPTO));
  }

  @ParameterizedTest
  @ValueSource(strings = {"full", "empty", "secp256k1", "rsa"})
  void acceptsWhatJsLibp2pSigned(String name) throws MalformedException {
    JsVectors vector = JsVectors.named(name);
    Message message = RpcCodec.decode(vector.rpc()).messages().get(0);
    assertNull(MessageSigning.verify(message, CRYPTO));
    assertEquals(vector.author(), PeerId.decode(message.from().toArray()).toString());
  }

  @Test
  void makesTheSignatureThatJsLibp2pMakes() throws MalformedException {
    // Ed25519 is deterministic; js encloses the key as well, which is not signed.
    Message theirs = RpcCodec.decode(JsVectors.named("full").rpc()).messages().get(0);
    long seqno = ByteBuffer.wrap(theirs.seqno().toArray()).getLong();
    Message ours = MessageSigning.sign(key(1), CRYPTO, "chat", theirs.data(), seqno);
    assertEquals(theirs.signature(), ours.signature());
    assertEquals(theirs.id(), ours.id());
    assertNull(ours.key());
  }

  @Test
  void acceptsItsOwn() {
    assertNull(MessageSigning.verify(signed(), CRYPTO));
  }

  @Test
  void theIdIsAuthorAndSequenceNumber() {
    Bytes author = PeerId.of(key(1).publicKey()).bytes();
    assertEquals(author.concat(Bytes.of(new byte[] {0, 0, 0, 0, 0, 0, 0, 42})), signed().id());
  }

  @Test
  void rejectsWhatIsMissing() {
    Message m = signed();
    assertEquals(Rejection.MISSING_FROM, verify(null, m.data(), m.seqno(), m.signature(), m.key()));
    assertEquals(Rejection.INVALID_SEQNO, verify(m.from(), m.data(), null, m.signature(), m.key()));
    assertEquals(
        Rejection.INVALID_SEQNO,
        verify(m.from(), m.data(), Bytes.utf8("short"), m.signature(), m.key()));
    assertEquals(Rejection.MISSING_SIGNATURE, verify(m.from(), m.data(), m.seqno(), null, m.key()));
    assertEquals(
        Rejection.MISSING_SIGNATURE, verify(m.from(), m.data(), m.seqno(), Bytes.EMPTY, m.key()));
  }

  @Test
  void rejectsAChangeOfAnyField() {
    Message m = signed();
    assertEquals(
        Rejection.BAD_SIGNATURE,
        verify(m.from(), Bytes.utf8("hullo"), m.seqno(), m.signature(), null));
    assertEquals(Rejection.BAD_SIGNATURE, verify(m.from(), null, m.seqno(), m.signature(), null));
    assertEquals(
        Rejection.BAD_SIGNATURE,
        verify(m.from(), m.data(), Bytes.wrap(new byte[8]), m.signature(), null));
    assertEquals(
        Rejection.BAD_SIGNATURE,
        verify(m.from(), m.data(), m.seqno(), Bytes.wrap(new byte[64]), null));
    assertEquals(
        Rejection.BAD_SIGNATURE,
        verify(m.from(), m.data(), m.seqno(), Bytes.wrap(new byte[3]), null));
    Message elsewhere =
        new Message(m.from(), m.data(), m.seqno(), "news", m.signature(), null, Bytes.EMPTY);
    assertEquals(Rejection.BAD_SIGNATURE, MessageSigning.verify(elsewhere, CRYPTO));
    Message extended =
        new Message(
            m.from(),
            m.data(),
            m.seqno(),
            m.topic(),
            m.signature(),
            null,
            Bytes.of((byte) 0x48, (byte) 1));
    assertEquals(Rejection.BAD_SIGNATURE, MessageSigning.verify(extended, CRYPTO));
  }

  @Test
  void rejectsAForgedAuthor() {
    Message m = signed();
    Bytes other = PeerId.of(key(100).publicKey()).bytes();
    assertEquals(Rejection.BAD_SIGNATURE, verify(other, m.data(), m.seqno(), m.signature(), null));
    assertEquals(
        Rejection.KEY_MISMATCH,
        verify(other, m.data(), m.seqno(), m.signature(), key(1).publicKey().encoded()));
    assertEquals(
        Rejection.INVALID_FROM,
        verify(Bytes.utf8("nobody"), m.data(), m.seqno(), m.signature(), null));
    assertEquals(
        Rejection.INVALID_KEY,
        verify(m.from(), m.data(), m.seqno(), m.signature(), Bytes.utf8("no key")));
  }

  @Test
  void rejectsAnAuthorWhoseKeyIsNowhere() throws MalformedException {
    Message rsa = RpcCodec.decode(JsVectors.named("rsa").rpc()).messages().get(0);
    assertEquals(
        Rejection.MISSING_KEY, verify(rsa.from(), rsa.data(), rsa.seqno(), rsa.signature(), null));
    assertNotNull(rsa.key());
  }

  private static Rejection verify(Bytes from, Bytes data, Bytes seqno, Bytes signature, Bytes key) {
    return MessageSigning.verify(
        new Message(from, data, seqno, "chat", signature, key, Bytes.EMPTY), CRYPTO);
  }
}
