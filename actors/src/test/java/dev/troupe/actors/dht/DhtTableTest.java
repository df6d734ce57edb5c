package dev.troupe.actors.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.simulation.kernel.Probe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who enters the routing table, who waits, who is checked, and who is refused. */
class DhtTableTest {

  private static final Duration SILENCE = Duration.ofMinutes(1);

  /** The time of one check, with room to spare: two attempts of 3 s each, or a dial. */
  private static final Duration CHECK = Duration.ofSeconds(13);

  private DhtFixture fixture;

  @AfterEach
  void close() {
    fixture.close();
  }

  private static DhtSettings settings(int capacity, int checks) {
    return DhtSettings.DEFAULT
        .withBucketCapacity(capacity)
        .withTable(new DhtSettings.Table(SILENCE, checks, 3, 2, 3));
  }

  /** Peers that share so many bits with the Dht's own. */
  private static List<Script> inBucket(int prefix, int count, String... addresses) {
    List<Script> found = new ArrayList<>();
    for (long number = 1000L * (prefix + 1); found.size() < count; number++) {
      Key key = Key.of(Script.peer(number));
      if (Key.of(DhtFixture.SELF).commonPrefixLength(key) == prefix) {
        found.add(
            addresses.length == 0
                ? Script.peerNumber(number)
                : Script.peerNumber(number, addresses[found.size()]));
      }
    }
    return found;
  }

  private Dht.Table table() {
    Probe<Dht.Table> table = fixture.system.probe();
    fixture.dht.tell(new Dht.GetTable(table.ref()));
    return table.next();
  }

  private Set<PeerId> members() {
    return Set.copyOf(table().peers());
  }

  private static Set<PeerId> peers(Script... scripts) {
    return Set.copyOf(Arrays.stream(scripts).map(script -> script.peer).toList());
  }

  /** How often it was asked whether it is alive. */
  private static int checks(Script script) {
    return (int)
        script.requests.stream()
            .filter(request -> request.type() == KademliaMessage.Type.FIND_NODE)
            .filter(request -> request.key().equals(script.peer.bytes()))
            .count();
  }

  /** Two members fill a bucket, and are silent for long; then two newcomers would be there. */
  private List<Script> silentBucket() {
    List<Script> scripts = inBucket(0, 4);
    fixture = new DhtFixture(settings(2, 8), scripts.toArray(new Script[0]));
    fixture.identify(scripts.get(0));
    fixture.advance(Duration.ofSeconds(1));
    fixture.identify(scripts.get(1));
    fixture.advance(SILENCE.multipliedBy(2));
    return scripts;
  }

  @Test
  void aSilentMemberThatAnswersStaysAndTheNewcomerWaits() {
    List<Script> scripts = silentBucket();
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    assertEquals(1, checks(scripts.get(0)));
    assertEquals(peers(scripts.get(0), scripts.get(1)), members());
    assertEquals(List.of(scripts.get(2).peer), table().waiting());
    assertEquals(1, checks(scripts.get(1)), "it was silent for long, too");
    // Both have been heard of since.
    fixture.identify(scripts.get(3));
    fixture.advance(CHECK);
    assertEquals(1, checks(scripts.get(0)));
    assertEquals(1, checks(scripts.get(1)));
    assertEquals(List.of(scripts.get(3).peer, scripts.get(2).peer), table().waiting());
    assertEquals(0, checks(scripts.get(2)) + checks(scripts.get(3)));
  }

  @Test
  void aCheckIsNoWalk() {
    List<Script> scripts = silentBucket();
    int walks = fixture.walks;
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    assertEquals(1, checks(scripts.get(0)));
    assertEquals(walks, fixture.walks);
  }

