package dev.troupe.actors.health;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.Readiness;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/**
 * Finds out whether the DHT can be used, by using it: stores a value under {@code /test/PEER} and
 * gets it back, again and again until that works or the attempts are spent; answers once, and
 * stops. <b>Parent</b>: {@link Health}; stopping it before answers as well. <b>Timers</b>: the
 * pause between attempts. Each attempt ends within the budgets of the DHT.
 */
final class ReadinessProbe extends AbstractBehavior<ReadinessProbe.Command> {

  /** How often it is tried. */
  static final int ATTEMPTS = 10;

  /** From the end of one attempt to the next. */
  static final Duration PAUSE = Duration.ofSeconds(1);

  sealed interface Command {}

  private record PutEnded(Dht.PutValueReply reply) implements Command {}

  private record GetEnded(Dht.GetValueReply reply) implements Command {}

  private record NextDue() implements Command {}

  static Behavior<Command> create(
      PeerId self, World world, ActorRef<Dht.Command> dht, ActorRef<Health.ProbeReply> replyTo) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new ReadinessProbe(context, timers, self, world, dht, replyTo)));
  }

  private final TimerScheduler<Command> timers;
  private final World world;
  private final ActorRef<Dht.Command> dht;
  private final ActorRef<Health.ProbeReply> replyTo;
  private final ActorRef<Dht.PutValueReply> puts;
  private final ActorRef<Dht.GetValueReply> gets;
  private final Bytes key;
  private final long begunAt;
  private int attempts;
  private boolean answered;

  private ReadinessProbe(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      PeerId self,
      World world,
      ActorRef<Dht.Command> dht,
      ActorRef<Health.ProbeReply> replyTo) {
    super(context);
    this.timers = timers;
    this.world = world;
    this.dht = dht;
    this.replyTo = replyTo;
    this.puts = context.messageAdapter(Dht.PutValueReply.class, PutEnded::new);
    this.gets = context.messageAdapter(Dht.GetValueReply.class, GetEnded::new);
    this.key = key(self);
    this.begunAt = world.ticker().nanos();
    put();
  }

  /** The key under which a peer tests whether it can store. */
  static Bytes key(PeerId self) {
    return Bytes.utf8("/test/" + self);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(PutEnded.class, this::onPutEnded)
        .onMessage(GetEnded.class, this::onGetEnded)
        .onMessage(
            NextDue.class,
            due -> {
              put();
              return this;
            })
        .onSignal(
            PostStop.class,
            stop -> {
              answer(new Health.NotReady(attempts, "it ended before"));
              return this;
            })
        .build();
  }

  private void put() {
    attempts++;
    dht.tell(new Dht.PutValue(key, key, Readiness.FAIL_FAST, puts));
  }

  private Behavior<Command> onPutEnded(PutEnded ended) {
    if (ended.reply() instanceof Dht.OperationFailed failed) {
      return again(failed.message());
    }
    dht.tell(new Dht.GetValue(key, Readiness.FAIL_FAST, gets));
    return this;
  }

  private Behavior<Command> onGetEnded(GetEnded ended) {
    if (ended.reply() instanceof Dht.OperationFailed failed) {
      return again(failed.message());
    }
    answer(new Health.Ready(attempts, Duration.ofNanos(world.ticker().nanos() - begunAt)));
    return Behaviors.stopped();
  }

  private Behavior<Command> again(String reason) {
    if (attempts < ATTEMPTS) {
      timers.startSingleTimer(new NextDue(), PAUSE);
      return this;
    }
    answer(
        new Health.NotReady(
            attempts, "the DHT was not ready in " + attempts + " attempts: " + reason));
    return Behaviors.stopped();
  }

  private void answer(Health.ProbeReply reply) {
    if (!answered) {
      answered = true;
      replyTo.tell(reply);
    }
  }
}
