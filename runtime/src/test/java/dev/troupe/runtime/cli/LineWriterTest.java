package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LineWriterTest {

  private final List<String> written = new ArrayList<>();
  private final CountDownLatch stuck = new CountDownLatch(1);
  private final CountDownLatch read = new CountDownLatch(1);

  /** Nobody reads until {@link #read} is counted down. */
  private final LineWriter writer =
      new LineWriter(
          line -> {
            stuck.countDown();
            try {
              read.await();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            written.add(line);
          },
          count -> "dropped " + count);

  private void fill(String line, int times) throws InterruptedException {
    writer.event("first");
    stuck.await();
    for (int i = 0; i < times; i++) {
      writer.event(line);
    }
  }

  private void readAll() {
    read.countDown();
    writer.close();
  }

  @Test
  void whoSaysSomethingNeverWaitsAndWhatIsTooMuchIsDroppedAndCounted() throws Exception {
    fill("event", LineWriter.MAX_LINES + 7);
    writer.reply("reply");
    readAll();
    assertEquals(1 + LineWriter.MAX_LINES + 2, written.size());
    assertEquals("reply", written.get(1 + LineWriter.MAX_LINES));
    assertEquals("dropped 7", written.get(2 + LineWriter.MAX_LINES));
  }

  @Test
  void longLinesFillTheQueueSooner() throws Exception {
    int length = LineWriter.MAX_CHARS / 4;
    fill("x".repeat(length), 6);
    readAll();
    assertEquals(List.of("first", "dropped 2"), List.of(written.get(0), written.get(5)));
    assertEquals(6, written.size());
  }

  @Test
  void whoReadsCommandsWaitsForRoom() throws Exception {
    fill("event", LineWriter.MAX_LINES);
    CountDownLatch room = new CountDownLatch(1);
    Thread reader =
        new Thread(
            () -> {
              writer.awaitRoom();
              room.countDown();
            });
    reader.start();
    while (reader.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertEquals(1, room.getCount());
    read.countDown();
    assertTrue(room.await(30, TimeUnit.SECONDS));
    writer.close();
  }

  @Test
  void linesGoWhereTheyAreRedirectedTo() throws Exception {
    read.countDown();
    List<String> elsewhere = new ArrayList<>();
    writer.event("here");
    stuck.await();
    writer.redirect(elsewhere::add);
    writer.event("there");
    writer.close();
    assertEquals(List.of("here"), written);
    assertEquals(List.of("there"), elsewhere);
  }
}
