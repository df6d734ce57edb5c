package dev.troupe.actors.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.HostFailure.Kind;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Host} must do, in whatever world. A world tests its host by extending this
 * class.
 *
 * <p>Callbacks come on the host's own threads; the recorders here may be read from the test's.
 */
public abstract class HostContract {

  private static final ProtocolId ECHO = ProtocolId.of("/contract/echo/1.0.0");
  private static final ProtocolId CHAT = ProtocolId.of("/contract/chat/1.0.0");
  private static final Duration SOON = Duration.ofSeconds(20);

  /** Where the hosts live, and how time passes there. */
  protected interface Surroundings extends AutoCloseable {

    /** The world of the host that dials. */
    World near();

    /** The world of the host that listens; may be the same. */
    World far();

    /** An address, port 0, at which the far host can listen so that the near one reaches it. */
    Multiaddr listenAddress();

    /** Where nobody listens, and the machine says so. */
    Multiaddr refusingAddress();

    /** Where nobody ever answers. */
    Multiaddr silentAddress();

    /**
     * Lets time pass until the condition holds.
     *
     * @return false if it did not within the limit
     */
    boolean await(BooleanSupplier condition, Duration limit);

    /** Lets a little time pass, long enough for a message and its answer. */
    void pause();

    @Override
    void close();
  }

  /** Called before each test. */
  protected abstract Surroundings surroundings();

  // Short limits: a test in the real world waits for them.
  private static final HostSettings SETTINGS =
      new HostSettings(
          "contract/1.0",
          Duration.ofSeconds(2),
          Duration.ofSeconds(2),
          Duration.ofSeconds(2),
          HostSettings.DEFAULT.linger(),
          3,
          16,
          16,
          8,
          HostSettings.DEFAULT.maxReceiveWindow());

  private Surroundings around;
  private final List<HostEvent> nearEvents = new CopyOnWriteArrayList<>();
  private final List<HostEvent> farEvents = new CopyOnWriteArrayList<>();
  private final List<Host> hosts = new ArrayList<>();
  private Host near;
  private Host far;

  @BeforeEach
  final void createHosts() {
    around = surroundings();
    near = host(around.near(), nearEvents);
    far = host(around.far(), farEvents);
  }

  @AfterEach
  final void closeHosts() {
    AtomicInteger closed = new AtomicInteger();
    hosts.forEach(host -> host.close(closed::incrementAndGet));
    boolean all = around.await(() -> closed.get() == hosts.size(), SOON);
    around.close();
    assertTrue(all, "a host did not close");
  }

  private Host host(World world, List<HostEvent> events) {
    Host host =
        world.createHost(PrivateKey.generate(world.crypto(), world.keyMaterial()), SETTINGS);
    hosts.add(host);
    host.start(events::add);
    return host;
  }

  // --- listening
  // ----------------------------------------------------------------------------------

  @Test
  void listensAtARealPortAndSaysSo() {
    List<Multiaddr> bound = listen(far);
    assertFalse(bound.isEmpty());
    assertTrue(bound.stream().noneMatch(address -> address.toString().endsWith("/tcp/0")));
    assertTrue(bound.stream().allMatch(address -> address.peerId() == null));
    assertEquals(bound, far.listenAddresses());
    eventually(() -> farEvents.contains(new HostEvent.ListenAddressesChanged(bound)));
  }

  @Test
  void anAddressInUseIsUnavailable() {
    Outcome<List<Multiaddr>> outcome = new Outcome<>();
    Multiaddr taken = listen(far).get(0);
    host(around.far(), new ArrayList<>()).listen(taken, outcome);
    assertEquals(Kind.ADDRESS_UNAVAILABLE, failure(outcome));
  }

  @Test
  void anAddressOfNoTransportIsUnsupported() {
    Multiaddr unsupported = at("/ip4/127.0.0.1/udp/4001/quic-v1/webtransport");
    Outcome<List<Multiaddr>> listened = new Outcome<>();
    near.listen(unsupported, listened);
    assertEquals(Kind.UNSUPPORTED_ADDRESS, failure(listened));
    Outcome<ConnectionInfo> dialled = new Outcome<>();
    near.dial(unsupported, null, dialled);
    assertEquals(Kind.UNSUPPORTED_ADDRESS, failure(dialled));
  }

  @Test
  void startsOnce() {
    assertThrows(IllegalStateException.class, () -> near.start(event -> {}));
  }