  @Test
  void aSilentMemberThatIsConnectedIsAskedTwiceAndThenTheNewcomerTakesItsPlace() {
    List<Script> scripts = silentBucket();
    scripts.get(0).silent = true;
    fixture.identify(scripts.get(2));
    fixture.advance(Duration.ofSeconds(4));
    assertEquals(2, checks(scripts.get(0)));
    assertEquals(peers(scripts.get(0), scripts.get(1)), members());
    fixture.advance(CHECK);
    assertEquals(2, checks(scripts.get(0)));
    assertEquals(1, checks(scripts.get(2)));
    assertEquals(peers(scripts.get(1), scripts.get(2)), members());
    assertEquals(List.of(), table().waiting());
    assertTrue(fixture.tagged.get("table").contains(scripts.get(2).peer));
    assertFalse(fixture.tagged.get("table").contains(scripts.get(0).peer));
  }

  @Test
  void aMemberThatCannotBeReachedLeavesAndTheNewestThatAnswersTakesItsPlace() {
    List<Script> scripts = silentBucket();
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    fixture.identify(scripts.get(3));
    fixture.advance(SILENCE.multipliedBy(2));
    for (Script gone : List.of(scripts.get(0), scripts.get(3))) {
      gone.reachable = false;
      fixture.disconnect(gone);
    }
    fixture.identify(scripts.get(2));
    fixture.identify(scripts.get(3)); // It is the newest to come, and goes at once.
    fixture.disconnect(scripts.get(3));
    fixture.advance(CHECK);
    assertEquals(peers(scripts.get(1), scripts.get(2)), members());
    assertEquals(List.of(), table().waiting());
    assertTrue(fixture.dials.contains(scripts.get(3).peer));
    assertEquals(1, checks(scripts.get(2)));
  }

  @Test
  void whoStopsServingIsReplaced() {
    List<Script> scripts = silentBucket();
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    scripts.get(1).server = false;
    fixture.identify(scripts.get(1));
    fixture.advance(Duration.ofSeconds(1));
    assertEquals(peers(scripts.get(0), scripts.get(2)), members());
    assertEquals(1, checks(scripts.get(2)));
  }

  @Test
  void whoIsTriedEntersOnlyWhenItHasAnswered() {
    List<Script> scripts = silentBucket();
    fixture.identify(scripts.get(2));
    fixture.disconnect(scripts.get(2));
    fixture.advance(CHECK);
    scripts.get(2).silent = true;
    scripts.get(1).server = false;
    fixture.identify(scripts.get(1));
    fixture.advance(Duration.ofSeconds(1));
    assertTrue(fixture.connected.contains(scripts.get(2).peer), "it has been dialled");
    assertEquals(1, checks(scripts.get(2)));
    assertEquals(peers(scripts.get(0)), members());
    fixture.advance(CHECK);
    assertEquals(peers(scripts.get(0)), members());
    assertEquals(List.of(), table().waiting());
    fixture.identify(scripts.get(2)); // To say so once more is not to answer.
    assertEquals(peers(scripts.get(0)), members());
    fixture.advance(DhtSettings.DEFAULT.timing().refresh());
    assertEquals(2, checks(scripts.get(2)));
    assertEquals(peers(scripts.get(0)), members());
    scripts.get(2).silent = false;
    fixture.advance(DhtSettings.DEFAULT.timing().refresh());
    assertEquals(peers(scripts.get(0), scripts.get(2)), members());
  }

  @Test
  void whoFailsLookupsEntersOnlyWhenItHasAnswered() {
    List<Script> scripts = inBucket(0, 2);
    fixture = new DhtFixture(settings(2, 8), scripts.toArray(new Script[0]));
    scripts.forEach(fixture::identify);
    fixture.advance(Duration.ofSeconds(1));
    scripts.get(0).silent = true;
    for (int lookup = 0; lookup < 2; lookup++) {
      fixture.dht.tell(
          new Dht.FindProviders(
              Script.hash("x" + lookup),
              1,
              Readiness.UNTIL_GATE_OPENS,
              fixture.system.<Dht.FindProvidersReply>probe().ref()));
      fixture.advance(Duration.ofMinutes(2));
    }
    assertEquals(peers(scripts.get(1)), members());
    fixture.identify(scripts.get(0)); // It says that it serves, as when its addresses change.
    assertEquals(peers(scripts.get(1)), members());
    scripts.get(0).silent = false;
    fixture.advance(DhtSettings.DEFAULT.timing().refresh().plus(CHECK));
    assertEquals(peers(scripts.get(0), scripts.get(1)), members());
  }

