package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.peer.PeerRole;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Measurements;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * In half an hour, half of the peers go for good, at random moments, and others come in their
 * place. Values, providers and peers are looked up all along, by anybody, as long as the peer is
 * there that put, provides or is them: nearly all are put and provided, and found, and not far
 * away.
 */
public final class HalfReplaced implements Scenario {

  /** So long after an instant, half of the peers that were there have gone. */
  private static final Duration HALF_LIFE = Duration.ofMinutes(30);

  /**
   * Of the lookups of what is there, this part at least finds it; and of what is put and provided,
   * as much is.
   */
  static final double SUCCESS = 0.99;

  /** Values, providers and peers. */
  private static final int KINDS = 3;

  /** One bootstrap peer for so many; these stay. */
  private static final int PEERS_PER_BOOTSTRAP = 250;

  /** Between the starts of the first peers: so many at once would be another scenario. */
  private static final Duration JOIN = Duration.ofMillis(100);

  /** For those who came last to be known. */
  private static final Duration SETTLE = Duration.ofMinutes(2);

  /** For tables to be refreshed once all this is over. */
  private static final Duration REFRESH = Duration.ofMinutes(12);

  /** Who is sought has been there for so long. */
  private static final Duration KNOWN = Duration.ofMinutes(1);

  /** How many values, and as many provided keys, there are to look for. */
  private static final int RECORDS = 100;

  /** Of meshes that nobody is in. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofSeconds(3);

  private final UnaryOperator<PeerSettings> change;

  HalfReplaced() {
    this(UnaryOperator.identity());
  }

  /** The same with peers of other settings, to see it fail. */
  HalfReplaced(UnaryOperator<PeerSettings> change) {
    this.change = change;
  }

  @Override
  public String name() {
    return "half-replaced";
  }

  @Override
  public String description() {
    return "half of the peers are replaced every 30 minutes while others look up what is there";
  }

  @Override
  public int peers() {
    return 60;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(20);
  }