  // --- dialling
  // -----------------------------------------------------------------------------------

  @Test
  void bothEndsConnect() {
    ConnectionInfo info = connect();
    assertEquals(far.peerId(), info.peer());
    assertEquals(Direction.OUTBOUND, info.direction());
    assertEquals(far.listenAddresses().get(0), info.remoteAddress());
    assertEquals(info.remoteAddress(), info.reached());
    assertEquals(List.of(info), near.connections());
    assertEquals(new HostEvent.Connected(info), nearEvents.get(0));
    eventually(() -> far.connections().size() == 1);
    ConnectionInfo there = far.connections().get(0);
    assertEquals(near.peerId(), there.peer());
    assertEquals(Direction.INBOUND, there.direction());
  }

  @Test
  void bothEndsIdentify() {
    far.handle(ECHO, stream -> stream.reset(0, "unused"));
    connect();
    Identification said = identified(nearEvents);
    assertEquals("contract/1.0", said.agentVersion());
    assertTrue(said.supports(ECHO));
    assertFalse(said.supports(CHAT));
    assertEquals(far.listenAddresses(), said.listenAddresses());
    eventually(() -> farEvents.stream().anyMatch(HostEvent.Identified.class::isInstance));
    assertEquals(List.of(), identified(farEvents).listenAddresses());
  }

  @Test
  void aNewProtocolIsPushed() {
    connect();
    identified(nearEvents);
    eventually(() -> farEvents.stream().anyMatch(HostEvent.Identified.class::isInstance));
    far.handle(CHAT, stream -> stream.reset(0, "unused"));
    eventually(
        () ->
            nearEvents.stream()
                .anyMatch(
                    event ->
                        event instanceof HostEvent.Identified identified
                            && identified.identification().supports(CHAT)));
  }

  @Test
  void refusalIsTold() {
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    near.dial(around.refusingAddress(), null, outcome);
    assertEquals(Kind.REFUSED, failure(outcome));
  }

  @Test
  void silenceTimesOut() {
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    near.dial(around.silentAddress(), null, outcome);
    assertEquals(Kind.TIMED_OUT, failure(outcome));
  }

  @Test
  void somebodyElseAtTheAddressIsTold() {
    Host other = host(around.far(), new ArrayList<>());
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    near.dial(listen(far).get(0), other.peerId(), outcome);
    assertEquals(Kind.WRONG_PEER, failure(outcome));
    assertEquals(List.of(), near.connections());
    eventually(() -> far.connections().isEmpty());
  }

  @Test
  void aDialIsCalledOffAtOnce() {
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    Cancellable dial = near.dial(around.silentAddress(), null, outcome);
    dial.cancel();
    dial.cancel();
    assertEquals(Kind.CANCELLED, failure(outcome));
    around.pause();
    assertEquals(1, outcome.told.size());
  }

  @Test
  void twoConnectionsToOnePeerMayBothStay() {
    ConnectionInfo first = connect();
    Outcome<ConnectionInfo> second = new Outcome<>();
    near.dial(far.listenAddresses().get(0), far.peerId(), second);
    ConnectionInfo younger = value(second);
    assertTrue(first.id().compareTo(younger.id()) < 0);
    assertEquals(List.of(first, younger), near.connections());
    List<Stream> accepted = new CopyOnWriteArrayList<>();
    far.handle(CHAT, accepted::add);
    assertEquals(first, open(CHAT).connection(), "streams use the oldest");
  }

  @Test
  void moreConnectionsThanTheLimitAreRefused() {
    connect();
    Multiaddr address = far.listenAddresses().get(0);
    for (int i = 0; i < 2; i++) {
      Outcome<ConnectionInfo> outcome = new Outcome<>();
      near.dial(address, far.peerId(), outcome);
      value(outcome);
    }
    Outcome<ConnectionInfo> oneTooMany = new Outcome<>();
    near.dial(address, far.peerId(), oneTooMany);
    assertEquals(Kind.LIMIT_EXCEEDED, failure(oneTooMany));
    assertEquals(3, near.connections().size());
  }

  // --- streams
  // ------------------------------------------------------------------------------------

