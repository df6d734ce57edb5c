package dev.troupe.actors.dht;

import dev.troupe.actors.addressbook.AddressBook;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.dht.Query.Outcome;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.world.Measurements.DhtOperation;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.ProviderStore;
import dev.troupe.protocol.kademlia.RoutingTable;
import dev.troupe.protocol.kademlia.RoutingTableEvent;
import dev.troupe.protocol.kademlia.RoutingTableEvent.RoutingTablePopulated;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.ValueStore;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.BehaviorBuilder;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The DHT of one peer: a stash before a gate, and one reply for each operation.
 *
 * <pre>
 *                      RoutingTablePopulated
 *     Bootstrapping ──────────────────────────▶ Ready ◀──────┐
 *          │                                    │   ▲        │ RoutingTablePopulated
 *          │ 30 s                RoutingTable-  │   │        │
 *          │                     Emptied        ▼   │        │
 *          │                                  Starved        │
 *          │                                    │ 30 s       │
 *          └──────────────▶ Degraded ◀──────────┘            │
 *                              └─────────────────────────────┘
 * </pre>
 *
 * <p>While <b>Bootstrapping</b> the gate is shut: operations wait in the stash, and everything else
 * is answered at once. The routing table says when it is populated; nobody polls it. Then the DHT
 * is <b>Ready</b>: what waits runs, in the order it was asked. If the table is still empty at the
 * deadline, the DHT says that it is <b>Degraded</b>, and the gate opens all the same: what waited
 * runs, and fails where it needs peers. Each new operation then asks for another bootstrap round,
 * within reason. When the table of a Ready one empties, it is <b>Starved</b>: the gate shuts for
 * another 30 s at most, and bootstrapping starts anew with growing pauses. A peer that knows of no
 * DHT to join is Ready from the start, and stays it; one whose DHT is off refuses each operation.
 *
 * <p><b>Operations.</b> An operation has two budgets: readiness, its time in the stash, and
 * execution, counted from when it leaves the stash. It ends in exactly one reply. Every operation
 * that has been accepted is in the {@link Ledger} until it is answered.
 *
 * <p><b>Owns</b> the routing table, the ledger, and the values and provider records that it keeps
 * for others.
 *
 * <p><b>Parent</b>: the Peer. <b>Children</b>: a {@link Lookup} for each operation that runs, for
 * each exploration, each correction of stored values and each peer that is asked whether it is
 * alive.
 *
 * <p><b>Who sends what</b>: the Peer and its other children send operations; Connections sends
 * events, from which the routing table learns whom this peer has met, however they met; the
 * bootstrap pool says who the bootstrap peers are; lookups report who answered and who did not; the
 * {@linkplain InboundStream streams} that remotes open bring requests.
 *
 * <p><b>Limits</b>: {@link DhtSettings.Limits}, each with an answer of its own when it is reached.
 *
 * <p><b>In the table</b> is every connected peer that says that it serves, as far as there is room
 * for it; the others wait. Who is silent for long is asked whether it is still there, see {@link
 * Membership}: when somebody waits for its place, and when buckets are looked after.
 *
 * <p><b>Announced again</b>: what this peer provides and the values that it put, before others
 * forget them, see {@link Republishing}; one region of the keyspace or one value at a time, beside
 * the operations.
 *
 * <p><b>Kept</b> beyond the end of the peer, where there is a store: values, providers and the
 * routing table, see {@link Keeping}. They are loaded before anything else; until then the gate is
 * shut and nobody is served. What a remote or an operation changes is acknowledged once it is
 * durable: a remote that puts a value is refused where it cannot be kept, an operation ends with
 * {@code NOT_KEPT}. Who was in the table is asked, and enters it when it has answered.
 *
 * <p><b>Timers</b>: the gate; the next announcement that is due; keeping the routing table (1 min);
 * the pause between bootstrap rounds; the next readiness budget to run out; one for each operation
 * that runs, should its lookup not end; looking after buckets and stores; one for each inbound
 * stream, should no request come; the sweep of streams that remotes have not closed though they
 * have answered on them.
 *
 * <p><b>A crash</b> loses the routing table, how peers answered and what was under way; remotes see
 * their streams reset. The restarted actor answers what ran with {@code CRASHED} (running it again
 * could crash again), keeps what waits, tells its subscribers, and bootstraps anew; the peers that
 * are still connected are in the table at once. The stores are kept, and with them what is
 * provided: a sweep that was under way is begun anew for what it had not been told to have
 * announced. A lookup that crashes is not restarted; its operation is answered with {@code
 * CRASHED}.
 */
public final class Dht {

  /** What the DHT is told. */
  public sealed interface Command {}

  /** An operation: it may wait in the stash, and ends in exactly one reply. */
  public sealed interface Operation extends Command {

    /** How long it may wait in the stash. */
    Readiness readiness();

    /** Where the reply goes. */
    ActorRef<? super OperationFailed> replyTo();
  }

  /**
   * Asks to announce to the network that this peer provides what the key names, at the addresses at
   * which it listens now; and to announce it again at intervals, until it is {@linkplain
   * StopProviding stopped}. A peer that listens nowhere announces itself without an address: some
   * remotes (go-libp2p, js-libp2p) ignore that, others name it, and only who knows how to reach it
   * otherwise can use it.
   *
   * @param isKept whether the key is to be provided after a restart of the peer, too; without,
   *     whoever wants that asks again
   */
  public record Provide(
      Multihash key, boolean isKept, Readiness readiness, ActorRef<ProvideReply> replyTo)
      implements Operation {

    /** To be kept. */
    public Provide(Multihash key, Readiness readiness, ActorRef<ProvideReply> replyTo) {
      this(key, true, readiness, replyTo);
    }
  }

  /**
   * Asks to provide many keys, as with {@link Provide}, without a lookup for each: they are
   * announced region by region, as soon as the DHT is ready. Answered once they are kept, before
   * anybody has been told; in every state.
   */
  public record StartProviding(List<Multihash> keys, ActorRef<StartProvidingReply> replyTo)
      implements Command {
    public StartProviding {
      keys = List.copyOf(keys);
    }
  }

  /**
   * Asks to provide a key no more. It is not announced again, and this peer does not name itself;
   * others name it until what they were told last expires. A {@link Provide} of the key that waits
   * is answered with {@code WITHDRAWN}. Answered once that is kept, in every state.
   */
  public record StopProviding(Multihash key, ActorRef<StopProvidingReply> replyTo)
      implements Command {}

  /**
   * Asks who provides what the key names.
   *
   * @param limit stop when this many have been found, at least 1
   * @param through whose view is wanted: it is the first to be asked, and what is known here does
   *     not count; this peer itself may be among the answers. Null for this peer's own view
   */
  public record FindProviders(
      Multihash key,
      int limit,
      @Nullable PeerId through,
      Readiness readiness,
      ActorRef<FindProvidersReply> replyTo)
      implements Operation {

    /** The view of this peer. */
    public FindProviders(
        Multihash key, int limit, Readiness readiness, ActorRef<FindProvidersReply> replyTo) {
      this(key, limit, null, readiness, replyTo);
    }
  }

  /**
   * Asks to store a value, which the validator of the key's namespace must accept; and to put it
   * again at intervals, as long as it is valid and until that is {@linkplain StopPutting stopped}.
   */
  public record PutValue(
      Bytes key, Bytes value, Readiness readiness, ActorRef<PutValueReply> replyTo)
      implements Operation {}

  /**
   * Asks to put the value of a key no more. It is not put again, and this peer does not name it;
   * others have it until it expires there. A {@link PutValue} of the key that waits is answered
   * with {@code WITHDRAWN}; one that runs is not stopped. Answered once that is kept, in every
   * state.
   */
  public record StopPutting(Bytes key, ActorRef<StopPuttingReply> replyTo) implements Command {}

