package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The bootstrap peer is away, and everybody asks for more than may wait. */
public final class StashOverload implements Scenario {

  @Override
  public String name() {
    return "stash-overload";
  }

  @Override
  public String description() {
    return "no bootstrap peer, and more is asked than may wait";
  }

  @Override
  public int peers() {
    return 10;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(2);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    Node bootstrap = Start.bootstrap(cluster);
    cluster.subscribe(bootstrap, "lobby");
    run.advance(Duration.ofSeconds(1));
    run.fault(
        () -> {
          cluster.crash(bootstrap);
          run.after(
              run.parameters().length().dividedBy(2),
              () -> {
                cluster.restart(bootstrap);
                cluster.subscribe(bootstrap, "lobby");
              });
        });
    List<Operation> asked = new ArrayList<>();
    for (int i = 1; i < run.parameters().peers(); i++) {
      Node node = cluster.start("peer-" + i, Start.knowing(List.of(bootstrap)));
      cluster.subscribe(node, "lobby");
      int stash = node.settings().dht().limits().stash();
      for (int j = 0; j < stash + 50; j++) {
        asked.add(cluster.get(node, "nothing-" + j));
      }
    }
    run.advance(Duration.ofSeconds(1));
    long refused =
        asked.stream()
            .filter(
                operation ->
                    operation.reply() instanceof Dht.OperationFailed failed
                        && failed.reason() == Dht.Reason.STASH_FULL)
            .count();
    if (run.parameters().faults() > 0) {
      run.expect(
          refused >= 50L * (run.parameters().peers() - 1),
          refused + " operations were refused for a full stash");
    }
    run.advance(run.parameters().length());
    run.advance(Duration.ofMinutes(12));
    Start.everyoneSpeaks(run, "lobby", 5);
  }
}
