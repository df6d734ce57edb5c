package dev.troupe.actors.dht;

import dev.troupe.actors.bootstrap.Bootstrap;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.protocol.kademlia.IpGroup;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.RoutingTable;
import dev.troupe.protocol.kademlia.RoutingTable.Admission;
import dev.troupe.protocol.kademlia.RoutingTable.Check;
import dev.troupe.protocol.kademlia.RoutingTableEvent;
import dev.troupe.protocol.kademlia.StoredPeer;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Who enters the {@link RoutingTable} of a {@link Dht}, and who stays in it. Belongs to the Dht's
 * actor.
 *
 * <p>Members that have been silent for long are asked whether they are still there: each by a
 * {@link Lookup} that asks it for the peers nearest to itself ({@link Query.Check}), since the
 * specification has deprecated PING. Who does not answer is asked once more, and leaves as anybody
 * does who fails a lookup. Who waits for a place, or was in the table of an earlier run, is asked
 * in the same way, and enters when it has answered: to be connected and to say that it serves is
 * not enough for it. So it is with who is connected and was left out: it is tried when buckets are
 * looked after, and before that it enters if it answers anything else, or connects anew.
 *
 * <p>Limits: {@code checks} at a time, each in the time that a connection and a request may take;
 * of those that the table wants checked, one of a bucket.
 *
 * <p>Whoever counts to an {@link IpGroup} counts where its connections are, which is proven; where
 * it was dialled by name, what that stood for. Who has gone before that can be told does not enter.
 * Bootstrap peers count nowhere: whom the operator has named is to be known, wherever it is.
 */
final class Membership {

  /** The tag of those in the routing table, where connections are trimmed. */
  private static final String TAG = "table";

  /** What a place in the routing table weighs where connections are trimmed. */
  static final int WEIGHT = 5;

  private final DhtEnvironment environment;
  private final DhtSettings settings;
  private final RoutingTable table;
  private final Map<PeerId, List<Multiaddr>> connected;
  private final Lookups lookups;
  private final Ledger ledger;
  private final Consumer<RoutingTableEvent> events;

  /** By the lookup that asks. */
  private final Map<Long, Trial> trials = new LinkedHashMap<>();

  /** Who was in the routing table of an earlier run. */
  private Deque<StoredPeer> candidates = new ArrayDeque<>();

  /** Connected peers that did not answer when they were asked: what they say is not enough. */
  private final Set<PeerId> silent = new LinkedHashSet<>();

  /** Connected peers that are not in the table though there is room; they are tried. */
  private final Set<PeerId> overlooked = new LinkedHashSet<>();

  private Set<PeerId> bootstraps = new LinkedHashSet<>();

  /**
   * One that is asked whether it is alive.
   *
   * @param isLast whether it leaves if it does not answer now
   */
  private record Trial(Check check, boolean isLast) {

    boolean isOf(PeerId peer) {
      return check.peer().peer().equals(peer);
    }
  }

  /**
   * Nobody is asked.
   *
   * @param connected where the connected peers that have said so listen; the Dht's own
   * @param events hears what becomes of the table
   */
  Membership(
      DhtEnvironment environment,
      RoutingTable table,
      Map<PeerId, List<Multiaddr>> connected,
      Lookups lookups,
      Ledger ledger,
      Consumer<RoutingTableEvent> events) {
    this.environment = environment;
    this.settings = environment.settings();
    this.table = table;
    this.connected = connected;
    this.lookups = lookups;
    this.ledger = ledger;
    this.events = events;
  }

  static RoutingTable.Settings bounds(DhtSettings settings) {
    return new RoutingTable.Settings(
        settings.bucketCapacity(),
        settings.table().replacements(),
        settings.table().silence(),
        settings.table().perGroupInBucket(),
        settings.table().perGroup());
  }

  // Who comes and goes

  /**
   * A connected peer says that it serves. Who is being tried, or did not answer when it was asked
   * last, enters only when it has answered.
   */
  void onServer(PeerId peer) {
    if (table.contains(peer) || !silent.contains(peer) && !isTried(peer)) {
      onAlive(peer);
    }
  }

  private boolean isTried(PeerId peer) {
    return trials.values().stream().anyMatch(trial -> !trial.check.isMember() && trial.isOf(peer));
  }

  /** A connected peer that serves has answered. */
  void onAlive(PeerId peer) {
    silent.remove(peer);
    List<ConnectionInfo> connections =
        table.contains(peer) ? List.of() : environment.host().connections(peer);
    if (connections.isEmpty() && !table.contains(peer)) {
      return; // It has gone, as will be heard soon: where it was cannot be told any more.
    }
    RoutingTable.Heard heard =
        table.add(
            peer,
            connected.getOrDefault(peer, List.of()),
            () -> groupsOf(peer, connections),
            environment.now());
    heard.event().ifPresent(events);
    if (heard.admission() == Admission.ENTERED) {
      environment.connections().tell(new Connections.Tag(peer, TAG, WEIGHT));
    } else if (heard.admission() == Admission.WAITS) {
      checkNear(peer);
    }
  }