  /**
   * Asks for the best value of a key.
   *
   * @param through whose view is wanted: it is the first to be asked, what is stored here does not
   *     count, and the first value is believed. Null for this peer's own view
   * @param quorum how many peers must return a value, this one among them if it stores one; from 1
   *     to K ({@link DhtSettings#replication}), or it is {@code INVALID_QUORUM}. Where fewer do, it
   *     is {@code QUORUM_NOT_REACHED}. Null for that of the settings, where fewer will do, too
   */
  public record GetValue(
      Bytes key,
      @Nullable PeerId through,
      @Nullable Integer quorum,
      Readiness readiness,
      ActorRef<GetValueReply> replyTo)
      implements Operation {

    /** The view of this peer. */
    public GetValue(Bytes key, Readiness readiness, ActorRef<GetValueReply> replyTo) {
      this(key, null, null, readiness, replyTo);
    }

    /** What the settings say will do. */
    public GetValue(
        Bytes key, @Nullable PeerId through, Readiness readiness, ActorRef<GetValueReply> replyTo) {
      this(key, through, null, readiness, replyTo);
    }

    /** The view of this peer, from no fewer than so many. */
    public GetValue(Bytes key, int quorum, Readiness readiness, ActorRef<GetValueReply> replyTo) {
      this(key, null, quorum, readiness, replyTo);
    }
  }

  /**
   * Asks for the addresses of a peer. Answered at once for those who are connected or in the
   * routing table, with the addresses that they named themselves.
   */
  public record FindPeer(PeerId peer, Readiness readiness, ActorRef<FindPeerReply> replyTo)
      implements Operation {}

  /** Asks for the state; answered at once in every state. */
  public record GetState(ActorRef<StateChanged> replyTo) implements Command {}

  /** Asks who is in the routing table; answered at once in every state. */
  public record GetTable(ActorRef<Table> replyTo) implements Command {}

  /** Asks how many records are held; answered at once in every state. */
  public record GetRecords(ActorRef<Records> replyTo) implements Command {}

  /**
   * What is held.
   *
   * @param values of so many keys, this peer's own among them
   * @param providers provider records of other peers
   */
  public record Records(int values, int providers) {}

  /**
   * The routing table.
   *
   * @param peers by bucket, the farthest first
   * @param waiting for a place in a bucket that is full, in the same order
   * @param refused how often a peer was, since there were enough of its IP group ({@link
   *     DhtSettings.Table})
   */
  public record Table(List<PeerId> peers, List<PeerId> waiting, long refused) {
    public Table {
      peers = List.copyOf(peers);
      waiting = List.copyOf(waiting);
    }
  }

  /**
   * Asks to hear each change of state, the present one first; and, of a peer that was Ready with
   * nobody to ask, that it is Ready once more when it meets somebody. Ends when the subscriber
   * does.
   */
  public record Subscribe(ActorRef<StateChanged> subscriber) implements Command {}

  /**
   * Whether others can reach this peer has become known; decides whether it serves in {@link
   * DhtMode#AUTO}. Nothing in the peer finds it out by itself yet: it is for the embedder to say.
   */
  public record ReachabilityChanged(Reachability reachability) implements Command {}

  /** Whether others can reach this peer. */
  public enum Reachability {
    /** Nothing is known. */
    UNKNOWN,
    /** They can. */
    PUBLIC,
    /** They cannot. */
    PRIVATE
  }

  /** Asks to end: answers everything open with {@code STOPPING}, then stops. */
  public record Stop() implements Command {}

  /** The states, as seen from outside. */
  public enum State {
    /**
     * Not ready yet: operations wait in the stash, until the table is populated or the deadline
     * passes.
     */
    BOOTSTRAPPING,
    /** Operations run. (Also where there is no DHT to join.) */
    READY,
    /** The table emptied: operations wait again, under a new deadline. */
    STARVED,
    /**
     * The deadline passed with an empty table: operations run at once, and fail where they need
     * peers.
     */
    DEGRADED
  }

  /**
   * The state of the DHT.
   *
   * @param peers in the routing table
   * @param stashed operations that wait in the stash
   */
  public record StateChanged(State state, int peers, int stashed) {}

  /** The outcome of {@link Provide}. */
  public sealed interface ProvideReply {}

  /** The outcome of {@link StartProviding}. */
  public sealed interface StartProvidingReply {}

  /** The outcome of {@link StopProviding}. */
  public sealed interface StopProvidingReply {}

  /** The outcome of {@link FindProviders}. */
  public sealed interface FindProvidersReply {}

  /** The outcome of {@link PutValue}. */
  public sealed interface PutValueReply {}

  /** The outcome of {@link StopPutting}. */
  public sealed interface StopPuttingReply {}

  /** The outcome of {@link GetValue}. */
  public sealed interface GetValueReply {}

  /** The outcome of {@link FindPeer}. */
  public sealed interface FindPeerReply {}

  /**
   * Announced.
   *
   * @param peers how many peers were sent the provider record
   */
  public record Provided(Multihash key, int peers) implements ProvideReply {}

  /**
   * They are provided from now on.
   *
   * @param keys how many, those among them that were before
   * @param refused how many are not, since this peer provides as many as it may
   */
  public record ProvidingStarted(int keys, int refused) implements StartProvidingReply {}

  /** The key is not provided any more, or never was. */
  public record ProvidingStopped(Multihash key) implements StopProvidingReply {}

  /**
   * The providers found within the budget, this peer not among them, in the order of finding; may
   * be empty.
   */
  public record ProvidersFound(Multihash key, List<PeerWithAddresses> providers)
      implements FindProvidersReply {
    public ProvidersFound {
      providers = List.copyOf(providers);
    }
  }

  /**
   * Stored.
   *
   * @param peers how many peers acknowledged it, at least 1
   */
  public record ValuePut(Bytes key, int peers) implements PutValueReply {}

  /** The value of the key is not put any more, or never was. */
  public record PuttingStopped(Bytes key) implements StopPuttingReply {}

  /**
   * The best of the values found.
   *
   * @param peers how many peers returned this very value, this one among them if it stores it; the
   *     others of those that were asked had another or none, or were not waited for
   */
  public record ValueGot(Bytes key, Bytes value, int peers) implements GetValueReply {}

  /** Where the peer can be dialled. */
  public record PeerFound(PeerWithAddresses peer) implements FindPeerReply {}

