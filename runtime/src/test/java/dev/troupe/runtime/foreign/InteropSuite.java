package dev.troupe.runtime.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Troupe and a peer of a foreign kind, each in its own process, over loopback TCP. A parameter says
 * who plays the first part, ours or theirs; the other plays the second.
 */
abstract class InteropSuite {

  /** Who plays a part. */
  enum Side {
    OURS,
    THEIRS;

    Side other() {
      return this == OURS ? THEIRS : OURS;
    }
  }

  private final PeerKind foreign;
  private final List<JsonPeerProcess> started = new ArrayList<>();

  InteropSuite(PeerKind foreign) {
    this.foreign = foreign;
  }

  @AfterEach
  void stopPeers() {
    started.forEach(JsonPeerProcess::close);
  }

  final JsonPeerProcess start(Side side, String name, String... arguments) {
    return start(kind(side), name, arguments);
  }

  private PeerKind kind(Side side) {
    return side == Side.OURS ? PeerKind.TROUPE : foreign;
  }

  final JsonPeerProcess start(PeerKind kind, String name, String... arguments) {
    JsonPeerProcess peer = kind.start(kind + "-" + name, arguments);
    started.add(peer);
    return peer;
  }

  @ParameterizedTest
  @EnumSource(Side.class)
  void dialerAndListenerConnectIdentifyPingAndMeasure(Side dialing) {
    JsonPeerProcess dialer = start(dialing, "dialer", "--dht", "server", "--perf");
    JsonPeerProcess listener = start(dialing.other(), "listener", "--dht", "server", "--perf");

    dialer.ask("connect " + listener.address());
    assertEquals("out", dialer.awaitEvent("connected", listener).path("direction").asText());
    assertEquals("in", listener.awaitEvent("connected", dialer).path("direction").asText());
    for (JsonNode identified :
        List.of(dialer.awaitIdentified(listener), listener.awaitIdentified(dialer))) {
      assertFalse(identified.path("agent").asText().isEmpty(), identified::toString);
      List<String> protocols = texts(identified.path("protocols"));
      assertTrue(
          protocols.containsAll(
              List.of(
                  "/ipfs/id/1.0.0",
                  "/ipfs/id/push/1.0.0",
                  "/ipfs/ping/1.0.0",
                  "/ipfs/kad/1.0.0",
                  "/meshsub/1.1.0",
                  "/perf/1.0.0")),
          protocols::toString);
    }

    JsonPeerProcess[][] ways = {{dialer, listener}, {listener, dialer}};
    for (JsonPeerProcess[] way : ways) {
      JsonNode rtts = way[0].ask("ping " + way[1].peerId() + " 3").path("rttMicros");
      assertEquals(3, rtts.size());
      rtts.forEach(rtt -> assertTrue(rtt.asLong() > 0, rtts::toString));
      assertEquals(List.of(way[1].peerId()), texts(way[0].ask("peers").path("peers")));
      // More than any stream window, both ways at once in one stream.
      JsonNode perf = way[0].ask("perf " + way[1].peerId() + " 33554432 33554432");
      assertTrue(perf.path("uploadSeconds").asDouble() > 0, perf::toString);
      assertTrue(perf.path("downloadSeconds").asDouble() > 0, perf::toString);
    }

    dialer.ask("disconnect " + listener.peerId());
    dialer.awaitEvent("disconnected", listener);
    listener.awaitEvent("disconnected", dialer);
  }

  @ParameterizedTest
  @EnumSource(Side.class)
  void aStrangerBehindAnAddressIsRefusedAndBothGoOnServing(Side dialing) {
    JsonPeerProcess dialer = start(dialing, "dialer", "--dht", "off");
    JsonPeerProcess listener = start(dialing.other(), "listener", "--dht", "off");
    String address = listener.address();
    String withoutPeer = address.substring(0, address.indexOf("/p2p/"));

    dialer.askInVain(
        "connect " + withoutPeer + "/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5");
    dialer.ask("connect " + address);
    listener.awaitEvent("connected", dialer);
    listener.ask("ping " + dialer.peerId());
  }

