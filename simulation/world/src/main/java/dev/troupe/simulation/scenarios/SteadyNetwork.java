package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.GossipSettings;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Node;
import dev.troupe.simulation.scenario.Run;
import dev.troupe.simulation.scenario.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A large network that forms, and then lives on with little to say: what size costs. */
public final class SteadyNetwork implements Scenario {

  /** One bootstrap peer for so many; each peer knows two of them. */
  private static final int PEERS_PER_BOOTSTRAP = 250;

  /** How many connections these keep: everybody has to get in through them. */
  private static final int BOOTSTRAP_CONNECTIONS = 1000;

  /** How many members a bucket of theirs has. */
  private static final int BOOTSTRAP_BUCKET_CAPACITY = 200;

  private static final int MIN_CONNECTIONS = 12;

  /** As the specification has it; the default here is half of it. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(1);

  /** How long the last of them has to become ready and to find its mesh. */
  private static final Duration SETTLING = Duration.ofMinutes(1);

  /** What is heard of the stages of a run. */
  public interface Stages {

    /** All peers have started, and had time to find one another. */
    void formed(Run run);

    /** The time under observation is over. */
    void observed(Run run);
  }

  /**
   * How the network is.
   *
   * @param connections how many each peer keeps at most, two thirds of it after trimming (default
   *     60)
   * @param pause between two messages to all (default 10 s)
   * @param join between the starts of two peers (default 20 ms)
   * @param refresh how often each peer looks after its routing table (default that of the DHT)
   */
  public record Model(int connections, Duration pause, Duration join, Duration refresh) {

    /** The defaults named above. */
    public static final Model DEFAULT =
        new Model(
            60,
            Duration.ofSeconds(10),
            Duration.ofMillis(20),
            DhtSettings.Timing.DEFAULT.refresh());

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException unless the durations are positive and there are connections
     *     enough for a mesh
     */
    public Model {
      if (connections < MIN_CONNECTIONS) {
        throw new IllegalArgumentException(
            "connections: at least "
                + MIN_CONNECTIONS
                + ", the upper degree of a mesh, not "
                + connections);
      }
      requirePositive("the pause between two messages", pause);
      requirePositive("the pause between two that join", join);
      requirePositive("the pause between two looks after the table", refresh);
    }

    private static void requirePositive(String name, Duration duration) {
      if (duration.isZero() || duration.isNegative()) {
        throw new IllegalArgumentException(name + " must be more than 0");
      }
    }
  }

  private final Model model;
  private final Stages stages;

  SteadyNetwork() {
    this(
        Model.DEFAULT,
        new Stages() {
          @Override
          public void formed(Run run) {}

          @Override
          public void observed(Run run) {}
        });
  }

  /** A network to be measured. */
  public SteadyNetwork(Model model, Stages stages) {
    this.model = model;
    this.stages = stages;
  }

  @Override
  public String name() {
    return "steady-network";
  }

  @Override
  public String description() {
    return "many peers that form a network and have little to say";
  }

  @Override
  public int peers() {
    return 200;
  }

  @Override
  public Duration length() {
    return Duration.ofMinutes(2);
  }

  @Override
  public void play(Run run) {
    Cluster cluster = run.cluster();
    int peers = run.parameters().peers();
    int bootstraps = 1 + (peers - 1) / PEERS_PER_BOOTSTRAP;
    List<Node> known = new ArrayList<>();
    for (int i = 0; i < peers; i++) {
      List<Node> two = new ArrayList<>();
      for (int j = 0; j < 2 && !known.isEmpty(); j++) {
        two.add(known.get(cluster.chance().nextInt(known.size())));
      }
      boolean bootstrap = i < bootstraps;
      int limit = bootstrap ? BOOTSTRAP_CONNECTIONS : model.connections();
      UnaryOperator<PeerSettings> joining = Start.knowing(two, limit, limit * 2 / 3);
      Node node =
          cluster.start(
              "peer-" + i,
              settings -> {
                PeerSettings joined = joining.apply(settings);
                GossipSettings gossip = joined.gossip();
                joined =
                    joined.withGossip(
                        gossip.withRouter(gossip.router().withHeartbeatInterval(HEARTBEAT)));
                joined =
                    joined.withDht(
                        joined
                            .dht()
                            .withTiming(joined.dht().timing().withRefresh(model.refresh())));
                return bootstrap
                    ? joined.withDht(joined.dht().withBucketCapacity(BOOTSTRAP_BUCKET_CAPACITY))
                    : joined;
              });
      cluster.subscribe(node, "lobby");
      if (bootstrap) {
        known.add(node);
      }
      run.advance(model.join());
    }
    run.advance(SETTLING);
    stages.formed(run);
    long end = cluster.system().now() + run.parameters().length().toNanos();
    while (cluster.system().now() < end) {
      cluster.publishToAll(cluster.any(), "lobby", Start.DELIVERY);
      long left = end - cluster.system().now();
      run.advance(left < model.pause().toNanos() ? Duration.ofNanos(left) : model.pause());
    }
    stages.observed(run);
    run.advance(Start.DELIVERY.plusSeconds(2));
  }
}