  /** A peer, and where it can be dialled (without {@code /p2p}). */
  public record PeerWithAddresses(PeerId peer, List<Multiaddr> addresses) {
    public PeerWithAddresses {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * The operation came to nothing.
   *
   * @param message for a person; names the key or peer
   */
  public record OperationFailed(Reason reason, String message)
      implements ProvideReply,
          StartProvidingReply,
          StopProvidingReply,
          FindProvidersReply,
          PutValueReply,
          StopPuttingReply,
          GetValueReply,
          FindPeerReply {}

  /** Why an operation came to nothing. */
  public enum Reason {
    /** Its readiness budget passed in the stash. */
    NOT_READY,
    /** Its execution budget passed. */
    TIMED_OUT,
    /** There is no peer in the routing table to ask. */
    NO_PEERS,
    /** The stash is full. */
    STASH_FULL,
    /** The DHT stops. */
    STOPPING,
    /** There is no DHT here ({@code --dht off}). */
    NO_DHT,
    /** All was asked, and nobody knew. */
    NOT_FOUND,
    /** The value, or its key, is not valid in its namespace. */
    INVALID_RECORD,
    /** Fewer peers returned a value than were wanted. */
    QUORUM_NOT_REACHED,
    /** More peers are wanted than a value is stored with, or fewer than one. */
    INVALID_QUORUM,
    /** Everyone asked to store it refused or failed. */
    REJECTED,
    /** This peer provides as many keys as it may ({@link DhtSettings.Limits#providers}). */
    TOO_MANY_PROVIDED,
    /** This peer has put as many values as it may ({@link DhtSettings.Limits#values}). */
    TOO_MANY_VALUES,
    /** Before it ran, it was asked to stop providing the key, or putting its value. */
    WITHDRAWN,
    /** The actor crashed while it ran; whether others have seen it is unknown. */
    CRASHED,
    /**
     * Others have it, and this peer could not keep it: it will not know of it once it has ended.
     */
    NOT_KEPT
  }

  // What the actor tells itself

  private record TablePopulated() implements Command {}

  private record TableEmptied() implements Command {}

  private record GateDeadline() implements Command {}

  private record RetryDue() implements Command {}

  private record PatienceEnded() implements Command {}

  private record HousekeepingDue() implements Command {}

  private record OperationOverdue(long id) implements Command {}

  private record LookupReported(Lookup.Event event) implements Command {}

  record LookupEnded(long id) implements Command {}

  private record NetworkChanged(ConnectionsEvent event) implements Command {}

  private record PoolHeard(BootstrapPool.Event event) implements Command {}

  private record Dialled(Connections.ConnectReply reply) implements Command {}

  private record SubscriberEnded(ActorRef<StateChanged> subscriber) implements Command {}

  record StreamOffered(Stream stream) implements Command {}

  record InboundHappened(InboundStream stream, InboundStream.Event event) implements Command {}

  record InboundIdle(InboundStream stream) implements Command {}

  record PartingDue() implements Command {}

  /** A part of what was kept; a failure where there is no page. */
  record PageRead(long id, @Nullable Page page, @Nullable StoreFailure failure)
      implements Command {}

  /** What changed for an operation or an answer is kept, if there is no failure. */
  record Committed(long id, @Nullable StoreFailure failure) implements Command {}

  private record SaveDue() implements Command {}

  private record RepublishDue() implements Command {}

  /** Whether a peer can be reached is known; it can, if there is no failure. */
  private record ReachDecided(PeerId peer, @Nullable HostFailure failure) implements Command {}

  /** A reply that waits until what it acknowledges is kept. */
  private record Pending(Runnable kept, Consumer<OperationFailed> notKept) {

    void fail(Reason reason, String message) {
      notKept.accept(new OperationFailed(reason, message));
    }
  }

  /** A lookup of our own, under way. */
  private record Exploration(long lookup, Bytes target) {}

  /** What a crash must not lose: it lives outside the supervised behavior. */
  private record Kept(
      Ledger ledger,
      ValueStore values,
      ProviderStore providers,
      Keeping keeping,
      Map<Long, Pending> pending,
      Deque<Command> untilLoaded,
      Set<ActorRef<StateChanged>> subscribers) {}

  /**
   * While the children of a crashed DHT stop, Pekko keeps so many messages, and drops the others.
   */
  private static final int RESTART_STASH_CAPACITY = 100_000;

  /**
   * So many lookups correct stored values at a time; what else there is to correct is left to the
   * next who asks for it.
   */
  public static final int MAX_CORRECTIONS = 32;

  /** How often it is looked whether the routing table has changed, to keep it. */
  static final Duration SAVE_INTERVAL = Duration.ofMinutes(1);

  private static final String REPUBLISH = "republish";
  private static final String GATE = "gate";
  private static final String RETRY = "retry";
  private static final String PATIENCE = "patience";

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final DhtEnvironment environment;
  private final DhtSettings settings;
  private final Kept kept;
  private final Ledger ledger;
  private final RandomGenerator random;
  private final RoutingTable table;
  private final Pauses pauses;
  private final Durability durability;
  private final Serving serving;
  private final Lookups lookups;
  private final Republishing republishing;
  private final Membership membership;

  /** Replies that wait for a commit, and what they are if it fails. */
  private final Map<Long, Pending> pending;

  private final ActorRef<Connections.ConnectReply> dialReplies;

  /** Where the connected peers that have said so listen; and those of them that serve the DHT. */
  private final Map<PeerId, List<Multiaddr>> connected = new LinkedHashMap<>();

  private final Set<PeerId> connectedServers = new LinkedHashSet<>();

  /** Lookups that tell others of a better value than theirs. */
  private final Set<Long> corrections = new LinkedHashSet<>();

  /** Members of the table that a lookup could not reach in time, while they are dialled. */
  private final Set<PeerId> delayed = new LinkedHashSet<>();

  /** Those of them that are connected, while a stream is opened. */
  private final Set<PeerId> opening = new LinkedHashSet<>();

  /** Connected members of the table that did not answer when they were asked last. */
  private final Set<PeerId> doubted = new LinkedHashSet<>();

  /** Whether those have been asked once more, since nobody else is in the table. */
  private boolean askedDoubted;

  private Reachability reachability = Reachability.UNKNOWN;

  private final Deque<Bytes> unexplored = new ArrayDeque<>();
  private Optional<Exploration> exploration = Optional.empty();
  private State state = State.BOOTSTRAPPING;
  private long lastRoundAt;

  /**
   * The DHT of one peer, its supervision included.
   *
   * @param host of the peer; started, listening or not
   * @param connections of the same peer
   * @param addressBook of the same peer
   * @param bootstrapPool of the same peer; null where there is no DHT to join
   */
  public static Behavior<Command> create(
      DhtSettings settings,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<AddressBook.Command> addressBook,
      @Nullable ActorRef<BootstrapPool.Command> bootstrapPool) {
    return create(settings, world, host, connections, addressBook, bootstrapPool, Store.NONE);
  }

  /**
   * The same, where something outlives the peer.
   *
   * @param store of the same peer
   */
  public static Behavior<Command> create(
      DhtSettings settings,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<AddressBook.Command> addressBook,
      @Nullable ActorRef<BootstrapPool.Command> bootstrapPool,
      Store store) {
    DhtEnvironment environment =
        new DhtEnvironment(settings, world, host, connections, addressBook, bootstrapPool, store);
    return Behaviors.setup(
        outside -> {
          Kept kept = keep(environment);
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          Behaviors.withTimers(
                              timers -> new Dht(context, timers, environment, kept).begin())))
              .onFailure(SupervisorStrategy.restart().withStashCapacity(RESTART_STASH_CAPACITY));
        });
  }

  private static Kept keep(DhtEnvironment environment) {
    PeerId self = environment.host().peerId();
    DhtSettings.Limits limits = environment.settings().limits();
    DhtSettings.Records lives = environment.settings().records();
    ValueStore values =
        new ValueStore(
            environment.settings().namespaces(),
            self,
            ValueStore.Settings.DEFAULT
                .withMaxRecords(limits.values())
                .withTimeToLive(lives.valueExpiration()));
    ProviderStore providers =
        new ProviderStore(
            self,
            ProviderStore.Settings.DEFAULT
                .withMaxProviders(limits.providers())
                .withTimesToLive(lives.providerExpiration(), lives.providerAddresses()));
    return new Kept(
        new Ledger(limits.stash()),
        values,
        providers,
        new Keeping(environment, values, providers),
        new LinkedHashMap<>(),
        new ArrayDeque<>(),
        new LinkedHashSet<>());
  }

