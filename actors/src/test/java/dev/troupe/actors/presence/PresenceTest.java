package dev.troupe.actors.presence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.presence.Presence.Reason;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.presence.InvalidPresenceException.Fault;
import dev.troupe.protocol.presence.PresenceRecord;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What presence tells the DHT, and when; what it makes of what the DHT says. */
class PresenceTest {

  private static final String ALICE = "/eth/0xa11ce";
  private static final PrivateKey KEY = ScriptedWorld.key(0);
  private static final PeerId SELF = KEY.peerId();
  private static final Duration REFRESH = PresenceSettings.DEFAULT.refresh();
  private static final Dht.OperationFailed FAILED =
      new Dht.OperationFailed(Dht.Reason.NO_PEERS, "nobody there");

  private final SimulatedSystem system = SimulatedSystem.create();
  private final ScriptedWorld world = new ScriptedWorld(system);
  private final List<Dht.PutValue> puts = new ArrayList<>();
  private final List<Dht.Provide> provided = new ArrayList<>();
  private final List<Multihash> stopped = new ArrayList<>();
  private final List<Bytes> stoppedPuts = new ArrayList<>();
  private final List<Dht.GetValue> gets = new ArrayList<>();

  /** Who provides what, and what is stored: the DHT, as far as a search can see. */
  private final List<PeerId> providers = new ArrayList<>();

  private final Map<Bytes, Bytes> values = new LinkedHashMap<>();

  /** Whether the DHT answers; it never answers late. */
  private boolean answers = true;

  private boolean fails;
  private final ActorRef<Dht.Command> dht = system.spawn(dht(), "dht");
  private ActorRef<Presence.Command> presence = start(PresenceSettings.DEFAULT);

  @AfterEach
  void close() {
    system.close();
  }

  private ActorRef<Presence.Command> start(PresenceSettings settings) {
    return system.spawn(
        Presence.create(settings, KEY, world, new ScriptedHost(SELF), dht),
        "presence-" + settings.hashCode());
  }

  private Behavior<Dht.Command> dht() {
    return Behaviors.receive(Dht.Command.class)
        .onMessage(
            Dht.PutValue.class,
            put -> {
              puts.add(put);
              if (answers) {
                put.replyTo().tell(fails ? FAILED : new Dht.ValuePut(put.key(), 3));
              }
              return Behaviors.same();
            })
        .onMessage(
            Dht.Provide.class,
            provide -> {
              provided.add(provide);
              if (answers) {
                provide.replyTo().tell(fails ? FAILED : new Dht.Provided(provide.key(), 2));
              }
              return Behaviors.same();
            })
        .onMessage(
            Dht.StopProviding.class,
            stop -> {
              stopped.add(stop.key());
              stop.replyTo().tell(new Dht.ProvidingStopped(stop.key()));
              return Behaviors.same();
            })
        .onMessage(
            Dht.StopPutting.class,
            stop -> {
              stoppedPuts.add(stop.key());
              stop.replyTo().tell(new Dht.PuttingStopped(stop.key()));
              return Behaviors.same();
            })
        .onMessage(
            Dht.FindProviders.class,
            find -> {
              if (answers) {
                List<Dht.PeerWithAddresses> found =
                    providers.stream()
                        .limit(find.limit())
                        .map(peer -> new Dht.PeerWithAddresses(peer, List.of()))
                        .toList();
                find.replyTo().tell(fails ? FAILED : new Dht.ProvidersFound(find.key(), found));
              }
              return Behaviors.same();
            })
        .onMessage(
            Dht.GetValue.class,
            get -> {
              gets.add(get);
              Bytes value = values.get(get.key());
              get.replyTo().tell(value == null ? FAILED : new Dht.ValueGot(get.key(), value, 1));
              return Behaviors.same();
            })
        .build();
  }

  private Probe<Presence.AnnounceReply> announce(String identity) {
    Probe<Presence.AnnounceReply> reply = system.probe();
    presence.tell(new Presence.Announce(identity, "id", "Alice", reply.ref()));
    system.runUntilIdle();
    return reply;
  }

