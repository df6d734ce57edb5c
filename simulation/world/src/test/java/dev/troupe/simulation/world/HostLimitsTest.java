package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.link.RawLink;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.identify.IdentifyMessage;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.Frames;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.world.Recorder.Heard;
import dev.troupe.simulation.world.Recorder.Outcome;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the built-in host bounds, over simulated links. */
class HostLimitsTest {

  private static final ProtocolId CHAT = ProtocolId.of("/chat/1");
  private static final Duration LINGER = HostSettings.DEFAULT.linger();

  private final SimulatedSystem system = SimulatedSystem.create(1, Order.RANDOM);
  private final SimulatedNetwork network =
      new SimulatedNetwork(
          system, NetworkSettings.DEFAULT.withLatency(Duration.ofMillis(10)).withFlow(65536, 4096));
  private final SimulatedWorld near = network.machine("near");
  private final SimulatedWorld far = network.machine("far");
  private final List<HostEvent> nearEvents = new ArrayList<>();
  private final List<HostEvent> farEvents = new ArrayList<>();
  private final Host a = host(near, nearEvents);
  private final Host b = host(far, farEvents);

  private static Host host(SimulatedWorld machine, List<HostEvent> events) {
    World world = machine.overLinks();
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

  private ConnectionInfo connect(String listen, String dial) {
    Outcome<List<Multiaddr>> listening = new Outcome<>();
    b.listen(at(listen), listening);
    system.runUntilIdle();
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    a.dial(at(dial), b.peerId(), outcome);
    system.advance(Duration.ofSeconds(1));
    return outcome.value();
  }

  // ---- streams whose own half is closed

  private final List<Stream> accepted = new ArrayList<>();

  /** The near end of a stream; the far end is the last that was accepted. */
  private Stream stream() {
    b.handle(CHAT, accepted::add);
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    Outcome<Stream> outcome = new Outcome<>();
    a.openStream(b.peerId(), List.of(CHAT), outcome);
    system.advance(Duration.ofMillis(200));
    return outcome.value();
  }

  @Test
  void whatTheRemoteDoesNotTakeIsNotKeptForEver() {
    Stream here = stream();
    Heard heard = Heard.of(here);
    Heard.of(accepted.get(0));
    here.request(1);
    here.write(ByteBuffer.allocate(1 << 20));
    here.closeWrite();
    system.advance(LINGER.minusMillis(1));
    assertEquals(List.of(), heard.events);
    // In the first period a window went out, in the second nothing.
    system.advance(LINGER.plusSeconds(1));
    assertEquals(List.of("closed STREAM_RESET"), heard.events);
    system.advance(Duration.ofSeconds(1));
    assertEquals(0, a.openStreams(here.connection().id()));
    assertEquals(0, b.openStreams(accepted.get(0).connection().id()));
    assertEquals(1, a.connections().size());
  }

  @Test
  void aSlowRemoteGetsAllThatWasSentBeforeTheEnd() {
    Stream here = stream();
    Heard heard = Heard.of(here);
    Stream there = accepted.get(0);
    Heard heardThere = Heard.of(there);
    here.request(1);
    int size = 1 << 20;
    assertEquals(size, here.write(ByteBuffer.allocate(size)));
    here.closeWrite();
    // Its window is topped up in halves: each period lets at least one of them go.
    for (int asked = 0; asked < size; asked += 160 * 1024) {
      there.request(160 * 1024);
      system.advance(LINGER);
    }
    assertEquals(size, heardThere.bytes.size());
    assertEquals(List.of("remote closed"), heardThere.events);
    assertEquals(List.of(), heard.events);
  }

  @Test
  void aLongAnswerToAnEndedQuestionGoesOnAsLongAsItIsAwaited() {
    Stream here = stream();
    Heard heard = Heard.of(here);
    Stream there = accepted.get(0);
    Heard.of(there);
    there.request(100);
    here.write(ByteBuffer.allocate(100));
    here.closeWrite();
    here.request(Long.MAX_VALUE);
    for (int i = 0; i < 20; i++) {
      system.advance(LINGER.multipliedBy(2));
      there.write(ByteBuffer.allocate(10));
    }
    there.closeWrite();
    system.advance(Duration.ofSeconds(1));
    assertEquals(200, heard.bytes.size());
    assertEquals(List.of("remote closed", "closed in order"), heard.events);
  }

  @Test
  void aHalfClosedStreamIsReadAsSlowlyAsItsReaderLikes() {
    Stream here = stream();
    Heard heard = Heard.of(here);
    Stream there = accepted.get(0);
    Heard heardThere = Heard.of(there);
    ByteBuffer answer = ByteBuffer.allocate(16 << 20);
    heardThere.onWritable = () -> there.write(answer);
    there.write(answer);
    here.closeWrite();
    int seconds = 600;
    for (int i = 0; i < seconds; i++) {
      // What has come is given at once: no demand is ever left over for the looks.
      here.request(16 << 10);
      system.advance(Duration.ofSeconds(1));
    }
    assertEquals(List.of(), heard.events);
    assertEquals(seconds * (16 << 10), heard.bytes.size());
  }

  @Test
  void aHalfClosedStreamThatNobodyReadsEnds() {
    Stream here = stream();
    Heard heard = Heard.of(here);
    Heard.of(accepted.get(0));
    here.closeWrite();
    system.advance(LINGER.multipliedBy(9));
    assertEquals(List.of(), heard.events);
    system.advance(LINGER.multipliedBy(2));
    assertEquals(List.of("closed STREAM_RESET"), heard.events);
    assertEquals(1, a.connections().size());
  }

  // ---- connections that are not yet secured

  private List<RawLink> strangers(SimulatedWorld machine, int count, Multiaddr address) {
    List<RawLink> made = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      new SimulatedLinks(network, machine)
          .dial(
              address,
              new Completion<>() {
                @Override
                public void succeeded(RawLink link) {
                  made.add(link);
                }

                @Override
                public void failed(HostFailure failure) {
                  throw new AssertionError(failure.toString());
                }
              });
    }
    system.advance(Duration.ofSeconds(1));
    return made;
  }

