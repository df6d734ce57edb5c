package dev.troupe.actors.peermanager;

import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The local peers of a service: spawn it under your own guardian, and make peers in messages. Two
 * of them in one actor system do not meet.
 *
 * <p><b>Owns</b> which aliases and identities are taken, decided in one place and in one step: one
 * identity is one peer. <b>Parent</b>: the embedder's. <b>Children</b>: a {@link Peer} each.
 * <b>States</b>: one. <b>Limits</b>: {@code maxPeers}; a further one is refused. <b>Timers</b>: 5 s
 * for the host of a peer that has ended to close. <b>A crash</b> of a peer frees its alias and
 * identity, as soon as its host has closed; whoever watches the peer notices. A crash of this actor
 * ends all its peers; its parent notices.
 */
public final class PeerManager extends AbstractBehavior<PeerManager.Command> {

  /** What the manager is told. */
  public sealed interface Command {}

  /**
   * Asks for a new peer, answered when it listens.
   *
   * @param alias its name here: 1 to 100 characters
   */
  public record Create(String alias, PeerSettings settings, ActorRef<CreateReply> replyTo)
      implements Command {}

  /** Asks for a running peer by its alias. */
  public record Find(String alias, ActorRef<FindReply> replyTo) implements Command {}

  /** Asks to stop a peer, answered when nothing of it is left. */
  public record StopPeer(String alias, ActorRef<StopReply> replyTo) implements Command {}

  /** Asks which peers run. */
  public record GetPeers(ActorRef<Peers> replyTo) implements Command {}

  private record PeerStarted(Peer.Started started) implements Command {}

  private record PeerEnded(String alias) implements Command {}

  private record HostGivenUp(String alias) implements Command {}

  /** The outcome of {@link Create}. */
  public sealed interface CreateReply {}

  /** The peer runs. */
  public record Created(
      String alias, PeerId id, ActorRef<Peer.Command> peer, List<Multiaddr> addresses)
      implements CreateReply {
    public Created {
      addresses = List.copyOf(addresses);
    }
  }

  /** There is no such peer now; nothing is left of what was tried. */
  public record CreateRefused(String alias, Refusal refusal, String message)
      implements CreateReply {}

  /** Why a peer is not made. */
  public enum Refusal {
    /** The alias is empty or too long. */
    INVALID_ALIAS,
    /** Another peer has the alias. */
    ALIAS_TAKEN,
    /** Another peer has the identity. */
    IDENTITY_TAKEN,
    /** There are as many peers as there may be. */
    TOO_MANY_PEERS,
    /** What it has kept cannot be opened; the message says why and where. */
    STORE_FAILED,
    /** It cannot listen where it was told to. */
    LISTEN_FAILED,
    /** It stopped before it listened. */
    STOPPED
  }

  /** The answer to {@link Find}: null where there is no such peer that runs. */
  public record FindReply(String alias, @Nullable RunningPeer peer) {}

  /** The answer to {@link StopPeer}. */
  public record StopReply(String alias, boolean wasRunning) {}

  /** The answer to {@link GetPeers}, in the order of making. */
  public record Peers(List<RunningPeer> peers) {
    public Peers {
      peers = List.copyOf(peers);
    }
  }

  /** One peer. */
  public record RunningPeer(String alias, PeerId id, ActorRef<Peer.Command> peer) {}

  /** How many peers there may be by default. */
  public static final int DEFAULT_MAX_PEERS = 10_000;

  /** A manager without peers. */
  public static Behavior<Command> create(World world) {
    return create(world, DEFAULT_MAX_PEERS);
  }

