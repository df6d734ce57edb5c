package dev.troupe.simulation.world;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostFailure.Kind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One call of a host that is under way: told its outcome once, on the host's loop, and able to be
 * called off. What it holds is freed as soon as it fails.
 */
final class Call<T> implements Cancellable {

  private final SimulatedHost host;
  private final Completion<T> completion;
  private final List<Runnable> onFailure = new ArrayList<>();
  private org.apache.pekko.actor.@Nullable Cancellable timer;
  private boolean decided;

  Call(SimulatedHost host, Completion<T> completion) {
    this.host = host;
    this.completion = completion;
    host.calls().add(this);
  }

  boolean isDecided() {
    return decided;
  }

  /** What ends the call's time; cancelled once the call is decided. */
  void timer(org.apache.pekko.actor.Cancellable timer) {
    this.timer = timer;
  }

  /** Run when the call fails, for whatever reason. */
  void onFailure(Runnable release) {
    onFailure.add(release);
  }

  /** Only on the host's loop. */
  void succeed(T value) {
    if (!decided) {
      decide();
      completion.succeeded(value);
    }
  }

  void fail(Kind kind, String message) {
    if (!decided) {
      decide();
      onFailure.forEach(Runnable::run);
      host.later(() -> completion.failed(new HostFailure(kind, message)));
    }
  }

  @Override
  public void cancel() {
    fail(Kind.CANCELLED, "called off");
  }

  private void decide() {
    decided = true;
    host.calls().remove(this);
    if (timer != null) {
      timer.cancel();
    }
  }
}
