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
import java.util.function.UnaryOperator;

/**
 * Nobody knows a bootstrap peer; all but the first connect to the first by hand. The DHT works for
 * everybody.
 */
public final class HandMadeNetwork implements Scenario {

  /** Within which a value is stored, and found. */
  private static final Duration PROMPT = Duration.ofSeconds(10);

  @Override
  public String name() {
    return "hand-made-network";
  }

  @Override
  public String description() {
    return "no bootstrap peers: all connect to the first by hand, and store and find values";
  }

  @Override
  public int peers() {
    return 3;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(1);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < run.parameters().peers(); i++) {
      nodes.add(cluster.start("peer-" + i, UnaryOperator.identity()));
      run.advance(Duration.ofMillis(cluster.chance().nextInt(1000)));
      if (i > 0) {
        cluster.connect(nodes.get(i), nodes.get(0));
      }
    }
    run.advance(Duration.ofSeconds(2));
    List<Operation> puts =
        nodes.stream().map(node -> cluster.put(node, "of " + node.name(), node.name())).toList();
    run.advance(PROMPT);
    puts.forEach(put -> expectPrompt(run, put, Dht.ValuePut.class));
    List<Operation> gets = new ArrayList<>();
    for (Node asker : nodes) {
      nodes.forEach(other -> gets.add(cluster.get(asker, "of " + other.name())));
    }
    run.advance(PROMPT);
    gets.forEach(get -> expectPrompt(run, get, Dht.ValueGot.class));
    run.advance(run.parameters().length());
  }

  private static void expectPrompt(Run run, Operation operation, Class<?> success) {
    run.expect(
        success.isInstance(operation.reply()) && operation.latency() < PROMPT.toNanos(),
        operation + " within " + PROMPT + ": " + operation.reply());
  }
}