  /** A peer does not answer, or does not serve any more. */
  void remove(PeerId peer) {
    overlooked.remove(peer);
    boolean wasMember = table.contains(peer);
    table.remove(peer).ifPresent(events);
    if (wasMember) {
      environment.connections().tell(new Connections.Untag(peer, TAG));
      checkNear(peer);
    }
  }

  /** It was asked, did not answer and has nothing to excuse it: it enters when it answers. */
  void onSilent(PeerId peer) {
    if (connected.containsKey(peer)) {
      silent.add(peer);
    }
  }

  /** It is connected no more; who comes back is a newcomer. */
  void onDisconnected(PeerId peer) {
    silent.remove(peer);
    overlooked.remove(peer);
  }

  /** Where connections are trimmed, those to members of the routing table are among the last. */
  void tagAll() {
    environment.connections().tell(new Connections.TagExactly(TAG, WEIGHT, table.peers()));
  }

  private List<IpGroup> groupsOf(PeerId peer, List<ConnectionInfo> connections) {
    if (bootstraps.contains(peer)) {
      return List.of();
    }
    Set<IpGroup> groups = new LinkedHashSet<>();
    for (ConnectionInfo connection : connections) {
      IpGroup.of(connection.reached()).ifPresent(groups::add);
    }
    return List.copyOf(groups);
  }

  /** Who the bootstrap peers are has become known; those that are connected may enter now. */
  void onBootstraps(List<Bootstrap> all, Set<PeerId> connectedServers) {
    Set<PeerId> before = bootstraps;
    bootstraps = new LinkedHashSet<>();
    for (Bootstrap each : all) {
      PeerId peer = each.peer();
      if (peer != null && bootstraps.add(peer) && !before.contains(peer)) {
        table.exempt(peer);
        if (connectedServers.contains(peer) && !table.contains(peer)) {
          onServer(peer);
        }
      }
    }
  }

  // Who is asked whether it is alive

  /** Members of an earlier routing table are tried, a few at a time, until there are enough. */
  void tryOut(Deque<StoredPeer> earlier) {
    candidates = earlier;
    checkAll();
  }

  /**
   * Those that are connected and serve have another chance to enter: who was too slow once, or too
   * many of its IP group, may be known to nobody else. Where there is room for one it is tried, and
   * otherwise it may wait.
   */
  void reconsider(Set<PeerId> connectedServers) {
    overlooked.clear();
    for (PeerId peer : connectedServers) {
      if (!table.contains(peer) && table.hasRoomFor(peer)) {
        overlooked.add(peer);
      } else if (!table.contains(peer)) {
        onServer(peer);
      }
    }
    checkAll();
  }

  /** Asks as many as may be asked at a time; goes on with the next when one has been asked. */
  void checkAll() {
    while (hasRoom()) {
      Optional<Check> next =
          table.nextCheck(environment.now()).or(this::nextCandidate).or(this::nextOverlooked);
      if (next.isEmpty()) {
        return;
      }
      start(new Trial(next.get(), false));
    }
  }

  /** The same in the bucket of this peer, at most one. */
  private void checkNear(PeerId peer) {
    if (hasRoom()) {
      table.nextCheck(peer, environment.now()).ifPresent(check -> start(new Trial(check, false)));
    }
  }

  private boolean hasRoom() {
    return trials.size() < settings.table().checks();
  }

  private Optional<Check> nextOverlooked() {
    Iterator<PeerId> oldestFirst = overlooked.iterator();
    while (oldestFirst.hasNext()) {
      PeerId next = oldestFirst.next();
      oldestFirst.remove();
      if (!table.contains(next) && !isTried(next)) {
        List<Multiaddr> addresses = connected.getOrDefault(next, List.of());
        return Optional.of(new Check(new PeerInfo(next, addresses), false));
      }
    }
    return Optional.empty();
  }

  private Optional<Check> nextCandidate() {
    while (table.size() < settings.replication() && !candidates.isEmpty()) {
      StoredPeer next = candidates.remove();
      if (!connected.containsKey(next.peer())) {
        return Optional.of(new Check(new PeerInfo(next.peer(), next.addresses()), false));
      }
    }
    return Optional.empty();
  }

  private void start(Trial trial) {
    long id = ledger.newId();
    trials.put(id, trial);
    PeerInfo peer = trial.check.peer();
    overlooked.remove(peer.peer());
    Duration budget = settings.timing().connect().plus(settings.timing().request());
    lookups.start(id, new Query.Check(peer.peer()), List.of(peer), budget);
  }

  /**
   * A lookup is over; if it was one of these, what it has to say of the peer has been said before.
   */
  void onLookupEnded(long id, boolean answered) {
    Trial trial = trials.remove(id);
    if (trial == null) {
      return;
    }
    PeerId peer = trial.check.peer().peer();
    if (!answered && !trial.isLast && trial.check.isMember() && table.contains(peer)) {
      start(new Trial(trial.check, true));
      return;
    }
    table.onChecked(peer);
    checkAll();
  }
}
