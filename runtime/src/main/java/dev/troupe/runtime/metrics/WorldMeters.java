package dev.troupe.runtime.metrics;

import dev.troupe.actors.world.Measurements;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What happens in the peers of a world: {@code troupe.dht.lookup} (time), {@code
 * troupe.dht.lookup.hops}, {@code troupe.dht.lookup.asked}, {@code troupe.dht.stash.wait} and
 * {@code troupe.dht.operations} by operation and outcome. Thread-safe.
 */
public final class WorldMeters implements Measurements {

  private final MeterRegistry registry;
  private final Timer lookup;
  private final DistributionSummary hops;
  private final DistributionSummary asked;
  private final Timer wait;

  /** Registers the meters. */
  public WorldMeters(MeterRegistry registry) {
    this.registry = registry;
    this.lookup =
        Timer.builder("troupe.dht.lookup")
            .description("Walks towards a key")
            .publishPercentileHistogram()
            .minimumExpectedValue(Duration.ofMillis(1))
            .maximumExpectedValue(Duration.ofSeconds(30))
            .register(registry);
    this.hops =
        DistributionSummary.builder("troupe.dht.lookup.hops")
            .description("How far walks led")
            .register(registry);
    this.asked =
        DistributionSummary.builder("troupe.dht.lookup.asked")
            .description("Peers asked on a walk")
            .register(registry);
    this.wait =
        Timer.builder("troupe.dht.stash.wait")
            .description("What operations waited in the stash before they ran")
            .register(registry);
  }

  @Override
  public void onWalked(int asked, int hops, Duration took) {
    lookup.record(took);
    this.asked.record(asked);
    this.hops.record(hops);
  }

  @Override
  public void onOperationBegun(DhtOperation operation, Duration waited) {
    wait.record(waited);
  }

  @Override
  public void onOperationEnded(DhtOperation operation, @Nullable Enum<?> failure) {
    Counter.builder("troupe.dht.operations")
        .description("Operations of the DHT that were answered")
        .tag("operation", code(operation))
        .tag("outcome", failure == null ? "ok" : code(failure))
        .register(registry)
        .increment();
  }

  private static String code(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
