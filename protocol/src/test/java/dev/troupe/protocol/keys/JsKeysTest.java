package dev.troupe.protocol.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Keys, peer ids, signatures and peer records that js-libp2p made; the resource's README says how.
 */
class JsKeysTest {
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final Pattern OBJECT = Pattern.compile("\\{([^{}]*)}");
  private static final Pattern MEMBER = Pattern.compile("\"(\\w+)\":\\s*\"([^\"]*)\"");

  /** The innermost objects of a file, with those of their members that are strings. */
  private static List<Map<String, String>> objects(String file) throws IOException {
    try (InputStream in = JsKeysTest.class.getResourceAsStream("/js-vectors/" + file)) {
      String json = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      List<Map<String, String>> objects = new ArrayList<>();
      for (Matcher object = OBJECT.matcher(json); object.find(); ) {
        Map<String, String> members = new LinkedHashMap<>();
        for (Matcher member = MEMBER.matcher(object.group(1)); member.find(); ) {
          members.put(member.group(1), member.group(2));
        }
        objects.add(members);
      }
      return objects;
    }
  }

  private static byte[] hex(String hex) {
    return Bytes.fromHex(Objects.requireNonNull(hex)).toArray();
  }

  @Test
  void readsItsKeysAndVerifiesItsSignatures() throws IOException, MalformedException {
    List<Map<String, String>> keys = objects("keys.json");
    assertEquals(
        List.of("Ed25519", "secp256k1", "ECDSA", "RSA"),
        keys.stream().map(key -> key.get("type")).distinct().toList());
    for (Map<String, String> vector : keys) {
      PublicKey key = PublicKey.decode(hex(vector.get("publicKeyProtobuf")));
      assertTrue(key.type().name().equalsIgnoreCase(vector.get("type")));
      assertEquals(vector.get("publicKeyProtobuf"), key.encoded().hex());
      if (vector.get("type").equals("ECDSA")) {
        // js-libp2p signs in the form of IEEE P1363 here, the specification says DER.
        continue;
      }
      byte[] message = hex(vector.get("message"));
      assertTrue(key.verify(CRYPTO, message, hex(vector.get("signature"))), vector.get("type"));
      message[0] ^= 1;
      assertFalse(key.verify(CRYPTO, message, hex(vector.get("signature"))), vector.get("type"));
    }
  }

  @Test
  void namesItsPeersAsItDoes() throws IOException, MalformedException {
    for (Map<String, String> vector : objects("keys.json")) {
      if (vector.containsKey("peerIdBytes")) {
        PeerId id = PeerId.of(PublicKey.decode(hex(vector.get("publicKeyProtobuf"))));
        assertEquals(vector.get("peerIdBytes"), id.bytes().hex());
        assertEquals(vector.get("peerIdBase58"), id.toString());
        assertEquals(vector.get("peerIdCid"), id.toCid().toString());
        assertEquals(id, PeerId.parse(vector.get("peerIdCid")));
      }
    }
  }

  @Test
  void signsWithItsSeedsAsItDoes() throws IOException, MalformedException {
    int seeds = 0;
    for (Map<String, String> vector : objects("keys.json")) {
      if (vector.containsKey("seed")) {
        seeds++;
        PrivateKey key = PrivateKey.fromSeed(CRYPTO, hex(vector.get("seed")));
        assertEquals(key, PrivateKey.decode(CRYPTO, hex(vector.get("privateKeyProtobuf"))));
        assertEquals(vector.get("privateKeyProtobuf"), Bytes.wrap(key.encoded()).hex());
        byte[] signature = key.sign(CRYPTO, hex(vector.get("message")));
        assertEquals(vector.get("signature"), Bytes.wrap(signature).hex());
      }
    }
    assertTrue(seeds > 0);
  }

  @Test
  void sealsAPeerRecordToTheSameBytes() throws IOException, MalformedException {
    Map<String, String> vector = objects("peer-record.json").get(0);
    Bytes envelope = Bytes.fromHex(vector.get("envelope"));
    PeerRecord record = PeerRecord.open(CRYPTO, envelope);
    assertEquals(PeerId.parse(vector.get("peerId")), record.peerId());
    assertEquals(Long.parseLong(vector.get("seq")), record.seq());
    assertEquals(
        List.of("/ip4/127.0.0.1/tcp/4001", "/dns4/example.org/tcp/443", "/ip6/::1/tcp/4001"),
        record.addresses().stream().map(Object::toString).toList());
    PrivateKey key = PrivateKey.fromSeed(CRYPTO, hex("01".repeat(32)));
    assertEquals(vector.get("payload"), record.encoded().hex());
    assertEquals(envelope, record.seal(CRYPTO, key).encoded());
  }

  @Test
  void opensThePeerRecordOfAnIdentifyMessage() throws IOException, MalformedException {
    for (Map<String, String> vector : objects("identify.json")) {
      if (vector.containsKey("signedPeerRecord")) {
        Bytes envelope = Bytes.fromHex(vector.get("signedPeerRecord"));
        PublicKey key = PublicKey.decode(hex(vector.get("publicKey")));
        assertEquals(PeerId.of(key), PeerRecord.open(CRYPTO, envelope).peerId());
      }
    }
    String json = objects("identify.json").toString();
    assertTrue(json.contains("signedPeerRecord"), json);
  }
}
