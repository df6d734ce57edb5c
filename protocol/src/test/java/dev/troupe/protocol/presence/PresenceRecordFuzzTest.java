package dev.troupe.protocol.presence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.keys.PrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arbitrary bytes as a presence: with its signature, which hardly anything passes, and without. */
class PresenceRecordFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = PrivateKey.generate(CRYPTO, new SeededRandom(1));
  private static final PresenceRecord RECORD =
      new PresenceRecord(
          "/eth/0x1",
          KEY.peerId(),
          Instant.parse("2026-01-02T03:04:05.678Z"),
          Duration.ofMinutes(5),
          "id",
          "name",
          List.of());

  static Stream<Arguments> seeds() {
    Bytes sealed = RECORD.seal(CRYPTO, KEY);
    return Stream.of(
        arguments((Object) sealed.toArray()),
        arguments((Object) sealed.slice(0, sealed.size() - 1).toArray()),
        arguments((Object) Bytes.utf8("nonsense").toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void opens(byte[] input) {
    Bytes bytes = Bytes.of(input);
    try {
      PresenceRecord opened =
          PresenceRecord.open(CRYPTO, KEY.peerId(), "/eth/0x1", bytes, RECORD.published());
      assertEquals(RECORD, opened);
    } catch (InvalidPresenceException refused) {
      // As it should.
    }
    try {
      PresenceRecord.peek(bytes);
    } catch (InvalidPresenceException refused) {
      // As it should.
    }
  }
}
