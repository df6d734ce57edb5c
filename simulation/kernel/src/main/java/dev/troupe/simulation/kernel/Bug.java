package dev.troupe.simulation.kernel;

import org.apache.pekko.actor.ActorCell;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorRefWithCell;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.BehaviorInterceptor;
import org.apache.pekko.actor.typed.TypedActorContext;
import org.apache.pekko.actor.typed.internal.InterceptorImpl;
import org.apache.pekko.actor.typed.internal.adapter.ActorAdapter;

/**
 * A message at which a typed actor throws, as from a bug of its own: whatever supervises it acts.
 * For that the behaviour of the actor gets one more layer, inside all layers of supervision; a
 * restart takes it away again.
 */
record Bug(RuntimeException exception) {

  /**
   * Makes an actor throw when it next handles a message. It must have started.
   *
   * @throws IllegalArgumentException if it is no typed actor that lives
   */
  static void in(ActorRef ref, RuntimeException exception) {
    if (!(ref instanceof ActorRefWithCell withCell)
        || !(withCell.underlying() instanceof ActorCell cell)
        || !(cell.actor() instanceof ActorAdapter<?> adapter)) {
      throw new IllegalArgumentException(
          ref.path().toStringWithoutAddress() + " is no typed actor that has started");
    }
    prepare(adapter);
    ref.tell(new Bug(exception), ActorRef.noSender());
  }

  private static <T> void prepare(ActorAdapter<T> adapter) {
    adapter.org$apache$pekko$actor$typed$internal$adapter$ActorAdapter$$behavior_$eq(
        withThrower(adapter.currentBehavior()));
  }

  private static <T> Behavior<T> withThrower(Behavior<T> behavior) {
    if (behavior instanceof InterceptorImpl<T, ?> layer) {
      return layer.interceptor() instanceof Thrower ? behavior : within(layer);
    }
    return new InterceptorImpl<>(new Thrower<>(), behavior);
  }

  private static <O, I> Behavior<O> within(InterceptorImpl<O, I> layer) {
    return layer.replaceNested(withThrower(layer.nestedBehavior()));
  }

  private static final class Thrower<T> extends BehaviorInterceptor<T, T> {

    @SuppressWarnings("unchecked") // it hands on whatever it gets
    Thrower() {
      super((Class<T>) Object.class);
    }

    @Override
    public Behavior<T> aroundReceive(
        TypedActorContext<T> context, T message, ReceiveTarget<T> target) {
      if (message instanceof Bug bug) {
        throw bug.exception();
      }
      return target.apply(context, message);
    }
  }
}
