package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Fidelity;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Operation;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import dev.troupe.simulation.world.SimulatedWorld;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Liars settle round two keys, nearer than any honest peer: as many at each as half of the peers
 * that hold a record. A value under the one and a provider of the other are found all the same.
 *
 * <p>Where liars are all of the K nearest, no honest peer holds the record, and Kademlia cannot
 * help.
 */
public final class SybilNeighbours implements Scenario {

  /** Half of K. */
  private static final int HALF = 10;

  private static final Duration PROMPT = Duration.ofSeconds(30);

  private final int liars;

  SybilNeighbours() {
    this(HALF);
  }

  /** The same with so many liars at each key. */
  SybilNeighbours(int liars) {
    this.liars = liars;
  }

  @Override
  public String name() {
    return "sybil-neighbours";
  }

  @Override
  public String description() {
    return "liars are the nearest to two keys, and what honest peers keep is found";
  }

  @Override
  public int peers() {
    return 30;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(1);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    List<Node> nodes = Start.network(run, "lobby");
    Multihash provided = Multihash.sha256(cluster.network().crypto(), Bytes.utf8("file"));
    surround(run, "value", Key.of(Bytes.utf8("/test/value")), nodes);
    surround(run, "file", Key.of(provided.encoded()), nodes);
    run.advance(run.parameters().length());
    Node owner = nodes.get(cluster.chance().nextInt(nodes.size()));
    Operation put = cluster.put(owner, "value", "true");
    Operation provide = cluster.provide(owner, "file");
    run.advance(PROMPT);
    run.expect(put.reply() instanceof Dht.ValuePut, put + " ended with " + put.reply());
    run.expect(provide.reply() instanceof Dht.Provided, provide + " ended with " + provide.reply());
    Map<Operation, Operation> asked = new LinkedHashMap<>();
    List<Node> others = new ArrayList<>(nodes);
    others.remove(owner); // Nobody is named to itself.
    for (Node node : others) {
      asked.put(cluster.get(node, "value"), cluster.findProviders(node, "file"));
    }
    run.advance(PROMPT);
    asked.forEach(
        (get, find) -> {
          run.expect(
              get.reply() instanceof Dht.ValueGot got && got.value().equals(Bytes.utf8("true")),
              get + " ended with " + get.reply());
          run.expect(
              find.reply() instanceof Dht.ProvidersFound found
                  && found.providers().stream().anyMatch(peer -> peer.peer().equals(owner.id())),
              find + " ended with " + find.reply());
        });
  }

  private void surround(Run run, String name, Key target, List<Node> honest) {
    Cluster cluster = run.cluster();
    int nearest =
        honest.stream()
            .mapToInt(node -> Key.of(node.id()).commonPrefixLength(target))
            .max()
            .orElse(0);
    RandomGenerator keys = cluster.system().newRandom("sybils/" + name);
    List<Sybil> sybils = new ArrayList<>();
    for (int i = 0; i < liars; i++) {
      SimulatedWorld machine = cluster.network().machine("sybil-" + name + "-" + i);
      World world = run.parameters().fidelity() == Fidelity.HOST ? machine : machine.overLinks();
      PrivateKey identity = PrivateKey.generate(world.crypto(), keys::nextBytes);
      while (Key.of(identity.peerId()).commonPrefixLength(target) <= nearest) {
        identity = PrivateKey.generate(world.crypto(), keys::nextBytes);
      }
      sybils.add(new Sybil(world, identity, machine.address(Cluster.PORT), sybils));
    }
    for (Node node : honest) {
      sybils.forEach(sybil -> sybil.meet(node.address()));
      run.advance(Duration.ofMillis(100));
    }
  }
}