  private Dht(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      DhtEnvironment environment,
      Kept kept) {
    this.context = context;
    this.timers = timers;
    this.environment = environment;
    this.settings = environment.settings();
    this.kept = kept;
    this.ledger = kept.ledger();
    this.random = environment.world().random(self(), "dht");
    this.table = new RoutingTable(self(), Membership.bounds(settings));
    this.pauses = new Pauses(random);
    this.pending = kept.pending();
    this.durability = new Durability(environment, kept.keeping(), ledger, context);
    this.serving =
        new Serving(
            environment,
            new Responder(
                environment.host(),
                table,
                kept.values(),
                kept.providers(),
                connected,
                settings.replication(),
                random),
            durability,
            timers,
            context.getSelf());
    this.lookups =
        new Lookups(
            context,
            timers,
            environment,
            context.messageAdapter(Lookup.Event.class, LookupReported::new));
    this.republishing =
        new Republishing(
            settings,
            kept.values(),
            kept.providers(),
            environment.world().random(self(), "dht republish"));
    this.membership =
        new Membership(environment, table, connected, lookups, ledger, this::onTableEvent);
    this.dialReplies = context.messageAdapter(Connections.ConnectReply.class, Dialled::new);
  }

  // States

  /** The first state, and the one after a crash. */
  private Behavior<Command> begin() {
    for (Operation interrupted : ledger.abandonRunning()) {
      refuse(interrupted, Reason.CRASHED, "the DHT crashed while it ran");
    }
    answerPending(Reason.CRASHED, "the DHT crashed before it was kept");
    kept.subscribers().forEach(this::watch);
    if (settings.mode() == DhtMode.OFF) {
      return absent();
    }
    kept.keeping().restart();
    if (kept.keeping().loading().isPresent()) {
      expireWaiting();
      durability.load();
      return loading();
    }
    return start();
  }

  private Behavior<Command> start() {
    serving.become(mayServe());
    environment
        .connections()
        .tell(
            new Connections.Subscribe(
                context.messageAdapter(ConnectionsEvent.class, NetworkChanged::new),
                Connections.From.IDENTIFIED));
    membership.tagAll();
    ActorRef<BootstrapPool.Command> pool = environment.bootstrapPool();
    if (pool != null) {
      pool.tell(
          new BootstrapPool.Subscribe(
              context.messageAdapter(BootstrapPool.Event.class, PoolHeard::new)));
    }
    timers.startTimerWithFixedDelay(new HousekeepingDue(), settings.timing().refresh());
    if (environment.store().keeps()) {
      timers.startTimerWithFixedDelay(new SaveDue(), SAVE_INTERVAL);
      membership.tryOut(kept.keeping().takeCandidates());
    }
    expireWaiting();
    return isAlone() ? becomeReady() : becomeBootstrapping();
  }

  /** What was kept is not all here yet: nobody is served, and the gate is shut. */
  private Behavior<Command> loading() {
    return inEveryState().onMessage(Operation.class, this::onOperation).build();
  }

  /** The gate is shut until somebody is in the routing table. */
  private Behavior<Command> bootstrapping() {
    return inEveryState()
        .onMessage(Operation.class, this::onOperation)
        .onMessage(TablePopulated.class, unused -> onlyIf(!table.isEmpty(), this::becomeReady))
        .onMessage(TableEmptied.class, unused -> Behaviors.same())
        .onMessage(GateDeadline.class, unused -> becomeDegraded())
        .onMessage(RetryDue.class, unused -> retryAfter(settings.timing().firstRetry()))
        .build();
  }

  /** The gate is open, and there is somebody to ask (or nobody ever was). */
  private Behavior<Command> ready() {
    return inEveryState()
        .onMessage(Operation.class, this::onOperation)
        .onMessage(TablePopulated.class, unused -> onlyIf(!table.isEmpty(), this::becomeReady))
        .onMessage(
            TableEmptied.class,
            unused -> onlyIf(table.isEmpty() && !isAlone(), this::becomeStarved))
        .build();
  }

  /** The gate is shut again: everyone who was in the routing table is lost. */
  private Behavior<Command> starved() {
    return inEveryState()
        .onMessage(Operation.class, this::onOperation)
        .onMessage(TablePopulated.class, unused -> onlyIf(!table.isEmpty(), this::becomeReady))
        .onMessage(TableEmptied.class, unused -> Behaviors.same())
        .onMessage(GateDeadline.class, unused -> becomeDegraded())
        .onMessage(RetryDue.class, unused -> retryAfter(settings.timing().retry()))
        .build();
  }

  /** The gate is open, though there is nobody to ask: who waits longer learns nothing. */
  private Behavior<Command> degraded() {
    return inEveryState()
        .onMessage(Operation.class, this::onOperationWhileDegraded)
        .onMessage(TablePopulated.class, unused -> onlyIf(!table.isEmpty(), this::becomeReady))
        .onMessage(TableEmptied.class, unused -> Behaviors.same())
        .onMessage(RetryDue.class, unused -> retryAfter(settings.timing().retry()))
        .build();
  }

  /** There is no DHT. */
  private Behavior<Command> absent() {
    enter(State.READY);
    return inEveryState()
        .onMessage(
            Operation.class,
            operation -> {
              refuse(operation, Reason.NO_DHT, "the DHT of this peer is off");
              return Behaviors.same();
            })
        .build();
  }

  /** What does not depend on the gate. */
  private BehaviorBuilder<Command> inEveryState() {
    return Behaviors.receive(Command.class)
        .onMessage(GetState.class, this::onGetState)
        .onMessage(GetTable.class, this::onGetTable)
        .onMessage(GetRecords.class, this::onGetRecords)
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(SubscriberEnded.class, this::onSubscriberEnded)
        .onMessage(ReachabilityChanged.class, this::onReachabilityChanged)
        .onMessage(Stop.class, unused -> Behaviors.stopped())
        .onMessage(NetworkChanged.class, this::onNetworkChanged)
        .onMessage(PoolHeard.class, this::onPoolHeard)
        .onMessage(Dialled.class, this::onDialled)
        .onMessage(
            PartingDue.class,
            unused -> {
              lookups.onPartingDue();
              return Behaviors.same();
            })
        .onMessage(Committed.class, this::onCommitted)
        .onMessage(SaveDue.class, unused -> onSaveDue())
        .onMessage(StartProviding.class, this::onStartProviding)
        .onMessage(StopProviding.class, this::onStopProviding)
        .onMessage(StopPutting.class, this::onStopPutting)
        .onMessage(
            RepublishDue.class,
            unused -> {
              republish();
              durability.keepInPassing(); // What is not valid any more is dropped.
              return Behaviors.same();
            })
        .onMessage(PageRead.class, this::onPageRead)
        .onMessage(
            ReachDecided.class,
            decided -> {
              onReachDecided(decided.peer(), decided.failure());
              return Behaviors.same();
            })
        .onMessage(LookupReported.class, this::onLookupReported)
        .onMessage(LookupEnded.class, this::onLookupEnded)
        .onMessage(OperationOverdue.class, this::onOperationOverdue)
        .onMessage(PatienceEnded.class, unused -> onPatienceEnded())
        .onMessage(HousekeepingDue.class, unused -> onHousekeepingDue())
        .onMessage(
            StreamOffered.class,
            offered -> {
              serving.onOffered(offered.stream());
              return Behaviors.same();
            })
        .onMessage(
            InboundHappened.class,
            happened -> {
              serving.onHappened(happened.stream(), happened.event());
              return Behaviors.same();
            })
        .onMessage(
            InboundIdle.class,
            idle -> {
              serving.onIdle(idle.stream());
              return Behaviors.same();
            })
        .onSignal(PreRestart.class, unused -> onPreRestart())
        .onSignal(PostStop.class, unused -> onPostStop());
  }

