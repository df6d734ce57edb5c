package dev.troupe.actors.health;

import dev.troupe.actors.bootstrap.Bootstrap;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.health.BootstrapHealth.Grade;
import dev.troupe.actors.health.HealthReport.State;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has been measured of each bootstrap peer, and what it amounts to. Pure. */
final class Assessment {

  /** What was measured of one; about as many as there are bootstrap peers. */
  private static final class Measured {
    private @Nullable Duration latency;
    private @Nullable Integer peers;
    private int poor;
    private int missed;
  }

  private final HealthSettings settings;
  private final Map<PeerId, Measured> measured = new LinkedHashMap<>();

  Assessment(HealthSettings settings) {
    this.settings = settings;
  }

  /**
   * One answered a ping.
   *
   * @return whether that changes more than the latency: it is the first, or had been missed, or
   *     there is a warning to be made or taken back
   */
  boolean onPong(PeerId peer, Duration roundTrip) {
    Measured of = of(peer);
    boolean news = of.latency == null || of.missed > 0;
    boolean warned = of.poor >= settings.warnAfter();
    of.latency = roundTrip;
    of.missed = 0;
    of.poor = roundTrip.compareTo(settings.warnLatency()) > 0 ? of.poor + 1 : 0;
    return news || warned != of.poor >= settings.warnAfter();
  }

  /**
   * One did not answer a ping in time.
   *
   * @return how many times in a row
   */
  int onSilence(PeerId peer) {
    Measured of = of(peer);
    of.latency = null;
    of.missed++;
    return of.missed;
  }

  /** One could be asked, but not pinged: some do not answer pings at all. */
  void onRefusal(PeerId peer) {
    of(peer).missed = 0;
  }

  /** One named so many peers. */
  void onPeersNamed(PeerId peer, int peers) {
    of(peer).peers = peers;
  }

  /** Whether nothing has been measured of a connected one. */
  boolean isUnknown(PeerId peer) {
    return !measured.containsKey(peer);
  }

  /** One is not connected: what was measured is of the past. */
  void forget(PeerId peer) {
    measured.remove(peer);
  }

  private Measured of(PeerId peer) {
    return measured.computeIfAbsent(peer, unused -> new Measured());
  }

  /** What all of it amounts to. */
  HealthReport report(List<Bootstrap> bootstraps, Dht.StateChanged dht, int connected) {
    List<BootstrapHealth> all = bootstraps.stream().map(this::health).toList();
    List<String> warnings = new ArrayList<>();
    int reachable = (int) all.stream().filter(BootstrapHealth::reachable).count();
    boolean anyTried = bootstraps.stream().anyMatch(each -> each.reason() != null);
    boolean primaries = bootstraps.stream().anyMatch(each -> !each.backup());
    boolean onBackups =
        primaries && all.stream().noneMatch(each -> each.reachable() && !each.bootstrap().backup());
    boolean down = !all.isEmpty() && reachable == 0 && connected == 0 && anyTried;
    if (!all.isEmpty() && reachable == 0) {
      warnings.add(
          anyTried ? "no bootstrap peer can be reached" : "no bootstrap peer is connected yet");
    } else if (onBackups) {
      warnings.add("no primary bootstrap peer can be reached, a backup stands in");
    }
    if (dht.state() != Dht.State.READY) {
      warnings.add("the DHT is " + dht.state().name().toLowerCase(Locale.ROOT));
    }
    all.forEach(each -> warnOfLatency(each, warnings));
    State state = down ? State.DOWN : warnings.isEmpty() ? State.HEALTHY : State.DEGRADED;
    boolean alone =
        (all.isEmpty() || reachable > 0) && connected <= reachable && dht.peers() <= reachable;
    return new HealthReport(
        state, dht.state(), dht.peers(), connected, alone, all, List.copyOf(warnings));
  }

  private BootstrapHealth health(Bootstrap bootstrap) {
    Measured of = bootstrap.peer() == null ? null : measured.get(bootstrap.peer());
    Duration latency = of == null ? null : of.latency;
    boolean answers = of == null || of.missed == 0;
    return new BootstrapHealth(
        bootstrap,
        bootstrap.isReachable() && answers,
        latency,
        latency == null ? null : grade(latency),
        of == null ? null : of.peers);
  }

  private Grade grade(Duration latency) {
    if (latency.compareTo(settings.warnLatency()) > 0) {
      return Grade.POOR;
    }
    return latency.compareTo(settings.slowLatency()) > 0 ? Grade.SLOW : Grade.GOOD;
  }

  private void warnOfLatency(BootstrapHealth health, List<String> warnings) {
    PeerId peer = health.bootstrap().peer();
    Measured of = peer == null ? null : measured.get(peer);
    if (of != null && of.latency != null && of.poor >= settings.warnAfter()) {
      warnings.add(
          "the bootstrap peer at "
              + health.bootstrap().address()
              + " took "
              + of.latency.toMillis()
              + " ms, and more than "
              + settings.warnLatency().toMillis()
              + " ms "
              + of.poor
              + " times in a row");
    }
  }
}
