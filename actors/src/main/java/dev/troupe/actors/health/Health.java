package dev.troupe.actors.health;

import dev.troupe.actors.bootstrap.Bootstrap;
import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.ping.Ping;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Watches whether a peer can use the network, and says so.
 *
 * <p><b>Owns</b> what it has measured ({@link Assessment}). <b>Parent</b>: the Peer.
 * <b>Children</b>: one for each verification and each readiness probe. <b>States</b>: one.
 *
 * <p><b>Who sends what</b>: the {@link BootstrapPool} says how it stands with each bootstrap peer,
 * at once when one is lost; the DHT says its state. Each is asked now and then whom it knows. At
 * intervals each connected bootstrap peer is pinged; one that misses a ping counts as unreachable,
 * and is pinged again at once: if it misses that as well, the pool is told, which disconnects it,
 * dials it again, and has others stand in. The user asks for a report, for another try, for a
 * verification. Subscribers hear each change of the state in one word, each bootstrap peer that
 * failed, and alerts.
 *
 * <p>A peer without bootstrap peers has nothing to watch: this actor then does nothing of its own
 * accord.
 *
 * <p><b>Limits</b>: {@value #MAX_SUBSCRIBERS} subscribers, a further one is not told anything;
 * {@value #MAX_ASKERS} reports that are asked for at a time, a further one is the last that there
 * was; {@value #MAX_ERRANDS} verifications and probes at a time, a further one is refused.
 * <b>Timers</b>: the next measurement; the timeout of each ping; the alert of each bootstrap peer
 * that cannot be reached. <b>A crash</b> loses what was measured, and ends verifications and probes
 * under way, which are answered; subscribers are kept.
 */
public final class Health {

  /** What health is told. */
  public sealed interface Command {}

  /** Asks for a report of this moment. */
  public record GetReport(ActorRef<HealthReport> replyTo) implements Command {}

  /**
   * Asks to hear what happens, and first how it stands, if that is known, and which bootstrap peers
   * have failed and not been reached since; ends when the subscriber does.
   */
  public record Subscribe(ActorRef<Event> subscriber) implements Command {}

  /** Asks to dial all bootstrap peers again that cannot be reached. */
  public record Retry(ActorRef<BootstrapPool.OfferReply> replyTo) implements Command {}

  /**
   * Asks to use the backups now.
   *
   * @param address one more; null for those that there are
   */
  public record UseBackup(@Nullable Multiaddr address, ActorRef<BootstrapPool.OfferReply> replyTo)
      implements Command {}

  /**
   * Asks to find out, step by step, whether this peer and another can find each other.
   *
   * @param partner the other; null for any that answers
   */
  public record Verify(@Nullable PeerId partner, ActorRef<VerifyReply> replyTo)
      implements Command {}

  /**
   * Asks whether values can be stored and found: up to {@value ReadinessProbe#ATTEMPTS} times, a
   * second apart.
   */
  public record ProbeReadiness(ActorRef<ProbeReply> replyTo) implements Command {}

  /** Asks to end, and ends the pool: what is under way is answered. */
  public record Stop() implements Command {}

  private record PoolHeard(BootstrapPool.Event event) implements Command {}

  private record DhtHeard(Dht.StateChanged state) implements Command {}

  private record ConnectedHeard(Connections.ConnectedPeers connected) implements Command {}

  private record MeasureDue() implements Command {}

  private record PingEnded(PeerId peer, long number, @Nullable Duration roundTrip)
      implements Command {}

  private record PingOverdue(PeerId peer, long number) implements Command {}

  private record PeersNamed(PeerId peer, int peers) implements Command {}

  private record QuestionOverdue(PeerId peer) implements Command {}

  private record AlertDue(Multiaddr address) implements Command {}

  private record VerifiedAfterConnecting(VerifyReply reply) implements Command {}

  private record ErrandEnded() implements Command {}

  private record SubscriberGone(ActorRef<Event> subscriber) implements Command {}

  /** What subscribers hear. */
  public sealed interface Event {}

  /** The state in one word has changed, or is known for the first time. */
  public record Changed(HealthReport report) implements Event {}

  /**
   * A bootstrap peer could not be reached: said once, and again after the user asked for another
   * try.
   *
   * @param offers what the user can do
   */
  public record BootstrapFailed(Multiaddr address, String reason, List<Offer> offers)
      implements Event {
    public BootstrapFailed {
      offers = List.copyOf(offers);
    }
  }

  /** What the user can do. */
  public enum Offer {
    /** {@link Retry}. */
    RETRY,
    /** {@link UseBackup}. */
    USE_BACKUP
  }

  /** A bootstrap peer could not be reached for so long. */
  public record Alert(Multiaddr address, Duration unreachable, String reason) implements Event {}

  /** What came of the verification after connecting, where the settings ask for one. */
  public record VerifiedOnConnect(Verified result) implements Event {}

  /** The answer to {@link Verify}. */
  public sealed interface VerifyReply {}

  /**
   * What came of each step.
   *
   * @param partner with whom; null where nobody was there
   */
  public record Verified(@Nullable PeerId partner, Verdict verdict, List<Step> steps)
      implements VerifyReply {
    public Verified {
      steps = List.copyOf(steps);
    }
  }

  /** Too many verifications run already. */
  public record VerifyRefused(String reason) implements VerifyReply {}

  /** What a verification comes to. */
  public enum Verdict {
    /** Every step went well. */
    VERIFIED,
    /** Some did. */
    PARTIAL,
    /** None that needs others did. */
    FAILED,
    /** There was nobody to verify with, so nothing is known. */
    UNKNOWN
  }

  /**
   * One step of a verification.
   *
   * @param name one of {@link #STEPS}
   * @param detail what was found, or why not, for a person
   */
  public record Step(String name, boolean ok, Duration took, String detail) {}

  /**
   * The names of the steps, in their order. That the partner answers means that we reach it;
   * whether it could dial us as well, no step says: it would have to be asked to by a protocol for
   * that.
   */
  public static final List<String> STEPS =
      List.of(
          "routing-table", "publish", "query", "discovered-peers", "partner-answers", "providers");

  /** The answer to {@link ProbeReadiness}. */
  public sealed interface ProbeReply {}

  /**
   * A value was stored and found again.
   *
   * @param attempts how often it was tried
   */
  public record Ready(int attempts, Duration took) implements ProbeReply {}

  /** It was not. */
  public record NotReady(int attempts, String reason) implements ProbeReply {}

  /** Most subscribers. */
  static final int MAX_SUBSCRIBERS = 256;

  /** Most reports that are asked for at a time. */
  static final int MAX_ASKERS = 256;

  /** Most verifications and probes at a time. */
  public static final int MAX_ERRANDS = 8;

  /** How many measurements there are to one question for the peers that a bootstrap peer knows. */
  static final int PEERS_EVERY = 10;

  /** One that misses so many pings in a row is lost. */
  static final int MISSES = 2;

  /** What a crash must not lose. */
  private static final class Kept {
    final Set<ActorRef<Event>> subscribers = new LinkedHashSet<>();
    final List<ActorRef<HealthReport>> askers = new ArrayList<>();

    /** Who could not be reached and cannot be still, by address: of those in the pool, one each. */
    final Map<Multiaddr, BootstrapFailed> failures = new LinkedHashMap<>();

    HealthReport.@Nullable State published;
    @Nullable HealthReport last;
  }

  /** A ping under way. */
  private record Pinging(long number, Cancellable ping) {}

  /**
   * Makes the actor; its supervision is included.
   *
   * @param dhtProtocol what bootstrap peers speak
   * @param pool null where there is no DHT to join
   */
  public static Behavior<Command> create(
      HealthSettings settings,
      ProtocolId dhtProtocol,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht,
      @Nullable ActorRef<BootstrapPool.Command> pool) {
    return Behaviors.setup(
        outside -> {
          Kept kept = new Kept();
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          Behaviors.withTimers(
                              timers ->
                                  new Health(
                                          context,
                                          timers,
                                          settings,
                                          dhtProtocol,
                                          world,
                                          host,
                                          connections,
                                          dht,
                                          pool,
                                          kept)
                                      .begin())))
              .onFailure(SupervisorStrategy.restart());
        });
  }

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final HealthSettings settings;
  private final ProtocolId dhtProtocol;
  private final World world;
  private final Host host;
  private final ActorRef<Connections.Command> connections;
  private final ActorRef<Dht.Command> dht;
  private final @Nullable ActorRef<BootstrapPool.Command> pool;
  private final Kept kept;
  private final Assessment assessment;
  private final ActorRef<Dht.StateChanged> dhtStates;
  private final ActorRef<Connections.ConnectedPeers> connectedPeers;
  private final Map<PeerId, Pinging> pings = new LinkedHashMap<>();
  private final Map<PeerId, Cancellable> questions = new LinkedHashMap<>();
  private final Set<Multiaddr> alerts = new LinkedHashSet<>();
  private List<Bootstrap> bootstraps = List.of();
  private Dht.StateChanged dhtState = new Dht.StateChanged(Dht.State.BOOTSTRAPPING, 0, 0);
  private long numbers;

  private int connected;
  private int measurements;
  private int errands;
  private boolean verified;
  private boolean awaitsDht;
  private boolean awaitsConnected;

  /** Something has happened since the present look began. */
  private boolean outdated;

  private Health(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      HealthSettings settings,
      ProtocolId dhtProtocol,
      World world,
      Host host,
      ActorRef<Connections.Command> connections,
      ActorRef<Dht.Command> dht,
      @Nullable ActorRef<BootstrapPool.Command> pool,
      Kept kept) {
    this.context = context;
    this.timers = timers;
    this.settings = settings;
    this.dhtProtocol = dhtProtocol;
    this.world = world;
    this.host = host;
    this.connections = connections;
    this.dht = dht;
    this.pool = pool;
    this.kept = kept;
    this.assessment = new Assessment(settings);
    this.dhtStates = context.messageAdapter(Dht.StateChanged.class, DhtHeard::new);
    this.connectedPeers =
        context.messageAdapter(Connections.ConnectedPeers.class, ConnectedHeard::new);
  }

  private Behavior<Command> begin() {
    kept.subscribers.forEach(each -> context.watchWith(each, new SubscriberGone(each)));
    if (pool != null) {
      pool.tell(
          new BootstrapPool.Subscribe(
              context.messageAdapter(BootstrapPool.Event.class, PoolHeard::new)));
      dht.tell(new Dht.Subscribe(dhtStates));
      if (settings.watch()) {
        timers.startTimerAtFixedRate(new MeasureDue(), settings.period());
      }
    }
    if (!kept.askers.isEmpty()) {
      look();
    }
    return Behaviors.receive(Command.class)
        .onMessage(GetReport.class, this::onGetReport)
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(SubscriberGone.class, this::onSubscriberGone)
        .onMessage(Retry.class, this::onRetry)
        .onMessage(UseBackup.class, this::onUseBackup)
        .onMessage(PoolHeard.class, this::onPoolHeard)
        .onMessage(DhtHeard.class, this::onDhtHeard)
        .onMessage(ConnectedHeard.class, this::onConnectedHeard)
        .onMessage(MeasureDue.class, due -> onMeasureDue())
        .onMessage(PingEnded.class, this::onPingEnded)
        .onMessage(PingOverdue.class, this::onPingOverdue)
        .onMessage(PeersNamed.class, this::onPeersNamed)
        .onMessage(QuestionOverdue.class, this::onQuestionOverdue)
        .onMessage(AlertDue.class, this::onAlertDue)
        .onMessage(Stop.class, stop -> onStop())
        .onMessage(Verify.class, this::onVerify)
        .onMessage(VerifiedAfterConnecting.class, this::onVerifiedAfterConnecting)
        .onMessage(ProbeReadiness.class, this::onProbe)
        .onMessage(ErrandEnded.class, ended -> onErrandEnded())
        .onSignal(PreRestart.class, restart -> onPreRestart())
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  /** What was passed on to the pool comes before its end. */
  private Behavior<Command> onStop() {
    if (pool != null) {
      pool.tell(new BootstrapPool.Stop());
    }
    return Behaviors.stopped();
  }

  // What is asked

  private Behavior<Command> onGetReport(GetReport get) {
    HealthReport last = kept.last;
    if (kept.askers.size() >= MAX_ASKERS && last != null) {
      get.replyTo().tell(last);
      return Behaviors.same();
    }
    kept.askers.add(get.replyTo());
    look();
    return Behaviors.same();
  }

  private Behavior<Command> onSubscribe(Subscribe subscribe) {
    ActorRef<Event> subscriber = subscribe.subscriber();
    if (kept.subscribers.size() < MAX_SUBSCRIBERS && kept.subscribers.add(subscriber)) {
      context.watchWith(subscriber, new SubscriberGone(subscriber));
      if (kept.last != null) {
        subscriber.tell(new Changed(kept.last));
      }
      kept.failures.values().forEach(subscriber::tell);
    }
    return Behaviors.same();
  }

  private Behavior<Command> onSubscriberGone(SubscriberGone gone) {
    kept.subscribers.remove(gone.subscriber());
    return Behaviors.same();
  }

  private Behavior<Command> onRetry(Retry retry) {
    if (pool == null) {
      retry.replyTo().tell(NO_POOL);
    } else {
      pool.tell(new BootstrapPool.Retry(retry.replyTo()));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onUseBackup(UseBackup use) {
    if (pool == null) {
      use.replyTo().tell(NO_POOL);
    } else {
      pool.tell(new BootstrapPool.UseBackup(use.address(), use.replyTo()));
    }
    return Behaviors.same();
  }

  private static final BootstrapPool.OfferReply NO_POOL =
      new BootstrapPool.Declined("no bootstrap peer is configured");

  // What happens

  private Behavior<Command> onPoolHeard(PoolHeard heard) {
    if (heard.event() instanceof BootstrapPool.Failed failed) {
      BootstrapFailed told =
          new BootstrapFailed(
              failed.address(), failed.reason(), List.of(Offer.RETRY, Offer.USE_BACKUP));
      kept.failures.put(failed.address(), told);
      tell(told);
    } else {
      bootstraps = ((BootstrapPool.Changed) heard.event()).bootstraps();
      forgetWhoLeft();
      bootstraps.forEach(this::onBootstrap);
      look();
    }
    return Behaviors.same();
  }

  /**
   * A name that has been resolved is in the pool no longer, nor is who was behind one that moved.
   */
  private void forgetWhoLeft() {
    Set<Multiaddr> there = new LinkedHashSet<>();
    bootstraps.forEach(each -> there.add(each.address()));
    kept.failures.keySet().retainAll(there);
    for (Multiaddr address : List.copyOf(alerts)) {
      if (!there.contains(address)) {
        timers.cancel(new AlertDue(address));
        alerts.remove(address);
      }
    }
  }

  private void onBootstrap(Bootstrap bootstrap) {
    PeerId peer = bootstrap.peer();
    if (peer != null && !bootstrap.isReachable()) {
      assessment.forget(peer);
      stopPing(peer);
    } else if (peer != null && settings.watch() && assessment.isUnknown(peer)) {
      // The first measurement of a new connection.
      ping(peer);
      askForPeers(peer);
    }
    Duration unreachable = bootstrap.unreachableFor();
    AlertDue alert = new AlertDue(bootstrap.address());
    if (unreachable == null) {
      timers.cancel(alert);
      alerts.remove(bootstrap.address());
      kept.failures.remove(bootstrap.address());
    } else if (!timers.isTimerActive(alert) && alerts.add(bootstrap.address())) {
      Duration left = settings.alertAfter().minus(unreachable);
      timers.startSingleTimer(alert, alert, left.isNegative() ? Duration.ZERO : left);
    }
  }

  private Behavior<Command> onAlertDue(AlertDue due) {
    bootstraps.stream()
        .filter(each -> each.address().equals(due.address()))
        .findFirst()
        .ifPresent(
            each ->
                tell(
                    new Alert(
                        due.address(),
                        settings.alertAfter(),
                        each.reason() == null ? "not reachable" : each.reason())));
    return Behaviors.same();
  }

  private void tell(Event event) {
    kept.subscribers.forEach(subscriber -> subscriber.tell(event));
  }

  // Looking

  /** Finds out how it is; one look at a time, and another one after it where things change. */
  private void look() {
    if (awaitsDht || awaitsConnected) {
      outdated = true;
      return;
    }
    awaitsDht = true;
    awaitsConnected = true;
    dht.tell(new Dht.GetState(dhtStates));
    connections.tell(new Connections.GetConnected(connectedPeers));
  }

  private Behavior<Command> onDhtHeard(DhtHeard heard) {
    boolean news = heard.state().state() != dhtState.state();
    dhtState = heard.state();
    if (awaitsDht) {
      awaitsDht = false;
      conclude();
    } else if (news) {
      look();
    }
    return Behaviors.same();
  }

  private Behavior<Command> onConnectedHeard(ConnectedHeard heard) {
    connected = heard.connected().peers().size();
    awaitsConnected = false;
    conclude();
    return Behaviors.same();
  }

  private void conclude() {
    if (awaitsDht || awaitsConnected) {
      return;
    }
    HealthReport report = assessment.report(bootstraps, dhtState, connected);
    kept.last = report;
    if (report.state() != kept.published) {
      // Who has nothing to watch is healthy until something is found; that is no news.
      boolean silent = pool == null && kept.published == null;
      kept.published = report.state();
      if (!silent || report.state() != HealthReport.State.HEALTHY) {
        tell(new Changed(report));
      }
    }
    answer(report);
    if (settings.verifyOnConnect() && !verified && pool != null && isUsable(report)) {
      verified = true;
      verify(null, context.messageAdapter(VerifyReply.class, VerifiedAfterConnecting::new));
    }
    if (outdated) {
      outdated = false;
      look();
    }
  }

  private static boolean isUsable(HealthReport report) {
    return report.dht() == Dht.State.READY
        && report.tableSize() > 0
        && report.bootstraps().stream().anyMatch(BootstrapHealth::reachable);
  }

  // Measuring

  private Behavior<Command> onMeasureDue() {
    measurements++;
    for (Bootstrap bootstrap : bootstraps) {
      PeerId peer = bootstrap.peer();
      if (bootstrap.isReachable() && peer != null) {
        ping(peer);
        if (measurements % PEERS_EVERY == 0) {
          askForPeers(peer);
        }
      }
    }
    return Behaviors.same();
  }

  private void ping(PeerId peer) {
    if (pings.containsKey(peer)) {
      return;
    }
    long number = numbers++;
    ActorRef<Command> self = context.getSelf();
    Cancellable ping =
        Ping.run(
            host,
            world.ticker(),
            world.keyMaterial(),
            peer,
            1,
            new Completion<>() {
              @Override
              public void succeeded(List<Long> roundTrips) {
                self.tell(new PingEnded(peer, number, Duration.ofNanos(roundTrips.get(0))));
              }

              @Override
              public void failed(HostFailure failure) {
                self.tell(new PingEnded(peer, number, null));
              }
            });
    pings.put(peer, new Pinging(number, ping));
    timers.startSingleTimer(peer, new PingOverdue(peer, number), settings.pingTimeout());
  }

  private void askForPeers(PeerId peer) {
    if (!questions.containsKey(peer)) {
      ActorRef<Command> self = context.getSelf();
      questions.put(
          peer,
          NamedPeers.count(
              host, dhtProtocol, peer, peers -> self.tell(new PeersNamed(peer, peers))));
      QuestionOverdue overdue = new QuestionOverdue(peer);
      timers.startSingleTimer(overdue, overdue, settings.pingTimeout());
    }
  }

  private Behavior<Command> onPeersNamed(PeersNamed named) {
    if (questions.remove(named.peer()) != null) {
      timers.cancel(new QuestionOverdue(named.peer()));
      assessment.onPeersNamed(named.peer(), named.peers());
    }
    return Behaviors.same();
  }

  private Behavior<Command> onQuestionOverdue(QuestionOverdue overdue) {
    Cancellable question = questions.remove(overdue.peer());
    if (question != null) {
      question.cancel();
    }
    return Behaviors.same();
  }

  private boolean isUnderWay(PeerId peer, long number) {
    Pinging pinging = pings.get(peer);
    return pinging != null && pinging.number() == number;
  }

  private void stopPing(PeerId peer) {
    timers.cancel(peer);
    Pinging pinging = pings.remove(peer);
    if (pinging != null) {
      pinging.ping().cancel();
    }
  }

  private Behavior<Command> onPingEnded(PingEnded ended) {
    if (isUnderWay(ended.peer(), ended.number())) {
      stopPing(ended.peer());
      if (ended.roundTrip() == null) {
        assessment.onRefusal(ended.peer());
        look();
      } else if (assessment.onPong(ended.peer(), ended.roundTrip())) {
        look();
      }
    }
    return Behaviors.same();
  }

  private Behavior<Command> onPingOverdue(PingOverdue overdue) {
    PeerId peer = overdue.peer();
    if (isUnderWay(peer, overdue.number())) {
      stopPing(peer);
      if (assessment.onSilence(peer) < MISSES) {
        ping(peer);
      } else if (pool != null) {
        String reason =
            MISSES
                + " pings in a row were not answered within "
                + settings.pingTimeout().toMillis()
                + " ms";
        pool.tell(new BootstrapPool.Unresponsive(peer, reason));
      }
      look();
    }
    return Behaviors.same();
  }

  private Behavior<Command> onPreRestart() {
    new ArrayList<>(pings.keySet()).forEach(this::stopPing);
    questions.values().forEach(Cancellable::cancel);
    questions.clear();
    return Behaviors.same();
  }

  private Behavior<Command> onPostStop() {
    onPreRestart();
    HealthReport last =
        kept.last != null ? kept.last : assessment.report(bootstraps, dhtState, connected);
    answer(last);
    return Behaviors.same();
  }

  private void answer(HealthReport report) {
    List<ActorRef<HealthReport>> asked = List.copyOf(kept.askers);
    kept.askers.clear();
    asked.forEach(asker -> asker.tell(report));
  }

  // Verifying

  private Behavior<Command> onVerify(Verify verify) {
    verify(verify.partner(), verify.replyTo());
    return Behaviors.same();
  }

  private void verify(@Nullable PeerId partner, ActorRef<VerifyReply> replyTo) {
    if (errands >= MAX_ERRANDS) {
      replyTo.tell(new VerifyRefused(errands + " verifications and probes run already"));
      return;
    }
    run(Verification.create(partner, world, host, connections, dht, bootstrapPeers(), replyTo));
  }

  private List<PeerId> bootstrapPeers() {
    List<PeerId> peers = new ArrayList<>();
    for (Bootstrap bootstrap : bootstraps) {
      if (bootstrap.peer() != null) {
        peers.add(bootstrap.peer());
      }
    }
    return peers;
  }

  private Behavior<Command> onVerifiedAfterConnecting(VerifiedAfterConnecting after) {
    if (after.reply() instanceof Verified verified) {
      tell(new VerifiedOnConnect(verified));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onProbe(ProbeReadiness probe) {
    if (errands >= MAX_ERRANDS) {
      probe.replyTo().tell(new NotReady(0, errands + " verifications and probes run already"));
    } else {
      run(ReadinessProbe.create(host.peerId(), world, dht, probe.replyTo()));
    }
    return Behaviors.same();
  }

  private void run(Behavior<?> errand) {
    errands++;
    context.watchWith(context.spawnAnonymous(errand), new ErrandEnded());
  }

  private Behavior<Command> onErrandEnded() {
    errands--;
    return Behaviors.same();
  }
}