  // From state to state

  private Behavior<Command> becomeBootstrapping() {
    enter(State.BOOTSTRAPPING);
    shutGate();
    startRound(settings.timing().firstRetry());
    return bootstrapping();
  }

  private Behavior<Command> becomeReady() {
    enter(State.READY);
    timers.cancel(GATE);
    timers.cancel(RETRY);
    pauses.reset();
    explore();
    runWaiting();
    republish();
    return ready();
  }

  private Behavior<Command> becomeStarved() {
    enter(State.STARVED);
    shutGate();
    startRound(settings.timing().retry());
    return starved();
  }

  private Behavior<Command> becomeDegraded() {
    enter(State.DEGRADED);
    pauses.reset();
    runWaiting();
    return degraded();
  }

  private void enter(State next) {
    state = next;
    context
        .getLog()
        .atInfo()
        .addKeyValue("state", next)
        .addKeyValue("peers", table.size())
        .addKeyValue("stashed", ledger.waiting())
        .log("The DHT changed its state");
    StateChanged changed = stateNow();
    kept.subscribers().forEach(subscriber -> subscriber.tell(changed));
  }

  private void shutGate() {
    timers.startSingleTimer(GATE, new GateDeadline(), settings.timing().readiness());
  }

  private boolean isGateOpen() {
    return state == State.READY || state == State.DEGRADED;
  }

  /**
   * The routing table's events reach the states as messages; one that is no longer true, or stems
   * from before a crash, is ignored.
   */
  private static Behavior<Command> onlyIf(
      boolean stillTrue, Supplier<Behavior<Command>> transition) {
    return stillTrue ? transition.get() : Behaviors.same();
  }

  // Operations

  private Behavior<Command> onOperation(Operation operation) {
    Optional<Ledger.Entry> accepted = ledger.accept(operation, environment.now());
    if (accepted.isEmpty()) {
      refuse(operation, Reason.STASH_FULL, ledger.waiting() + " operations wait already");
      return Behaviors.same();
    }
    whyInvalid(operation)
        .ifPresent(
            why -> {
              ledger.withdraw(accepted.get().id());
              refuse(operation, why.reason(), why.message());
            });
    runWaiting();
    expireWaiting();
    return Behaviors.same();
  }

  private Behavior<Command> onOperationWhileDegraded(Operation operation) {
    if (environment.now() - lastRoundAt >= settings.timing().retry().toNanos()) {
      startRound(settings.timing().retry());
    }
    return onOperation(operation);
  }

  /** Runs what waits, in the order it was asked, as far as the gate is open and there is room. */
  private void runWaiting() {
    while (isGateOpen() && ledger.running() < settings.limits().running()) {
      Optional<Ledger.Entry> next = ledger.startNext();
      if (next.isEmpty()) {
        return;
      }
      timers.startSingleTimer(
          next.get().id(), new OperationOverdue(next.get().id()), settings.timing().operation());
      long waited = environment.now() - next.get().acceptedAt();
      environment.world().onOperationBegun(kind(next.get().operation()), Duration.ofNanos(waited));
      run(next.get().id(), next.get().operation());
    }
  }

  private void run(long id, Operation operation) {
    DhtSettings.Timing timing = settings.timing();
    long now = environment.now();
    if (operation instanceof Provide provide) {
      PeerInfo self = new PeerInfo(self(), environment.host().listenAddresses());
      if (!kept.providers().intend(provide.key(), self.addresses(), provide.isKept(), now)) {
        settle(id, new Outcome.Failed(Reason.TOO_MANY_PROVIDED, "as many are provided as may be"));
        return;
      }
      republishing.begin(id, provide.key(), self.addresses());
      Query placement = lookups.placing(KademliaMessage.addProvider(provide.key(), self));
      startLookup(id, placement, timing.put());
      durability.keepFor(id);
    } else if (operation instanceof FindProviders find && find.through() != null) {
      PeerId through = find.through();
      Query search = new Query.ProviderSearch(find.key(), find.limit(), through, List.of());
      lookups.start(id, search, startingWith(through), timing.query());
    } else if (operation instanceof FindProviders find) {
      List<PeerInfo> known = kept.providers().providers(find.key(), find.limit(), random, now);
      Query search = new Query.ProviderSearch(find.key(), find.limit(), self(), known);
      startLookup(id, search, timing.query());
    } else if (operation instanceof PutValue put) {
      put(id, put);
    } else if (operation instanceof GetValue get && get.through() != null) {
      Query search =
          new Query.ValueSearch(
              get.key(), 1, false, settings.namespaces(), self(), Optional.empty());
      lookups.start(id, search, startingWith(get.through()), timing.get());
    } else if (operation instanceof GetValue get) {
      Optional<ValueRecord> known = kept.values().get(get.key(), now);
      Integer required = get.quorum();
      int wanted = required != null ? required : settings.quorum();
      Query search =
          new Query.ValueSearch(
              get.key(), wanted, required != null, settings.namespaces(), self(), known);
      startLookup(id, search, timing.get());
    } else if (operation instanceof FindPeer find) {
      findPeer(id, find.peer());
    }
  }

  private List<PeerInfo> startingWith(PeerId peer) {
    return List.of(new PeerInfo(peer, connected.getOrDefault(peer, table.addressesOf(peer))));
  }

  /** Where somebody listens is known from itself, or else asked for: the walk is for hearsay. */
  private void findPeer(long id, PeerId peer) {
    List<Multiaddr> known = connected.getOrDefault(peer, List.of());
    if (known.isEmpty()) {
      known = table.addressesOf(peer);
    }
    if (known.isEmpty()) {
      startLookup(id, new Query.PeerSearch(peer), settings.timing().query());
    } else {
      settle(id, new Outcome.FoundPeer(peer, known));
    }
  }

  private void put(long id, PutValue put) {
    ValueRecord record =
        new ValueRecord(put.key(), put.value()).receivedAt(environment.world().clock().instant());
    try {
      ValueStore.Outcome stored = kept.values().intend(record, environment.now());
      if (stored != ValueStore.Outcome.STORED) {
        settle(
            id,
            stored == ValueStore.Outcome.OUTDATED
                ? new Outcome.Failed(Reason.INVALID_RECORD, "a better value is stored here")
                : new Outcome.Failed(Reason.TOO_MANY_VALUES, "as many are put as may be"));
        return;
      }
      republishing.begin(id, record);
      Query placement = new Query.Placement(KademliaMessage.putValue(record));
      startLookup(id, placement, settings.timing().put());
      durability.keepFor(id);
    } catch (InvalidRecordException e) {
      settle(id, new Outcome.Failed(Reason.INVALID_RECORD, String.valueOf(e.getMessage())));
    }
  }

  /** An operation has come to its end, and another may run in its place. */
  private void conclude(long id, Outcome outcome) {
    settle(id, outcome);
    runWaiting();
  }

  /** The one place where operations that ran are answered. */
  private void settle(long id, Outcome outcome) {
    if (durability.holdsBack(id, outcome)) {
      return;
    }
    timers.cancel(id);
    Outcome whole = durability.whole(id, outcome);
    ledger.settle(id).ifPresent(operation -> answer(operation, whole));
  }