  @Test
  void streamsAgreeOnTheFirstProtocolInCommon() {
    List<Stream> accepted = new CopyOnWriteArrayList<>();
    far.handle(CHAT, accepted::add);
    ConnectionInfo info = connect();
    Stream stream = open(ECHO, CHAT);
    assertEquals(CHAT, stream.protocol());
    assertEquals(Direction.OUTBOUND, stream.direction());
    assertEquals(far.peerId(), stream.remote());
    eventually(() -> accepted.size() == 1);
    assertEquals(CHAT, accepted.get(0).protocol());
    assertEquals(Direction.INBOUND, accepted.get(0).direction());
    eventually(() -> near.openStreams(info.id()) == 1);
  }

  @Test
  void aProtocolThatNobodySpeaksIsRefused() {
    connect();
    Outcome<Stream> outcome = new Outcome<>();
    near.openStream(far.peerId(), List.of(ECHO, CHAT), outcome);
    assertEquals(Kind.PROTOCOL_NOT_SUPPORTED, failure(outcome));
  }

  @Test
  void aProtocolHasOneHandlerAtATime() {
    far.handle(CHAT, stream -> stream.reset(0, "unused"));
    assertThrows(
        IllegalStateException.class, () -> far.handle(CHAT, stream -> stream.reset(0, "unused")));
    far.unhandle(CHAT);
    far.unhandle(CHAT);
    connect();
    Outcome<Stream> outcome = new Outcome<>();
    near.openStream(far.peerId(), List.of(CHAT), outcome);
    assertEquals(Kind.PROTOCOL_NOT_SUPPORTED, failure(outcome));
  }

  @Test
  void withoutAConnectionThereIsNoStream() {
    Outcome<Stream> outcome = new Outcome<>();
    near.openStream(far.peerId(), List.of(CHAT), outcome);
    assertEquals(Kind.NOT_CONNECTED, failure(outcome));
  }

  @Test
  void moreStreamsThanTheLimitAreRefused() {
    far.handle(CHAT, stream -> stream.start(new Heard()));
    connect();
    identified(nearEvents);
    eventually(() -> farEvents.stream().anyMatch(HostEvent.Identified.class::isInstance));
    Kind refusal = null;
    for (int i = 0; i < 20 && refusal == null; i++) {
      Outcome<Stream> outcome = new Outcome<>();
      near.openStream(far.peerId(), List.of(CHAT), outcome);
      eventually(() -> !outcome.told.isEmpty());
      if (outcome.told.get(0) instanceof HostFailure failure) {
        refusal = failure.kind();
      }
    }
    assertEquals(Kind.LIMIT_EXCEEDED, refusal);
  }

  @Test
  void bytesArriveInOrderAndOnlyWhenRequested() {
    Ends ends = ends();
    ends.here.write(utf8("one "));
    ends.here.write(utf8("two"));
    around.pause();
    assertEquals("", ends.heardThere.text());
    ends.there.request(2);
    eventually(() -> ends.heardThere.text().equals("on"));
    around.pause();
    assertEquals("on", ends.heardThere.text());
    ends.there.request(Long.MAX_VALUE);
    eventually(() -> ends.heardThere.text().equals("one two"));
  }

  @Test
  void aReaderThatDoesNotReadStopsTheWriterAndNobodyElse() {
    Ends slow = ends();
    byte[] data = pattern(20 * 1024 * 1024);
    ByteBuffer source = ByteBuffer.wrap(data);
    Runnable write =
        () -> {
          synchronized (source) {
            int before;
            do {
              before = source.position();
              slow.here.write(source);
            } while (source.position() > before && source.hasRemaining());
          }
        };
    slow.heardHere.onWritable = write;
    write.run();
    around.pause();
    around.pause();
    synchronized (source) {
      assertTrue(source.hasRemaining(), "a window and buffers take " + data.length + " bytes");
    }
    Ends other = ends();
    other.there.request(Long.MAX_VALUE);
    other.here.write(utf8("past it"));
    eventually(() -> other.heardThere.text().equals("past it"));
    slow.there.request(Long.MAX_VALUE);
    assertTrue(around.await(() -> slow.heardThere.size() == data.length, Duration.ofMinutes(2)));
    assertArrayEquals(data, slow.heardThere.bytes());
  }

