package dev.troupe.protocol.multibase;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.protocol.MalformedException;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MultibaseTest {
  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @CsvSource({ // multiformats/multibase, tests/basic.csv: "yes mani !"
    "BASE16, f796573206d616e692021",
    "BASE32, bpfsxgidnmfxgsibb",
    "BASE36, k2lcpzo5yikidynfl",
    "BASE58_BTC, z7paNL19xttacUY",
    "BASE64, meWVzIG1hbmkgIQ",
    "BASE64_URL, ueWVzIG1hbmkgIQ",
  })
  void agreesWithTheBasicVectors(Multibase base, String text) throws MalformedException {
    assertEquals(text, base.encode(ascii("yes mani !")));
    assertArrayEquals(ascii("yes mani !"), Multibase.decode(text));
  }

  @ParameterizedTest
  @ValueSource( // multiformats/multibase, tests/case_insensitivity.csv: "hello world"
      strings = {
        "f68656c6c6f20776F726C64",
        "F68656c6c6f20776F726C64",
        "bnbswy3dpeB3W64TMMQ",
        "Bnbswy3dpeB3W64TMMQ",
        "kfUvrsIvVnfRbjWaJo",
        "KfUVrSIVVnFRbJWAJo",
      })
  void takesEitherCaseWhereTheBaseHasOne(String text) throws MalformedException {
    assertArrayEquals(ascii("hello world"), Multibase.decode(text));
  }

  @ParameterizedTest
  @CsvSource({ // draft-msporny-base58, section 5
    "Hello World!, 2NEpo7TZRRrLZSi2U",
    "The quick brown fox jumps over the lazy dog.,"
        + " USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
  })
  void agreesWithTheBase58Vectors(String data, String text) throws MalformedException {
    assertEquals(text, Multibase.BASE58_BTC.encodeBare(ascii(data)));
    assertArrayEquals(ascii(data), Multibase.BASE58_BTC.decodeBare(text));
  }

  @Test
  void keepsLeadingZeros() throws MalformedException {
    byte[] bytes = {0, 0, 0x28, 0x7f, (byte) 0xb4, (byte) 0xcd};
    assertEquals("11233QC4", Multibase.BASE58_BTC.encodeBare(bytes));
    assertArrayEquals(bytes, Multibase.BASE58_BTC.decodeBare("11233QC4"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // no prefix
        "!abc", // an unknown one
        "Z7paNL19xttacUY", // flickr's base58
        "z0", // zero is no character
        "zO",
        "zI",
        "zl",
        "f0", // half a byte
        "fgg",
        "b1", // no character
        "ba", // five bits
        "bab", // bits left over
        "bpfsxgidnmfxgsibb======", // padding
        "meWVzIG1hbmkgIQ==", // padding
        "meWVzIG1hbmkgIR", // bits left over
        "meWVzIG1hbmkgI_", // url-safe alphabet
        "ueWVzIG1hbmkgI/",
        "m A",
        "\u212A2lcpzo5yikidynfl", // the Kelvin sign, which lower case makes a k
        "k\u212A2lcpzo5yikidynfl",
        "b\u0130",
        "f\uff11\uff11", // digits, but not ASCII
      })
  void refusesWhatIsNotCanonical(String text) {
    assertThrows(MalformedException.class, () -> Multibase.decode(text));
  }

  @Test
  void boundsTheLengthOfTheText() {
    String text = "1".repeat(Multibase.MAX_TEXT + 1);
    for (Multibase base : Multibase.values()) {
      assertThrows(MalformedException.class, () -> base.decodeBare(text));
    }
  }

  @Property
  void decodesWhatItEncodes(@ForAll Multibase base, @ForAll byte[] bytes)
      throws MalformedException {
    assertArrayEquals(bytes, Multibase.decode(base.encode(bytes)));
  }

  @Property
  void hasOneTextForEachValue(@ForAll String text) {
    try {
      byte[] bytes = Multibase.BASE64_URL.decodeBare(text);
      assertEquals(text, Multibase.BASE64_URL.encodeBare(bytes));
    } catch (MalformedException refused) {
      assertThrows(MalformedException.class, () -> Multibase.decode("u" + text));
    }
  }
}
