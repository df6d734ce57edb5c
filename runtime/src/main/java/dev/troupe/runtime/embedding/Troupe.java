package dev.troupe.runtime.embedding;

import com.typesafe.config.ConfigFactory;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.world.Measurements;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.runtime.world.RealWorld;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.Materializer;

/**
 * Peers for code outside actors: an actor system of its own with a {@link PeerManager} under its
 * guardian, and replies as {@link CompletionStage}s. A service that is made of actors spawns the
 * {@link PeerManager} under its own guardian instead, and needs none of this.
 *
 * <p>A stage completes with the reply record, whether it tells of success or of a typed failure. It
 * completes exceptionally only where no reply came at all, with a {@link
 * java.util.concurrent.TimeoutException}. Thread-safe.
 */
public final class Troupe implements AutoCloseable {

  /**
   * Longer than any reply may take but those that wait for others: waiting for readiness, then
   * running.
   */
  static final Duration REPLY_TIMEOUT = Duration.ofSeconds(90);

  private sealed interface Command {}

  private record Spawn(Behavior<?> behavior, Consumer<ActorRef<?>> made) implements Command {}

  private record End(ActorRef<?> listener) implements Command {}

  private record Quit() implements Command {}

  private final RealWorld world;
  private final ActorSystem<Command> system;
  private final ActorRef<PeerManager.Command> manager;

  /** Replies that have no bound of time of their own. */
  private final Set<CompletableFuture<?>> waiting = ConcurrentHashMap.newKeySet();

  private volatile boolean ended;

  private Troupe(
      RealWorld world, ActorSystem<Command> system, ActorRef<PeerManager.Command> manager) {
    this.world = world;
    this.system = system;
    this.manager = manager;
  }

  /** Starts an actor system without peers. */
  public static Troupe start() {
    return start(Measurements.NONE);
  }

  /**
   * The same, measured.
   *
   * @param measurements told of what happens in its peers, such as {@link
   *     dev.troupe.runtime.metrics.WorldMeters}
   */
  public static Troupe start(Measurements measurements) {
    return start(RealWorld.create(measurements));
  }

  /** The same in a world that has been made; it is closed at the end. */
  static Troupe start(RealWorld world) {
    CompletableFuture<ActorRef<PeerManager.Command>> manager = new CompletableFuture<>();
    ActorSystem<Command> system =
        ActorSystem.create(
            Behaviors.setup(
                context -> {
                  manager.complete(context.spawn(PeerManager.create(world), "peers"));
                  return Behaviors.receive(Command.class)
                      .onMessage(
                          Spawn.class,
                          spawn -> {
                            spawn.made().accept(context.spawnAnonymous(spawn.behavior()));
                            return Behaviors.same();
                          })
                      .onMessage(
                          End.class,
                          end -> {
                            context.stop(end.listener());
                            return Behaviors.same();
                          })
                      .onMessage(Quit.class, quit -> Behaviors.stopped())
                      .build();
                }),
            "troupe",
            ConfigFactory.parseResources(Troupe.class.getClassLoader(), "troupe.conf")
                .withFallback(ConfigFactory.load()));
    return new Troupe(world, system, manager.join());
  }

  /** The cryptography in use, for keys. */
  public Crypto crypto() {
    return world.crypto();
  }

  /** The time on the wall clock, by which records expire. */
  Instant now() {
    return world.clock().instant();
  }

  /** A new identity. */
  public PrivateKey newIdentity() {
    return PrivateKey.generate(world.crypto(), world.keyMaterial());
  }

  /** The manager, for those who prefer messages. */
  public ActorRef<PeerManager.Command> manager() {
    return manager;
  }

  /** For the flows of streams. */
  public Materializer materializer() {
    return Materializer.matFromSystem(system);
  }

  /** Makes a peer; see {@link PeerManager.Create}. */
  public CompletionStage<PeerManager.CreateReply> createPeer(String alias, PeerSettings settings) {
    return AskPattern.ask(
        manager,
        replyTo -> new PeerManager.Create(alias, settings, replyTo),
        REPLY_TIMEOUT,
        system.scheduler());
  }

  /** Stops a peer; see {@link PeerManager.StopPeer}. */
  public CompletionStage<PeerManager.StopReply> stopPeer(String alias) {
    return AskPattern.ask(
        manager,
        replyTo -> new PeerManager.StopPeer(alias, replyTo),
        REPLY_TIMEOUT,
        system.scheduler());
  }

  /** The peer of a {@link PeerManager.Created}, as stages. */
  public EmbeddedPeer embed(PeerManager.Created created) {
    return new EmbeddedPeer(this, created);
  }

  <T> CompletionStage<T> ask(
      ActorRef<Peer.Command> peer, Duration timeout, Function<ActorRef<T>, Peer.Command> command) {
    return AskPattern.ask(peer, command::apply, timeout, system.scheduler());
  }

  /**
   * Asks what is answered in any case, however late: no reply comes only where the peer or this
   * object ends.
   */
  <T> CompletionStage<T> askUntilEnd(
      ActorRef<Peer.Command> peer, Function<ActorRef<T>, Peer.Command> command) {
    CompletableFuture<T> reply = new CompletableFuture<>();
    waiting.add(reply);
    reply.whenComplete((value, error) -> waiting.remove(reply));
    Behavior<T> answered =
        Behaviors.setup(
            context -> {
              context.watch(peer);
              peer.tell(command.apply(context.getSelf()));
              return Behaviors.receive(
                  (same, value) -> {
                    reply.complete(value);
                    return Behaviors.stopped();
                  },
                  (same, end) -> {
                    reply.completeExceptionally(new TimeoutException("the peer has ended"));
                    return Behaviors.stopped();
                  });
            });
    system.tell(new Spawn(answered, made -> {}));
    if (ended) {
      failWaiting();
    }
    return reply;
  }

  private void failWaiting() {
    waiting.forEach(
        reply -> reply.completeExceptionally(new TimeoutException("the actor system has ended")));
  }

  /** An actor that passes what it is told to a consumer, one at a time. */
  <T> void listener(Consumer<T> consumer, Consumer<ActorRef<T>> made) {
    Behavior<T> behavior =
        Behaviors.receiveMessage(
            message -> {
              consumer.accept(message);
              return Behaviors.same();
            });
    system.tell(new Spawn(behavior, ref -> made.accept(ref.unsafeUpcast())));
  }

  void endListener(ActorRef<?> listener) {
    system.tell(new End(listener));
  }

  /**
   * Ends all peers at once and frees everything. Stop peers first, with {@link #stopPeer}, where
   * they are to end in order.
   *
   * @return completes when nothing is left
   */
  public CompletionStage<Void> terminate() {
    system.tell(new Quit());
    return system
        .getWhenTerminated()
        .thenAccept(
            done -> {
              ended = true;
              failWaiting();
              world.close();
            });
  }

  /** {@link #terminate}, waited for: for {@code main} methods and tests. */
  @Override
  public void close() {
    terminate().toCompletableFuture().join();
  }
}
