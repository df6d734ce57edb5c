package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.SeededRandom;
import dev.troupe.protocol.multibase.Multibase;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PeerIdTest {
  private static final Crypto CRYPTO = new PortableCrypto();

  @ParameterizedTest
  @CsvSource({ // peer-ids specification, section "Decoding"
    "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe, "
        + "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N, "
        + "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA, "
        + "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
    // the multiaddrs of go-multiaddr's tests
    "k2k4r8oqamigqdo6o7hsbfwd45y70oyynp98usk7zmyfrzpqxh1pohl7, "
        + "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
    "bafzbeigvf25ytwc3akrijfecaotc74udrhcxzh2cx3we5qqnw5vgrei4bm, "
        + "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
    "k51qzi5uqu5dhb6l8spkdx7yxafegfkee5by8h7lmjh2ehc2sgg34z7c15vzqs, "
        + "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV",
    "bafzaajaiaejcalj543iwv2d7pkjt7ykvefrkfu7qjfi6sduakhso4lay6abn2d5u, "
        + "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV",
  })
  void readsBothTextForms(String text, String base58) throws MalformedException {
    PeerId id = PeerId.parse(text);
    assertEquals(base58, id.toString());
    assertEquals(id, PeerId.parse(id.toCid().toString()));
    assertEquals(id, PeerId.decode(id.bytes().toArray()));
  }

  @Test
  void holdsAShortKeyAndHashesALongOne() throws MalformedException {
    for (String name : new String[] {"ed25519", "secp256k1"}) {
      PublicKey key = PublicKey.decode(KeyVectors.get(name + ".public"));
      PeerId id = PeerId.of(key);
      assertEquals(key, id.inlineKey());
      assertTrue(id.matches(key));
    }
    for (String name : new String[] {"ecdsa", "rsa"}) {
      PublicKey key = PublicKey.decode(KeyVectors.get(name + ".public"));
      PeerId id = PeerId.of(key);
      assertNull(id.inlineKey());
      assertTrue(id.toString().startsWith("Qm"));
      assertTrue(id.matches(key));
    }
  }

  @Test
  void startsWith12D3KooWForEd25519() {
    PrivateKey key = PrivateKey.generate(CRYPTO, new SeededRandom(5));
    assertTrue(key.peerId().toString().startsWith("12D3KooW"));
    assertFalse(key.peerId().matches(PrivateKey.generate(CRYPTO, new SeededRandom(6)).publicKey()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1",
        "Qm",
        "hello",
        "?unknownmultibase",
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5", // cut short
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5O0", // O and 0 are not in base58
        "QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY", // go-multiaddr: sha2-256 of another
        // length
        "k2jmtxwoe2phm1hbqp0e7nufqf6umvuu2e9qd7ana7h411a0haqj6i2z", // go-multiaddr: no libp2p-key
        "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", // dag-pb
      })
  void refusesOtherTexts(String text) {
    assertThrows(MalformedException.class, () -> PeerId.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "00",
        "0000", // an empty key
        "1220aa", // cut short
        "13020000", // another function
        "002b00000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      })
  void refusesOtherBytes(String hex) {
    assertThrows(MalformedException.class, () -> PeerId.decode(Bytes.fromHex(hex).toArray()));
  }

  @Test
  void refusesAVeryLongText() {
    assertThrows(MalformedException.class, () -> PeerId.parse("1".repeat(Multibase.MAX_TEXT + 1)));
  }

  @Test
  void isOrderedByItsBytes() throws MalformedException {
    PeerId low = PeerId.decode(Bytes.fromHex("1220" + "7f".repeat(32)).toArray());
    PeerId high = PeerId.decode(Bytes.fromHex("1220" + "80".repeat(32)).toArray());
    assertTrue(low.compareTo(high) < 0);
    assertEquals(0, low.compareTo(PeerId.decode(low.bytes().toArray())));
  }

  @Property
  void decodesNothingThatItWouldNotEncode(@ForAll byte[] bytes) {
    try {
      assertEquals(Bytes.of(bytes), PeerId.decode(bytes).bytes());
    } catch (MalformedException refused) {
      assertFalse(refused.getMessage().isEmpty());
    }
  }

  @Property
  void neverThrowsOverAText(@ForAll String text) {
    assertThrows(MalformedException.class, () -> PeerId.parse(text));
  }
}
