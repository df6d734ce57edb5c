package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerRole;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.presence.Presence;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.Namespace;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.presence.PresenceNamespace;
import dev.troupe.protocol.presence.PresenceRecord;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.world.SimulatedWorld;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A network of agents: two bootstrap peers that know each other, and agents, clients of the DHT, of
 * which each is present under an identity and finds each other by it, at first and again when every
 * record has ended once. One of them, which does not check what it puts, forges the presence of
 * another; and says that it is to be found under that one's identity.
 */
public final class OpenPond implements Scenario {

  private static final ProtocolId PROTOCOL = ProtocolId.of("/openpond/kad/1.0.0");

  /** From the start of a bootstrap peer to its listening, and more. */
  private static final Duration BOOT = Duration.ofSeconds(5);

  /** For all agents to be ready, and published once. */
  private static final Duration SETTLE = Duration.ofSeconds(70);

  @Override
  public String name() {
    return "openpond";
  }

  @Override
  public String description() {
    return "agents behind two bootstrap peers find each other by their identities; one forges";
  }

  @Override
  public int peers() {
    return 22;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(6);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    // The first cannot know who the second will be, and is told of it by hand.
    List<Multiaddr> fellows = new ArrayList<>();
    Node first =
        cluster.start("bootstrap-1", settings -> inRole(settings, PeerRole.BOOTSTRAP, fellows));
    fellows.add(first.address());
    Node second =
        cluster.start("bootstrap-2", settings -> inRole(settings, PeerRole.BOOTSTRAP, fellows));
    fellows.add(second.address());
    cluster.connect(first, second);
    run.advance(BOOT);
    Map<Node, String> agents = new LinkedHashMap<>();
    for (int i = 2; i < run.parameters().peers(); i++) {
      boolean forges = i == 2;
      Node agent =
          cluster.start(
              "agent-" + (i - 1),
              settings -> {
                PeerSettings inRole = inRole(settings, PeerRole.AGENT, fellows);
                return forges ? trustingItself(inRole) : inRole;
              });
      agents.put(agent, "/eth/0x" + i);
      run.advance(Duration.ofMillis(cluster.chance().nextInt(500)));
    }
    List<Operation> announced = new ArrayList<>();
    agents.forEach((agent, identity) -> announced.add(announce(cluster, agent, identity)));
    run.advance(SETTLE);
    for (Operation each : announced) {
      run.expect(each.reply() instanceof Presence.Announced, each + ": " + each.reply());
    }
    List<Node> all = List.copyOf(agents.keySet());
    if (all.size() < 2) {
      return; // Nobody to find.
    }
    forge(run, all.get(0), all.get(1), agents);
    everybodyFindsEverybody(run, agents, all.get(0), all.get(1));
    run.advance(run.parameters().length());
    everybodyFindsEverybody(run, agents, all.get(0), all.get(1));
  }

  private static PeerSettings inRole(
      PeerSettings settings, PeerRole role, List<Multiaddr> bootstraps) {
    return settings
        .withDht(settings.dht().withProtocol(PROTOCOL).withBootstrapPeers(List.copyOf(bootstraps)))
        .withRole(role);
  }

  /** Without the check of what it puts itself: what others check is up to them. */
  private static PeerSettings trustingItself(PeerSettings settings) {
    return settings.withDht(
        settings
            .dht()
            .withNamespaces(
                settings.dht().namespaces().with(PresenceNamespace.NAME, Namespace.open())));
  }

  private static Operation announce(Cluster cluster, Node agent, String identity) {
    return cluster.<Presence.AnnounceReply>ask(
        agent,
        "announce " + identity,
        Cluster.BOUND,
        replyTo -> Peer.announcePresence(identity, agent.name(), agent.name(), replyTo));
  }

  /** Puts in the place of the victim what the forger signed, and what names the forger. */
  private static void forge(Run run, Node forger, Node victim, Map<Node, String> agents) {
    Cluster cluster = run.cluster();
    String identity = identityOf(victim, agents);
    SimulatedWorld machine = forger.machine();
    Instant now = machine.clock().instant();
    Bytes forged =
        new PresenceRecord(
                identity, forger.id(), now, Duration.ofMinutes(5), "", "not me", List.of())
            .seal(machine.crypto(), forger.settings().identity());
    Bytes place = PresenceRecord.keyOf(victim.id(), identity);
    Operation put =
        cluster.<Dht.PutValueReply>ask(
            forger,
            "forge " + identity,
            Cluster.BOUND,
            replyTo -> Peer.putValue(place, forged, replyTo));
    Operation provide =
        cluster.<Dht.ProvideReply>ask(
            forger,
            "claim " + identity,
            Cluster.BOUND,
            replyTo -> Peer.provide(PresenceRecord.placeOf(machine.crypto(), identity), replyTo));
    run.advance(Cluster.BOUND);
    run.expect(
        put.reply() instanceof Dht.OperationFailed failed && failed.reason() == Dht.Reason.REJECTED,
        "the forged presence was not refused: " + put.reply());
    run.expect(provide.reply() instanceof Dht.Provided, provide + ": " + provide.reply());
  }

  private static String identityOf(Node node, Map<Node, String> agents) {
    return Objects.requireNonNull(agents.get(node), "an agent");
  }

  private record Sought(Node seeker, Node sought, Operation search) {}

  private static void everybodyFindsEverybody(
      Run run, Map<Node, String> agents, Node forger, Node victim) {
    Cluster cluster = run.cluster();
    List<Sought> searches = new ArrayList<>();
    for (Node seeker : agents.keySet()) {
      agents.forEach(
          (sought, identity) -> {
            // The forger believes what it has forged.
            if (sought != seeker && !(seeker == forger && sought == victim)) {
              searches.add(
                  new Sought(
                      seeker,
                      sought,
                      cluster.<Presence.FindReply>ask(
                          seeker,
                          "find " + identity,
                          Cluster.BOUND,
                          replyTo -> Peer.findPresence(identity, replyTo))));
            }
          });
      // A search for each of the others at once, and the next agent a moment later.
      run.advance(Duration.ofMillis(500));
    }
    run.advance(Cluster.BOUND);
    for (Sought each : searches) {
      String what = each.search() + ": " + each.search().reply();
      run.expect(each.search().reply() instanceof Presence.Found, what);
      Presence.Found found = (Presence.Found) Objects.requireNonNull(each.search().reply());
      run.expect(
          found.present().stream()
              .map(PresenceRecord::peer)
              .toList()
              .equals(List.of(each.sought().id())),
          what);
      run.expect(
          found.refused().stream()
              .map(Presence.Refused::peer)
              .toList()
              .equals(each.sought() == victim ? List.of(forger.id()) : List.of()),
          what);
    }
  }
}
