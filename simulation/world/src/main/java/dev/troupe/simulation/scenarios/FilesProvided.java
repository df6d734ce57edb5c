package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.List;

/**
 * Peers that have just joined announce files, one after the other, and others find them at once.
 */
public final class FilesProvided implements Scenario {

  /** Within which a file is announced and found. */
  static final Duration FOUND = Duration.ofSeconds(5);

  private static final int FILES = 10;

  @Override
  public String name() {
    return "files-provided";
  }

  @Override
  public String description() {
    return "one peer announces a file, another finds it within seconds";
  }

  @Override
  public int peers() {
    return 20;
  }

  @Override
  public Duration length() {
    return Duration.ofSeconds(30);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = Start.network(run, "lobby");
    for (int i = 0; i < FILES; i++) {
      int chosen = cluster.chance().nextInt(nodes.size());
      int another = 1 + cluster.chance().nextInt(nodes.size() - 1);
      Node publisher = nodes.get(chosen);
      Node seeker = nodes.get((chosen + another) % nodes.size());
      Operation provide = cluster.provide(publisher, "file-" + i);
      long begun = cluster.system().now();
      while (provide.answers() == 0 && cluster.system().now() - begun < FOUND.toNanos()) {
        run.advance(Duration.ofMillis(50));
      }
      Operation find = cluster.findProviders(seeker, "file-" + i);
      run.advance(FOUND.minusNanos(Math.min(FOUND.toNanos(), cluster.system().now() - begun)));
      run.expect(
          find.reply() instanceof Dht.ProvidersFound found
              && found.providers().stream().anyMatch(peer -> peer.peer().equals(publisher.id())),
          find + ", announced by " + publisher.name() + ", within " + FOUND + ": " + find.reply());
    }
    run.advance(run.parameters().length());
  }
}
