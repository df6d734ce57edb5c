package dev.troupe.simulation.scenarios;

import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;

/** Everybody starts within a second and asks at once, long before anything is ready. */
public final class BootstrapStorm implements Scenario {

  @Override
  public String name() {
    return "bootstrap-storm";
  }

  @Override
  public String description() {
    return "all start at once, and ask before their DHT is ready";
  }

  @Override
  public int peers() {
    return 100;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(2);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    Node bootstrap = Start.bootstrap(cluster);
    for (int i = 1; i < run.parameters().peers(); i++) {
      String name = "peer-" + i;
      String mine = "of " + name;
      run.after(
          Duration.ofMillis(cluster.chance().nextInt(1000)),
          () -> {
            Node node = cluster.start(name, Start.knowing(List.of(bootstrap)));
            cluster.subscribe(node, "lobby");
            cluster.provide(node, mine);
            cluster.findProviders(node, "of peer-1");
            cluster.put(node, mine, name);
            cluster.get(node, mine);
          });
    }
    run.advance(run.parameters().length());
    Start.everyoneSpeaks(run, "lobby", 10);
  }
}