  private void answer(Operation operation, Outcome outcome) {
    if (operation instanceof Provide provide && outcome instanceof Outcome.Placed placed) {
      provide.replyTo().tell(new Provided(provide.key(), placed.peers()));
    } else if (operation instanceof PutValue put && outcome instanceof Outcome.Placed placed) {
      put.replyTo().tell(new ValuePut(put.key(), placed.peers()));
    } else if (operation instanceof GetValue get && outcome instanceof Outcome.FoundValue found) {
      get.replyTo().tell(new ValueGot(get.key(), found.value(), found.peers()));
    } else if (operation instanceof FindProviders find
        && outcome instanceof Outcome.FoundProviders found) {
      find.replyTo().tell(new ProvidersFound(find.key(), withAddresses(found.providers())));
    } else if (operation instanceof FindPeer find && outcome instanceof Outcome.FoundPeer found) {
      find.replyTo().tell(new PeerFound(new PeerWithAddresses(found.peer(), found.addresses())));
    } else if (outcome instanceof Outcome.Failed failed) {
      refuse(operation, failed.reason(), failed.message());
      return;
    } else {
      refuse(operation, Reason.CRASHED, "its lookup was for something else");
      return;
    }
    environment.world().onOperationEnded(kind(operation), null);
  }

  private void refuse(Operation operation, Reason reason, String message) {
    operation.replyTo().tell(new OperationFailed(reason, describe(operation) + ": " + message));
    environment.world().onOperationEnded(kind(operation), reason);
  }

  private Behavior<Command> onPatienceEnded() {
    expireWaiting();
    return Behaviors.same();
  }

  /**
   * Answers those that have waited as long as they may, and sees to it that the next is answered in
   * time.
   */
  private void expireWaiting() {
    long now = environment.now();
    for (Operation expired : ledger.expire(now)) {
      refuse(expired, Reason.NOT_READY, "the DHT was not ready in time");
    }
    ledger
        .nextExpiry(now)
        .ifPresentOrElse(
            left -> timers.startSingleTimer(PATIENCE, new PatienceEnded(), left),
            () -> timers.cancel(PATIENCE));
  }

  private Behavior<Command> onOperationOverdue(OperationOverdue overdue) {
    lookups.stop(overdue.id());
    durability.release(overdue.id());
    Outcome outcome = new Outcome.Failed(Reason.TIMED_OUT, "time ran out");
    conclude(overdue.id(), outcome);
    endAnnouncement(overdue.id(), outcome);
    return Behaviors.same();
  }

  private Optional<Outcome.Failed> whyInvalid(Operation operation) {
    Integer quorum = operation instanceof GetValue get ? get.quorum() : null;
    if (quorum != null && (quorum < 1 || quorum > settings.replication())) {
      return Optional.of(
          new Outcome.Failed(
              Reason.INVALID_QUORUM,
              "a quorum is from 1 to " + settings.replication() + ", not " + quorum));
    }
    try {
      if (operation instanceof PutValue put) {
        settings.namespaces().validate(put.key(), put.value());
      } else if (operation instanceof GetValue get) {
        settings.namespaces().validateKey(get.key());
      }
      return Optional.empty();
    } catch (InvalidRecordException e) {
      return Optional.of(new Outcome.Failed(Reason.INVALID_RECORD, String.valueOf(e.getMessage())));
    }
  }

  // Lookups

  private void startLookup(long id, Query query, Duration budget) {
    Key target = Key.of(query.question().key());
    List<PeerInfo> seeds = table.nearest(target, settings.replication());
    lookups.start(id, query, seeds, budget);
  }

  private Behavior<Command> onLookupReported(LookupReported reported) {
    lookups.remember(reported.event());
    if (reported.event() instanceof Lookup.Unresponsive silent) {
      onUnresponsive(silent.peer());
    } else if (reported.event() instanceof Lookup.Delayed late) {
      tryToReach(late.peer());
    } else if (reported.event() instanceof Lookup.Finished finished) {
      finished.answered().forEach(answer -> onResponsive(answer.peer()));
      finished.unclosed().forEach(lookups::part);
      membership.onLookupEnded(finished.lookup(), !finished.answered().isEmpty());
      conclude(finished.lookup(), finished.outcome());
      endAnnouncement(finished.lookup(), finished.outcome());
      if (finished.outcome() instanceof Outcome.FoundValue found) {
        if (settings.namespaces().isOrdered(found.key())) {
          correct(found);
        }
      }
    }
    return Behaviors.same();
  }

  /**
   * Sees to it that those who hold another value than the best, or should hold it and do not, are
   * told; this peer among them. Only where the best is more than the one that was counted most
   * often: what is newer than that must not be undone by who reads.
   */
  private void correct(Outcome.FoundValue found) {
    ValueRecord best =
        new ValueRecord(found.key(), found.value())
            .receivedAt(environment.world().clock().instant());
    if (found.uncorrected().contains(self())) {
      try {
        kept.values().correct(best, found.holder(), environment.now());
        durability.keepInPassing();
      } catch (InvalidRecordException e) {
        return; // It was valid a moment ago, and its time is over: nobody is told any more.
      }
    }
    List<PeerInfo> others =
        found.uncorrected().stream()
            .filter(peer -> !peer.equals(self()))
            .limit(settings.replication())
            .map(peer -> new PeerInfo(peer, connected.getOrDefault(peer, List.of())))
            .toList();
    if (!others.isEmpty() && corrections.size() < MAX_CORRECTIONS) {
      long id = ledger.newId();
      corrections.add(id);
      Query correction = new Query.Correction(KademliaMessage.putValue(best));
      lookups.start(id, correction, others, settings.timing().put());
    }
  }

  private void onResponsive(PeerId peer) {
    doubted.remove(peer);
    if (connectedServers.contains(peer)) {
      membership.onAlive(peer);
    }
  }

  /** One that is connected leaves the table only when it fails twice in a row. */
  private void onUnresponsive(PeerId peer) {
    boolean excused = connected.containsKey(peer) && table.contains(peer) && doubted.add(peer);
    if (!excused) {
      leaveTableSilent(peer);
    }
  }

  /**
   * A lookup passes over whom it cannot reach in time, and who drops it; whether the peer stays in
   * the table is decided by what comes of a dial and a stream that have all the time that these may
   * take.
   */
  private void tryToReach(PeerId peer) {
    if (table.contains(peer) && !opening.contains(peer) && delayed.add(peer)) {
      environment
          .connections()
          .tell(new Connections.Connect(peer, table.addressesOf(peer), dialReplies));
    }
  }

  private void onDelayedDialEnded(Connections.ConnectReply reply) {
    if (reply instanceof Connections.Connected connected) {
      if (opening.add(connected.peer())) {
        openStreamTo(connected.peer());
      }
    } else {
      Connections.ConnectFailed failed = (Connections.ConnectFailed) reply;
      onReachDecided(failed.peer(), failed.failure());
    }
  }

  private void openStreamTo(PeerId peer) {
    ActorRef<Command> self = context.getSelf();
    environment
        .host()
        .openStream(
            peer,
            List.of(settings.protocol()),
            new Completion<>() {
              @Override
              public void succeeded(Stream stream) {
                stream.reset(0, "the peer can be reached");
                self.tell(new ReachDecided(peer, null));
              }

              @Override
              public void failed(HostFailure failure) {
                self.tell(new ReachDecided(peer, failure));
              }
            });
  }

  private void onReachDecided(@Nullable PeerId peer, @Nullable HostFailure failure) {
    if (peer != null) {
      opening.remove(peer);
      if (failure != null && Exchange.verdictOn(failure) != Exchange.Verdict.BLAMELESS) {
        leaveTableSilent(peer);
      }
    }
  }

  /**
   * A lookup has stopped. Had it finished, it would have said so before: then there is nobody left
   * to answer.
   */
  private Behavior<Command> onLookupEnded(LookupEnded ended) {
    lookups.onEnded(ended.id());
    corrections.remove(ended.id());
    membership.onLookupEnded(ended.id(), false);
    Outcome outcome = new Outcome.Failed(Reason.CRASHED, "its lookup crashed");
    conclude(ended.id(), outcome);
    endAnnouncement(ended.id(), outcome);
    if (exploration.filter(current -> current.lookup() == ended.id()).isPresent()) {
      onExplored(exploration.get().target());
    }
    return Behaviors.same();
  }