  private Reason refusal(Probe<Presence.AnnounceReply> reply) {
    return reply.expect(Presence.AnnounceFailed.class).reason();
  }

  private boolean withdraw(String identity) {
    Probe<Presence.Withdrawn> reply = system.probe();
    presence.tell(new Presence.Withdraw(identity, reply.ref()));
    system.runUntilIdle();
    return reply.next().wasAnnounced();
  }

  private Probe<Presence.FindReply> find(String identity) {
    Probe<Presence.FindReply> reply = system.probe();
    presence.tell(new Presence.Find(identity, reply.ref()));
    system.runUntilIdle();
    return reply;
  }

  private List<Presence.Own> announced() {
    Probe<Presence.AllAnnounced> reply = system.probe();
    presence.tell(new Presence.GetAnnounced(reply.ref()));
    return reply.next().presences();
  }

  private void crash() {
    // Our bug, as far as the actor can tell.
    presence.tell(new Presence.GetAnnounced(null));
    system.runUntilIdle();
  }

  private Instant now() {
    return system.clock().instant();
  }

  private static Multihash place(String identity) {
    return PresenceRecord.placeOf(new PortableCrypto(), identity);
  }

  /** Somebody is present, or says so. */
  private void present(int number, PrivateKey signer, Instant published) {
    PeerId peer = ScriptedWorld.key(number).peerId();
    PresenceRecord record =
        new PresenceRecord(
            ALICE,
            signer.peerId(),
            published,
            PresenceSettings.DEFAULT.lifetime(),
            "id",
            "",
            List.of());
    providers.add(peer);
    values.put(PresenceRecord.keyOf(peer, ALICE), record.seal(world.crypto(), signer));
  }

  // Announcing

  @Test
  void itIsPublishedAtOnceAndThenExactlyAtTheInterval() throws Exception {
    Instant begun = now();
    assertEquals(
        new Presence.Announced(ALICE, 3), announce(ALICE).expect(Presence.Announced.class));
    for (int round = 1; round <= 3; round++) {
      assertEquals(round, puts.size());
      assertEquals(round, provided.size());
      Dht.PutValue put = puts.get(round - 1);
      assertEquals(PresenceRecord.keyOf(SELF, ALICE), put.key());
      PresenceRecord record = PresenceRecord.open(world.crypto(), SELF, ALICE, put.value(), now());
      assertEquals(begun.plus(REFRESH.multipliedBy(round - 1)), record.published());
      assertEquals(PresenceSettings.DEFAULT.lifetime(), record.lifetime());
      assertEquals("Alice", record.agentName());
      assertEquals(place(ALICE), provided.get(round - 1).key());
      system.advance(REFRESH.minusNanos(1));
      assertEquals(round, puts.size());
      system.advance(Duration.ofNanos(1));
    }
    assertEquals(List.of(new Presence.Own(ALICE, 3, null)), announced());
  }

  @Test
  void aFailureIsSaidAndTriedAgain() {
    fails = true;
    assertEquals(Reason.DHT_FAILED, refusal(announce(ALICE)));
    assertEquals(List.of(), provided, "nobody is led to a record that is not there");
    assertEquals(List.of(new Presence.Own(ALICE, 0, "nobody there")), announced());
    fails = false;
    system.advance(REFRESH);
    assertEquals(1, provided.size());
    assertEquals(List.of(new Presence.Own(ALICE, 3, null)), announced());
  }

  @Test
  void onePublicationIsUnderWayAtATime() {
    answers = false;
    Probe<Presence.AnnounceReply> reply = announce(ALICE);
    system.advance(REFRESH.multipliedBy(3));
    assertEquals(1, puts.size());
    reply.expectNone();
    answers = true;
    puts.get(0).replyTo().tell(new Dht.ValuePut(puts.get(0).key(), 1));
    system.runUntilIdle();
    assertEquals(new Presence.Announced(ALICE, 1), reply.next());
    system.advance(REFRESH);
    assertEquals(2, puts.size(), "at the next multiple of the interval");
  }

