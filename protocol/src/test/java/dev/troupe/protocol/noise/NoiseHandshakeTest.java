package dev.troupe.protocol.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.crypto.X25519KeyPair;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.proto.NoiseExtensions;
import dev.troupe.protocol.noise.proto.NoiseHandshakePayload;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The handshake against {@link ReferenceXx}, which is plain Noise XX and itself held to the
 * published vectors.
 */
class NoiseHandshakeTest {

  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey ALICE = PrivateKey.generate(CRYPTO, new SeededRandom(1));
  private static final PrivateKey BOB = PrivateKey.generate(CRYPTO, new SeededRandom(2));
  private static final ProtocolId YAMUX = ProtocolId.of("/yamux/1.0.0");
  private static final ProtocolId MPLEX = ProtocolId.of("/mplex/6.7.0");

  private static NoiseHandshake handshake(
      PrivateKey identity, boolean initiator, ProtocolId... muxers) {
    SeededRandom random = new SeededRandom(initiator ? 3 : 4);
    NoiseKey key = NoiseKey.generate(CRYPTO, random, identity);
    return new NoiseHandshake(CRYPTO, random, key, List.of(muxers), initiator);
  }

  private static void run(NoiseHandshake initiator, NoiseHandshake responder)
      throws MalformedException {
    responder.read(initiator.write());
    initiator.read(responder.write());
    responder.read(initiator.write());
    assertTrue(initiator.isOver());
    assertTrue(responder.isOver());
  }