  /**
   * The most hops that the median lookup may have. "Most operations take ⌈log n⌉ + c time for some
   * small constant c", to the base 2 (Maymounkov and Mazières, Kademlia, 2002, section 3); c is 0
   * here.
   */
  static int bound(int peers) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(peers - 1);
  }

  /** Under one name, a value that a peer has put and a key that it provides. */
  private record Records(Node owner, String name, Operation put, Operation provide) {}

  private record Lookup(Operation asked, Node sought, Predicate<Object> finds) {}

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> bootstraps = join(run);
    replace(run, bootstraps);
    List<Records> all = new ArrayList<>();
    List<Records> records = new ArrayList<>();
    List<Lookup> lookups = new ArrayList<>();
    long end = cluster.system().now() + run.parameters().length().toNanos();
    for (long name = 0; cluster.system().now() < end; name++) {
      records.removeIf(each -> !each.owner().isUp());
      if (records.size() < RECORDS) {
        Records next = publish(cluster, "record-" + name);
        all.add(next);
        records.add(next);
      }
      lookUp(cluster, records, lookups);
      run.advance(PAUSE);
    }
    run.advance(Cluster.BOUND);
    judge(run, lookups);
    judgePublished(run, all);
    run.advance(REFRESH);
  }

  private List<Node> join(Run run) {
    List<Node> bootstraps = new ArrayList<>();
    for (int i = 0; i < run.parameters().peers(); i++) {
      boolean isBootstrap = i % PEERS_PER_BOOTSTRAP == 0;
      Node node = start(run.cluster(), "peer-" + i, bootstraps, isBootstrap);
      if (isBootstrap) {
        bootstraps.add(node);
      }
      run.advance(JOIN);
    }
    run.advance(SETTLE);
    return bootstraps;
  }

  private Node start(Cluster cluster, String name, List<Node> known, boolean isBootstrap) {
    return cluster.start(
        name,
        settings -> {
          int room = isBootstrap ? 1000 : 60;
          PeerSettings joining = Start.knowing(known, room, room * 2 / 3).apply(settings);
          // Before half of those have gone who took a record, others take it.
          DhtSettings.Records lives =
              new DhtSettings.Records(
                  HALF_LIFE,
                  HALF_LIFE.multipliedBy(3),
                  HALF_LIFE.multipliedBy(2),
                  HALF_LIFE,
                  HALF_LIFE.multipliedBy(3),
                  DhtSettings.Records.DEFAULT.sweep(),
                  DhtSettings.Records.DEFAULT.pause());
          GossipSettings gossip = joining.gossip();
          joining =
              joining
                  .withDht(joining.dht().withRecords(lives))
                  .withGossip(gossip.withRouter(gossip.router().withHeartbeatInterval(HEARTBEAT)));
          return change.apply(isBootstrap ? joining.withRole(PeerRole.BOOTSTRAP) : joining);
        });
  }

  private void replace(Run run, List<Node> bootstraps) {
    Cluster cluster = run.cluster();
    int mortal = run.parameters().peers() - bootstraps.size();
    run.fault(
        () ->
            run.churn(
                mortal * Math.log(2) / HALF_LIFE.toMinutes(),
                run.parameters().length(),
                () -> anyBut(bootstraps, cluster),
                number -> start(cluster, "newcomer-" + number, bootstraps, false)));
  }

  private static Node anyBut(List<Node> bootstraps, Cluster cluster) {
    List<Node> mortal = cluster.up().stream().filter(each -> !bootstraps.contains(each)).toList();
    return mortal.get(cluster.chance().nextInt(mortal.size()));
  }

  private static Records publish(Cluster cluster, String name) {
    Node owner = cluster.any();
    return new Records(owner, name, cluster.put(owner, name, name), cluster.provide(owner, name));
  }

  /** A value, the providers of a key, and a peer. */
  private static void lookUp(Cluster cluster, List<Records> records, List<Lookup> lookups) {
    Records of = records.get(cluster.chance().nextInt(records.size()));
    if (of.put().reply() instanceof Dht.ValuePut) {
      lookups.add(
          new Lookup(
              cluster.get(anyBut(List.of(of.owner()), cluster), of.name()),
              of.owner(),
              reply -> reply instanceof Dht.ValueGot got && got.value().utf8().equals(of.name())));
    }
    if (of.provide().reply() instanceof Dht.Provided) {
      lookups.add(
          new Lookup(
              cluster.findProviders(anyBut(List.of(of.owner()), cluster), of.name()),
              of.owner(),
              reply ->
                  reply instanceof Dht.ProvidersFound found
                      && found.providers().stream()
                          .anyMatch(each -> each.peer().equals(of.owner().id()))));
    }
    Node sought = cluster.any();
    if (cluster.system().now() - sought.startedAt() > KNOWN.toNanos()) {
      lookups.add(
          new Lookup(
              cluster.findPeer(anyBut(List.of(sought), cluster), sought.id()),
              sought,
              reply -> reply instanceof Dht.PeerFound));
    }
  }

  private static void judge(Run run, List<Lookup> lookups) {
    Measurements measurements = run.cluster().measurements();
    for (Lookup lookup : lookups) {
      Operation asked = lookup.asked();
      Object reply = asked.reply();
      if (reply != null && asked.outlasted(asked.node()) && asked.outlasted(lookup.sought())) {
        measurements.lookedUp(asked, lookup.finds().test(reply));
      }
    }
    List<Measurements.LiveLookup> all = measurements.liveLookups();
    long found = all.stream().filter(Measurements.LiveLookup::found).count();
    run.expect(
        found >= SUCCESS * all.size(),
        found + " of " + all.size() + " lookups found what is there");
    int[] hops =
        all.stream()
            .mapToInt(Measurements.LiveLookup::hops)
            .filter(each -> each > 0)
            .sorted()
            .toArray();
    int bound = bound(run.parameters().peers());
    run.expect(
        hops.length == 0 || hops[(hops.length - 1) / 2] <= bound,
        "half of the lookups took more than " + bound + " hops");
  }

  /** What nobody could publish, nobody has looked up either. */
  private static void judgePublished(Run run, List<Records> all) {
    List<Operation> lasting =
        all.stream()
            .flatMap(each -> Stream.of(each.put(), each.provide()))
            .filter(
                each -> each.node().isUp() || each.reply() != null && each.outlasted(each.node()))
            .toList();
    long done =
        lasting.stream()
            .filter(
                each ->
                    each.reply() instanceof Dht.ValuePut || each.reply() instanceof Dht.Provided)
            .count();
    run.expect(
        done >= SUCCESS * lasting.size(),
        done + " of " + lasting.size() + " values and providers were published");
    long kinds =
        run.cluster().measurements().liveLookups().stream()
            .map(Measurements.LiveLookup::kind)
            .distinct()
            .count();
    run.expect(kinds == KINDS, "only " + kinds + " of " + KINDS + " kinds were looked up");
  }
}
