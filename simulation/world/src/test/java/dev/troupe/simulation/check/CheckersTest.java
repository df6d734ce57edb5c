package dev.troupe.simulation.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.presence.PresenceSettings;
import dev.troupe.actors.virtualconnections.VirtualConnectionSettings;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.gossipsub.GossipsubSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Letter;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Parameters;
import dev.troupe.simulation.scenario.Play;
import dev.troupe.simulation.scenario.Result;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.world.Loss;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.BehaviorInterceptor;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

/** Each checker can fail: a network that breaks its rule is caught, by it. */
class CheckersTest {

  private static final Parameters PARAMETERS =
      new Parameters(
          "faulty", 2, 1, Duration.ofMinutes(1), Fidelity.HOST, Order.FIFO, Parameters.ALL_FAULTS);

  private static final String IDENTITY = "/eth/0x" + "0".repeat(40);

  private static void assertCaught(String checker, Consumer<Run> what) {
    Result result = Run.of(new Play("faulty", what), PARAMETERS);
    assertFalse(result.isClean());
    assertEquals(
        List.of(checker), result.violations().stream().map(v -> v.checker()).distinct().toList());
    assertEquals(result, Run.of(new Play("faulty", what), PARAMETERS));
  }

  private static Node start(Run run, String name, Node... known) {
    return run.cluster()
        .start(
            name,
            settings ->
                settings.withDht(
                    settings
                        .dht()
                        .withBootstrapPeers(List.of(known).stream().map(Node::address).toList())));
  }

