package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure.Kind;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.world.Recorder.Heard;
import dev.troupe.simulation.world.Recorder.Outcome;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a host must do on a network with latency and faults, whichever host it is. */
abstract class NetworkedHostContract {

  private static final ProtocolId ECHO = ProtocolId.of("/echo/1");
  private static final ProtocolId CHAT = ProtocolId.of("/chat/1");

  private final SimulatedSystem system = SimulatedSystem.create(1, Order.RANDOM);
  private final NetworkSettings settings =
      NetworkSettings.DEFAULT.withLatency(Duration.ofMillis(10)).withFlow(65536, 4096);
  private final SimulatedNetwork network = new SimulatedNetwork(system, settings);
  private final SimulatedWorld near = network.machine("near");
  private final SimulatedWorld far = network.machine("far");
  private final List<HostEvent> nearEvents = new ArrayList<>();
  private final List<HostEvent> farEvents = new ArrayList<>();
  private final Host a = host(near, nearEvents);
  private final Host b = host(far, farEvents);

  /** The world on a machine whose hosts are under test. */
  abstract World world(SimulatedWorld machine);

  private Host host(SimulatedWorld machine, List<HostEvent> events) {
    World world = world(machine);
    PrivateKey key = PrivateKey.generate(world.crypto(), world.keyMaterial());
    Host host = world.createHost(key, HostSettings.DEFAULT);
    host.start(events::add);
    return host;
  }

  @AfterEach
  void closeSystem() {
    system.close();
  }

