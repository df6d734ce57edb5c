package dev.troupe.actors.dht;

import static dev.troupe.actors.dht.Readiness.UNTIL_GATE_OPENS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.troupe.actors.dht.Dht.OperationFailed;
import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.actors.dht.Dht.State;
import dev.troupe.actors.dht.DhtFixture.InboundPipe;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.ipns.IpnsNamespace;
import dev.troupe.protocol.ipns.IpnsRecord;
import dev.troupe.protocol.ipns.proto.IpnsEntry;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.KademliaMessage.Type;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.simulation.kernel.Probe;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** IPNS records in the DHT, on the wall clock of the simulation, which begins with 2024. */
class DhtIpnsTest {

  private static final PeerId SENDER = Script.peer(500);
  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = seeded(1);
  private static final Bytes NAME = IpnsRecord.keyOf(KEY.peerId());
  private static final Instant TOMORROW = Instant.parse("2024-01-02T00:00:00Z");

  private DhtFixture fixture = new DhtFixture(DhtSettings.DEFAULT);

  @AfterEach
  void close() {
    fixture.close();
  }

  private static PrivateKey seeded(int seed) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) seed);
    return PrivateKey.fromSeed(CRYPTO, bytes);
  }

  private static Bytes record(long sequence, Instant validity) {
    return new IpnsRecord(Bytes.utf8("/ipfs/" + sequence), sequence, validity, 0).seal(CRYPTO, KEY);
  }

  /** Signed by the key of the name, and valid until a month that does not exist. */
  private static Bytes nonsense() throws Exception {
    IpnsEntry entry = IpnsEntry.parseFrom(record(9, TOMORROW).toArray());
    String hex = Bytes.wrap(entry.getData().toByteArray()).hex();
    Bytes data =
        Bytes.fromHex(hex.replace(Bytes.utf8("2024-01-02").hex(), Bytes.utf8("2024-13-02").hex()));
    byte[] signature = KEY.sign(CRYPTO, Bytes.utf8("ipns-signature:").concat(data).toArray());
    return Bytes.wrap(
        IpnsEntry.newBuilder()
            .setData(ByteString.copyFrom(data.toArray()))
            .setSignatureV2(ByteString.copyFrom(signature))
            .build()
            .toByteArray());
  }

  /** What a put of it by a remote is refused with; null where it is stored. */
  private @Nullable String refusal(Bytes value) throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.putValue(new ValueRecord(NAME, value)));
    if (pipe.hasAnswered()) {
      assertEquals(value, pipe.answer().record().value());
    }
    return pipe.resetReason;
  }

  private @Nullable Bytes served() throws Exception {
    InboundPipe pipe = fixture.openInbound(SENDER);
    pipe.send(KademliaMessage.getValue(NAME));
    ValueRecord record = pipe.answer().record();
    return record == null ? null : record.value();
  }

  @Test
  void aRecordIsStoredUntilItExpiresAndReplacedByNewerOnesOnly() throws Exception {
    Bytes second = record(2, TOMORROW);
    assertNull(refusal(second));
    assertEquals(second, served());
    assertEquals("a better value is stored", refusal(record(1, TOMORROW.plusSeconds(1))));
    assertEquals("a better value is stored", refusal(record(2, TOMORROW.minusSeconds(1))));
    Bytes third = record(3, TOMORROW.minusSeconds(1));
    assertNull(refusal(third));
    assertEquals(third, served());
    fixture.advance(Duration.ofDays(1));
    assertNull(served());
    assertNull(refusal(record(1, TOMORROW.plusSeconds(60))), "what has expired is not better");
  }

  @Test
  void whatIsWrongWithARecordIsSaidInTheRefusal() throws Exception {
    Map<String, Bytes> wrongs = new LinkedHashMap<>();
    wrongs.put("expired at 2023-12-31T00:00:00Z", record(1, Instant.parse("2023-12-31T00:00:00Z")));
    wrongs.put("valid until \"2024-13-02T00:00:00.000000000Z\"", nonsense());
    wrongs.put(
        "not signed by " + KEY.peerId(),
        new IpnsRecord(Bytes.EMPTY, 1, TOMORROW, 0).seal(CRYPTO, seeded(2)));
    wrongs.put("10241 bytes, more than 10240", Bytes.wrap(new byte[10_241]));
    wrongs.put("not an IPNS record", Bytes.fromHex("ff"));
    for (Map.Entry<String, Bytes> wrong : wrongs.entrySet()) {
      String refusal = String.valueOf(refusal(wrong.getValue()));
      assertTrue(refusal.startsWith("PUT_VALUE of an invalid record: "), refusal);
      assertTrue(refusal.contains(wrong.getKey()), refusal);
      assertNull(served());
    }
  }

  @Test
  void whoPutsAnInvalidRecordHereIsToldWhatIsWrong() {
    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(
        new Dht.PutValue(
            NAME,
            record(1, Instant.parse("2023-12-31T00:00:00Z")),
            UNTIL_GATE_OPENS,
            DhtStashTest.Kind.narrow(reply)));
    fixture.advance(Duration.ofSeconds(1));
    OperationFailed failed = reply.expect(OperationFailed.class);
    assertEquals(Reason.INVALID_RECORD, failed.reason());
    assertTrue(failed.message().contains("expired at"), failed::message);
  }

  @Test
  void ofWhatOthersHoldTheNewestValidRecordIsFoundAndTheOthersAreToldOfIt() throws Exception {
    fixture.close();
    Bytes newest = record(8, TOMORROW);
    Script best = holding(2, newest);
    Script outdated = holding(3, record(7, TOMORROW));
    Script expired = holding(4, record(9, Instant.parse("2023-12-31T00:00:00Z")));
    Script forging =
        holding(5, new IpnsRecord(Bytes.EMPTY, 10, TOMORROW, 0).seal(CRYPTO, seeded(2)));
    Script bootstrap = Script.peerNumber(1);
    bootstrap.answer = Script.naming(best, outdated, expired, forging);
    fixture =
        new DhtFixture(
            DhtFixture.joining(bootstrap).withQuorum(10),
            bootstrap,
            best,
            outdated,
            expired,
            forging);
    fixture.advance(Duration.ofSeconds(5));
    assertEquals(State.READY, fixture.state().state());

    Probe<Object> reply = fixture.system.probe();
    fixture.dht.tell(new Dht.GetValue(NAME, UNTIL_GATE_OPENS, DhtStashTest.Kind.narrow(reply)));
    fixture.advance(Duration.ofSeconds(1));
    assertEquals(new Dht.ValueGot(NAME, newest, 1), reply.next());
    assertEquals(List.of(), puts(best));
    for (Script other : List.of(outdated, expired, forging)) {
      assertEquals(List.of(newest), puts(other));
    }
  }

  @Test
  void anotherNamespaceOfTheSameNameTakesItsPlace() throws Exception {
    fixture.close();
    fixture =
        new DhtFixture(
            DhtSettings.DEFAULT.withNamespaces(
                DhtSettings.DEFAULT.namespaces().with(IpnsNamespace.NAME, Namespace.open())));
    assertNull(refusal(Bytes.utf8("any value")));
    assertFalse(DhtSettings.DEFAULT.namespaces().has(IpnsNamespace.NAME));
  }

  private static Script holding(long number, Bytes value) {
    Script script = Script.peerNumber(number);
    script.answer =
        request ->
            request.type() == Type.GET_VALUE
                ? request.answer(new ValueRecord(request.key(), value), List.of(), List.of())
                : request.answer(null, List.of(), List.of());
    return script;
  }

  private static List<Bytes> puts(Script script) {
    return script.requests.stream()
        .filter(request -> request.type() == Type.PUT_VALUE)
        .map(request -> request.record().value())
        .toList();
  }
}