  private Outcome<ConnectionInfo> dial(Host from, Multiaddr address) {
    Outcome<ConnectionInfo> outcome = new Outcome<>();
    from.dial(address, b.peerId(), outcome);
    system.advance(Duration.ofSeconds(1));
    return outcome;
  }

  @Test
  void oneAddressTakesNoMoreThanItsShareOfTheUpgrades() {
    Outcome<List<Multiaddr>> listening = new Outcome<>();
    b.listen(at("/ip4/10.0.0.2/tcp/4001"), listening);
    system.runUntilIdle();
    Multiaddr address = listening.value().get(0);
    SimulatedWorld crowd = network.machine("crowd");
    int share = HostSettings.DEFAULT.maxUpgradingPerAddress();
    strangers(crowd, share - 1, address);
    Host late = host(crowd, new ArrayList<>());
    assertTrue(dial(late, address).told.get(0) instanceof ConnectionInfo, "the last place");
    strangers(crowd, 1, address);
    assertTrue(dial(late, address).told.get(0) instanceof HostFailure, "one too many");
    assertTrue(dial(a, address).told.get(0) instanceof ConnectionInfo, "others have theirs");
    // The strangers never say a word.
    system.advance(HostSettings.DEFAULT.dialTimeout().plusSeconds(1));
    assertTrue(dial(late, address).told.get(0) instanceof ConnectionInfo);
  }

  // ---- identify

  private static IdentifyMessage saying(List<ProtocolId> protocols) {
    return new IdentifyMessage(null, List.of(), protocols, null, "", "test", null);
  }

  private static void answer(Stream stream, IdentifyMessage message) {
    Heard.of(stream);
    stream.write(ByteBuffer.wrap(Frames.encode(message.encoded())));
    stream.closeWrite();
  }

  private boolean hasHeard(List<HostEvent> events, ProtocolId protocol) {
    return events.stream()
        .anyMatch(
            event ->
                event instanceof HostEvent.Identified identified
                    && identified.identification().supports(protocol));
  }

  @Test
  void theObservedAddressIsTheOneReachedNotTheNameDialled() {
    ConnectionInfo info = connect("/ip4/10.0.0.2/tcp/4001", "/dns4/far/tcp/4001");
    assertEquals(at("/dns4/far/tcp/4001"), info.remoteAddress());
    HostEvent.Identified there =
        (HostEvent.Identified)
            farEvents.stream().filter(HostEvent.Identified.class::isInstance).findFirst().get();
    assertEquals(at("/ip4/10.0.0.2/tcp/4001"), there.identification().observedAddress());
  }

  @Test
  void manyProtocolsComeInParts() {
    ProtocolId last = null;
    for (int i = 0; i < 300; i++) {
      last = ProtocolId.of("/" + "x".repeat(80) + "/" + i);
      b.handle(last, stream -> stream.reset(0, "unused"));
    }
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    assertTrue(hasHeard(nearEvents, last));
  }

