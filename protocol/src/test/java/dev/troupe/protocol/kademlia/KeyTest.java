package dev.troupe.protocol.kademlia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import org.junit.jupiter.api.Test;

class KeyTest {

  @Test
  void isTheSha256OfWhatItStandsFor() {
    // FIPS 180-2, appendix B.1
    assertEquals(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        Key.of(Bytes.utf8("abc")).toString());
  }

  @Test
  void distanceIsSymmetricAndZeroOnlyToItself() {
    Key a = Key.of(Bytes.utf8("a"));
    Key b = Key.of(Bytes.utf8("b"));
    assertEquals(a.distanceTo(b), b.distanceTo(a));
    assertEquals(new Distance(0, 0, 0, 0), a.distanceTo(a));
    assertEquals(Key.BITS, a.commonPrefixLength(a));
  }

  @Test
  void distancesAreOrderedAsUnsignedNumbers() {
    Distance small = new Distance(1, -1, -1, -1);
    Distance large = new Distance(-1, 0, 0, 0);
    assertTrue(small.compareTo(large) < 0);
    assertTrue(new Distance(0, 0, 0, 1).compareTo(new Distance(0, 0, 0, -1)) < 0);
    assertEquals(0, large.compareTo(new Distance(-1, 0, 0, 0)));
  }

  @Test
  void commonPrefixCountsBitsOverAllWords() {
    Key zero = new Key(0, 0, 0, 0);
    assertEquals(0, zero.commonPrefixLength(new Key(Long.MIN_VALUE, 0, 0, 0)));
    assertEquals(63, zero.commonPrefixLength(new Key(1, 0, 0, 0)));
    assertEquals(64, zero.commonPrefixLength(new Key(0, Long.MIN_VALUE, 0, 0)));
    assertEquals(191, zero.commonPrefixLength(new Key(0, 0, 1, 0)));
    assertEquals(255, zero.commonPrefixLength(new Key(0, 0, 0, 1)));
  }

  @Test
  void hasThirtyTwoBytes() {
    assertThrows(IllegalArgumentException.class, () -> Key.ofDigest(new byte[31]));
  }
}