  /**
   * Gets to know the neighbourhood, and then the parts of the keyspace that nobody asked about for
   * a while.
   */
  private void explore() {
    if (exploration.isEmpty()) {
      askedDoubted = false;
      unexplored.add(self().bytes());
      exploreNext();
    }
  }

  private void onExplored(Bytes target) {
    exploration = Optional.empty();
    if (!askedDoubted && !table.isEmpty() && doubted.containsAll(table.peers())) {
      // Nobody has answered: a table of such must not pass for a populated one for long.
      askedDoubted = true;
      unexplored.addFirst(self().bytes());
    } else if (target.equals(self().bytes())) {
      // Half of the interval, lest a bucket that was asked about a moment after the timer wait for
      // a second turn of it.
      Duration interval = settings.timing().refresh().dividedBy(2);
      unexplored.addAll(
          table.refreshTargets(settings.replication(), interval, random, environment.now()));
    }
    exploreNext();
  }

  private void exploreNext() {
    Bytes target = unexplored.poll();
    if (target == null) {
      return;
    }
    List<PeerInfo> seeds =
        table.isEmpty()
            ? connectedServers.stream()
                .map(peer -> new PeerInfo(peer, connected.getOrDefault(peer, List.of())))
                .toList()
            : table.nearest(Key.of(target), settings.replication());
    if (seeds.isEmpty()) {
      unexplored.clear();
      return;
    }
    long id = ledger.newId();
    exploration = Optional.of(new Exploration(id, target));
    lookups.start(id, new Query.Exploration(target), seeds, settings.timing().query());
  }

  // What we provide, and put

  private Behavior<Command> onStartProviding(StartProviding start) {
    if (isPutOff(start, start.replyTo()::tell)) {
      return Behaviors.same();
    }
    int provided = 0;
    List<Multiaddr> addresses = environment.host().listenAddresses();
    for (Multihash key : start.keys()) {
      provided += kept.providers().intend(key, addresses, true, environment.now()) ? 1 : 0;
    }
    ProvidingStarted reply = new ProvidingStarted(provided, start.keys().size() - provided);
    whenKept(new Pending(() -> start.replyTo().tell(reply), start.replyTo()::tell));
    republish();
    return Behaviors.same();
  }

  /** What was asked for before is withdrawn at once: what is asked for after this is to be done. */
  private Behavior<Command> onStopProviding(StopProviding stop) {
    ledger
        .withdraw(each -> each instanceof Provide provide && provide.key().equals(stop.key()))
        .forEach(each -> refuse(each, Reason.WITHDRAWN, "it is not to be provided any more"));
    if (!isPutOff(stop, stop.replyTo()::tell)) {
      stopProviding(stop);
    }
    return Behaviors.same();
  }

  private void stopProviding(StopProviding stop) {
    kept.providers().withdraw(stop.key());
    whenKept(
        new Pending(
            () -> stop.replyTo().tell(new ProvidingStopped(stop.key())), stop.replyTo()::tell));
  }

  /** The same of a value. */
  private Behavior<Command> onStopPutting(StopPutting stop) {
    ledger
        .withdraw(each -> each instanceof PutValue put && put.key().equals(stop.key()))
        .forEach(each -> refuse(each, Reason.WITHDRAWN, "it is not to be put any more"));
    if (!isPutOff(stop, stop.replyTo()::tell)) {
      stopPutting(stop);
    }
    return Behaviors.same();
  }

  private void stopPutting(StopPutting stop) {
    kept.values().withdraw(stop.key());
    whenKept(
        new Pending(
            () -> stop.replyTo().tell(new PuttingStopped(stop.key())), stop.replyTo()::tell));
  }

  /**
   * Whether something that changes what is provided or put cannot be done now: it is refused where
   * there is no DHT, and waits until all is loaded. What is here already is not known before that,
   * nor what there is to stop.
   */
  private boolean isPutOff(Command command, Consumer<OperationFailed> refusal) {
    if (settings.mode() == DhtMode.OFF) {
      refusal.accept(new OperationFailed(Reason.NO_DHT, "the DHT of this peer is off"));
      return true;
    }
    if (kept.keeping().loading().isEmpty()) {
      return false;
    }
    if (kept.untilLoaded().size() >= settings.limits().stash()) {
      refusal.accept(new OperationFailed(Reason.STASH_FULL, "what was kept is being loaded"));
    } else {
      kept.untilLoaded().add(command);
    }
    return true;
  }

  private void runWhatWaitedUntilLoaded() {
    List<Command> waited = List.copyOf(kept.untilLoaded());
    kept.untilLoaded().clear();
    for (Command command : waited) {
      if (command instanceof StartProviding start) {
        onStartProviding(start);
      } else if (command instanceof StopProviding stop) {
        stopProviding(stop);
      } else if (command instanceof StopPutting stop) {
        stopPutting(stop);
      }
    }
  }

  private void whenKept(Pending reply) {
    if (durability.isPending()) {
      pending.put(durability.commit(), reply);
    } else {
      reply.kept().run();
    }
  }

  /** Whoever waits for a commit waits no more; it may come about nevertheless. */
  private void answerPending(Reason reason, String message) {
    List<Pending> unanswered = List.copyOf(pending.values());
    pending.clear();
    unanswered.forEach(each -> each.fail(reason, message));
  }

  /** Announces what is due, one region or value after another; or sees to it that it will be. */
  private void republish() {
    if (state != State.READY || table.isEmpty() || republishing.isUnderWay()) {
      return; // Whoever is Ready, or ends what is under way, comes back here.
    }
    long now = environment.now();
    PeerInfo self = new PeerInfo(self(), environment.host().listenAddresses());
    Optional<Republishing.Task> due = republishing.next(self, now, environment.world().clock());
    if (due.isPresent()) {
      long id = ledger.newId();
      republishing.begin(id);
      startLookup(id, due.get().query(), due.get().budget());
    } else {
      republishing
          .untilNext(self.addresses(), now)
          .ifPresent(left -> timers.startSingleTimer(REPUBLISH, new RepublishDue(), left));
    }
  }

  /**
   * An operation or one of our own lookups has come to its end. What an operation has announced is
   * not due before anything else that is.
   */
  private void endAnnouncement(long id, Outcome outcome) {
    boolean isNext = republishing.isUnderWay(id) || outcome instanceof Outcome.Failed;
    if (republishing.end(id, outcome, environment.now())) {
      durability.keepInPassing();
      if (isNext || !timers.isTimerActive(REPUBLISH)) {
        republish();
      }
    }
  }

  // Whom we know

  private Behavior<Command> onNetworkChanged(NetworkChanged changed) {
    PeerId peer = changed.event().peer();
    if (changed.event() instanceof ConnectionsEvent.PeerIdentified identified) {
      // Where it says that it listens; where its connection comes from is a port at which nobody
      // does.
      connected.put(peer, PeerInfo.firstOf(identified.identification().listenAddresses()));
      if (identified.identification().supports(settings.protocol())) {
        connectedServers.add(peer);
        membership.onServer(peer);
      } else {
        connectedServers.remove(peer);
        leaveTable(peer);
      }
    } else if (changed.event() instanceof ConnectionsEvent.PeerDisconnected) {
      connected.remove(peer);
      connectedServers.remove(peer);
      membership.onDisconnected(peer);
    }
    return Behaviors.same();
  }

