package dev.troupe.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import org.junit.jupiter.api.Test;

class BytesTest {
  @Test
  void copiesWhatItIsMadeOfAndWhatItGives() {
    byte[] array = {1, 2, 3};
    Bytes bytes = Bytes.of(array);
    array[0] = 9;
    bytes.toArray()[1] = 9;
    assertEquals(Bytes.of((byte) 1, (byte) 2, (byte) 3), bytes);
    assertThrows(ReadOnlyBufferException.class, () -> bytes.asReadOnlyBuffer().put((byte) 0));
  }

  @Test
  void slicesAreEqualToCopiesOfTheSameBytes() {
    Bytes bytes = Bytes.fromHex("00010203ff");
    Bytes slice = bytes.slice(1, 4);
    assertEquals("010203", slice.hex());
    assertEquals(Bytes.fromHex("010203"), slice);
    assertEquals(Bytes.fromHex("010203").hashCode(), slice.hashCode());
    assertEquals("02", slice.slice(1, 2).hex());
    assertEquals(3, slice.asReadOnlyBuffer().remaining());
    assertEquals(0, slice.asReadOnlyBuffer().position());
    assertEquals(2, slice.at(1));
    assertThrows(IndexOutOfBoundsException.class, () -> slice.at(3));
    assertThrows(IndexOutOfBoundsException.class, () -> slice.slice(2, 4));
    assertEquals(Bytes.fromHex("01020300010203ff"), slice.concat(bytes));
  }

  @Test
  void ordersUnsignedAndShorterFirst() {
    assertTrue(Bytes.fromHex("7f").compareTo(Bytes.fromHex("80")) < 0);
    assertTrue(Bytes.fromHex("80").compareTo(Bytes.fromHex("8000")) < 0);
    assertEquals(0, Bytes.EMPTY.compareTo(Bytes.of()));
    assertNotEquals(Bytes.fromHex("80"), Bytes.fromHex("8000"));
  }

  @Test
  void tellsUtf8FromOtherBytes() {
    assertTrue(Bytes.utf8("grüße").isUtf8());
    assertEquals("grüße", Bytes.utf8("grüße").utf8());
    assertFalse(Bytes.fromHex("c328").isUtf8());
    assertFalse(Bytes.fromHex("eda080").isUtf8());
  }

  @Test
  void wrapsTheRestOfABufferWithoutMovingIt() {
    ByteBuffer heap = ByteBuffer.wrap(new byte[] {1, 2, 3, 4}).position(1).limit(3);
    assertEquals(Bytes.fromHex("0203"), Bytes.wrap(heap));
    assertEquals(1, heap.position());
    ByteBuffer direct = ByteBuffer.allocateDirect(4).put(heap.duplicate()).flip();
    assertEquals(Bytes.fromHex("0203"), Bytes.wrap(direct));
    assertEquals(0, direct.position());
    assertEquals(Bytes.EMPTY, Bytes.wrap(ByteBuffer.allocate(0)));
  }

  @Test
  void showsOnlyItsFirstBytes() {
    assertEquals("2 bytes 00ff", Bytes.fromHex("00ff").toString());
    assertTrue(Bytes.of(new byte[1000]).toString().length() < 100);
  }
}