  @Test
  void pushesAreTakenFiveAtOnceAndFiveAMinute() {
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    List<Boolean> taken = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      taken.add(isPushTaken());
    }
    assertEquals(List.of(true, true, true, true, true, false, false), taken);
    // The first that is there again is taken to ask for what the refused ones said.
    system.advance(Duration.ofSeconds(12));
    assertFalse(isPushTaken());
    // So is the second, for the push just refused.
    system.advance(Duration.ofSeconds(23));
    assertTrue(isPushTaken());
    assertFalse(isPushTaken());
    assertEquals(1, a.connections().size());
  }

  @Test
  void whatARefusedPushSaidIsAskedForOnceWhenThereIsAnAllowanceAgain() {
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    List<Stream> asked = new ArrayList<>();
    a.unhandle(IdentifyMessage.PROTOCOL);
    a.handle(
        IdentifyMessage.PROTOCOL,
        stream -> {
          asked.add(stream);
          answer(stream, saying(List.of(CHAT)));
        });
    system.advance(Duration.ofMinutes(2));
    for (int i = 0; i < 5; i++) {
      assertTrue(isPushTaken());
    }
    assertFalse(isPushTaken());
    assertFalse(isPushTaken());
    assertFalse(hasHeard(farEvents, CHAT));
    system.advance(Duration.ofSeconds(10));
    assertEquals(0, asked.size());
    system.advance(Duration.ofMinutes(2));
    assertEquals(1, asked.size());
    assertTrue(hasHeard(farEvents, CHAT));
  }

  @Test
  void whatALostPushWouldHaveSaidIsAskedFor() {
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    Outcome<Stream> opening = new Outcome<>();
    a.openStream(b.peerId(), List.of(IdentifyMessage.PUSH), opening);
    system.advance(Duration.ofMillis(100));
    long before = farEvents.stream().filter(HostEvent.Identified.class::isInstance).count();
    Heard.of(opening.value());
    opening.value().reset(0, "lost on the way");
    system.advance(Duration.ofMinutes(1));
    long after = farEvents.stream().filter(HostEvent.Identified.class::isInstance).count();
    assertEquals(before + 1, after);
  }

  private boolean isPushTaken() {
    Outcome<Stream> opening = new Outcome<>();
    a.openStream(b.peerId(), List.of(IdentifyMessage.PUSH), opening);
    system.advance(Duration.ofMillis(100));
    if (!(opening.told.get(0) instanceof Stream stream)) {
      return false;
    }
    Heard heard = Heard.of(stream);
    stream.request(1);
    stream.write(ByteBuffer.wrap(Frames.encode(saying(List.of(IdentifyMessage.PUSH)).encoded())));
    stream.closeWrite();
    system.advance(Duration.ofMillis(100));
    return !heard.events.contains("closed STREAM_RESET");
  }

  @Test
  void whoChangesOftenIsHeardAllTheSame() {
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    for (int i = 0; i < 20; i++) {
      a.handle(ProtocolId.of("/changing/" + i), stream -> stream.reset(0, "unused"));
      system.advance(Duration.ofSeconds(1));
    }
    system.advance(Duration.ofSeconds(15));
    assertTrue(hasHeard(farEvents, ProtocolId.of("/changing/19")));
    long pushed = farEvents.stream().filter(HostEvent.Identified.class::isInstance).count();
    assertTrue(pushed <= 1 + 6, pushed + " times");
  }

  @Test
  void whoIdentifiesLateIsToldWhatChangedMeanwhile() {
    List<Stream> asked = new ArrayList<>();
    b.unhandle(IdentifyMessage.PROTOCOL);
    b.handle(IdentifyMessage.PROTOCOL, asked::add);
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    a.handle(CHAT, accepted::add);
    system.advance(Duration.ofSeconds(1));
    assertFalse(hasHeard(farEvents, CHAT), "identified before the change");
    answer(asked.get(0), saying(List.of(IdentifyMessage.PUSH)));
    system.advance(Duration.ofSeconds(1));
    assertTrue(hasHeard(farEvents, CHAT));
  }

  @Test
  void identifyIsAskedForOnceMoreWhenItFailed() {
    List<Stream> asked = new ArrayList<>();
    b.unhandle(IdentifyMessage.PROTOCOL);
    b.handle(
        IdentifyMessage.PROTOCOL,
        stream -> {
          asked.add(stream);
          if (asked.size() == 1) {
            stream.reset(0, "not now");
          } else {
            answer(stream, saying(List.of(CHAT)));
          }
        });
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    assertEquals(1, asked.size());
    system.advance(Duration.ofSeconds(5));
    assertEquals(2, asked.size());
    assertTrue(hasHeard(nearEvents, CHAT));
  }

  @Test
  void identifyThatFailsTwiceIsNotAskedForAgain() {
    List<Stream> asked = new ArrayList<>();
    b.unhandle(IdentifyMessage.PROTOCOL);
    b.handle(
        IdentifyMessage.PROTOCOL,
        stream -> {
          asked.add(stream);
          stream.reset(0, "never");
        });
    connect("/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001");
    system.advance(Duration.ofMinutes(2));
    assertEquals(2, asked.size());
    assertEquals(1, a.connections().size());
  }
}