  @Test
  void whoDidNotAnswerIsAnewcomerWhenItConnectsAgain() {
    List<Script> scripts = silentBucket();
    scripts.get(0).silent = true;
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    assertEquals(peers(scripts.get(1), scripts.get(2)), members());
    scripts.get(2).server = false;
    fixture.identify(scripts.get(2));
    fixture.identify(scripts.get(0));
    assertEquals(peers(scripts.get(1)), members(), "it has not answered");
    fixture.disconnect(scripts.get(0));
    fixture.identify(scripts.get(0));
    assertEquals(peers(scripts.get(0), scripts.get(1)), members());
  }

  @Test
  void manyNewcomersCauseOneCheckAndAfewOfThemWait() {
    List<Script> scripts = silentBucket();
    scripts.get(0).silent = true;
    List<Script> crowd = inBucket(0, 54).subList(4, 54);
    crowd.forEach(fixture::identify);
    fixture.advance(Duration.ofSeconds(1));
    assertEquals(1, checks(scripts.get(0)));
    assertEquals(0, checks(scripts.get(1)));
    assertEquals(peers(scripts.get(0), scripts.get(1)), members());
    assertEquals(
        List.of(crowd.get(49).peer, crowd.get(48).peer, crowd.get(47).peer), table().waiting());
    fixture.advance(CHECK);
    assertEquals(peers(scripts.get(1), crowd.get(49)), members());
    assertEquals(1, crowd.stream().mapToInt(DhtTableTest::checks).sum());
  }

  @Test
  void soManyAreCheckedAtAtimeAndInBoundedTime() {
    List<Script> scripts = new ArrayList<>();
    for (int prefix = 0; prefix < 5; prefix++) {
      scripts.addAll(inBucket(prefix, 1));
    }
    fixture = new DhtFixture(settings(1, 2), scripts.toArray(new Script[0]));
    scripts.forEach(fixture::identify);
    fixture.advance(DhtSettings.DEFAULT.timing().refresh().minusSeconds(1));
    assertEquals(0, scripts.stream().mapToInt(DhtTableTest::checks).sum());
    scripts.forEach(script -> script.silent = true);
    fixture.advance(Duration.ofSeconds(2));
    assertEquals(2, scripts.stream().mapToInt(DhtTableTest::checks).sum());
    fixture.advance(CHECK.multipliedBy(3));
    assertEquals(Set.of(), members());
  }

  @Test
  void membersThatAreSilentAreCheckedWhenBucketsAreLookedAfter() {
    List<Script> scripts = inBucket(0, 1);
    fixture = new DhtFixture(settings(2, 8), scripts.get(0));
    fixture.identify(scripts.get(0));
    fixture.advance(DhtSettings.DEFAULT.timing().refresh().plusSeconds(1));
    assertEquals(1, checks(scripts.get(0)));
    assertEquals(peers(scripts.get(0)), members());
  }

  @Test
  void aCheckThatCrashesDoesNotKeepTheBucketFromTheNext() {
    List<Script> scripts = silentBucket();
    fixture.brokenStreams = true;
    int streams = scripts.get(0).streams.size();
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    assertEquals(streams + 2, scripts.get(0).streams.size(), "once more, and no oftener");
    fixture.brokenStreams = false;
    fixture.advance(SILENCE.multipliedBy(2));
    scripts.get(0).silent = true;
    fixture.identify(scripts.get(2));
    fixture.advance(CHECK);
    assertEquals(peers(scripts.get(1), scripts.get(2)), members());
  }

