package dev.troupe.protocol.crypto;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every implementation of the port must do, by the vectors of the RFCs. */
public abstract class CryptoContract {
  private static final byte[] NO_DATA = new byte[0];

  private final Crypto crypto = crypto();

  /** The implementation under test. */
  protected abstract Crypto crypto();

  private static byte[] bytes(String hex) {
    return Bytes.fromHex(hex).toArray();
  }

  private static String hex(byte[] bytes) {
    return Bytes.of(bytes).hex();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void hashesTheVectorsOfFips180() {
    assertEquals(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        hex(crypto.sha256(ascii("abc"))));
    assertEquals(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        hex(crypto.newSha256().digest()));
  }

  @Test
  void authenticatesTheVectorsOfRfc4231() {
    assertEquals( // test case 1
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        hex(crypto.hmacSha256(bytes("0b".repeat(20)), ascii("Hi There"))));
    assertEquals( // test case 2
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        hex(crypto.hmacSha256(ascii("Jefe"), ascii("what do ya want for nothing?"))));
    assertEquals( // test case 6: a key longer than a block
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        hex(
            crypto.hmacSha256(
                bytes("aa".repeat(131)),
                ascii("Test Using Larger Than Block-Size Key - Hash Key First"))));
    assertEquals( // an empty key and no data
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
        hex(crypto.hmacSha256(NO_DATA, NO_DATA)));
  }

  @ParameterizedTest
  @CsvSource({ // RFC 7748, section 5.2
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4, "
        + "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c, "
        + "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d, "
        + "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493, "
        + "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    // section 6.1, from both sides
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a, "
        + "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f, "
        + "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb, "
        + "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a, "
        + "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
  })
  void agreesAsRfc7748Does(String privateKey, String publicKey, String secret)
      throws MalformedException {
    assertEquals(secret, hex(crypto.x25519Agree(bytes(privateKey), bytes(publicKey))));
  }

  @Test
  void iteratesAsRfc7748Does() throws MalformedException {
    byte[] scalar = bytes("09" + "00".repeat(31));
    byte[] point = scalar;
    for (int i = 0; i < 1000; i++) {
      byte[] next = crypto.x25519Agree(scalar, point);
      point = scalar;
      scalar = next;
      if (i == 0) {
        assertEquals(
            "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079", hex(scalar));
      }
    }
    assertEquals("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51", hex(scalar));
  }

  @Test
  void makesTheKeyPairOfItsRandomness() {
    byte[] drawn = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    X25519KeyPair pair =
        crypto.x25519(target -> System.arraycopy(drawn, 0, target, 0, target.length));
    assertArrayEquals(drawn, pair.privateKey());
    assertEquals(
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", hex(pair.publicKey()));
    assertFalse(pair.toString().contains("7707"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = { // points of small order
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "", // and of the wrong length
        "09",
      })
  void refusesPublicKeysThatContributeNothing(String publicKey) {
    byte[] privateKey = crypto.x25519(new SeededRandom(1)).privateKey();
    assertThrows(MalformedException.class, () -> crypto.x25519Agree(privateKey, bytes(publicKey)));
  }

  @ParameterizedTest
  @CsvSource({ // RFC 8032, section 7.1, tests 1 to 3
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60,"
        + " d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a, '', "
        + "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb,"
        + " 3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c, 72, "
        + "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7,"
        + " fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025, af82, "
        + "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  })
  void signsAndVerifiesAsRfc8032Does(
      String seed, String publicKey, String message, String signature) {
    byte[] key = bytes(publicKey);
    assertEquals(publicKey, hex(crypto.ed25519PublicKey(bytes(seed))));
    assertEquals(signature, hex(crypto.ed25519Sign(bytes(seed), bytes(message))));
    assertEquals(signature, hex(crypto.ed25519Sign(bytes(seed), key, bytes(message))));
    assertTrue(crypto.ed25519Verify(key, bytes(message), bytes(signature)));
    assertFalse(crypto.ed25519Verify(key, bytes(message + "00"), bytes(signature)));
    for (int i = 0; i < 64; i++) {
      byte[] changed = bytes(signature);
      changed[i] ^= 0x10;
      assertFalse(crypto.ed25519Verify(key, bytes(message), changed), "changed at " + i);
    }
  }

  @Test
  void verifiesNothingOfTheWrongLength() {
    assertFalse(crypto.ed25519Verify(new byte[31], NO_DATA, new byte[64]));
    assertFalse(crypto.ed25519Verify(new byte[32], NO_DATA, new byte[63]));
    assertFalse(crypto.secp256k1Verify(NO_DATA, NO_DATA, NO_DATA));
    assertFalse(crypto.secp256k1Verify(new byte[1], NO_DATA, NO_DATA)); // the point at infinity
    assertFalse(crypto.rsaVerify(NO_DATA, NO_DATA, NO_DATA));
    assertFalse(crypto.ecdsaVerify(NO_DATA, NO_DATA, NO_DATA));
  }

  // RFC 8439, appendix A.5, whose nonce is the one of Noise for this counter.
  private static final byte[] KEY =
      bytes("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
  private static final long COUNTER = 0x0807060504030201L;
  private static final byte[] ASSOCIATED = bytes("f33388860000000000004e91");
  private static final byte[] PLAINTEXT =
      ("Internet-Drafts are draft documents valid for a maximum of six months and may be updated,"
              + " replaced, or obsoleted by other documents at any time. It is inappropriate to use"
              + " Internet-Drafts as reference material or to cite them other than as /\u201cwork in"
              + " progress./\u201d")
          .getBytes(StandardCharsets.UTF_8);
  private static final byte[] CIPHERTEXT =
      bytes(
          "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
              + "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
              + "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
              + "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
              + "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
              + "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
              + "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
              + "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
              + "a6ad5cb4022b02709b"
              + "eead9d67890cbb22392336fea1851f38");

  private static ByteBuffer buffer(boolean direct, byte[] content) {
    return (direct
            ? ByteBuffer.allocateDirect(content.length)
            : ByteBuffer.allocate(content.length))
        .put(content)
        .flip();
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void sealsAndOpensAsRfc8439Does(boolean directIn, boolean directOut) throws MalformedException {
    ByteBuffer sealed = buffer(directOut, new byte[CIPHERTEXT.length]);
    ByteBuffer plaintext = buffer(directIn, PLAINTEXT);
    int written = crypto.chaCha20Poly1305(KEY, true).seal(COUNTER, ASSOCIATED, plaintext, sealed);
    assertEquals(CIPHERTEXT.length, written);
    assertFalse(plaintext.hasRemaining());
    assertEquals(Bytes.of(CIPHERTEXT), Bytes.wrap(sealed.flip()));

    ByteBuffer ciphertext = buffer(directIn, CIPHERTEXT);
    ByteBuffer opened = buffer(directOut, new byte[PLAINTEXT.length]);
    written = crypto.chaCha20Poly1305(KEY, false).open(COUNTER, ASSOCIATED, ciphertext, opened);
    assertEquals(PLAINTEXT.length, written);
    assertFalse(ciphertext.hasRemaining());
    assertEquals(Bytes.of(PLAINTEXT), Bytes.wrap(opened.flip()));
  }

  @Test
  void opensNothingThatWasChanged() throws MalformedException {
    Aead aead = crypto.chaCha20Poly1305(KEY, false);
    ByteBuffer out = ByteBuffer.allocate(PLAINTEXT.length);
    for (int i = 0; i < CIPHERTEXT.length; i += 13) {
      byte[] changed = CIPHERTEXT.clone();
      changed[i] ^= 1;
      assertThrows(
          MalformedException.class,
          () -> aead.open(COUNTER, ASSOCIATED, ByteBuffer.wrap(changed), out));
      assertEquals(0, out.position());
    }
    ByteBuffer right = ByteBuffer.wrap(CIPHERTEXT);
    assertThrows(
        MalformedException.class, () -> aead.open(COUNTER, NO_DATA, right.duplicate(), out));
    assertThrows(
        MalformedException.class, () -> aead.open(COUNTER + 1, ASSOCIATED, right.duplicate(), out));
    for (int size : new int[] {0, 15, 16, CIPHERTEXT.length - 1}) {
      assertThrows(
          MalformedException.class,
          () -> aead.open(COUNTER, ASSOCIATED, right.duplicate().limit(size), out));
    }
    // After all these failures the right one still opens.
    assertEquals(PLAINTEXT.length, aead.open(COUNTER, ASSOCIATED, right.duplicate(), out));
  }

  @Test
  void sealsAnEmptyMessageToItsTag() throws MalformedException {
    ByteBuffer sealed = ByteBuffer.allocate(Aead.TAG_BYTES);
    Aead sealing = crypto.chaCha20Poly1305(KEY, true);
    assertEquals(Aead.TAG_BYTES, sealing.seal(0, NO_DATA, ByteBuffer.allocate(0), sealed));
    sealed.flip();
    Aead opening = crypto.chaCha20Poly1305(KEY, false);
    assertEquals(0, opening.open(0, NO_DATA, sealed, ByteBuffer.allocate(0)));
  }

  @Test
  void sealsAnotherTextUnderEachCounter() {
    Aead aead = crypto.chaCha20Poly1305(KEY, true);
    ByteBuffer first = ByteBuffer.allocate(CIPHERTEXT.length);
    ByteBuffer second = ByteBuffer.allocate(CIPHERTEXT.length);
    aead.seal(0, NO_DATA, ByteBuffer.wrap(PLAINTEXT), first);
    aead.seal(1, NO_DATA, ByteBuffer.wrap(PLAINTEXT), second);
    assertNotEquals(first.flip(), second.flip());
  }

  @Test
  void asksForRoomBeforeItWrites() {
    Aead sealing = crypto.chaCha20Poly1305(KEY, true);
    ByteBuffer small = ByteBuffer.allocate(PLAINTEXT.length + Aead.TAG_BYTES - 1);
    assertThrows(
        BufferOverflowException.class,
        () -> sealing.seal(0, NO_DATA, ByteBuffer.wrap(PLAINTEXT), small));
    Aead opening = crypto.chaCha20Poly1305(KEY, false);
    ByteBuffer smaller = ByteBuffer.allocate(PLAINTEXT.length - 1);
    assertThrows(
        BufferOverflowException.class,
        () -> opening.open(COUNTER, ASSOCIATED, ByteBuffer.wrap(CIPHERTEXT), smaller));
  }

  @Test
  void worksInOneDirectionOnly() {
    ByteBuffer out = ByteBuffer.allocate(CIPHERTEXT.length);
    assertThrows(
        IllegalStateException.class,
        () ->
            crypto.chaCha20Poly1305(KEY, false).seal(0, NO_DATA, ByteBuffer.wrap(PLAINTEXT), out));
    assertThrows(
        IllegalStateException.class,
        () ->
            crypto.chaCha20Poly1305(KEY, true).open(0, NO_DATA, ByteBuffer.wrap(CIPHERTEXT), out));
    assertThrows(IllegalArgumentException.class, () -> crypto.chaCha20Poly1305(new byte[31], true));
  }
}
