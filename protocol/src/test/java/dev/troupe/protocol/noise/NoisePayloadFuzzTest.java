package dev.troupe.protocol.noise;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.ByteString;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.crypto.X25519KeyPair;
import dev.troupe.protocol.keys.KeyVectors;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.proto.NoiseExtensions;
import dev.troupe.protocol.noise.proto.NoiseHandshakePayload;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Arbitrary bytes as a handshake message, and as the payload inside one by a remote that knows
 * Noise.
 */
class NoisePayloadFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey IDENTITY = PrivateKey.generate(CRYPTO, new SeededRandom(1));
  private static final List<ProtocolId> MUXERS = List.of(ProtocolId.of("/yamux/1.0.0"));

  static Stream<Arguments> seeds() {
    return Stream.of("ecdsa", "ed25519", "secp256k1", "rsa")
        .map(
            name ->
                NoiseHandshakePayload.newBuilder()
                    .setIdentityKey(ByteString.copyFrom(KeyVectors.get(name + ".public")))
                    .setIdentitySig(ByteString.copyFrom(new byte[64]))
                    .setExtensions(
                        NoiseExtensions.newBuilder().addStreamMuxers("/yamux/1.0.0").build())
                    .build()
                    .toByteArray())
        .map(bytes -> arguments((Object) bytes));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void reads(byte[] input) throws MalformedException {
    NoiseHandshake first = handshake(false);
    refused(first, input);

    NoiseHandshake second = handshake(true);
    second.write();
    refused(second, input);

    NoiseHandshake responder = handshake(false);
    refused(responder, lastMessage(responder, input));
  }

  private static NoiseHandshake handshake(boolean initiator) {
    SeededRandom random = new SeededRandom(2);
    NoiseKey key = NoiseKey.generate(CRYPTO, random, IDENTITY);
    return new NoiseHandshake(CRYPTO, random, key, MUXERS, initiator);
  }

  private static void refused(NoiseHandshake handshake, byte[] message) {
    try {
      handshake.read(message);
    } catch (MalformedException refused) {
      // As it should.
    }
  }

  /** Plays the initiator up to its last message, which carries the payload properly encrypted. */
  private static byte[] lastMessage(NoiseHandshake responder, byte[] payload)
      throws MalformedException {
    SymmetricState state =
        new SymmetricState(CRYPTO, "Noise_XX_25519_ChaChaPoly_SHA256", new byte[0]);
    SeededRandom random = new SeededRandom(3);
    X25519KeyPair ephemeral = CRYPTO.x25519(random);
    X25519KeyPair fixed = CRYPTO.x25519(random);
    state.mixHash(ephemeral.publicKey());
    responder.read(
        Bytes.of(ephemeral.publicKey())
            .concat(Bytes.wrap(state.encryptAndHash(new byte[0])))
            .toArray());
    ByteBuffer answer = ByteBuffer.wrap(responder.write());
    byte[] remoteEphemeral = take(answer, 32);
    state.mixHash(remoteEphemeral);
    state.mixKey(CRYPTO.x25519Agree(ephemeral.privateKey(), remoteEphemeral));
    byte[] remoteStatic = state.decryptAndHash(take(answer, 48));
    state.mixKey(CRYPTO.x25519Agree(ephemeral.privateKey(), remoteStatic));
    state.decryptAndHash(take(answer, answer.remaining()));
    Bytes sealed = Bytes.wrap(state.encryptAndHash(fixed.publicKey()));
    state.mixKey(CRYPTO.x25519Agree(fixed.privateKey(), remoteEphemeral));
    return sealed.concat(Bytes.wrap(state.encryptAndHash(payload))).toArray();
  }

  private static byte[] take(ByteBuffer in, int count) {
    byte[] bytes = new byte[count];
    in.get(bytes);
    return bytes;
  }
}
