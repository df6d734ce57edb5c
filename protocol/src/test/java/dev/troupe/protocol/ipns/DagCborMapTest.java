package dev.troupe.protocol.ipns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DagCborMapTest {

  private static DagCborMap decode(String hex) throws MalformedException {
    return DagCborMap.decode(Bytes.fromHex(hex));
  }

  @ParameterizedTest
  @CsvSource({
    "00, 0",
    "17, 23",
    "1818, 24",
    "18ff, 255",
    "190100, 256",
    "1a00010000, 65536",
    "1b0000000100000000, 4294967296",
    "1b7fffffffffffffff, 9223372036854775807",
    "1bffffffffffffffff, 18446744073709551615"
  })
  void numbersHaveTheirShortestForm(String hex, String number) throws MalformedException {
    long value = Long.parseUnsignedLong(number);
    assertEquals(value, decode("a16161" + hex).unsigned("a"));
    assertEquals("a16161" + hex, DagCborMap.encode(Map.of("a", value)).hex());
  }

  @Test
  void whatIsNotLookedAtMayBeAnyDagCbor() throws MalformedException {
    DagCborMap map =
        decode(
            "a8"
                + "616141ff"
                + "616220"
                + "6163f4"
                + "6164f6"
                + "6165fb3ff8000000000000"
                + "6166d82a43000102"
                + "61678201a0"
                + "6168a1617862c3a9");
    assertEquals(Bytes.fromHex("ff"), map.bytes("a"));
    for (String key : new String[] {"a", "b", "c", "d", "e", "f", "g", "h", "i"}) {
      assertThrows(MalformedException.class, () -> map.unsigned(key), key);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // Nothing; no map; something after it; cut short.
        "",
        "01",
        "a000",
        "a1",
        "a16161",
        "a2616101",
        // Longer heads than needed, of values, lengths, keys and the map itself.
        "a161611817",
        "a161611900ff",
        "a161611a0000ffff",
        "a161611b00000000ffffffff",
        "a16161580100",
        "a178016101",
        "b801616101",
        // Keys out of order, twice, no text, no UTF-8.
        "a2616201616101",
        "a262616101616201",
        "a2616101616102",
        "a1416101",
        "a161ff01",
        "a1616161ff",
        // Indefinite lengths, and a break.
        "bf616101ff",
        "a161615f4100ff",
        "a16161ff",
        "a161619fff",
        // A tag that is no link, and links that are none.
        "a16161c100",
        "a16161d82a01",
        "a16161d82a40",
        "a16161d82a420101",
        // Undefined, other simple values, short floats, no numbers.
        "a16161f7",
        "a16161e0",
        "a16161f8ff",
        "a16161f93c00",
        "a16161fa3f800000",
        "a16161fb7ff8000000000000",
        "a16161fb7ff0000000000000",
        // Lengths of more than there is.
        "a161615bffffffffffffffff",
        "a161615b000000010000000000",
        "a161619bffffffffffffffff",
        "bbffffffffffffffff",
        "a161611c"
      })
  void whatIsNotStrictIsRefused(String hex) {
    assertThrows(MalformedException.class, () -> decode(hex));
  }

  @Test
  void asDeepAsTheLimitAndNoDeeper() throws MalformedException {
    int lists = DagCborMap.MAX_DEPTH - 1;
    decode("a16161" + "81".repeat(lists) + "00");
    MalformedException deeper =
        assertThrows(
            MalformedException.class, () -> decode("a16161" + "81".repeat(lists + 1) + "00"));
    assertTrue(String.valueOf(deeper.getMessage()).contains("32 deep"), deeper::getMessage);
  }

  @Test
  void aMissingKeyIsNamed() throws MalformedException {
    MalformedException missing =
        assertThrows(MalformedException.class, () -> decode("a0").bytes("Value"));
    assertEquals("DAG-CBOR without Value", missing.getMessage());
  }

  @Test
  void keysAreWrittenInOrder() throws MalformedException {
    Map<String, Object> entries = new LinkedHashMap<>();
    entries.put("bb", 2L);
    entries.put("a", Bytes.fromHex("0102"));
    entries.put("ab", 1L);
    Bytes encoded = DagCborMap.encode(entries);
    assertEquals("a361614201026261620162626202", encoded.hex());
    assertEquals(Bytes.fromHex("0102"), DagCborMap.decode(encoded).bytes("a"));
  }
}
