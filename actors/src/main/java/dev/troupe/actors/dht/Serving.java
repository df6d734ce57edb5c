package dev.troupe.actors.dht;

import dev.troupe.actors.host.Stream;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.keys.PeerId;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The side of a {@link Dht} that answers: the streams that remotes open, each with what its {@link
 * Responder} says. What a request changes is acknowledged once it is durable.
 *
 * <p>Belongs to the Dht's actor, which hands it what happens to the streams. Has as many of them as
 * {@link DhtSettings.Limits} allows; one more is reset.
 */
final class Serving {

  private final DhtEnvironment environment;
  private final DhtSettings settings;
  private final Responder responder;
  private final Durability durability;
  private final TimerScheduler<Dht.Command> timers;
  private final ActorRef<Dht.Command> self;
  private final Set<InboundStream> streams = new LinkedHashSet<>();
  private final Map<PeerId, Integer> streamsOf = new LinkedHashMap<>();

  /** Answers, by the commit that they wait for; one at most for each stream. */
  private final Map<Long, Unanswered> unanswered = new LinkedHashMap<>();

  private boolean serving;

  /** An answer that has to wait until what it acknowledges is kept. */
  private record Unanswered(
      InboundStream stream, KademliaMessage.Type request, Responder.Response response) {}

  /** Serves nobody yet. */
  Serving(
      DhtEnvironment environment,
      Responder responder,
      Durability durability,
      TimerScheduler<Dht.Command> timers,
      ActorRef<Dht.Command> self) {
    this.environment = environment;
    this.settings = environment.settings();
    this.responder = responder;
    this.durability = durability;
    this.timers = timers;
    this.self = self;
  }

  /** Whether the host is to know that this peer serves. Streams that are open go on. */
  void become(boolean wanted) {
    if (wanted == serving) {
      return;
    }
    serving = wanted;
    if (wanted) {
      environment
          .host()
          .handle(settings.protocol(), stream -> self.tell(new Dht.StreamOffered(stream)));
    } else {
      environment.host().unhandle(settings.protocol());
    }
  }

  /** Serves nobody any more, and resets what is open. */
  void stop() {
    become(false);
    streams.forEach(stream -> stream.reset("the DHT stops"));
    streams.clear();
  }

  /** A remote has opened a stream. */
  void onOffered(Stream offered) {
    PeerId remote = offered.remote();
    if (streams.size() >= settings.limits().inboundStreams()
        || streamsOf.getOrDefault(remote, 0) >= settings.limits().inboundStreamsPerPeer()) {
      offered.reset(0, "too many DHT streams");
      return;
    }
    InboundStream stream = new InboundStream(offered);
    streams.add(stream);
    streamsOf.merge(remote, 1, Integer::sum);
    stream.begin(event -> self.tell(new Dht.InboundHappened(stream, event)));
    mindIdleness(stream);
  }

  /** Something happened to a stream; of one that is over, it does not matter. */
  void onHappened(InboundStream stream, InboundStream.Event event) {
    if (streams.contains(stream)) {
      serve(stream, stream.on(event));
    }
  }

  /** No request has come on a stream for as long as it may stay without one. */
  void onIdle(InboundStream stream) {
    if (streams.contains(stream)) {
      stream.reset("no request in time");
      onOver(stream);
    }
  }

  /** What an answer may have waited for is kept, or cannot be. */
  void onCommitted(Dht.Committed committed) {
    Unanswered waiting = unanswered.remove(committed.id());
    if (waiting != null && streams.contains(waiting.stream())) {
      serve(waiting.stream(), waiting.stream().answer(afterCommit(waiting, committed.failure())));
    }
  }

  private void serve(InboundStream stream, InboundStream.Step step) {
    InboundStream.Step next = step;
    while (next instanceof InboundStream.Step.Asked asked) {
      mindIdleness(stream);
      Responder.Response response = respond(stream, asked.request());
      if (durability.isPending()) {
        if (asked.request().type() == KademliaMessage.Type.ADD_PROVIDER) {
          response = respondToFurther(stream, response);
        }
        unanswered.put(
            durability.commit(), new Unanswered(stream, asked.request().type(), response));
        return;
      }
      next = stream.answer(response);
    }
    if (next instanceof InboundStream.Step.Closing) {
      mindIdleness(stream);
    } else if (next instanceof InboundStream.Step.Over) {
      onOver(stream);
    }
  }

  private Responder.Response respond(InboundStream stream, KademliaMessage request) {
    return responder.respond(
        stream.stream().remote(),
        request,
        environment.now(),
        environment.world().clock().instant());
  }

  /** Many providers come on one stream: those that are here are kept by one commit. */
  private Responder.Response respondToFurther(InboundStream stream, Responder.Response first) {
    Responder.Response response = first;
    while (response instanceof Responder.Response.Silence) {
      Optional<KademliaMessage> another = stream.another(KademliaMessage.Type.ADD_PROVIDER);
      if (another.isEmpty()) {
        return response;
      }
      response = respond(stream, another.get());
    }
    return response;
  }

  /** What is not kept is not acknowledged; what was only read is answered all the same. */
  private static Responder.Response afterCommit(
      Unanswered waiting, @Nullable StoreFailure failure) {
    boolean isStored =
        waiting.request() == KademliaMessage.Type.PUT_VALUE
            || waiting.request() == KademliaMessage.Type.ADD_PROVIDER;
    return failure != null && isStored
        ? new Responder.Response.Refusal("it could not be kept: " + failure.kind())
        : waiting.response();
  }

  private void mindIdleness(InboundStream stream) {
    timers.startSingleTimer(stream, new Dht.InboundIdle(stream), settings.timing().inboundIdle());
  }

  private void onOver(InboundStream stream) {
    streams.remove(stream);
    timers.cancel(stream);
    streamsOf.computeIfPresent(
        stream.stream().remote(), (unused, open) -> open == 1 ? null : open - 1);
  }
}