  /** A manager without peers, which may have so many. */
  public static Behavior<Command> create(World world, int maxPeers) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new PeerManager(context, timers, world, maxPeers)));
  }

  private static final int MAX_ALIAS = 100;

  /**
   * How long the host of a peer that has ended may take to close; then its alias and identity are
   * free in spite of it.
   */
  static final Duration HOST_END = Duration.ofSeconds(5);

  private static final class Entry {
    final PeerId id;
    final ActorRef<Peer.Command> peer;
    @Nullable Create creating;
    Refusal refusal = Refusal.STOPPED;
    String message = "the peer stopped before it listened";
    final List<StopPeer> stopping = new ArrayList<>();
    boolean actorEnded;
    boolean hostEnded;

    Entry(PeerId id, ActorRef<Peer.Command> peer, Create creating) {
      this.id = id;
      this.peer = peer;
      this.creating = creating;
    }

    boolean isRunning() {
      return creating == null && stopping.isEmpty() && !actorEnded;
    }
  }

  private final TimerScheduler<Command> timers;
  private final World world;
  private final int maxPeers;
  private final Map<String, Entry> byAlias = new LinkedHashMap<>();
  private final Map<PeerId, String> byIdentity = new LinkedHashMap<>();
  private final ActorRef<Peer.Started> started;
  private long names;

  private PeerManager(
      ActorContext<Command> context, TimerScheduler<Command> timers, World world, int maxPeers) {
    super(context);
    this.timers = timers;
    this.world = world;
    this.maxPeers = maxPeers;
    this.started = context.messageAdapter(Peer.Started.class, PeerStarted::new);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Create.class, this::onCreate)
        .onMessage(Find.class, this::onFind)
        .onMessage(StopPeer.class, this::onStopPeer)
        .onMessage(GetPeers.class, this::onGetPeers)
        .onMessage(PeerStarted.class, this::onStarted)
        .onMessage(PeerEnded.class, this::onEnded)
        .onMessage(HostGivenUp.class, this::onHostGivenUp)
        .build();
  }

  private Behavior<Command> onCreate(Create create) {
    String alias = create.alias();
    PeerId id = create.settings().identity().peerId();
    if (alias.isEmpty() || alias.length() > MAX_ALIAS) {
      return refuse(
          create, Refusal.INVALID_ALIAS, "an alias has 1 to " + MAX_ALIAS + " characters");
    }
    if (byAlias.containsKey(alias)) {
      return refuse(create, Refusal.ALIAS_TAKEN, "there is a peer '" + alias + "' already");
    }
    String holder = byIdentity.get(id);
    if (holder != null) {
      return refuse(create, Refusal.IDENTITY_TAKEN, "peer '" + holder + "' has the identity " + id);
    }
    if (byAlias.size() >= maxPeers) {
      return refuse(create, Refusal.TOO_MANY_PEERS, "there are " + maxPeers + " peers");
    }
    ActorRef<Peer.Command> peer =
        getContext().spawn(Peer.create(create.settings(), world, started), "peer-" + names++);
    byAlias.put(alias, new Entry(id, peer, create));
    byIdentity.put(id, alias);
    getContext().watchWith(peer, new PeerEnded(alias));
    return this;
  }

  private Behavior<Command> refuse(Create create, Refusal refusal, String message) {
    create.replyTo().tell(new CreateRefused(create.alias(), refusal, message));
    return this;
  }

  private Behavior<Command> onStarted(PeerStarted message) {
    if (message.started() instanceof Peer.Ended ended) {
      return onHostEnded(ended);
    }
    PeerId id = peerOf(message.started());
    String alias = byIdentity.get(id);
    Entry entry = alias == null ? null : byAlias.get(alias);
    if (alias == null || entry == null || entry.creating == null) {
      return this;
    }
    Create create = entry.creating;
    if (message.started() instanceof Peer.Listening listening) {
      entry.creating = null;
      create.replyTo().tell(new Created(alias, id, entry.peer, listening.addresses()));
    } else if (message.started() instanceof Peer.ListenFailed failed) {
      // Answered when the peer has ended: whoever is answered may want to try again at once.
      entry.refusal = Refusal.LISTEN_FAILED;
      entry.message = failed.failure().message();
    } else if (message.started() instanceof Peer.StoreFailed failed) {
      entry.refusal = Refusal.STORE_FAILED;
      entry.message = failed.failure().message();
    }
    return this;
  }

  private static PeerId peerOf(Peer.Started started) {
    if (started instanceof Peer.Listening listening) {
      return listening.peer();
    } else if (started instanceof Peer.ListenFailed failed) {
      return failed.peer();
    } else if (started instanceof Peer.StoreFailed failed) {
      return failed.peer();
    }
    return ((Peer.Ended) started).peer();
  }

  private Behavior<Command> onFind(Find find) {
    Entry entry = byAlias.get(find.alias());
    find.replyTo()
        .tell(
            new FindReply(
                find.alias(),
                entry == null || !entry.isRunning()
                    ? null
                    : new RunningPeer(find.alias(), entry.id, entry.peer)));
    return this;
  }

  private Behavior<Command> onGetPeers(GetPeers get) {
    List<RunningPeer> running = new ArrayList<>();
    byAlias.forEach(
        (alias, entry) -> {
          if (entry.isRunning()) {
            running.add(new RunningPeer(alias, entry.id, entry.peer));
          }
        });
    get.replyTo().tell(new Peers(running));
    return this;
  }

  private Behavior<Command> onStopPeer(StopPeer stop) {
    Entry entry = byAlias.get(stop.alias());
    if (entry == null) {
      stop.replyTo().tell(new StopReply(stop.alias(), false));
    } else {
      entry.stopping.add(stop);
      entry.peer.tell(Peer.stop());
    }
    return this;
  }

  private Behavior<Command> onEnded(PeerEnded ended) {
    Entry entry = byAlias.get(ended.alias());
    if (entry != null) {
      entry.actorEnded = true;
      if (entry.hostEnded) {
        free(ended.alias());
      } else {
        timers.startSingleTimer(new HostGivenUp(ended.alias()), HOST_END);
      }
    }
    return this;
  }

  private Behavior<Command> onHostEnded(Peer.Ended ended) {
    String alias = byIdentity.get(ended.peer());
    Entry entry = alias == null ? null : byAlias.get(alias);
    if (alias != null && entry != null && entry.peer.equals(ended.self())) {
      entry.hostEnded = true;
      if (entry.actorEnded) {
        free(alias);
      }
    }
    return this;
  }

  private Behavior<Command> onHostGivenUp(HostGivenUp givenUp) {
    getContext().getLog().warn("the host of peer '{}' does not close", givenUp.alias());
    free(givenUp.alias());
    return this;
  }

  /** Nothing of the peer is left, as far as can be known. */
  private void free(String alias) {
    timers.cancel(new HostGivenUp(alias));
    Entry entry = byAlias.remove(alias);
    if (entry != null) {
      byIdentity.remove(entry.id);
      if (entry.creating != null) {
        refuse(entry.creating, entry.refusal, entry.message);
      }
      entry.stopping.forEach(stop -> stop.replyTo().tell(new StopReply(stop.alias(), true)));
    }
  }
}
