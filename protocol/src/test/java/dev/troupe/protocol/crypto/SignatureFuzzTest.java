package dev.troupe.protocol.crypto;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.code_intelligence.jazzer.mutation.annotation.NotNull;
import com.code_intelligence.jazzer.mutation.annotation.WithLength;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.KeyVectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary keys and signatures of every kind. */
class SignatureFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  static Stream<Arguments> seeds() {
    return Stream.of("ecdsa", "secp256k1", "rsa")
        .map(
            name -> {
              byte[] encoded = KeyVectors.get(name + ".public");
              // The raw key behind the type, the tag and the length of one or two bytes.
              int head = encoded.length < 128 ? 4 : 5;
              byte[] raw = Bytes.of(encoded).slice(head, encoded.length).toArray();
              return arguments(raw, KeyVectors.get(name + ".signature"));
            });
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void verifies(
      byte @NotNull @WithLength(max = 2048) [] key,
      byte @NotNull @WithLength(max = 2048) [] signature) {
    CRYPTO.ed25519Verify(key, KeyVectors.MESSAGE, signature);
    CRYPTO.rsaVerify(key, KeyVectors.MESSAGE, signature);
    CRYPTO.ecdsaVerify(key, KeyVectors.MESSAGE, signature);
    CRYPTO.secp256k1Verify(key, KeyVectors.MESSAGE, signature);
  }
}