  @Test
  void whatIsWithdrawnIsNotPublishedAgain() {
    announce(ALICE);
    assertTrue(withdraw(ALICE));
    assertEquals(place(ALICE), stopped.get(0));
    assertEquals(puts.get(0).key(), stoppedPuts.get(0));
    system.advance(REFRESH.multipliedBy(3));
    assertEquals(1, puts.size());
    assertEquals(List.of(), announced());
    assertEquals(false, withdraw(ALICE));
  }

  @Test
  void withdrawingAnswersWhoWaitsAndLeavesNothingBehind() {
    answers = false;
    Probe<Presence.AnnounceReply> reply = announce(ALICE);
    assertTrue(withdraw(ALICE));
    assertEquals(Reason.WITHDRAWN, refusal(reply));
    answers = true;
    puts.get(0).replyTo().tell(new Dht.ValuePut(puts.get(0).key(), 1));
    system.runUntilIdle();
    assertEquals(List.of(), provided);
    // What had come to the DHT before the publication was gone is withdrawn as well.
    assertEquals(List.of(place(ALICE), place(ALICE)), stopped);
    assertEquals(List.of(puts.get(0).key(), puts.get(0).key()), stoppedPuts);
    reply.expectNone();
  }

  @Test
  void whatCannotBeAnnouncedIsRefusedWithAReason() {
    assertEquals(Reason.BAD_IDENTITY, refusal(announce("alice")));
    Probe<Presence.AnnounceReply> reply = system.probe();
    String name = "x".repeat(PresenceRecord.MAX_ENCODED);
    presence.tell(new Presence.Announce(ALICE, "", name, reply.ref()));
    assertEquals(Reason.TOO_LARGE, refusal(reply));
    assertEquals(List.of(), announced());
    announce(ALICE);
    assertEquals(Reason.ALREADY_ANNOUNCED, refusal(announce(ALICE)));
    system.advance(REFRESH);
    assertEquals(2, puts.size());
  }

  @Test
  void thereIsRoomForSoManyIdentities() {
    presence = start(new PresenceSettings(REFRESH, REFRESH.multipliedBy(2), 2, 1, 1));
    announce("/eth/1");
    announce("/eth/2");
    assertEquals(Reason.TOO_MANY, refusal(announce("/eth/3")));
    withdraw("/eth/1");
    announce("/eth/3").expect(Presence.Announced.class);
  }

  // Finding

  @Test
  void thoseWhoCanShowItAreFound() {
    present(1, ScriptedWorld.key(1), now());
    present(2, ScriptedWorld.key(2), now());
    Presence.Found found = find(ALICE).expect(Presence.Found.class);
    assertEquals(providers, found.present().stream().map(PresenceRecord::peer).toList());
    assertEquals(List.of(), found.refused());
  }

  @Test
  void thoseWhoCannotAreRefusedWithAReason() {
    present(1, ScriptedWorld.key(9), now());
    present(2, ScriptedWorld.key(2), now().minus(PresenceSettings.DEFAULT.lifetime()));
    present(3, ScriptedWorld.key(3), now().plus(PresenceRecord.CLOCK_TOLERANCE).plusMillis(1));
    present(4, ScriptedWorld.key(4), now());
    values.put(
        PresenceRecord.keyOf(providers.get(3), ALICE),
        Bytes.wrap(new byte[PresenceRecord.MAX_ENCODED + 1]));
    present(5, ScriptedWorld.key(5), now());
    values.remove(PresenceRecord.keyOf(providers.get(4), ALICE));
    present(6, ScriptedWorld.key(6), now());
    Presence.Found found = find(ALICE).expect(Presence.Found.class);
    assertEquals(
        List.of(providers.get(5)), found.present().stream().map(PresenceRecord::peer).toList());
    assertEquals(
        providers.subList(0, 5), found.refused().stream().map(Presence.Refused::peer).toList());
    List<Fault> faults = new ArrayList<>();
    found.refused().forEach(each -> faults.add(each.fault()));
    assertEquals(
        List.of(Fault.OTHER_SIGNER, Fault.EXPIRED, Fault.FUTURE_DATED, Fault.TOO_LARGE),
        faults.subList(0, 4));
    assertNull(faults.get(4));
    assertEquals("nobody there", found.refused().get(4).message());
  }

