package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a public key, which then verifies a signature. */
class PublicKeyFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  static Stream<Arguments> seeds() {
    return Stream.of("ecdsa", "ed25519", "secp256k1", "rsa")
        .map(name -> arguments((Object) KeyVectors.get(name + ".public")));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void decodes(byte[] input) {
    try {
      PublicKey key = PublicKey.decode(input);
      assertEquals(key, PublicKey.decode(key.encoded().toArray()));
      assertFalse(key.verify(CRYPTO, KeyVectors.MESSAGE, Arrays.copyOf(input, 64)));
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
