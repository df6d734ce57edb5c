package dev.troupe.protocol.ipns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.keys.PrivateKey;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Arbitrary bytes as an IPNS record: with its signature, which hardly anything passes, without, and
 * as the DAG-CBOR inside one.
 */
class IpnsRecordFuzzTest {
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = PrivateKey.generate(CRYPTO, new SeededRandom(1));
  private static final IpnsRecord RECORD =
      new IpnsRecord(Bytes.utf8("/ipfs/x"), 7, Instant.parse("2120-01-02T03:04:05.678Z"), 60);

  static Stream<Arguments> seeds() {
    return Stream.of(
        arguments((Object) RECORD.seal(CRYPTO, KEY).toArray()),
        arguments(
            (Object)
                DagCborMap.encode(Map.of("a", Bytes.utf8("b"), "Sequence", 1L << 40)).toArray()),
        arguments((Object) Bytes.fromHex("a36161206162f46163a16178d82a43000102").toArray()));
  }

  @MethodSource("seeds")
  @FuzzTest(maxDuration = "20s")
  void opens(byte[] input) {
    Bytes bytes = Bytes.of(input);
    try {
      IpnsRecord.open(CRYPTO, KEY.peerId(), bytes, Instant.EPOCH);
    } catch (InvalidIpnsRecordException refused) {
      // As it should.
    }
    try {
      IpnsRecord record = IpnsRecord.peek(bytes);
      // Ours has a whole signature and nine digits of a second, and may be too long with them.
      if (bytes.size() < IpnsRecord.MAX_ENCODED - 200) {
        assertEquals(record, IpnsRecord.peek(record.seal(CRYPTO, KEY)));
      }
    } catch (InvalidIpnsRecordException refused) {
      // As it should.
    }
    try {
      DagCborMap.decode(bytes);
    } catch (MalformedException refused) {
      // As it should.
    }
  }
}