  @ParameterizedTest
  @EnumSource(Side.class)
  void aKeyFileOfOneKindGivesTheOtherTheSamePeerId(Side making, @TempDir Path directory)
      throws Exception {
    Path key = directory.resolve("key");
    JsonPeerProcess maker = start(making, "maker", "--key", key.toString(), "--dht", "off");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(key)));
    JsonPeerProcess reader = start(making.other(), "reader", "--key", key.toString());
    assertEquals(maker.peerId(), reader.peerId());
  }

  @Test
  void theDhtOfAnotherProtocolIdIsTheirsToo() {
    String[] server = {"--dht", "server", "--dht-protocol", "/openpond/kad/1.0.0"};
    JsonPeerProcess theirs = start(foreign, "server", server);
    JsonPeerProcess ours = start(Side.OURS, "server", server);
    ours.ask("connect " + theirs.address());
    theirs.awaitDhtReady();
    ours.awaitIdentified(theirs);

    ours.ask("put /test/pond frog");
    assertEquals("frog", theirs.ask("get /test/pond").path("value").asText());
  }

  @Test
  void aClientIsNotAskedButMayAsk() {
    JsonPeerProcess theirs = start(foreign, "server", "--dht", "server");
    JsonPeerProcess ours =
        start(Side.OURS, "client", "--dht", "client", "--bootstrap", theirs.address());
    JsonNode identified = theirs.awaitIdentified(ours);
    assertFalse(texts(identified.path("protocols")).contains("/ipfs/kad/1.0.0"));

    ours.awaitDhtReady();
    ours.ask("put /test/from-a-client value");
    assertEquals("value", ours.ask("get /test/from-a-client").path("value").asText());
  }

  /** A client is in nobody's routing table: only who is connected to it can say where it is. */
  @ParameterizedTest
  @EnumSource(Side.class)
  void aClientIsFoundThroughABootstrapOfTheOtherKind(Side seeking) {
    JsonPeerProcess bootstrap = start(seeking.other(), "bootstrap", "--dht", "server");
    JsonPeerProcess sought =
        start(seeking, "sought", "--dht", "client", "--bootstrap", bootstrap.address());
    bootstrap.awaitIdentified(sought);
    JsonPeerProcess seeker =
        start(seeking, "seeker", "--dht", "client", "--bootstrap", bootstrap.address());
    seeker.awaitDhtReady();

    List<String> addresses = texts(seeker.ask("find " + sought.peerId()).path("addrs"));
    String withPeer = sought.address();
    String withoutPeer = withPeer.substring(0, withPeer.indexOf("/p2p/"));
    assertTrue(
        addresses.contains(withPeer) || addresses.contains(withoutPeer), addresses::toString);
  }

  /**
   * Who published it is gone, and who resolves it came later: the record must have been valid for
   * the one that holds it, of the other kind, and be so for those that find it.
   */
  @ParameterizedTest
  @EnumSource(Side.class)
  void aNameThatOneKindPublishesAndTheOtherHoldsIsResolvedByBoth(Side publishing) {
    JsonPeerProcess holder = start(publishing.other(), "holder", "--dht", "server");
    JsonPeerProcess publisher =
        start(publishing, "publisher", "--dht", "server", "--bootstrap", holder.address());
    publisher.awaitDhtReady();
    holder.awaitIdentified(publisher);
    JsonNode published = publisher.ask("name-publish " + path(0));
    publisher.close();

    for (Side side : Side.values()) {
      JsonPeerProcess seeker =
          start(side, "seeker", "--dht", "client", "--bootstrap", holder.address());
      seeker.awaitDhtReady();
      JsonNode found = seeker.ask("name-resolve " + published.path("name").asText());
      for (String field : List.of("name", "value", "sequence")) {
        assertEquals(published.path(field), found.path(field), seeker + ": " + found);
      }
      assertEquals(path(0), found.path("value").asText());
    }
  }

  /** What a name may point at. */
  static String path(int number) {
    return List.of(
            "/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
            "/ipfs/bafkqaddwgevxmmraojswg33smq")
        .get(number);
  }

  /**
   * Six peers in a ring of the two kinds by turns, so that every message must pass through both.
   */
  @Test
  void everyMessageReachesAllOfAMixedMeshFromEitherKind() {
    List<JsonPeerProcess> ring = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      Side side = i % 2 == 0 ? Side.OURS : Side.THEIRS;
      ring.add(start(side, "" + i, "--dht", "off", "--topic", "news"));
    }
    for (int i = 0; i < 6; i++) {
      ring.get(i).ask("connect " + ring.get((i + 1) % 6).address());
    }
    for (int i = 0; i < 6; i++) {
      ring.get(i).awaitTopicPeer("news", ring.get((i + 1) % 6), true);
      ring.get(i).awaitTopicPeer("news", ring.get((i + 5) % 6), true);
    }
    // Every link has a foreign end, and that tells of its mesh.
    for (int i = 1; i < 6; i += 2) {
      ring.get(i).awaitMesh("news", size -> size == 2);
    }

    assertAllHearEachOther("news", ring);

    ring.get(0).ask("unsubscribe news");
    ring.get(1).awaitTopicPeer("news", ring.get(0), false);
    ring.get(1).ask("unsubscribe news");
    ring.get(2).awaitTopicPeer("news", ring.get(1), false);
  }

  @ParameterizedTest
  @EnumSource(Side.class)
  void ofSeveralPeersOfBothKindsRoundABootstrapAllHearAll(Side bootstrapping) {
    JsonPeerProcess bootstrap =
        start(bootstrapping, "bootstrap", "--dht", "server", "--topic", "news");
    List<JsonPeerProcess> all = new ArrayList<>(List.of(bootstrap));
    for (Side side : Side.values()) {
      for (int i = 0; i < (side == bootstrapping ? 2 : 3); i++) {
        all.add(
            start(
                side,
                "" + i,
                "--dht",
                "server",
                "--topic",
                "news",
                "--bootstrap",
                bootstrap.address()));
      }
    }
    List<JsonPeerProcess> ours =
        all.stream().filter(peer -> peer.name().startsWith("TROUPE")).toList();
    List<JsonPeerProcess> theirs =
        all.stream().filter(peer -> !peer.name().startsWith("TROUPE")).toList();
    // All three of ours find one another by what they advertised, whoever holds the records.
    for (JsonPeerProcess one : ours) {
      for (JsonPeerProcess other : ours) {
        if (one != other && !Boolean.getBoolean("troupe.interop.js-only")) {
          one.awaitTopicPeer("news", other, true);
        }
      }
    }
    for (JsonPeerProcess other : all.subList(1, all.size())) {
      bootstrap.awaitTopicPeer("news", other, true);
    }
    // Where the mesh can be seen, wait for it.
    if (bootstrapping == Side.THEIRS) {
      bootstrap.awaitMesh("news", size -> size == 5);
    } else {
      theirs.forEach(peer -> peer.awaitMesh("news", size -> size >= 1));
    }

    assertAllHearEachOther("news", all);
  }

  static void assertAllHearEachOther(String topic, List<JsonPeerProcess> peers) {
    for (JsonPeerProcess publisher : peers) {
      publisher.ask("publish " + topic + " said by " + publisher.name());
    }
    for (JsonPeerProcess publisher : peers) {
      String text = "said by " + publisher.name();
      for (JsonPeerProcess other : peers) {
        if (other != publisher) {
          other.awaitMessage(topic, publisher, text);
          assertEquals(1, other.messages(text), other + " heard more than once: " + text);
        }
      }
    }
  }

  /** A bootstrap peer of one kind, and a peer of each kind that knows nothing else. */
  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  abstract class BootstrappedNetwork {

    private final Side bootstrapping;
    private final List<JsonPeerProcess> peers = new ArrayList<>();

    BootstrappedNetwork(Side bootstrapping) {
      this.bootstrapping = bootstrapping;
    }

    @BeforeAll
    void startPeers() {
      PeerKind kind = kind(bootstrapping);
      JsonPeerProcess bootstrap =
          kind.start(kind + "-bootstrap", "--dht", "server", "--namespace", "house");
      peers.add(bootstrap);
      // Ours in its default mode: on one machine, where reachability stays unknown, it serves.
      JsonPeerProcess ours =
          PeerKind.TROUPE.start(
              "TROUPE-agent", "--bootstrap", bootstrap.address(), "--namespace", "house");
      peers.add(ours);
      JsonPeerProcess theirs =
          foreign.start(
              foreign + "-agent",
              "--bootstrap",
              bootstrap.address(),
              "--dht",
              "server",
              "--namespace",
              "house");
      peers.add(theirs);
      ours.awaitDhtReady();
      theirs.awaitDhtReady();
      bootstrap.awaitIdentified(ours);
      bootstrap.awaitIdentified(theirs);
    }

    @AfterAll
    void stopPeers() {
      peers.forEach(JsonPeerProcess::close);
    }

    private JsonPeerProcess agent(Side side) {
      return peers.get(side == Side.OURS ? 1 : 2);
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void whatOneProvidesTheOtherFinds(Side providing) {
      JsonPeerProcess provider = agent(providing);
      JsonPeerProcess finder = agent(providing.other());
      String text = "a text of " + provider.name();
      provider.ask("provide " + text);
      List<String> found = texts(finder.ask("providers " + text).path("peers"));
      assertEquals(List.of(provider.peerId()), found);

      String cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
      provider.ask("provide " + cid);
      assertTrue(texts(finder.ask("providers " + cid).path("peers")).contains(provider.peerId()));
    }

    @Test
    void ofWhatNobodyProvidesThereAreNoProviders() {
      for (JsonPeerProcess peer : peers) {
        String text = "nobody has this, asks " + peer.name();
        assertEquals(List.of(), texts(peer.ask("providers " + text).path("peers")));
      }
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void whatOnePutsTheOtherGets(Side putting) {
      JsonPeerProcess putter = agent(putting);
      JsonPeerProcess getter = agent(putting.other());
      for (String namespace : List.of("test", "house")) {
        String key = "/" + namespace + "/" + putter.name();
        putter.ask("put " + key + " the värde of it");
        assertEquals("the värde of it", getter.ask("get " + key).path("value").asText());
        assertEquals("the värde of it", putter.ask("get " + key).path("value").asText());
      }
    }

    @Test
    void whatNoValidatorKnowsIsRefused() {
      for (JsonPeerProcess peer : peers) {
        peer.askInVain("put /unheard-of/key value");
        peer.askInVain("get /test/absent-" + peer.name());
      }
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void oneFindsTheOtherThroughTheBootstrap(Side seeking) {
      JsonPeerProcess seeker = agent(seeking);
      JsonPeerProcess sought = agent(seeking.other());
      assertNotEquals(seeker.peerId(), sought.peerId());
      String address = sought.address();
      String withoutPeer = address.substring(0, address.indexOf("/p2p/"));
      List<String> addresses = texts(seeker.ask("find " + sought.peerId()).path("addrs"));
      assertTrue(
          addresses.contains(address) || addresses.contains(withoutPeer), addresses::toString);
    }
  }

  static List<String> texts(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
  }
}
