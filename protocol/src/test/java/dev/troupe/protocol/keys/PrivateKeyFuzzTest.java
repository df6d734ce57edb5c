package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a private key, which then must be whole. */
class PrivateKeyFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  static Stream<Arguments> seeds() {
    return Stream.of("ecdsa", "ed25519", "secp256k1", "rsa")
        .map(name -> arguments((Object) KeyVectors.get(name + ".private")));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      PrivateKey key = PrivateKey.decode(CRYPTO, input);
      byte[] signature = key.sign(CRYPTO, input);
      assertTrue(key.publicKey().verify(CRYPTO, input, signature));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