  @Test
  void oneDirectionClosesAndTheOtherGoesOn() {
    Ends ends = ends();
    ends.here.write(utf8("question"));
    ends.here.closeWrite();
    ends.here.closeWrite();
    around.pause();
    assertEquals(List.of(), ends.heardThere.events, "the end comes after the bytes");
    ends.there.request(1000);
    eventually(() -> ends.heardThere.events.equals(List.of("remote closed")));
    assertEquals("question", ends.heardThere.text());
    ends.here.request(1000);
    ends.there.write(utf8("answer"));
    ends.there.closeWrite();
    List<String> inOrder = List.of("remote closed", "closed in order");
    eventually(() -> ends.heardHere.events.equals(inOrder));
    eventually(() -> ends.heardThere.events.equals(inOrder));
    assertEquals("answer", ends.heardHere.text());
    assertEquals(0, ends.here.write(utf8("late")));
    eventually(() -> near.openStreams(ends.here.connection().id()) == 0);
    eventually(() -> far.openStreams(ends.there.connection().id()) == 0);
  }

  @Test
  void anOrderlyEndWaitsForWhatHasNotBeenAskedFor() {
    Ends ends = ends();
    ends.here.closeWrite();
    ends.there.write(utf8("answer"));
    ends.there.closeWrite();
    around.pause();
    assertEquals(List.of(), ends.heardHere.events);
    ends.here.request(3);
    eventually(() -> ends.heardHere.text().equals("ans"));
    around.pause();
    assertEquals(List.of(), ends.heardHere.events);
    ends.here.request(3);
    eventually(() -> ends.heardHere.events.equals(List.of("remote closed", "closed in order")));
    assertEquals("answer", ends.heardHere.text());
  }

  @Test
  void aResetEndsBothEnds() {
    Ends ends = ends();
    ends.there.reset(1, "enough");
    eventually(() -> ends.heardHere.events.equals(List.of("closed STREAM_RESET")));
    eventually(() -> ends.heardThere.events.equals(List.of("closed STREAM_RESET")));
    ends.here.reset(1, "late");
    around.pause();
    assertEquals(1, ends.heardHere.events.size());
    assertEquals(1, near.connections().size());
  }

  @Test
  void whatCameBeforeTheStartIsKept() {
    List<Stream> accepted = new CopyOnWriteArrayList<>();
    far.handle(CHAT, accepted::add);
    connect();
    Stream here = open(CHAT);
    here.start(new Heard());
    here.write(utf8("early"));
    here.closeWrite();
    eventually(() -> accepted.size() == 1);
    around.pause();
    Heard heard = new Heard();
    Stream there = accepted.get(0);
    there.start(heard);
    assertThrows(IllegalStateException.class, () -> there.start(new Heard()));
    there.request(100);
    eventually(() -> heard.events.equals(List.of("remote closed")));
    assertEquals("early", heard.text());
  }

  // --- the end
  // ------------------------------------------------------------------------------------

  @Test
  void disconnectingEndsTheStreamsThenTheConnectionAtBothEnds() {
    Ends ends = ends();
    near.disconnect(ends.here.connection().id(), "enough");
    eventually(() -> far.connections().isEmpty() && near.connections().isEmpty());
    eventually(() -> ends.heardHere.events.equals(List.of("closed CLOSED")));
    eventually(() -> ends.heardThere.events.equals(List.of("closed CONNECTION_LOST")));
    eventually(() -> last(nearEvents) instanceof HostEvent.Disconnected);
    eventually(() -> last(farEvents) instanceof HostEvent.Disconnected);
    assertEquals(Kind.CLOSED, disconnected(nearEvents).reason().kind());
    assertEquals(Kind.CONNECTION_LOST, disconnected(farEvents).reason().kind());
    near.disconnect(ends.here.connection().id(), "again");
  }

  @Test
  void aClosedHostFailsWhatIsOpenAndFreesItsAddress() {
    Multiaddr address = listen(far).get(0);
    Outcome<ConnectionInfo> connected = new Outcome<>();
    near.dial(address, far.peerId(), connected);
    value(connected);
    Outcome<ConnectionInfo> open = new Outcome<>();
    far.dial(around.silentAddress(), null, open);
    AtomicInteger done = new AtomicInteger();
    far.close(done::incrementAndGet);
    eventually(() -> done.get() == 1);
    assertEquals(Kind.CLOSED, failure(open));
    eventually(() -> near.connections().isEmpty());
    Outcome<ConnectionInfo> late = new Outcome<>();
    far.dial(address, null, late);
    assertEquals(Kind.CLOSED, failure(late));
    Outcome<List<Multiaddr>> again = new Outcome<>();
    host(around.far(), new ArrayList<>()).listen(address, again);
    assertEquals(address, value(again).get(0));
  }

