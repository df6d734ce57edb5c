package dev.troupe.protocol.multihash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.PortableCrypto;
import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MultihashTest {
  /** multiformats/multihash, README: sha2-256 of "multihash". */
  private static final String MULTIHASH_SHA2_256 =
      "12209cbc07c3f991725836a3aa2a581ca2029198aa420b9d99bc0e131d9f3e2cbe47";

  @Test
  void agreesWithTheVectorsOfTheSpecification() throws MalformedException {
    Multihash sha256 = Multihash.sha256(new PortableCrypto(), Bytes.utf8("multihash"));
    assertEquals(MULTIHASH_SHA2_256, sha256.encoded().hex());
    assertEquals(sha256, Multihash.decode(Bytes.fromHex(MULTIHASH_SHA2_256)));
    assertEquals(
        "00096d756c746968617368", Multihash.identity(Bytes.utf8("multihash")).encoded().hex());
  }

  @Test
  void carriesFunctionsThatItDoesNotKnow() throws MalformedException {
    Multihash unknown =
        Multihash.decode(Bytes.fromHex("c0e40204deadbeef")); // blake2s-256, cut to 4 bytes
    assertEquals(0xb240, unknown.code());
    assertEquals("deadbeef", unknown.digest().hex());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "12",
        "1220", // cut short
        "1204deadbeef", // sha2-256 of another length
        "0002ff", // cut short
        "0001ffff", // left over
        "800001ff", // a padded varint
        "0081010000", // more than 128 bytes, and cut short
        "00ffffffffffffffff7f", // a length beyond any array
      })
  void refusesMalformedOnes(String hex) {
    assertThrows(MalformedException.class, () -> Multihash.decode(Bytes.fromHex(hex)));
  }

  @Test
  void refusesToMakeWhatItWouldNotRead() {
    assertThrows(IllegalArgumentException.class, () -> new Multihash(-1, Bytes.EMPTY));
    assertThrows(
        IllegalArgumentException.class, () -> new Multihash(Multihash.SHA2_256, Bytes.EMPTY));
    assertThrows(
        IllegalArgumentException.class,
        () -> Multihash.identity(Bytes.wrap(new byte[Multihash.MAX_DIGEST + 1])));
  }

  @Property
  void decodesWhatItEncodes(
      @ForAll @LongRange(min = 0x100, max = Long.MAX_VALUE) long code,
      @ForAll @Size(max = Multihash.MAX_DIGEST) byte[] digest)
      throws MalformedException {
    Multihash multihash = new Multihash(code, Bytes.of(digest));
    assertEquals(multihash, Multihash.decode(multihash.encoded()));
    ByteBuffer two = multihash.encoded().concat(multihash.encoded()).asReadOnlyBuffer();
    assertEquals(multihash, Multihash.read(two));
    assertEquals(multihash, Multihash.read(two));
    assertFalse(two.hasRemaining());
  }

  @Property
  void decodesNothingThatItWouldNotEncode(@ForAll byte[] bytes) {
    try {
      assertEquals(Bytes.of(bytes), Multihash.decode(Bytes.of(bytes)).encoded());
    } catch (MalformedException refused) {
      assertFalse(refused.getMessage().isEmpty());
    }
  }
}