  @Test
  void newcomersOfOneNetworkAreRefusedAndOthersEnter() {
    List<Script> sybils =
        inBucket(0, 3, "/ip4/45.1.0.1/tcp/1", "/ip4/45.1.0.2/tcp/1", "/ip4/45.1.9.3/tcp/1");
    List<Script> nearer =
        inBucket(1, 3, "/ip4/45.1.8.1/tcp/1", "/ip4/45.1.7.1/tcp/1", "/ip4/45.2.0.1/tcp/1");
    List<Script> athome = inBucket(2, 4);
    fixture = new DhtFixture(settings(20, 8));
    sybils.forEach(fixture::identify);
    assertEquals(peers(sybils.get(0), sybils.get(1)), members(), "two of a bucket");
    nearer.forEach(fixture::identify);
    athome.forEach(fixture::identify);
    Set<PeerId> expected =
        peers(
            sybils.get(0),
            sybils.get(1),
            nearer.get(0),
            nearer.get(2),
            athome.get(0),
            athome.get(1),
            athome.get(2),
            athome.get(3));
    assertEquals(expected, members(), "three of the table, and whoever is not public");
    assertEquals(List.of(), table().waiting());
    assertEquals(2, table().refused());
    sybils.get(0).server = false;
    fixture.identify(sybils.get(0));
    fixture.identify(sybils.get(2));
    assertTrue(members().contains(sybils.get(2).peer), "there is room for one again");
  }

  @Test
  void whatCountsIsWhereItIsAndNotWhereItSaysItIs() {
    List<Script> sybils =
        inBucket(0, 3, "/ip4/45.1.0.1/tcp/1", "/ip4/45.1.0.2/tcp/1", "/ip4/45.1.9.3/tcp/1");
    for (int i = 0; i < 3; i++) {
      sybils.get(i).listens = List.of(Script.parse("/ip4/45." + (50 + i) + ".0.1/tcp/1"));
    }
    fixture = new DhtFixture(settings(20, 8));
    sybils.forEach(fixture::identify);
    assertEquals(peers(sybils.get(0), sybils.get(1)), members());
  }

  @Test
  void whoHasGoneBeforeItIsHeardOfDoesNotEnter() {
    List<Script> sybils =
        inBucket(0, 3, "/ip4/45.1.0.1/tcp/1", "/ip4/45.1.0.2/tcp/1", "/ip4/45.1.9.3/tcp/1");
    fixture = new DhtFixture(settings(20, 8));
    sybils.forEach(fixture::identifyAndGo);
    assertEquals(Set.of(), members());
    sybils.forEach(fixture::disconnect);
    sybils.forEach(fixture::identify);
    assertEquals(peers(sybils.get(0), sybils.get(1)), members());
  }

  @Test
  void whoWasDialledByNameCountsWhereItWasReached() {
    List<Script> named =
        inBucket(0, 3, "/dns4/a.example/tcp/1", "/dns4/b.example/tcp/1", "/dns4/c.example/tcp/1");
    for (int i = 0; i < 3; i++) {
      named.get(i).reached = Script.parse("/ip4/45.1.0." + (1 + i) + "/tcp/1");
      named.get(i).listens = List.of(Script.parse("/ip4/10.0.0.1/tcp/1"));
    }
    fixture = new DhtFixture(settings(20, 8));
    named.forEach(fixture::identify);
    assertEquals(peers(named.get(0), named.get(1)), members());
  }

  @Test
  void bootstrapPeersEnterWhereverTheyAre() {
    List<Script> bootstraps =
        inBucket(
            0,
            4,
            "/ip4/45.1.0.1/tcp/1",
            "/ip4/45.1.0.2/tcp/1",
            "/ip4/45.1.9.3/tcp/1",
            "/ip4/45.1.9.4/tcp/1");
    Script[] named = bootstraps.subList(0, 3).toArray(new Script[0]);
    fixture =
        new DhtFixture(
            settings(20, 8).withBootstrapPeers(DhtFixture.joining(named).bootstrapPeers()), named);
    fixture.advance(Duration.ofSeconds(1));
    assertEquals(peers(named), members());
    fixture.crash(); // Who the bootstrap peers are is heard of after those that are connected.
    fixture.advance(Duration.ofSeconds(1));
    assertEquals(peers(named), members());
    fixture.identify(bootstraps.get(3));
    assertTrue(members().contains(bootstraps.get(3).peer), "they do not count, either");
  }
}
