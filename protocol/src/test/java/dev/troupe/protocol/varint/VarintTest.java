package dev.troupe.protocol.varint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VarintTest {
  @ParameterizedTest
  @CsvSource({ // multiformats/unsigned-varint, section "Format"
    "0, 00",
    "1, 01",
    "127, 7f",
    "128, 8001",
    "255, ff01",
    "300, ac02",
    "16384, 808001",
    "9223372036854775807, ffffffffffffffff7f",
  })
  void agreesWithTheSpecification(long value, String hex) throws MalformedException {
    assertEquals(Bytes.fromHex(hex), Bytes.wrap(Varint.encode(value)));
    assertEquals(value, Varint.read(Bytes.fromHex(hex).asReadOnlyBuffer()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"8000", "ff8000", "ffffffffffffffffff", "ffffffffffffffffff01"})
  void refusesPaddedAndOverlongForms(String hex) {
    ByteBuffer in = Bytes.fromHex(hex).asReadOnlyBuffer();
    assertThrows(MalformedException.class, () -> Varint.read(in));
    assertThrows(MalformedException.class, () -> Varint.peek(in));
    assertEquals(0, in.position());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "80", "ffffffffffffffff"})
  void tellsTruncatedFromMalformed(String hex) throws MalformedException {
    ByteBuffer in = Bytes.fromHex(hex).asReadOnlyBuffer();
    assertEquals(-1, Varint.peek(in));
    assertThrows(MalformedException.class, () -> Varint.read(in));
  }

  @Test
  void refusesNegativeValues() {
    assertThrows(IllegalArgumentException.class, () -> Varint.encode(-1));
    assertThrows(IllegalArgumentException.class, () -> Varint.size(Long.MIN_VALUE));
  }

  @Property
  void decodesWhatItEncodes(@ForAll @LongRange(min = 0, max = Long.MAX_VALUE) long value)
      throws MalformedException {
    ByteBuffer in = ByteBuffer.wrap(Varint.encode(value));
    assertEquals(Varint.size(value), in.remaining());
    assertEquals(value, Varint.peek(in));
    assertEquals(value, Varint.read(in));
    assertEquals(0, in.remaining());
  }

  @Property
  void readsOnlyTheShortestForm(@ForAll byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      long value = Varint.read(in);
      assertEquals(Bytes.wrap(Varint.encode(value)), Bytes.of(bytes).slice(0, in.position()));
    } catch (MalformedException refused) {
      assertEquals(0, in.position());
    }
  }
}