  @Test
  void nobodyIsFoundWhereNobodyIs() {
    assertEquals(new Presence.Found(ALICE, List.of(), List.of()), find(ALICE).next());
    fails = true;
    assertEquals(
        new Presence.FindFailed(ALICE, Reason.DHT_FAILED, "nobody there"), find(ALICE).next());
    assertEquals(Reason.BAD_IDENTITY, find("/").expect(Presence.FindFailed.class).reason());
  }

  @Test
  void oneSearchLooksAtSoManyAndSoManyAreUnderWay() {
    presence = start(new PresenceSettings(REFRESH, REFRESH.multipliedBy(2), 1, 2, 3));
    for (int i = 1; i <= 4; i++) {
      present(i, ScriptedWorld.key(i), now());
    }
    assertEquals(3, find(ALICE).expect(Presence.Found.class).present().size());
    answers = false;
    find(ALICE).expectNone();
    find(ALICE).expectNone();
    assertEquals(Reason.TOO_MANY, find(ALICE).expect(Presence.FindFailed.class).reason());
  }

  // The end, and crashes

  @Test
  void aCrashLosesNoPresenceAndNoReply() {
    announce(ALICE);
    system.advance(Duration.ofSeconds(1));
    answers = false;
    Probe<Presence.AnnounceReply> announcing = announce("/eth/2");
    Probe<Presence.FindReply> finding = find(ALICE);
    answers = true;
    crash();
    assertEquals(Reason.CRASHED, refusal(announcing));
    assertEquals(Reason.CRASHED, finding.expect(Presence.FindFailed.class).reason());
    assertEquals(4, puts.size(), "both are published at once");
    assertEquals(
        List.of(new Presence.Own(ALICE, 3, null), new Presence.Own("/eth/2", 3, null)),
        announced());
    system.advance(REFRESH.minusNanos(1));
    assertEquals(4, puts.size());
    system.advance(Duration.ofNanos(1));
    assertEquals(6, puts.size());
    announcing.expectNone();
    finding.expectNone();
  }

  @Test
  void aChildThatCrashesIsAnswered() {
    answers = false;
    Probe<Presence.AnnounceReply> announcing = announce(ALICE);
    Probe<Presence.FindReply> finding = find(ALICE);
    system.children(presence).keySet().stream()
        .filter(path -> !path.equals(presence.path().toStringWithoutAddress()))
        .map(path -> path.substring(presence.path().toStringWithoutAddress().length() + 1))
        .toList()
        .forEach(child -> system.crash(presence, child, new IllegalStateException("by the test")));
    system.runUntilIdle();
    assertEquals(Reason.CRASHED, refusal(announcing));
    assertEquals(Reason.CRASHED, finding.expect(Presence.FindFailed.class).reason());
    answers = true;
    system.advance(REFRESH);
    assertEquals(List.of(new Presence.Own(ALICE, 3, null)), announced());
  }

  @Test
  void stoppingAnswersWhoWaits() {
    answers = false;
    Probe<Presence.AnnounceReply> announcing = announce(ALICE);
    Probe<Presence.FindReply> finding = find(ALICE);
    presence.tell(new Presence.Stop());
    system.runUntilIdle();
    assertEquals(Reason.STOPPING, refusal(announcing));
    assertEquals(Reason.STOPPING, finding.expect(Presence.FindFailed.class).reason());
  }

  @Test
  void theSettingsFitTogether() {
    assertThrows(
        IllegalArgumentException.class, () -> new PresenceSettings(REFRESH, REFRESH, 1, 1, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new PresenceSettings(REFRESH, PresenceRecord.MAX_LIFETIME.plusNanos(1), 1, 1, 1));
    for (int i = 0; i < 3; i++) {
      int wrong = i;
      assertThrows(
          IllegalArgumentException.class,
          () ->
              new PresenceSettings(
                  REFRESH,
                  REFRESH.multipliedBy(2),
                  wrong == 0 ? 0 : 1,
                  wrong == 1 ? 0 : 1,
                  wrong == 2 ? 0 : 1));
    }
  }
}
