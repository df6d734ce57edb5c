package dev.troupe.protocol.cid;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.multibase.Multibase;
import dev.troupe.protocol.multihash.Multihash;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidTest {
  @Test
  void readsAndShowsVersion0() throws MalformedException {
    String text = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"; // the empty directory
    Cid cid = Cid.parse(text);
    assertEquals(0, cid.version());
    assertEquals(Cid.DAG_PB, cid.codec());
    assertEquals(text, cid.toString());
    assertEquals(cid, Cid.decode(cid.encoded()));
    assertEquals(cid.multihash().encoded(), cid.encoded());
  }

  @ParameterizedTest
  @CsvSource({
    // go-cid's tests: the same CID in base16 and base58
    "f015512209d8453505bdc6f269678e16b3e56c2a2948a41f2c792617cc9611ed363c95b63, 85",
    "zb2rhhFAEMepUBbGyP1k8tGfz7BSciKXP6GHuUeUsJBaK6cqG, 85",
    // the CID specification's example
    "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA, 85",
    "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe, 114",
    "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi, 112",
  })
  void readsVersion1InAnyBase(String text, long codec) throws MalformedException {
    Cid cid = Cid.parse(text);
    assertEquals(1, cid.version());
    assertEquals(codec, cid.codec());
    assertEquals(Multihash.SHA2_256, cid.multihash().code());
    assertEquals(cid, Cid.parse(cid.toString()));
    assertEquals('b', cid.toString().charAt(0));
    assertEquals(Bytes.wrap(Multibase.decode(text)), cid.encoded());
  }

  @Test
  void makesTheRawCidOfAText() {
    // ipfs add --cid-version=1 --raw-leaves of "hello world", without a line feed
    assertEquals(
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
        Cid.raw(new PortableCrypto(), Bytes.utf8("hello world")).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "b",
        "Qm",
        "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zIII", // go-cid's tests: not base58
        "zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n", // version 0 has no prefix
        "f1220" + "0000000000000000000000000000000000000000000000000000000000000000", // the same
        "f02551220"
            + "0000000000000000000000000000000000000000000000000000000000000000", // version 2
        "f0055000100", // version 0 in the form of version 1
        "f01",
        "f0155",
        "f015512",
        "f0155122000",
        "f015500000000", // left over
        "f0155000a00", // cut short
      })
  void refusesMalformedOnes(String text) {
    assertThrows(MalformedException.class, () -> Cid.parse(text));
  }

  @Test
  void refusesToMakeWhatDoesNotExist() {
    Multihash identity = Multihash.identity(Bytes.EMPTY);
    assertThrows(IllegalArgumentException.class, () -> new Cid(2, Cid.RAW, identity));
    assertThrows(IllegalArgumentException.class, () -> new Cid(0, Cid.DAG_PB, identity));
    assertThrows(IllegalArgumentException.class, () -> Cid.v1(-1, identity));
  }

  @Property
  void decodesWhatItEncodes(
      @ForAll @LongRange(min = 0, max = Long.MAX_VALUE) long codec, @ForAll byte[] data)
      throws MalformedException {
    Cid cid = Cid.v1(codec, Multihash.sha256(new PortableCrypto(), Bytes.of(data)));
    assertEquals(cid, Cid.decode(cid.encoded()));
    assertEquals(cid, Cid.parse(cid.toString()));
  }

  @Property
  void decodesNothingThatItWouldNotEncode(@ForAll byte[] bytes) {
    try {
      assertEquals(Bytes.of(bytes), Cid.decode(Bytes.of(bytes)).encoded());
    } catch (MalformedException refused) {
      assertFalse(refused.getMessage().isEmpty());
    }
  }
}