  private void leaveTable(PeerId peer) {
    doubted.remove(peer);
    membership.remove(peer);
  }

  private void leaveTableSilent(PeerId peer) {
    leaveTable(peer);
    membership.onSilent(peer);
  }

  private void onTableEvent(RoutingTableEvent event) {
    boolean populated = event instanceof RoutingTablePopulated;
    context.getSelf().tell(populated ? new TablePopulated() : new TableEmptied());
  }

  private Behavior<Command> onPoolHeard(PoolHeard heard) {
    if (heard.event() instanceof BootstrapPool.Changed changed) {
      membership.onBootstraps(changed.bootstraps(), connectedServers);
    }
    return Behaviors.same();
  }

  // Bootstrap

  private boolean isAlone() {
    return environment.bootstrapPool() == null;
  }

  /**
   * Whoever of the pool is connected may have been so, and identified, all the time: then it has to
   * be asked. The others are to be dialled without further ado; who connects is heard of.
   */
  private void startRound(Duration interval) {
    lastRoundAt = environment.now();
    ActorRef<BootstrapPool.Command> pool = environment.bootstrapPool();
    if (pool != null) {
      pool.tell(new BootstrapPool.Hurry());
    }
    if (table.isEmpty()) {
      explore();
    }
    timers.startSingleTimer(RETRY, new RetryDue(), pauses.next(interval));
  }

  private Behavior<Command> retryAfter(Duration interval) {
    startRound(interval);
    return Behaviors.same();
  }

  private Behavior<Command> onDialled(Dialled dialled) {
    PeerId peer = peerOf(dialled.reply());
    if (peer != null && delayed.remove(peer)) {
      onDelayedDialEnded(dialled.reply());
    }
    return Behaviors.same();
  }

  private static @Nullable PeerId peerOf(Connections.ConnectReply reply) {
    return reply instanceof Connections.Connected connected
        ? connected.peer()
        : ((Connections.ConnectFailed) reply).peer();
  }

  // Serving others

  private Behavior<Command> onReachabilityChanged(ReachabilityChanged changed) {
    reachability = changed.reachability();
    if (settings.mode() == DhtMode.AUTO && kept.keeping().loading().isEmpty()) {
      serving.become(mayServe());
    }
    return Behaviors.same();
  }

  private boolean mayServe() {
    return settings.mode() == DhtMode.SERVER
        || settings.mode() == DhtMode.AUTO && reachability != Reachability.PRIVATE;
  }

  // What outlives the peer

  private Behavior<Command> onPageRead(PageRead read) {
    Keeping keeping = kept.keeping();
    if (keeping.loading().isEmpty()) {
      return Behaviors.same();
    }
    if (!durability.onPage(read)) {
      return Behaviors.same();
    }
    Keeping.Tally tally = keeping.tally();
    context
        .getLog()
        .atInfo()
        .addKeyValue("restored", tally.restored())
        .addKeyValue("dropped", tally.dropped())
        .addKeyValue("unreadable", tally.unreadable())
        .addKeyValue("futureDated", tally.futureDated())
        .addKeyValue("candidates", tally.candidates())
        .log("The DHT has what was kept");
    durability.keepInPassing();
    runWhatWaitedUntilLoaded();
    return start();
  }

  private Behavior<Command> onCommitted(Committed committed) {
    durability.onCommitted(committed);
    serving.onCommitted(committed);
    StoreFailure failure = committed.failure();
    Pending waiting = pending.remove(committed.id());
    if (waiting != null && failure == null) {
      waiting.kept().run();
    } else if (waiting != null && failure != null) {
      waiting.fail(Reason.NOT_KEPT, failure.message());
    }
    durability.releaseCommitted(committed).ifPresent(outcome -> conclude(committed.id(), outcome));
    return Behaviors.same();
  }

  private Behavior<Command> onSaveDue() {
    noteTable();
    durability.keepInPassing();
    return Behaviors.same();
  }

  private void noteTable() {
    if (environment.store().keeps() && kept.keeping().loading().isEmpty()) {
      kept.keeping().noteTable(table.peers(), table::addressesOf);
    }
  }

  // The rest

  private Behavior<Command> onGetState(GetState question) {
    question.replyTo().tell(stateNow());
    return Behaviors.same();
  }

  private Behavior<Command> onGetRecords(GetRecords question) {
    question.replyTo().tell(new Records(kept.values().size(), kept.providers().size()));
    return Behaviors.same();
  }

  private Behavior<Command> onGetTable(GetTable question) {
    question.replyTo().tell(new Table(table.peers(), table.waiting(), table.refused()));
    return Behaviors.same();
  }

  private Behavior<Command> onSubscribe(Subscribe subscription) {
    subscription.subscriber().tell(stateNow());
    kept.subscribers().add(subscription.subscriber());
    watch(subscription.subscriber());
    return Behaviors.same();
  }

  private Behavior<Command> onSubscriberEnded(SubscriberEnded ended) {
    kept.subscribers().remove(ended.subscriber());
    return Behaviors.same();
  }

  private void watch(ActorRef<StateChanged> subscriber) {
    context.watchWith(subscriber, new SubscriberEnded(subscriber));
  }

  private Behavior<Command> onHousekeepingDue() {
    kept.values().expire(environment.now());
    kept.providers().expire(environment.now());
    republish(); // We may listen elsewhere by now.
    durability.keepInPassing();
    membership.reconsider(connectedServers);
    explore();
    return Behaviors.same();
  }

  private Behavior<Command> onPreRestart() {
    serving.stop();
    lookups.resetPartings();
    return Behaviors.same();
  }

  private Behavior<Command> onPostStop() {
    serving.stop();
    lookups.resetPartings();
    noteTable();
    durability.keepInPassing();
    for (Operation open : ledger.drain()) {
      refuse(open, Reason.STOPPING, "the DHT stops");
    }
    answerPending(Reason.STOPPING, "the DHT stops");
    OperationFailed stopping = new OperationFailed(Reason.STOPPING, "the DHT stops");
    for (Command command : kept.untilLoaded()) {
      if (command instanceof StartProviding start) {
        start.replyTo().tell(stopping);
      } else if (command instanceof StopProviding stop) {
        stop.replyTo().tell(stopping);
      } else if (command instanceof StopPutting stop) {
        stop.replyTo().tell(stopping);
      }
    }
    kept.untilLoaded().clear();
    return Behaviors.same();
  }

  private StateChanged stateNow() {
    return new StateChanged(state, table.size(), ledger.waiting());
  }

  private PeerId self() {
    return environment.host().peerId();
  }

  private static List<PeerWithAddresses> withAddresses(List<PeerInfo> peers) {
    return peers.stream()
        .map(info -> new PeerWithAddresses(info.peer(), info.addresses()))
        .toList();
  }

  private static DhtOperation kind(Operation operation) {
    if (operation instanceof Provide) {
      return DhtOperation.PROVIDE;
    } else if (operation instanceof FindProviders) {
      return DhtOperation.FIND_PROVIDERS;
    } else if (operation instanceof PutValue) {
      return DhtOperation.PUT_VALUE;
    } else if (operation instanceof GetValue) {
      return DhtOperation.GET_VALUE;
    }
    return DhtOperation.FIND_PEER;
  }

  private static String describe(Operation operation) {
    if (operation instanceof Provide provide) {
      return "provide " + provide.key();
    } else if (operation instanceof FindProviders find) {
      return "find providers of " + find.key();
    } else if (operation instanceof PutValue put) {
      return "put " + put.key();
    } else if (operation instanceof GetValue get) {
      return "get " + get.key();
    }
    return "find peer " + ((FindPeer) operation).peer();
  }
}
