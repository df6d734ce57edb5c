package dev.troupe.simulation.kernel;

import com.typesafe.config.Config;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorCell;
import org.apache.pekko.dispatch.Dispatcher;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.Envelope;
import org.apache.pekko.dispatch.ExecutorServiceFactory;
import org.apache.pekko.dispatch.ExecutorServiceFactoryProvider;
import org.apache.pekko.dispatch.MessageDispatcher;
import org.apache.pekko.dispatch.MessageDispatcherConfigurator;
import org.apache.pekko.dispatch.TaskInvocation;
import org.apache.pekko.dispatch.sysmsg.SystemMessage;
import scala.concurrent.duration.Duration;
import scala.concurrent.duration.FiniteDuration;

/**
 * The {@code type} of every dispatcher in a simulation. All of them share one executor that only
 * enqueues: who calls {@code execute} never runs anything. Throughput is one message a turn and
 * there is no deadline, because a deadline reads the wall clock.
 */
final class QueueDispatcherConfigurator extends MessageDispatcherConfigurator {

  private final QueueDispatcher dispatcher;

  /** Called by Pekko, by reflection. */
  public QueueDispatcherConfigurator(Config config, DispatcherPrerequisites prerequisites) {
    super(config, prerequisites);
    this.dispatcher =
        new QueueDispatcher(
            this, config.getString("id"), SimulationSetup.loopOf(prerequisites.settings()));
  }

  @Override
  public MessageDispatcher dispatcher() {
    return dispatcher;
  }

  private static final class QueueDispatcher extends Dispatcher {

    private static final FiniteDuration SHUTDOWN_TIMEOUT =
        FiniteDuration.create(1, TimeUnit.SECONDS);

    private final EventLoop loop;

    QueueDispatcher(MessageDispatcherConfigurator configurator, String id, EventLoop loop) {
      super(configurator, id, 1, Duration.Zero(), new Queueing(loop), SHUTDOWN_TIMEOUT);
      this.loop = loop;
    }

    @Override
    public void dispatch(ActorCell receiver, Envelope invocation) {
      // Checked here as well as in the executor: a mailbox that is already scheduled never reaches
      // the executor.
      loop.checkOwner(invocation.message());
      loop.trace().message(loop, receiver.self(), invocation.message());
      super.dispatch(receiver, invocation);
    }

    @Override
    public void systemDispatch(ActorCell receiver, SystemMessage invocation) {
      loop.checkOwner(invocation);
      loop.trace().system(loop, receiver.self(), invocation);
      super.systemDispatch(receiver, invocation);
    }

    @Override
    public void executeTask(TaskInvocation invocation) {
      Runnable task = invocation.runnable();
      super.executeTask(
          new TaskInvocation(invocation.eventStream(), loop.guarded(task), invocation.cleanup()));
    }
  }

  private record Queueing(EventLoop loop) implements ExecutorServiceFactoryProvider {
    @Override
    public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threads) {
      return () -> new QueueingExecutor(loop);
    }

    @Override
    public boolean isVirtualized() {
      return false;
    }
  }

  /**
   * Dispatchers shut their executor down when idle and may come back later: shutting down does
   * nothing here.
   */
  private static final class QueueingExecutor extends AbstractExecutorService
      implements ExecutorService {

    private final EventLoop loop;

    QueueingExecutor(EventLoop loop) {
      this.loop = loop;
    }

    @Override
    public void execute(Runnable command) {
      loop.enqueue(command);
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return false;
    }

    @Override
    public boolean isTerminated() {
      return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return true;
    }
  }
}