  @Test
  void anOperationThatIsNeverAnswered() {
    assertCaught(
        "answered-once",
        run -> {
          Node node = start(run, "alice");
          run.cluster()
              .<Peer.Info>ask(
                  node,
                  "info",
                  Duration.ofSeconds(1),
                  replyTo -> Peer.getInfo(run.cluster().system().<Peer.Info>probe().ref()));
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void anOperationThatIsStillOpenWhenTheScenarioIsOver() {
    assertCaught(
        "answered-once",
        run -> {
          Node node = start(run, "alice");
          Node other = start(run, "bob", node);
          run.advance(Duration.ofSeconds(10));
          run.cluster()
              .<Peer.Info>ask(
                  other,
                  "info",
                  Cluster.BOUND,
                  replyTo -> Peer.getInfo(run.cluster().system().<Peer.Info>probe().ref()));
        });
  }

  @Test
  void anOperationThatIsAnsweredTwice() {
    assertCaught(
        "answered-once",
        run -> {
          Node node = start(run, "alice");
          run.cluster()
              .<Peer.Info>ask(
                  node,
                  "info",
                  Duration.ofSeconds(1),
                  replyTo -> {
                    node.peer().tell(Peer.getInfo(replyTo));
                    return Peer.getInfo(replyTo);
                  });
          run.advance(Duration.ofSeconds(10));
          start(run, "bob", node);
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void aMessageThatIsNotHeard() {
    assertCaught(
        "delivered",
        run -> {
          Cluster cluster = run.cluster();
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          cluster.subscribe(alice, "lobby");
          cluster.subscribe(bob, "lobby");
          run.advance(Duration.ofSeconds(30));
          cluster.partition(List.of(alice), List.of(bob));
          cluster.publishToAll(alice, "lobby", Duration.ofSeconds(5));
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void aMessageThatIsHeardTwice() {
    assertCaught(
        "delivered",
        run -> {
          Cluster cluster = run.cluster();
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          cluster.subscribe(alice, "lobby");
          cluster.subscribe(bob, "lobby");
          run.advance(Duration.ofSeconds(30));
          cluster.publishToAll(alice, "lobby", Duration.ofSeconds(5));
          cluster.<Gossip.PublishReply>ask(
              alice,
              "the same again",
              Duration.ofSeconds(5),
              replyTo ->
                  Peer.publish("lobby", Bytes.utf8(cluster.publications().get(0).text()), replyTo));
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void tablesThatDoNotKnowTheNeighbourhood() {
    assertCaught(
        "tables-converge",
        run -> {
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          run.advance(Duration.ofSeconds(10));
          // Two networks that have never heard of one another.
          Node carol = start(run, "carol");
          Node dave = start(run, "dave", carol);
          run.advance(Duration.ofMinutes(1));
          run.expect(bob.isUp() && dave.isUp(), "all are up");
        });
  }

  @Test
  void aNetworkThatDoesNotRecover() {
    assertCaught(
        "healthy",
        run -> {
          Node alice = start(run, "alice");
          run.cluster().crash(alice);
          start(run, "bob", alice);
          run.advance(Duration.ofMinutes(2));
        });
  }

  private static DhtSettings.Limits limits(int stash, int running, int inboundStreams) {
    DhtSettings.Limits usual = DhtSettings.Limits.DEFAULT;
    return new DhtSettings.Limits(
        stash,
        running,
        usual.requestsPerLookup(),
        inboundStreams,
        usual.inboundStreamsPerPeer(),
        usual.values(),
        usual.providers());
  }

  @Test
  void aStashThatTakesMoreThanItMay() {
    assertCaught(
        "within-caps",
        run -> {
          Node away = start(run, "away");
          run.cluster().crash(away);
          Node hoarder =
              run.cluster()
                  .startFaulty(
                      "hoarder",
                      settings ->
                          settings.withDht(
                              settings
                                  .dht()
                                  .withBootstrapPeers(List.of(away.address()))
                                  .withLimits(limits(5, 64, 100))),
                      settings -> settings.withDht(settings.dht().withLimits(limits(50, 64, 100))));
          run.advance(Duration.ofSeconds(1));
          for (int i = 0; i < 10; i++) {
            run.cluster().get(hoarder, "key-" + i);
          }
          run.advance(Duration.ofSeconds(12));
        });
  }

  @Test
  void aSetOfChildrenThatGrowsBeyondItsCap() {
    assertCaught(
        "within-caps",
        run -> {
          Node alice = start(run, "alice");
          Node busy =
              run.cluster()
                  .startFaulty(
                      "busy",
                      settings ->
                          settings.withDht(
                              settings
                                  .dht()
                                  .withBootstrapPeers(List.of(alice.address()))
                                  .withLimits(limits(1000, 1, 1))),
                      settings ->
                          settings.withDht(settings.dht().withLimits(limits(1000, 64, 100))));
          run.advance(Duration.ofSeconds(15));
          run.cluster().partition(List.of(alice), List.of(busy));
          for (int i = 0; i < 12; i++) {
            for (int j = 0; j < 60; j++) {
              run.cluster().get(busy, "key-" + i + "-" + j);
            }
            run.advance(Duration.ofSeconds(1));
          }
        });
  }

  @Test
  void aMeshAboveItsUpperDegree() {
    assertCaught(
        "mesh-degrees",
        run -> {
          Node greedy =
              run.cluster()
                  .startFaulty(
                      "greedy",
                      settings ->
                          settings.withGossip(
                              settings
                                  .gossip()
                                  .withRouter(
                                      settings.gossip().router().withDegrees(1, 1, 1, 1, 0))),
                      settings ->
                          settings.withGossip(
                              settings.gossip().withRouter(GossipsubSettings.DEFAULT)));
          run.cluster().subscribe(greedy, "lobby");
          for (int i = 0; i < 4; i++) {
            run.cluster().subscribe(start(run, "peer-" + i, greedy), "lobby");
          }
          run.advance(Duration.ofMinutes(1));
        });
  }

  @Test
  void aMeshThatDoesNotGraftWhomItKnows() {
    assertCaught(
        "mesh-degrees",
        run -> {
          Node shy =
              run.cluster()
                  .startFaulty(
                      "shy",
                      UnaryOperator.identity(),
                      settings ->
                          settings.withGossip(
                              settings
                                  .gossip()
                                  .withRouter(
                                      settings.gossip().router().withDegrees(1, 1, 1, 1, 0))));
          run.cluster().subscribe(shy, "lobby");
          for (int i = 0; i < 4; i++) {
            run.cluster().subscribe(start(run, "peer-" + i, shy), "lobby");
          }
          run.advance(Duration.ofMinutes(1));
        });
  }

  @Test
  void aCrashOfGossipExcusesWhatItLosesAndNothingElse() {
    // The memory of what was seen is lost: heard twice is no violation then, heard thrice is one.
    for (int copies = 2; copies <= 3; copies++) {
      int times = copies;
      Consumer<Run> what =
          run -> {
            Cluster cluster = run.cluster();
            Node alice = start(run, "alice");
            Node bob = start(run, "bob", alice);
            cluster.subscribe(alice, "lobby");
            cluster.subscribe(bob, "lobby");
            run.advance(Duration.ofSeconds(30));
            cluster.publishToAll(alice, "lobby", Duration.ofSeconds(8));
            String text = cluster.publications().get(0).text();
            run.advance(Duration.ofSeconds(2));
            cluster.crashActor(bob, "gossip");
            run.advance(Duration.ofSeconds(2));
            for (int i = 1; i < times; i++) {
              cluster.publish(alice, "lobby", text);
            }
            run.advance(Duration.ofMinutes(2));
          };
      if (times == 2) {
        assertEquals(List.of(), Run.of(new Play("faulty", what), PARAMETERS).violations());
      } else {
        assertCaught("delivered", what);
      }
    }
  }

  @Test
  void aListenerThatOutlivesItsPeer() {
    assertCaught(
        "nothing-lives-on",
        run -> {
          Node alice = start(run, "alice");
          run.advance(Duration.ofSeconds(1));
          run.cluster().stop(alice);
          run.advance(Duration.ofSeconds(5));
          PrivateKey other =
              PrivateKey.generate(alice.machine().crypto(), alice.machine().keyMaterial());
          Host host = alice.machine().createHost(other, HostSettings.DEFAULT);
          host.start(event -> {});
          host.listen(
              alice.machine().address(7),
              new Completion<>() {
                @Override
                public void succeeded(List<Multiaddr> value) {}

                @Override
                public void failed(HostFailure failure) {}
              });
          run.advance(Duration.ofSeconds(10));
        });
  }

  @Test
  void aPeerThatOutlivesItsStop() {
    assertCaught(
        "nothing-lives-on",
        run -> {
          Node undying =
              run.cluster()
                  .startFaulty(
                      "undying",
                      UnaryOperator.identity(),
                      UnaryOperator.identity(),
                      peer -> Behaviors.intercept(Undying::new, peer));
          run.advance(Duration.ofSeconds(1));
          run.cluster().stop(undying);
          run.advance(Duration.ofSeconds(15));
        });
  }

  /** Ends all that a peer ends, and then goes on as an actor that does nothing any more. */
  private static final class Undying extends BehaviorInterceptor<Peer.Command, Peer.Command> {
    Undying() {
      super(Peer.Command.class);
    }

    @Override
    public Behavior<Peer.Command> aroundReceive(
        TypedActorContext<Peer.Command> context,
        Peer.Command command,
        ReceiveTarget<Peer.Command> peer) {
      return alive(peer.apply(context, command));
    }

    @Override
    public Behavior<Peer.Command> aroundSignal(
        TypedActorContext<Peer.Command> context, Signal signal, SignalTarget<Peer.Command> peer) {
      return alive(peer.apply(context, signal));
    }

    private static Behavior<Peer.Command> alive(Behavior<Peer.Command> next) {
      return Behavior.isAlive(next) ? next : Behaviors.ignore();
    }
  }

  // --- caps

  /** A peer that has so many children more than a peer has. */
  private static Behavior<Peer.Command> withChildren(
      int many, String name, Behavior<Peer.Command> peer) {
    return Behaviors.setup(
        context -> {
          for (int i = 0; i < many; i++) {
            context.spawn(Behaviors.<Void>empty(), name + "-" + i);
          }
          return peer;
        });
  }

  @Test
  void moreShortLivedActorsThanAPeerMayHave() {
    assertCaught(
        "within-caps",
        run -> {
          int many = 10 + Peer.MAX_ERRANDS + Peer.MAX_ACCEPTORS;
          run.cluster()
              .startFaulty(
                  "restless",
                  UnaryOperator.identity(),
                  UnaryOperator.identity(),
                  peer -> withChildren(many, "ping", peer));
          run.advance(Duration.ofSeconds(12));
        });
  }

  @Test
  void anActorThatHasNoCap() {
    assertCaught(
        "within-caps",
        run -> {
          run.cluster()
              .startFaulty(
                  "modern",
                  UnaryOperator.identity(),
                  UnaryOperator.identity(),
                  peer -> withChildren(1, "novelty", peer));
          run.advance(Duration.ofSeconds(12));
        });
  }

  @Test
  void moreTopicsThanAPeerMayHear() {
    GossipsubSettings.Limits usual = GossipsubSettings.Limits.DEFAULT;
    GossipsubSettings.Limits two =
        new GossipsubSettings.Limits(
            usual.peers(),
            2,
            usual.topicsPerPeer(),
            usual.seen(),
            usual.cachedMessages(),
            usual.cachedBytes(),
            usual.backoffs());
    assertCaught(
        "within-caps",
        run -> {
          Node curious =
              run.cluster()
                  .startFaulty(
                      "curious",
                      settings ->
                          settings.withGossip(
                              settings
                                  .gossip()
                                  .withRouter(settings.gossip().router().withLimits(two))),
                      settings -> settings.withGossip(GossipSettings.DEFAULT));
          for (int i = 0; i < 3; i++) {
            run.cluster().subscribe(curious, "topic-" + i);
          }
          run.advance(Duration.ofSeconds(12));
        });
  }

  private static PresenceSettings presence(int searches, int candidates) {
    PresenceSettings usual = PresenceSettings.DEFAULT;
    return new PresenceSettings(usual.refresh(), usual.lifetime(), 1, searches, candidates);
  }

  @Test
  void moreSearchesThanAPeerMayMake() {
    assertCaught(
        "within-caps",
        run -> {
          Node away = start(run, "away");
          run.cluster().crash(away);
          // Searches wait in the DHT, which has nobody to ask.
          Node seeker =
              run.cluster()
                  .startFaulty(
                      "seeker",
                      settings ->
                          settings
                              .withDht(settings.dht().withBootstrapPeers(List.of(away.address())))
                              .withPresence(presence(1, 20)),
                      settings -> settings.withPresence(PresenceSettings.DEFAULT));
          run.advance(Duration.ofSeconds(5));
          for (int i = 0; i < 5; i++) {
            String identity = "/eth/0x" + ("" + i).repeat(40);
            run.cluster()
                .<Presence.FindReply>ask(
                    seeker,
                    "find " + identity,
                    Cluster.BOUND,
                    replyTo -> Peer.findPresence(identity, replyTo));
          }
          run.advance(Duration.ofSeconds(12));
        });
  }

  private static VirtualConnectionSettings letters(int queue, int connections) {
    VirtualConnectionSettings usual = VirtualConnectionSettings.DEFAULT;
    return new VirtualConnectionSettings(
        usual.attempts(),
        usual.backoff(),
        usual.acknowledgement(),
        usual.idle(),
        queue,
        connections,
        usual.protocols(),
        usual.maxMessage());
  }

  private static Node talkative(Run run, Node known, VirtualConnectionSettings limits) {
    return run.cluster()
        .startFaulty(
            "talkative",
            settings ->
                settings
                    .withDht(settings.dht().withBootstrapPeers(List.of(known.address())))
                    .withVirtualConnections(limits),
            settings -> settings.withVirtualConnections(VirtualConnectionSettings.DEFAULT));
  }

  @Test
  void moreVirtualConnectionsThanAPeerMayHave() {
    assertCaught(
        "within-caps",
        run -> {
          Node bob = start(run, "bob");
          Node carol = start(run, "carol", bob);
          Node talkative = talkative(run, bob, letters(256, 1));
          run.advance(Duration.ofSeconds(9));
          run.cluster().send(talkative, bob);
          run.cluster().send(talkative, carol);
          run.advance(Duration.ofSeconds(3));
        });
  }

  @Test
  void aQueueOfMessagesThatTakesMoreThanItMay() {
    assertCaught(
        "within-caps",
        run -> {
          Node bob = start(run, "bob");
          Node talkative = talkative(run, bob, letters(5, 10));
          run.cluster().receiveLetters(bob);
          run.advance(Duration.ofSeconds(9));
          run.cluster().partition(List.of(bob), List.of(talkative));
          for (int i = 0; i < 6; i++) {
            run.cluster().send(talkative, bob);
          }
          run.advance(Duration.ofSeconds(3));
        });
  }

  @Test
  void everyActorOfABusyPeerHasACap() {
    Set<String> seen = new TreeSet<>();
    Play busy =
        new Play(
            "faulty",
            run -> {
              Cluster cluster = run.cluster();
              cluster.network().setText("_dnsaddr.example.org", "dnsaddr=/dnsaddr/b.example.org");
              Node bob = start(run, "bob");
              cluster.network().setText("_dnsaddr.b.example.org", "dnsaddr=" + bob.address());
              Multiaddr name = address("/dnsaddr/example.org");
              Multiaddr bobByName = name.withPeer(bob.id());
              Node alice =
                  cluster.start(
                      "alice",
                      settings ->
                          settings
                              .withDht(settings.dht().withBootstrapPeers(List.of(bobByName)))
                              .withServePerf(true));
              watch(run, alice, seen);
              busy(run, alice, bob, name);
              busy(run, bob, alice, name);
              watch(run, alice, seen);
              // By now Bob is there to be found.
              alice.peer().tell(Peer.findPresence(IDENTITY, nobody(run)));
              watch(run, alice, seen);
              // Both dial at once: one of the two connections is surplus.
              Node carol = start(run, "carol");
              Node dave = start(run, "dave");
              cluster.connect(carol, dave);
              cluster.connect(dave, carol);
              watch(run, carol, seen);
              watch(run, dave, seen);
            });
    Result result = Run.of(busy, PARAMETERS, List.of(new WithinCaps()), run -> {}, run -> {});
    assertEquals(List.of(), result.violations());
    assertEquals(new TreeSet<>(WithinCaps.CAPS.keySet()), seen);
  }

  private static void watch(Run run, Node node, Set<String> seen) {
    String root = node.peer().path().toStringWithoutAddress();
    for (int i = 0; i < 5000; i++) {
      run.advance(Duration.ofMillis(1));
      run.cluster()
          .system()
          .children(node.peer())
          .keySet()
          .forEach(path -> seen.add(WithinCaps.kind(path.substring(root.length()))));
    }
  }

  private static Multiaddr address(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  /** Has a peer do all that it does with short-lived actors. */
  private static void busy(Run run, Node node, Node other, Multiaddr name) {
    Cluster cluster = run.cluster();
    ProtocolId protocol = ProtocolId.of("/test/1");
    ActorRef<Object> nobody = nobody(run);
    cluster.subscribe(node, "lobby");
    cluster.receiveLetters(node);
    cluster.send(node, other);
    cluster.ping(node, other);
    cluster.get(node, "key");
    List.of(
            Peer.connectTo(name, nobody.narrow()),
            Peer.acceptStreams(protocol, nobody.narrow(), nobody.narrow()),
            Peer.openStream(other.id(), List.of(protocol), Duration.ofSeconds(5), nobody.narrow()),
            Peer.perf(other.id(), 1_000_000, 0, Duration.ofSeconds(5), nobody.narrow()),
            Peer.verify(null, nobody.narrow()),
            Peer.announcePresence(IDENTITY, "", "", nobody.narrow()),
            Peer.findPresence(IDENTITY, nobody.narrow()))
        .forEach(node.peer()::tell);
  }

  // --- conversations

  private interface Way
      extends BiFunction<Bytes, ActorRef<VirtualConnections.SendReply>, Peer.Command> {}

  /** Alice sends Bob three letters, in a way that is not right. */
  private static void assertCaughtTalking(String checker, BiFunction<Run, List<Node>, Way> faulty) {
    assertCaught(
        checker,
        run -> {
          Node alice = start(run, "alice");
          Node bob = start(run, "bob", alice);
          run.cluster().receiveLetters(bob);
          run.advance(Duration.ofSeconds(10));
          Way way = faulty.apply(run, List.of(alice, bob));
          for (int i = 0; i < 3; i++) {
            run.cluster().send(alice, bob, way);
          }
          run.advance(Duration.ofMinutes(5));
        });
  }

  /** Who hears no answer. */
  private static <T> ActorRef<T> nobody(Run run) {
    return run.cluster().system().<T>probe().ref();
  }

  private static Peer.Command toBob(
      Node bob, Bytes text, ActorRef<VirtualConnections.SendReply> replyTo) {
    return Peer.send(bob.id(), Cluster.LETTERS, text, replyTo);
  }

  @Test
  void aMessageThatCountsAsDeliveredWhenItIsQueued() {
    assertCaughtTalking(
        "heard-in-order",
        (run, peers) ->
            (text, replyTo) -> {
              Node bob = peers.get(1);
              run.cluster().partition(List.of(peers.get(0)), List.of(bob));
              replyTo.tell(new VirtualConnections.Delivered(bob.id(), Cluster.LETTERS, 1));
              return toBob(bob, text, nobody(run));
            });
  }

  @Test
  void aMessageThatIsDeliveredTwice() {
    assertCaughtTalking(
        "heard-in-order",
        (run, peers) ->
            (text, replyTo) -> {
              peers.get(0).peer().tell(toBob(peers.get(1), text, replyTo));
              return toBob(peers.get(1), text, nobody(run));
            });
  }

  @Test
  void messagesThatOvertakeOneAnother() {
    Deque<Peer.Command> late = new ArrayDeque<>();
    assertCaughtTalking(
        "heard-in-order",
        (run, peers) ->
            (text, replyTo) -> {
              late.push(toBob(peers.get(1), text, replyTo));
              if (late.size() == 3) {
                late.forEach(peers.get(0).peer()::tell);
                late.clear();
              }
              return Peer.getInfo(nobody(run));
            });
  }

  @Test
  void aMessageThatIsNeitherDeliveredNorReported() {
    assertCaughtTalking(
        "answered-once", (run, peers) -> (text, replyTo) -> Peer.getInfo(nobody(run)));
  }

  @Test
  void aMessageThatIsAnsweredTwice() {
    assertCaughtTalking(
        "answered-once",
        (run, peers) ->
            (text, replyTo) -> {
              replyTo.tell(
                  new VirtualConnections.SendFailed(
                      peers.get(1).id(),
                      Cluster.LETTERS,
                      VirtualConnections.SendFailure.NOT_ACKNOWLEDGED,
                      "by order of the test",
                      3));
              return toBob(peers.get(1), text, replyTo);
            });
  }

  @Test
  void aMessageThatIsHeardAfterItsSenderWasToldThatNobodyIsThere() {
    assertCaughtTalking(
        "heard-in-order",
        (run, peers) ->
            (text, replyTo) -> {
              replyTo.tell(
                  new VirtualConnections.SendFailed(
                      peers.get(1).id(),
                      Cluster.LETTERS,
                      VirtualConnections.SendFailure.UNREACHABLE,
                      "by order of the test",
                      3));
              return toBob(peers.get(1), text, nobody(run));
            });
  }

  @Test
  void aReceiverThatStartsAnewMayHearAgainWhatItHeardBefore() {
    Result result =
        Run.of(
            new Play(
                "faulty",
                run -> {
                  Cluster cluster = run.cluster();
                  Node alice = start(run, "alice");
                  Node bob = start(run, "bob", alice);
                  cluster.receiveLetters(bob);
                  run.advance(Duration.ofSeconds(10));
                  cluster.send(alice, bob);
                  run.advance(Duration.ofSeconds(1));
                  // The acknowledgement is lost, with the connection.
                  Letter letter = cluster.send(alice, bob);
                  run.advance(Duration.ofMillis(1));
                  cluster.loss(alice, bob, new Loss(0, 1, 0, Duration.ZERO));
                  run.advance(Duration.ofSeconds(1));
                  cluster.loss(alice, bob, Loss.NONE);
                  run.bounce(bob, Duration.ZERO);
                  run.advance(Duration.ofMinutes(2));
                  int times = letter.hearings().size();
                  run.expect(times == 2, "it is heard " + times + " times");
                }),
            PARAMETERS,
            List.of(new HeardInOrder(), new AnsweredOnce()),
            run -> {},
            run -> {});
    assertEquals(List.of(), result.violations());
  }

  @Test
  void aDefectThatThrows() {
    assertCaught(
        "engine",
        run -> {
          run.cluster().start("alice", UnaryOperator.identity());
          run.advance(Duration.ofSeconds(1));
          // A defect of ours ends a run as well, and names itself.
          run.cluster()
              .system()
              .execute(
                  () -> {
                    throw new IllegalStateException("by order of the test");
                  });
          run.advance(Duration.ofSeconds(1));
        });
  }
}
