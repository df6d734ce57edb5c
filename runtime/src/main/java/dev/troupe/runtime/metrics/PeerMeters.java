package dev.troupe.runtime.metrics;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.health.BootstrapHealth;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * How one peer is, as gauges with its id as the tag {@code peer}: {@code troupe.health} (2 healthy,
 * 1 degraded, 0 down), {@code troupe.connections}, {@code troupe.dht.table} by bucket (the length
 * of the common prefix), {@code troupe.dht.waiting} for a place in it likewise, {@code
 * troupe.dht.stash}, {@code troupe.dht.values}, {@code troupe.dht.providers}, {@code
 * troupe.bootstrap.reachable} and {@code troupe.bootstrap.latency} (seconds) by address, {@code
 * troupe.gossip.mesh} by topic; the counter {@code troupe.dht.refused} of refusals to enter the
 * routing table; and the timer {@code troupe.dht.ready}, which says how long it took to become
 * ready, each time.
 *
 * <p>The gauges show what {@link #refresh} found last. Thread-safe.
 */
public final class PeerMeters {

  /** Topics that are measured; those beyond are not. */
  static final int MAX_TOPICS = 64;

  private record Found(
      HealthReport health, Dht.StateChanged dht, Dht.Table table, Dht.Records records) {}

  private final EmbeddedPeer peer;
  private final MultiGauge buckets;
  private final MultiGauge waiting;
  private final MultiGauge reachable;
  private final MultiGauge latency;
  private final MultiGauge mesh;
  private final Timer ready;
  private volatile double health = Double.NaN;
  private volatile double connections = Double.NaN;
  private volatile double stashed = Double.NaN;
  private volatile double values = Double.NaN;
  private volatile double providers = Double.NaN;
  private volatile double refused;

  /** Since when it is not ready, and whether it is not; of the thread that hears of the DHT. */
  private long unreadySince = System.nanoTime();

  private boolean unready = true;

  /** Registers the meters of a peer. */
  public PeerMeters(EmbeddedPeer peer, MeterRegistry registry) {
    this.peer = peer;
    Tags tags = Tags.of("peer", peer.id().toString());
    Gauge.builder("troupe.health", () -> health)
        .description("2 healthy, 1 degraded, 0 down")
        .tags(tags)
        .register(registry);
    Gauge.builder("troupe.connections", () -> connections)
        .description("Connected peers")
        .tags(tags)
        .register(registry);
    Gauge.builder("troupe.dht.stash", () -> stashed)
        .description("Operations that wait in the stash")
        .tags(tags)
        .register(registry);
    Gauge.builder("troupe.dht.values", () -> values)
        .description("Values held")
        .tags(tags)
        .register(registry);
    Gauge.builder("troupe.dht.providers", () -> providers)
        .description("Provider records held of others")
        .tags(tags)
        .register(registry);
    this.buckets =
        MultiGauge.builder("troupe.dht.table")
            .description("Peers in the routing table")
            .tags(tags)
            .register(registry);
    this.waiting =
        MultiGauge.builder("troupe.dht.waiting")
            .description("Peers that wait for a place in a full bucket of the routing table")
            .tags(tags)
            .register(registry);
    FunctionCounter.builder("troupe.dht.refused", this, meters -> meters.refused)
        .description("Peers refused by the routing table, since it has enough of their IP group")
        .tags(tags)
        .register(registry);
    this.reachable =
        MultiGauge.builder("troupe.bootstrap.reachable")
            .description("Whether a bootstrap peer can be reached")
            .tags(tags)
            .register(registry);
    this.latency =
        MultiGauge.builder("troupe.bootstrap.latency")
            .description("Round trip to a bootstrap peer")
            .baseUnit("seconds")
            .tags(tags)
            .register(registry);
    this.mesh =
        MultiGauge.builder("troupe.gossip.mesh")
            .description("Peers in the mesh")
            .tags(tags)
            .register(registry);
    this.ready =
        Timer.builder("troupe.dht.ready")
            .description("How long it took to become ready")
            .tags(tags)
            .register(registry);
    peer.onDht(this::onDht);
  }

  private void onDht(Dht.StateChanged changed) {
    boolean isReady = changed.state() == Dht.State.READY;
    if (isReady && unready) {
      ready.record(Duration.ofNanos(System.nanoTime() - unreadySince));
    } else if (!isReady && !unready) {
      unreadySince = System.nanoTime();
    }
    unready = !isReady;
  }

  /** Asks the peer how it is; completes once the gauges show it. */
  public CompletableFuture<Void> refresh() {
    CompletableFuture<HealthReport> report = peer.health().toCompletableFuture();
    CompletableFuture<Dht.StateChanged> state = peer.dhtState().toCompletableFuture();
    CompletableFuture<Dht.Table> table = peer.dhtTable().toCompletableFuture();
    CompletableFuture<Dht.Records> records = peer.dhtRecords().toCompletableFuture();
    List<CompletableFuture<Gossip.TopicPeers>> topics =
        peer.topics().stream()
            .limit(MAX_TOPICS)
            .map(topic -> peer.topicPeers(topic).toCompletableFuture())
            .toList();
    List<CompletableFuture<?>> all = new ArrayList<>(List.of(report, state, table, records));
    all.addAll(topics);
    return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new))
        .thenRun(
            () ->
                show(
                    new Found(report.join(), state.join(), table.join(), records.join()),
                    topics.stream().map(CompletableFuture::join).toList()));
  }

  private synchronized void show(Found found, List<Gossip.TopicPeers> topics) {
    health =
        switch (found.health().state()) {
          case HEALTHY -> 2;
          case DEGRADED -> 1;
          case DOWN -> 0;
        };
    connections = found.health().connected();
    stashed = found.dht().stashed();
    values = found.records().values();
    providers = found.records().providers();
    refused = found.table().refused();
    showByBucket(buckets, found.table().peers());
    showByBucket(waiting, found.table().waiting());
    List<BootstrapHealth> bootstraps = found.health().bootstraps();
    reachable.register(
        bootstraps.stream().map(each -> Row.of(address(each), each.reachable() ? 1 : 0)).toList(),
        true);
    List<Row<?>> latencies = new ArrayList<>();
    for (BootstrapHealth each : bootstraps) {
      Duration measured = each.latency();
      if (measured != null) {
        latencies.add(Row.of(address(each), measured.toNanos() / 1e9));
      }
    }
    latency.register(latencies, true);
    mesh.register(
        topics.stream()
            .map(each -> Row.of(Tags.of("topic", each.topic()), each.mesh().size()))
            .toList(),
        true);
  }

  private void showByBucket(MultiGauge gauge, List<PeerId> peers) {
    Key self = Key.of(peer.id());
    Map<Integer, Integer> sizes = new TreeMap<>();
    peers.forEach(each -> sizes.merge(self.commonPrefixLength(Key.of(each)), 1, Integer::sum));
    gauge.register(
        sizes.entrySet().stream()
            .map(each -> Row.of(Tags.of("bucket", each.getKey().toString()), each.getValue()))
            .toList(),
        true);
  }

  private static Tags address(BootstrapHealth health) {
    return Tags.of("addr", health.bootstrap().address().toString());
  }
}
