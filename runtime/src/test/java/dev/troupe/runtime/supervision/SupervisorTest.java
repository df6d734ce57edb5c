package dev.troupe.runtime.supervision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A supervisor above children that are shells. */
@Timeout(60)
@EnabledOnOs({OS.LINUX, OS.MAC})
class SupervisorTest {

  private static final Duration SHORT = Duration.ofMillis(200);

  private static final class Heard implements Supervisor.Listener {
    final LinkedBlockingQueue<Long> started = new LinkedBlockingQueue<>();
    final List<Integer> exitCodes = new ArrayList<>();
    final List<IOException> notStarted = new ArrayList<>();

    @Override
    public void started(long pid, int restarts) {
      started.add(pid);
    }

    @Override
    public void died(long pid, int exitCode) {
      exitCodes.add(exitCode);
    }

    @Override
    public void notStarted(IOException failure) {
      notStarted.add(failure);
    }
  }

  private final Heard heard = new Heard();

  private Supervisor supervisor(String... command) {
    return new Supervisor(List.of(command), RestartPolicy.usual(), System::nanoTime, heard, SHORT);
  }

  @Test
  void aChildThatDoesNotUnderstandItsCommandLineIsNotStartedAgain() throws Exception {
    assertEquals(Supervisor.Ending.MISUSED, supervisor("sh", "-c", "exit 2").run());
    assertEquals(1, heard.started.size());
    assertEquals(List.of(Supervisor.USAGE), heard.exitCodes);
  }

  @Test
  void aChildThatEndsIsStartedThreeTimesMoreWhateverItsExitCode() throws Exception {
    assertEquals(Supervisor.Ending.GAVE_UP, supervisor("sh", "-c", "exit 0").run());
    assertEquals(1 + RestartPolicy.MOST_RESTARTS, heard.started.size());
    assertEquals(List.of(0, 0, 0, 0), heard.exitCodes);
  }

  @Test
  void aChildThatCannotBeStartedIsSaid(@TempDir Path directory) throws Exception {
    String nothing = directory.resolve("nothing").toString();
    assertEquals(Supervisor.Ending.NOT_STARTED, supervisor(nothing).run());
    assertEquals(0, heard.started.size());
    assertTrue(heard.notStarted.get(0).getMessage().contains(nothing));
  }

  @Test
  void aChildThatDoesNotEndInOrderIsKilled(@TempDir Path directory) throws Exception {
    Path ready = directory.resolve("ready");
    Supervisor supervisor =
        supervisor("sh", "-c", "trap '' TERM; : > " + ready + "; while :; do sleep 0.1; done");
    CompletableFuture<Supervisor.Ending> ending = run(supervisor);
    long pid = heard.started.poll(30, TimeUnit.SECONDS);
    ProcessHandle child = ProcessHandle.of(pid).orElseThrow();
    while (!Files.exists(ready)) {
      assertTrue(child.isAlive());
      Thread.onSpinWait();
    }
    supervisor.stop();
    assertTrue(!child.isAlive());
    assertEquals(Supervisor.Ending.STOPPED, ending.get(30, TimeUnit.SECONDS));
    assertEquals(List.of(), heard.exitCodes, "it was stopped, and has not died");
  }

  @Test
  void nothingIsStartedAfterTheEnd() throws Exception {
    Supervisor supervisor = supervisor("sh", "-c", "exit 0");
    supervisor.stop();
    assertEquals(Supervisor.Ending.STOPPED, supervisor.run());
    assertEquals(0, heard.started.size());
  }

  private static CompletableFuture<Supervisor.Ending> run(Supervisor supervisor) {
    CompletableFuture<Supervisor.Ending> ending = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                ending.complete(supervisor.run());
              } catch (InterruptedException e) {
                ending.completeExceptionally(e);
              }
            },
            "supervisor");
    thread.setDaemon(true);
    thread.start();
    return ending;
  }
}