  // --- steps
  // --------------------------------------------------------------------------------------

  private record Ends(Stream here, Heard heardHere, Stream there, Heard heardThere) {}

  /** A new stream, both ends started; connects first if need be. */
  private Ends ends() {
    List<Stream> accepted = new CopyOnWriteArrayList<>();
    far.unhandle(CHAT);
    far.handle(CHAT, accepted::add);
    if (near.connections().isEmpty()) {
      connect();
    }
    Stream here = open(CHAT);
    Heard heardHere = new Heard();
    here.start(heardHere);
    eventually(() -> accepted.size() == 1);
    Heard heardThere = new Heard();
    accepted.get(0).start(heardThere);
    return new Ends(here, heardHere, accepted.get(0), heardThere);
  }

  private List<Multiaddr> listen(Host host) {
    Outcome<List<Multiaddr>> outcome = new Outcome<>();
    host.listen(around.listenAddress(), outcome);
    return value(outcome);
  }

  private ConnectionInfo connect() {
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    near.dial(listen(far).get(0), far.peerId(), outcome);
    ConnectionInfo info = value(outcome);
    eventually(() -> !far.connections().isEmpty());
    return info;
  }

  private Stream open(ProtocolId... protocols) {
    Outcome<Stream> outcome = new Outcome<>();
    near.openStream(far.peerId(), List.of(protocols), outcome);
    return value(outcome);
  }

  private Identification identified(List<HostEvent> events) {
    eventually(() -> events.stream().anyMatch(HostEvent.Identified.class::isInstance));
    return events.stream()
        .filter(HostEvent.Identified.class::isInstance)
        .map(event -> ((HostEvent.Identified) event).identification())
        .findFirst()
        .orElseThrow();
  }

  private static HostEvent.Disconnected disconnected(List<HostEvent> events) {
    return assertInstanceOf(HostEvent.Disconnected.class, last(events));
  }

  private static HostEvent last(List<HostEvent> events) {
    return events.get(events.size() - 1);
  }

  private void eventually(BooleanSupplier condition) {
    assertTrue(around.await(condition, SOON), "it did not come about within " + SOON);
  }

  private <T> T value(Outcome<T> outcome) {
    eventually(() -> !outcome.told.isEmpty());
    assertFalse(outcome.told.get(0) instanceof HostFailure, () -> "failed: " + outcome.told);
    return outcome.value();
  }

  private Kind failure(Outcome<?> outcome) {
    eventually(() -> !outcome.told.isEmpty());
    return assertInstanceOf(HostFailure.class, outcome.told.get(0)).kind();
  }

  private static Multiaddr at(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private static ByteBuffer utf8(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] pattern(int size) {
    byte[] data = new byte[size];
    for (int i = 0; i < size; i++) {
      data[i] = (byte) (i * 31 + (i >>> 12));
    }
    return data;
  }

  // --- recorders
  // ----------------------------------------------------------------------------------

  /** The outcome of one call. */
  private static final class Outcome<T> implements Completion<T> {
    private final List<Object> told = new CopyOnWriteArrayList<>();

    @Override
    public void succeeded(T value) {
      told.add(value);
    }

    @Override
    public void failed(HostFailure failure) {
      told.add(failure);
    }

    @SuppressWarnings("unchecked") // what succeeded() put there
    T value() {
      return (T) told.get(0);
    }
  }

  /** What one end of a stream heard. */
  private static final class Heard implements StreamListener {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final List<String> events = new CopyOnWriteArrayList<>();
    private volatile Runnable onWritable = () -> {};

    String text() {
      return bytes.toString(StandardCharsets.UTF_8);
    }

    int size() {
      return bytes.size();
    }

    byte[] bytes() {
      return bytes.toByteArray();
    }

    @Override
    public void onData(ByteBuffer data) {
      assertTrue(data.hasArray());
      bytes.write(data.array(), data.arrayOffset() + data.position(), data.remaining());
    }

    @Override
    public void onWritable() {
      onWritable.run();
    }

    @Override
    public void onRemoteClosed() {
      events.add("remote closed");
    }

    @Override
    public void onClosed(@Nullable HostFailure failure) {
      events.add("closed " + (failure == null ? "in order" : failure.kind()));
    }
  }
}
