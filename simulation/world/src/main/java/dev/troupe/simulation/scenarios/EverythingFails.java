package dev.troupe.simulation.scenarios;

import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.world.Loss;
import dev.troupe.simulation.world.SimulatedWorld;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;

/** Whatever can befall a network befalls this one, in an order that the seed decides. */
public final class EverythingFails implements Scenario {

  private static final Duration OUTAGE = Duration.ofSeconds(20);

  @Override
  public String name() {
    return "everything-fails";
  }

  @Override
  public String description() {
    return "every fault there is, at random, and health when they end";
  }

  @Override
  public int peers() {
    return 25;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(3);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    Node bootstrap = Start.network(run, "lobby", EverythingFails::anywhere).get(0);
    cluster.up().forEach(cluster::receiveLetters);
    long end = cluster.system().now() + run.parameters().length().toNanos();
    run.fault(() -> churn(run, bootstrap));
    while (cluster.system().now() < end) {
      run.fault(() -> misfortune(run, bootstrap, cluster.any(), cluster.any()));
      for (int i = 0; i < 5; i++) {
        Node asker = cluster.any();
        Node other = cluster.any();
        cluster.put(asker, "of " + asker.name(), "value");
        cluster.get(asker, "of " + other.name());
        cluster.findPeer(asker, other.id());
        cluster.connect(asker, other);
        cluster.ping(asker, other);
        cluster.send(asker, other);
        cluster.publish(asker, "lobby", "to whom it may reach");
        run.advance(Duration.ofSeconds(1));
      }
    }
    run.advance(OUTAGE);
    cluster.calm();
    run.advance(Duration.ofMinutes(12));
    Start.everyoneSpeaks(run, "lobby", 5);
  }

  private static void misfortune(Run run, Node bootstrap, Node node, Node other) {
    Cluster cluster = run.cluster();
    RandomGenerator chance = cluster.chance();
    switch (chance.nextInt(14)) {
      case 0 -> bounce(run, bootstrap, node, OUTAGE);
      case 1 -> bounce(run, bootstrap, node, Duration.ZERO);
      case 2, 3, 4 -> cluster.crashAnyActor(node);
      case 5 -> cluster.partition(List.of(node), cluster.up());
      case 6 -> cluster.partitionOneWay(List.of(node), List.of(other));
      case 7 -> cluster.hold(node, other);
      case 8 -> cluster.repair();
      case 9 -> cluster.loss(new Loss(0.2, 0.001, 0.01, Duration.ofSeconds(3)));
      case 10 -> cluster.bandwidth(node, 4_000 + chance.nextInt(30_000), 4_000);
      case 11 -> cluster.stopReading(node, OUTAGE);
      case 12 -> cluster.skew(node, Duration.ofSeconds(chance.nextInt(-7200, 7200)), 0.01);
      default -> {
        cluster.changeAddress(other(run, bootstrap));
        cluster.flood(other, "lobby", 50);
      }
    }
  }

  /** One of the others is always up. */
  private static void bounce(Run run, Node bootstrap, Node node, Duration outage) {
    if (node == bootstrap || others(run, bootstrap).size() > 1) {
      run.bounce(node, outage);
    }
  }

  /** Not the peer through which newcomers join: they know it by one address, and by no other. */
  private static Node other(Run run, Node bootstrap) {
    List<Node> others = others(run, bootstrap);
    return others.get(run.cluster().chance().nextInt(others.size()));
  }

  private static List<Node> others(Run run, Node bootstrap) {
    return run.cluster().up().stream().filter(node -> node != bootstrap).toList();
  }

  private static void churn(Run run, Node bootstrap) {
    run.churn(
        2,
        run.parameters().length(),
        () -> other(run, bootstrap),
        number -> {
          Node newcomer =
              run.cluster()
                  .start(
                      "newcomer-" + number,
                      settings -> Start.knowing(List.of(bootstrap)).apply(anywhere(settings)));
          run.cluster().subscribe(newcomer, "lobby");
        });
  }

  /** Listens at all addresses, so that a machine whose address changes is still reached. */
  private static PeerSettings anywhere(PeerSettings settings) {
    return PeerSettings.of(settings.identity(), List.of(SimulatedWorld.anywhere(Cluster.PORT)));
  }
}