  private static Multiaddr at(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private List<Multiaddr> listen(Host host, String address) {
    Outcome<List<Multiaddr>> outcome = new Outcome<>();
    host.listen(at(address), outcome);
    system.runUntilIdle();
    return outcome.value();
  }

  private ConnectionInfo connect() {
    Multiaddr address = listen(b, "/ip4/0.0.0.0/tcp/0").get(0);
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    a.dial(address, b.peerId(), outcome);
    system.advance(Duration.ofSeconds(1));
    return outcome.value();
  }

  private Kind dialFails(String address, Duration after) {
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    a.dial(at(address), null, outcome);
    if (!after.isZero()) {
      system.advance(after.minusNanos(1));
      assertEquals(List.of(), outcome.told);
      system.advance(Duration.ofNanos(1));
    }
    system.runUntilIdle();
    return outcome.failure();
  }

  @Test
  void listensAtRealPortsOfAllInterfaces() {
    List<Multiaddr> bound = listen(b, "/ip4/0.0.0.0/tcp/0");
    assertEquals(2, bound.size());
    assertTrue(bound.get(0).toString().startsWith("/ip4/10.0.0.2/tcp/"));
    assertTrue(bound.get(1).toString().startsWith("/ip4/127.0.0.1/tcp/"));
    assertEquals(List.of(at("/memory/7")), listen(b, "/memory/7"));
    assertEquals(3, b.listenAddresses().size());
    assertEquals(new HostEvent.ListenAddressesChanged(b.listenAddresses()), farEvents.get(1));
    Outcome<List<Multiaddr>> taken = new Outcome<>();
    a.listen(at("/memory/7"), taken);
    Outcome<List<Multiaddr>> elsewhere = new Outcome<>();
    a.listen(at("/ip4/10.0.0.2/tcp/1"), elsewhere);
    Outcome<List<Multiaddr>> unsupported = new Outcome<>();
    a.listen(at("/ip4/10.0.0.1/udp/1/quic-v1"), unsupported);
    system.runUntilIdle();
    assertEquals(Kind.ADDRESS_UNAVAILABLE, taken.failure());
    assertEquals(Kind.ADDRESS_UNAVAILABLE, elsewhere.failure());
    assertEquals(Kind.UNSUPPORTED_ADDRESS, unsupported.failure());
  }

  @Test
  void bothEndsConnectAndIdentify() {
    b.handle(ECHO, stream -> stream.reset(0, "unused"));
    ConnectionInfo info = connect();
    assertEquals(b.peerId(), info.peer());
    assertEquals(List.of(info), a.connections());
    assertEquals(new HostEvent.Connected(info), nearEvents.get(0));
    HostEvent.Identified identified =
        assertInstanceOf(HostEvent.Identified.class, nearEvents.get(1));
    assertTrue(identified.identification().supports(ECHO));
    assertEquals(b.listenAddresses(), identified.identification().listenAddresses());
    HostEvent.Connected there = assertInstanceOf(HostEvent.Connected.class, farEvents.get(1));
    assertEquals(a.peerId(), there.connection().peer());
    assertEquals(there.connection().remoteAddress(), identified.identification().observedAddress());
    b.handle(CHAT, stream -> stream.reset(0, "unused"));
    system.advance(Duration.ofSeconds(1));
    HostEvent.Identified pushed = assertInstanceOf(HostEvent.Identified.class, nearEvents.get(2));
    assertTrue(pushed.identification().protocols().containsAll(List.of(ECHO, CHAT)));
  }

  @Test
  void dialsThatFailSayWhy() {
    listen(b, "/ip4/10.0.0.2/tcp/4001");
    assertEquals(Kind.TIMED_OUT, dialFails("/ip4/10.9.9.9/tcp/1", Duration.ofSeconds(10)));
    assertEquals(Kind.REFUSED, dialFails("/ip4/10.0.0.2/tcp/1", Duration.ofMillis(20)));
    assertEquals(Kind.REFUSED, dialFails("/memory/99", Duration.ZERO));
    assertEquals(Kind.UNREACHABLE, dialFails("/dns4/nowhere/tcp/1", Duration.ZERO));
    assertEquals(Kind.UNSUPPORTED_ADDRESS, dialFails("/ip4/10.0.0.2/tcp/1/ws", Duration.ZERO));
    Outcome<ConnectionInfo> wrong = new Outcome<>();
    a.dial(far.address(4001), a.peerId(), wrong);
    Outcome<ConnectionInfo> named = new Outcome<>();
    a.dial(at("/dns4/far/tcp/4001"), null, named);
    system.advance(Duration.ofSeconds(1));
    assertEquals(Kind.WRONG_PEER, wrong.failure());
    assertEquals(b.peerId(), named.value().peer());
    assertEquals(at("/dns4/far/tcp/4001"), named.value().remoteAddress());
    assertEquals(at("/ip4/10.0.0.2/tcp/4001"), named.value().reached());
    ConnectionInfo accepted = b.connections().get(0);
    assertEquals(accepted.remoteAddress(), accepted.reached());
    assertEquals(1, b.connections().size());
  }

  @Test
  void aCancelledDialLeavesNothingBehind() {
    listen(b, "/ip4/10.0.0.2/tcp/4001");
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    Cancellable dial = a.dial(far.address(4001), b.peerId(), outcome);
    system.advance(Duration.ofMillis(15));
    dial.cancel();
    dial.cancel();
    system.advance(Duration.ofSeconds(20));
    assertEquals(Kind.CANCELLED, outcome.failure());
    assertEquals(List.of(), a.connections());
    assertEquals(List.of(), b.connections());
    assertEquals(1, farEvents.size());
  }

  @Test
  void streamsAgreeOnTheFirstCommonProtocol() {
    List<Stream> accepted = new ArrayList<>();
    b.handle(CHAT, accepted::add);
    ConnectionInfo info = connect();
    Outcome<Stream> outcome = new Outcome<>();
    a.openStream(b.peerId(), List.of(ECHO, CHAT), outcome);
    Outcome<Stream> refused = new Outcome<>();
    a.openStream(b.peerId(), List.of(ECHO), refused);
    Outcome<Stream> stranger = new Outcome<>();
    a.openStream(a.peerId(), List.of(ECHO), stranger);
    system.advance(Duration.ofMillis(200));
    assertEquals(CHAT, outcome.value().protocol());
    assertEquals(CHAT, accepted.get(0).protocol());
    assertEquals(Kind.PROTOCOL_NOT_SUPPORTED, refused.failure());
    assertEquals(Kind.NOT_CONNECTED, stranger.failure());
    assertEquals(1, a.openStreams(info.id()));
  }

  /** A stream from a to b, with both ends. */
  private Stream[] stream() {
    List<Stream> accepted = new ArrayList<>();
    b.handle(CHAT, accepted::add);
    connect();
    Outcome<Stream> outcome = new Outcome<>();
    a.openStream(b.peerId(), List.of(CHAT), outcome);
    system.advance(Duration.ofMillis(200));
    return new Stream[] {outcome.value(), accepted.get(0)};
  }

  @Test
  void deliversNoMoreThanRequestedAndTakesNoMoreThanTheWindow() {
    Stream[] ends = stream();
    Heard here = Heard.of(ends[0]);
    Heard there = Heard.of(ends[1]);
    byte[] data = new byte[4 * 1024 * 1024];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) i;
    }
    ByteBuffer source = ByteBuffer.wrap(data);
    int taken = ends[0].write(source);
    assertEquals(taken, source.position());
    assertTrue(taken > 0 && source.hasRemaining());
    here.onWritable = () -> ends[0].write(source);
    system.advance(Duration.ofSeconds(1));
    assertEquals(0, there.bytes.size());
    ends[1].request(250);
    system.advance(Duration.ofSeconds(1));
    assertEquals(250, there.bytes.size());
    assertEquals(List.of(), here.events);
    ends[1].request(Long.MAX_VALUE);
    system.advance(Duration.ofMinutes(1));
    assertArrayEquals(data, there.bytes.toByteArray());
    assertTrue(here.events.contains("writable"));
  }

  @Test
  void halfCloseLetsTheOtherDirectionGoOn() {
    Stream[] ends = stream();
    Heard here = Heard.of(ends[0]);
    Heard there = Heard.of(ends[1]);
    ends[0].write(ByteBuffer.wrap("question".getBytes(StandardCharsets.UTF_8)));
    ends[0].closeWrite();
    system.advance(Duration.ofMillis(100));
    assertEquals(List.of(), there.events, "the end comes after the data");
    ends[1].request(100);
    ends[0].request(100);
    system.advance(Duration.ofMillis(100));
    assertEquals("question", there.bytes.toString(StandardCharsets.UTF_8));
    assertEquals(List.of("remote closed"), there.events);
    ends[1].write(ByteBuffer.wrap("answer".getBytes(StandardCharsets.UTF_8)));
    ends[1].closeWrite();
    system.advance(Duration.ofMillis(100));
    assertEquals("answer", here.bytes.toString(StandardCharsets.UTF_8));
    assertEquals(List.of("remote closed", "closed in order"), here.events);
    assertEquals(List.of("remote closed", "closed in order"), there.events);
    assertEquals(0, a.openStreams(ends[0].connection().id()));
    assertEquals(0, b.openStreams(ends[1].connection().id()));
  }

  @Test
  void aResetEndsBothEnds() {
    Stream[] ends = stream();
    Heard here = Heard.of(ends[0]);
    ends[1].reset(1, "no more");
    system.advance(Duration.ofMillis(100));
    Heard there = Heard.of(ends[1]);
    system.advance(Duration.ofMillis(100));
    assertEquals(List.of("closed STREAM_RESET"), here.events);
    assertEquals(List.of("closed STREAM_RESET"), there.events);
    assertEquals(0, ends[0].write(ByteBuffer.allocate(1)));
  }

  @Test
  void disconnectingEndsStreamsFirst() {
    Stream[] ends = stream();
    Heard there = Heard.of(ends[1]);
    a.disconnect(ends[0].connection().id(), "enough");
    system.advance(Duration.ofMillis(100));
    assertEquals(List.of(), a.connections());
    assertEquals(List.of("closed CONNECTION_LOST"), there.events);
    assertEquals(List.of(), b.connections());
    HostEvent.Disconnected gone =
        assertInstanceOf(HostEvent.Disconnected.class, farEvents.get(farEvents.size() - 1));
    assertEquals(Kind.CONNECTION_LOST, gone.reason().kind());
  }

  @Test
  void closingFailsWhatIsOpenAndFreesThePort() {
    connect();
    Outcome<ConnectionInfo> dial = new Outcome<>();
    a.dial(at("/ip4/10.9.9.9/tcp/1"), null, dial);
    boolean[] done = {false};
    a.close(() -> done[0] = true);
    system.advance(Duration.ofMillis(100));
    assertTrue(done[0]);
    assertEquals(Kind.CLOSED, dial.failure());
    assertEquals(List.of(), b.connections());
    Multiaddr bound = b.listenAddresses().get(0);
    b.close(() -> {});
    system.runUntilIdle();
    Host again = host(far, new ArrayList<>());
    assertEquals(List.of(bound), listen(again, bound.toString()));
  }

  @Test
  void aShortPartitionDelaysAndALongOneEndsTheConnection() {
    Stream[] ends = stream();
    Heard there = Heard.of(ends[1]);
    ends[1].request(100);
    network.partition(List.of(near), List.of(far));
    ends[0].write(ByteBuffer.allocate(7));
    system.advance(Duration.ofSeconds(5));
    assertEquals(0, there.bytes.size());
    network.repair();
    system.advance(Duration.ofSeconds(5));
    assertEquals(7, there.bytes.size());
    assertEquals(1, a.connections().size());
    network.isolate(near);
    system.advance(Duration.ofMinutes(2));
    assertEquals(List.of(), a.connections());
    assertEquals(List.of(), b.connections());
    assertEquals(List.of("closed TIMED_OUT"), there.events);
    Outcome<ConnectionInfo> dial = new Outcome<>();
    a.dial(b.listenAddresses().get(0), null, dial);
    system.advance(Duration.ofSeconds(10));
    assertEquals(Kind.TIMED_OUT, dial.failure());
  }

  @Test
  void aCrashedMachineFallsSilent() {
    Stream[] ends = stream();
    Heard here = Heard.of(ends[0]);
    Multiaddr address = b.listenAddresses().get(0);
    int heardThere = farEvents.size();
    network.crash(far);
    system.advance(Duration.ofMillis(500));
    assertEquals(1, a.connections().size());
    system.advance(Duration.ofMinutes(2));
    assertEquals(List.of(), a.connections());
    assertEquals(List.of("closed TIMED_OUT"), here.events);
    assertEquals(heardThere, farEvents.size());
    network.restart(far);
    Host again = host(far, new ArrayList<>());
    assertEquals(List.of(address), listen(again, address.toString()));
    Outcome<ConnectionInfo> dial = new Outcome<>();
    a.dial(address, again.peerId(), dial);
    system.advance(Duration.ofSeconds(1));
    assertEquals(again.peerId(), dial.value().peer());
  }
}
