package dev.troupe.actors.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.fakes.ScriptedHost;
import dev.troupe.actors.fakes.ScriptedStream;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.keys.PeerId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PerfTest {

  private static final PeerId BOB = ScriptedWorld.key(2).peerId();
  private static final int MIB = 1024 * 1024;

  private final ScriptedHost host = new ScriptedHost(ScriptedWorld.key(1).peerId());
  private final List<Object> outcomes = new ArrayList<>();
  private long now = 1000;

  @BeforeEach
  void serve() {
    Perf.serve(host);
  }

  private Cancellable perf(long upload, long download) {
    return Perf.run(
        host,
        () -> now,
        BOB,
        upload,
        download,
        new Completion<>() {
          @Override
          public void succeeded(Perf.Timing timing) {
            outcomes.add(timing);
          }

          @Override
          public void failed(HostFailure failure) {
            outcomes.add(failure.kind());
          }
        });
  }

  private void malformed() {
    assertEquals(List.of(HostFailure.Kind.MALFORMED), outcomes);
  }

  private static byte[] wanted(long bytes) {
    return ByteBuffer.allocate(8).putLong(0, bytes).array();
  }

  // ---- the client

  @Test
  void theUploadEndsAtTheFirstByteAndTheDownloadAtTheEnd() {
    perf(3 * MIB + 1, 1000);
    ScriptedStream stream = host.takeOpening().succeed();
    byte[] written = stream.takeWritten();
    assertEquals(8 + 3 * MIB + 1, written.length);
    assertEquals(1000, ByteBuffer.wrap(written).getLong());
    assertTrue(stream.writeClosed);
    now += 70;
    stream.receive(new byte[400]);
    now += 20;
    stream.receive(new byte[600]);
    now += 3;
    assertEquals(List.of(), outcomes);
    stream.closeRemotely();
    assertEquals(List.of(new Perf.Timing(70, 23)), outcomes);
    assertTrue(stream.isClosed());
    assertNull(stream.resetReason);
  }

  @Test
  void theUploadGoesOutAsThereIsRoom() {
    perf(2 * MIB, 0);
    ScriptedStream stream = host.takeOpening().succeed(100);
    assertEquals(100, stream.takeWritten().length);
    assertFalse(stream.writeClosed);
    stream.makeRoom(MIB);
    assertEquals(MIB, stream.takeWritten().length);
    stream.makeRoom(Long.MAX_VALUE);
    assertEquals(8 + MIB - 100, stream.takeWritten().length);
    assertTrue(stream.writeClosed);
  }

  @Test
  void nothingAtAllCanBeMeasured() {
    perf(0, 0);
    ScriptedStream stream = host.takeOpening().succeed();
    assertEquals(8, stream.takeWritten().length);
    now += 5;
    stream.closeRemotely();
    assertEquals(List.of(new Perf.Timing(5, 0)), outcomes);
  }

  @Test
  void tooFewBytesAreMalformed() {
    perf(10, 1000);
    ScriptedStream stream = host.takeOpening().succeed();
    stream.receive(new byte[999]);
    stream.closeRemotely();
    malformed();
  }

  @Test
  void tooManyBytesAreMalformedAtOnceForTheyMayNeverEnd() {
    perf(10, 1000);
    ScriptedStream stream = host.takeOpening().succeed();
    stream.receive(new byte[1000]);
    assertEquals(List.of(), outcomes);
    stream.receive(new byte[1]);
    malformed();
    assertTrue(stream.resetReason != null);
  }

  @Test
  void aRemoteThatClosesAmidTheUploadIsMalformed() {
    perf(2 * MIB, 0);
    ScriptedStream stream = host.takeOpening().succeed(100);
    assertEquals(100, stream.takeWritten().length);
    stream.closeRemotely();
    malformed();
    assertTrue(stream.isClosed());
  }

  @Test
  void aResetOrAStreamThatDoesNotOpenIsToldAsItIs() {
    perf(10, 1000);
    host.takeOpening().succeed().resetRemotely();
    perf(10, 1000);
    host.takeOpening().fail(HostFailure.Kind.NOT_CONNECTED);
    assertEquals(List.of(HostFailure.Kind.STREAM_RESET, HostFailure.Kind.NOT_CONNECTED), outcomes);
  }

  @Test
  void calledOffItEndsItsStreamWheneverThatOpens() {
    Cancellable early = perf(10, 10);
    ScriptedHost.Opening opening = host.takeOpening();
    early.cancel();
    assertTrue(opening.cancelled);
    ScriptedStream opened = opening.succeed();
    assertTrue(opened.isClosed());
    assertEquals(0, opened.takeWritten().length);
    Cancellable late = perf(10, 10);
    ScriptedStream stream = host.takeOpening().succeed();
    late.cancel();
    assertTrue(stream.resetReason != null);
    assertEquals(List.of(HostFailure.Kind.STREAM_RESET, HostFailure.Kind.STREAM_RESET), outcomes);
  }

  @Test
  void aNegativeNumberIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> perf(-1, 0));
    assertThrows(IllegalArgumentException.class, () -> perf(0, -1));
  }

  // ---- the server

  @Test
  void whatIsAskedForIsSentAfterTheUploadAsThereIsRoom() {
    ScriptedStream stream = host.accept(BOB, Perf.PROTOCOL);
    byte[] asking = wanted(2 * MIB + 5);
    stream.receive(new byte[] {asking[0], asking[1], asking[2]});
    stream.receive(new byte[] {asking[3], asking[4], asking[5], asking[6], asking[7], 1, 1});
    stream.receive(new byte[MIB]);
    assertEquals(0, stream.takeWritten().length);
    stream.room = MIB;
    stream.closeRemotely();
    assertEquals(MIB, stream.takeWritten().length);
    assertFalse(stream.writeClosed);
    stream.makeRoom(Long.MAX_VALUE);
    assertEquals(MIB + 5, stream.takeWritten().length);
    assertTrue(stream.isClosed());
    assertNull(stream.resetReason);
  }

  @Test
  void oneStreamTooManyIsResetUntilAnotherEnds() {
    List<ScriptedStream> served = new ArrayList<>();
    for (int i = 0; i < Perf.MAX_SERVED; i++) {
      served.add(host.accept(BOB, Perf.PROTOCOL));
    }
    assertTrue(host.accept(BOB, Perf.PROTOCOL).resetReason != null);
    served.get(0).resetRemotely();
    assertFalse(host.accept(BOB, Perf.PROTOCOL).isClosed());
    assertTrue(host.accept(BOB, Perf.PROTOCOL).isClosed());
  }

  @Test
  void nothingAskedForIsAnEmptyAnswer() {
    ScriptedStream stream = host.accept(BOB, Perf.PROTOCOL);
    stream.receive(wanted(0));
    stream.closeRemotely();
    assertEquals(0, stream.takeWritten().length);
    assertTrue(stream.isClosed());
    assertNull(stream.resetReason);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void whoDoesNotSayHowMuchIsReset(int bytes) {
    ScriptedStream stream = host.accept(BOB, Perf.PROTOCOL);
    stream.receive(new byte[bytes]);
    stream.closeRemotely();
    assertTrue(stream.resetReason != null);
  }

  @Test
  void whoAsksForMoreThanALongHoldsIsReset() {
    ScriptedStream stream = host.accept(BOB, Perf.PROTOCOL);
    stream.receive(wanted(-1));
    stream.closeRemotely();
    assertTrue(stream.resetReason != null);
  }
}