  /** A payload as libp2p wants it, signed for this static key. */
  private static NoiseHandshakePayload.Builder payload(PrivateKey identity, byte[] staticKey) {
    byte[] prefix = "noise-libp2p-static-key:".getBytes(StandardCharsets.US_ASCII);
    byte[] signed = Bytes.of(prefix).concat(Bytes.of(staticKey)).toArray();
    return NoiseHandshakePayload.newBuilder()
        .setIdentityKey(ByteString.copyFrom(identity.publicKey().encoded().toArray()))
        .setIdentitySig(ByteString.copyFrom(identity.sign(CRYPTO, signed)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cacophony", "snow"})
  void theNoiseCoreMatchesThePublishedVectors(String name) throws Exception {
    Properties vector = new Properties();
    try (InputStream in =
        NoiseHandshakeTest.class.getResourceAsStream("xx-" + name + ".properties")) {
      if (in == null) {
        throw new IOException("no vector " + name);
      }
      vector.load(in);
    }
    ReferenceXx[] sides = new ReferenceXx[2];
    for (int i = 0; i < 2; i++) {
      String side = i == 0 ? "init" : "resp";
      sides[i] =
          new ReferenceXx(
              i == 0,
              keyPair(hex(vector, side + "_static")),
              keyPair(hex(vector, side + "_ephemeral")),
              hex(vector, side + "_prologue"));
    }
    for (int i = 0; vector.containsKey("payload_" + i); i++) {
      byte[] payload = hex(vector, "payload_" + i);
      byte[] message = sides[i % 2].write(payload);
      assertEquals(vector.getProperty("ciphertext_" + i), Bytes.of(message).hex(), "message " + i);
      assertEquals(Bytes.of(payload), Bytes.of(sides[(i + 1) % 2].read(message)), "message " + i);
    }
    String hash = vector.getProperty("handshake_hash");
    if (hash != null) {
      assertEquals(hash, Bytes.of(sides[0].handshakeHash()).hex());
      assertEquals(hash, Bytes.of(sides[1].handshakeHash()).hex());
    }
  }

  @Test
  void theHandshakeIsPlainNoiseWithSignedPayloads() throws MalformedException {
    NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
    ReferenceXx responder = reference(false);
    assertEquals(0, responder.read(initiator.write()).length, "the first payload is in the clear");
    initiator.read(
        responder.write(
            payload(BOB, responder.staticKey())
                .setExtensions(NoiseExtensions.newBuilder().addStreamMuxers(YAMUX.value()))
                .build()
                .toByteArray()));
    assertEquals(BOB.publicKey(), initiator.remoteKey());
    byte[] last = responder.read(initiator.write());
    assertTrue(last.length > 0);
    assertEquals(YAMUX, initiator.commonMuxer());

    NoiseTransport transport = initiator.transport();
    ByteBuffer sealed = ByteBuffer.allocate(100);
    transport.seal(ByteBuffer.wrap(new byte[] {1, 2, 3}), sealed);
    assertEquals(Bytes.of((byte) 1, (byte) 2, (byte) 3), Bytes.of(responder.read(taken(sealed))));
    ByteBuffer opened = ByteBuffer.allocate(100);
    transport.open(ByteBuffer.wrap(responder.write(new byte[] {9})), opened);
    assertEquals(Bytes.of((byte) 9), Bytes.of(taken(opened)));
  }

  @Test
  void oneKeyOfAHostServesAllItsSessionsAndNoTwoHaveTheSameCiphers() throws MalformedException {
    SeededRandom random = new SeededRandom(6);
    NoiseKey key = NoiseKey.generate(CRYPTO, random, ALICE);
    List<Bytes> records = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      NoiseHandshake initiator = new NoiseHandshake(CRYPTO, random, key, List.of(YAMUX), true);
      NoiseHandshake responder = handshake(BOB, false, YAMUX);
      run(initiator, responder);
      assertEquals(ALICE.publicKey(), responder.remoteKey());
      ByteBuffer sealed = ByteBuffer.allocate(100);
      initiator.transport().seal(ByteBuffer.wrap(new byte[] {1, 2, 3}), sealed);
      records.add(Bytes.of(taken(sealed)));
    }
    assertNotEquals(records.get(0), records.get(1));
  }

  @Test
  void aPayloadThatSomebodyElseSignedIsRefused() throws MalformedException {
    NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
    ReferenceXx responder = reference(false);
    responder.read(initiator.write());
    byte[] stolen = payload(BOB, keyPair(new byte[32]).publicKey()).build().toByteArray();
    byte[] message = responder.write(stolen);
    assertThrows(MalformedException.class, () -> initiator.read(message));
    assertFalse(initiator.knowsRemote());
  }

  @Test
  void aPayloadWithoutAKeyIsRefused() throws MalformedException {
    for (byte[] bad : new byte[][] {{}, {0x0a}, {0x0a, 0x02, 0x08, 0x01}, new byte[500]}) {
      NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
      ReferenceXx responder = reference(false);
      responder.read(initiator.write());
      byte[] message = responder.write(bad);
      assertThrows(MalformedException.class, () -> initiator.read(message));
    }
  }

  @Test
  void keysOfLowOrderAreRefused() {
    // The published points of small order on Curve25519: 0, 1, and two of order 8.
    for (String point :
        List.of(
            "00".repeat(32),
            "01" + "00".repeat(31),
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")) {
      NoiseHandshake responder = handshake(BOB, false, YAMUX);
      assertThrows(
          MalformedException.class,
          () -> {
            responder.read(Bytes.fromHex(point).toArray());
            responder.write();
          },
          point);
    }
  }

  @Test
  void everyMessageCutShortOrChangedIsRefused() throws MalformedException {
    byte[] second;
    byte[] third;
    {
      NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
      NoiseHandshake responder = handshake(BOB, false, YAMUX);
      responder.read(initiator.write());
      second = responder.write();
      initiator.read(second);
      third = initiator.write();
    }
    for (int length = 0; length < second.length; length += length < 90 ? 1 : 7) {
      byte[] cut = java.util.Arrays.copyOf(second, length);
      NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
      initiator.write();
      assertThrows(MalformedException.class, () -> initiator.read(cut));
    }
    for (int at = 0; at < third.length; at += 5) {
      byte[] changed = third.clone();
      changed[at] ^= 1;
      NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
      NoiseHandshake responder = handshake(BOB, false, YAMUX);
      responder.read(initiator.write());
      responder.write();
      assertThrows(MalformedException.class, () -> responder.read(changed));
    }
  }

  @Test
  void theInitiatorsFirstMuxerThatBothSpeakIsTaken() throws MalformedException {
    NoiseHandshake initiator = handshake(ALICE, true, MPLEX, YAMUX);
    NoiseHandshake responder = handshake(BOB, false, YAMUX, MPLEX);
    run(initiator, responder);
    assertEquals(MPLEX, initiator.commonMuxer());
    assertEquals(MPLEX, responder.commonMuxer());
    assertEquals(ALICE.publicKey(), responder.remoteKey());
  }

  @Test
  void muxersWithNothingInCommonAreToldFromNone() throws MalformedException {
    NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
    NoiseHandshake other = handshake(BOB, false, MPLEX);
    run(initiator, other);
    assertNull(initiator.commonMuxer());
    assertTrue(initiator.remoteNamedMuxers());

    NoiseHandshake again = handshake(ALICE, true, YAMUX);
    run(again, handshake(BOB, false));
    assertNull(again.commonMuxer());
    assertFalse(again.remoteNamedMuxers());
  }

  @Test
  void aRecordIsOpenedOnceAndInOrder() throws MalformedException {
    NoiseHandshake initiator = handshake(ALICE, true, YAMUX);
    NoiseHandshake responder = handshake(BOB, false, YAMUX);
    run(initiator, responder);
    NoiseTransport from = initiator.transport();
    NoiseTransport to = responder.transport();
    ByteBuffer first = ByteBuffer.allocate(40);
    from.seal(ByteBuffer.wrap(new byte[5]), first);
    ByteBuffer second = ByteBuffer.allocate(40);
    from.seal(ByteBuffer.wrap(new byte[5]), second);
    to.open(first.flip(), ByteBuffer.allocate(40));
    assertThrows(
        MalformedException.class,
        () -> to.open(first.rewind(), ByteBuffer.allocate(40)),
        "a record replayed");
  }

  private static ReferenceXx reference(boolean initiator) {
    SeededRandom random = new SeededRandom(5);
    return new ReferenceXx(initiator, CRYPTO.x25519(random), CRYPTO.x25519(random), new byte[0]);
  }

  private static byte[] taken(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.flip().remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private static X25519KeyPair keyPair(byte[] privateKey) {
    return CRYPTO.x25519(target -> System.arraycopy(privateKey, 0, target, 0, target.length));
  }

  private static byte[] hex(Properties vector, String name) {
    return Bytes.fromHex(vector.getProperty(name)).toArray();
  }

  /**
   * Noise XX by the letter of the framework: any prologue, any payloads, then transport messages.
   */
  private static final class ReferenceXx {
    private final boolean initiator;
    private final X25519KeyPair fixed;
    private final X25519KeyPair ephemeral;
    private final SymmetricState state;
    private byte[] remoteFixed = new byte[0];
    private byte[] remoteEphemeral = new byte[0];
    private int step;
    private byte[][] keys = new byte[0][];
    private final long[] counters = new long[2];

    ReferenceXx(boolean initiator, X25519KeyPair fixed, X25519KeyPair ephemeral, byte[] prologue) {
      this.initiator = initiator;
      this.fixed = fixed;
      this.ephemeral = ephemeral;
      this.state = new SymmetricState(CRYPTO, "Noise_XX_25519_ChaChaPoly_SHA256", prologue);
    }

    byte[] staticKey() {
      return fixed.publicKey();
    }

    byte[] handshakeHash() {
      return state.hash();
    }

    byte[] write(byte[] payload) throws MalformedException {
      if (step >= 3) {
        ByteBuffer out = ByteBuffer.allocate(payload.length + 16);
        int way = initiator ? 0 : 1;
        CRYPTO
            .chaCha20Poly1305(keys[way], true)
            .seal(counters[way]++, new byte[0], ByteBuffer.wrap(payload), out);
        return out.array();
      }
      Bytes message = Bytes.EMPTY;
      if (step < 2) {
        message = Bytes.of(ephemeral.publicKey());
        state.mixHash(ephemeral.publicKey());
      }
      if (step == 1) {
        state.mixKey(CRYPTO.x25519Agree(ephemeral.privateKey(), remoteEphemeral));
      }
      if (step > 0) {
        message = message.concat(Bytes.of(state.encryptAndHash(fixed.publicKey())));
        state.mixKey(CRYPTO.x25519Agree(fixed.privateKey(), remoteEphemeral));
      }
      message = message.concat(Bytes.of(state.encryptAndHash(payload)));
      next();
      return message.toArray();
    }

    byte[] read(byte[] message) throws MalformedException {
      ByteBuffer in = ByteBuffer.wrap(message);
      if (step >= 3) {
        ByteBuffer out = ByteBuffer.allocate(message.length - 16);
        int way = initiator ? 1 : 0;
        CRYPTO.chaCha20Poly1305(keys[way], false).open(counters[way]++, new byte[0], in, out);
        return out.array();
      }
      if (step < 2) {
        remoteEphemeral = new byte[32];
        in.get(remoteEphemeral);
        state.mixHash(remoteEphemeral);
      }
      if (step == 1) {
        state.mixKey(CRYPTO.x25519Agree(ephemeral.privateKey(), remoteEphemeral));
      }
      if (step > 0) {
        byte[] sealed = new byte[48];
        in.get(sealed);
        remoteFixed = state.decryptAndHash(sealed);
        state.mixKey(CRYPTO.x25519Agree(ephemeral.privateKey(), remoteFixed));
      }
      byte[] rest = new byte[in.remaining()];
      in.get(rest);
      byte[] payload = state.decryptAndHash(rest);
      next();
      return payload;
    }

    private void next() {
      if (++step == 3) {
        keys = state.split();
      }
    }
  }
}
