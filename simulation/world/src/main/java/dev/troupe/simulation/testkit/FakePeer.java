package dev.troupe.simulation.testkit;

import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A remote peer that does what scripts say: it has an identity and an address of its own and speaks
 * what it was told to, honestly, wrongly, slowly or not at all. Below its streams all is in order:
 * it connects, identifies itself, and refuses what it does not speak. It answers no ping unless it
 * is told to. A crash of its machine ends it for good; start another when the power is back.
 *
 * <pre>{@code
 * FakePeer fake = sim.machine("fake").startFake();
 * fake.on(PROTOCOL, Script.after(Duration.ofSeconds(5), Script.answering(question -> answer)));
 * ...
 * assertEquals(question, fake.streams(PROTOCOL).get(0).frames().get(0));
 * }</pre>
 */
public final class FakePeer {

  /** What a call of the host came to. */
  private static final class Outcome<T> implements Completion<T> {
    private @Nullable T value;
    private @Nullable HostFailure failure;

    @Override
    public void succeeded(T outcome) {
      value = outcome;
    }

    @Override
    public void failed(HostFailure why) {
      failure = why;
    }

    Optional<T> get(String what) {
      HostFailure why = failure;
      if (why != null) {
        throw new AssertionError(what + ": " + why.kind() + ", " + why.message());
      }
      return Optional.ofNullable(value);
    }
  }

  private final Machine machine;
  private final Simulation simulation;
  private final Host host;
  private final List<HostEvent> events = new ArrayList<>();
  private final List<FakeStream> streams = new ArrayList<>();

  FakePeer(Machine machine) {
    this.machine = machine;
    this.simulation = machine.simulation();
    this.host = machine.world().createHost(machine.identity(), HostSettings.DEFAULT);
    host.start(events::add);
    Outcome<List<Multiaddr>> listening = new Outcome<>();
    host.listen(machine.simulated().address(Machine.PORT), listening);
    awaited("the fake on " + machine + " cannot listen", listening);
  }

  /** Who it is. */
  public PeerId id() {
    return machine.id();
  }

  /** Where it can be dialled, with its identity. */
  public Multiaddr address() {
    return machine.address();
  }

  /**
   * Takes streams of a protocol from now on and does with each what the script says. A script that
   * throws fails the run.
   */
  public FakePeer on(ProtocolId protocol, Script script) {
    host.unhandle(protocol);
    host.handle(protocol, stream -> play(stream, script));
    return this;
  }

  /** Takes no more streams of a protocol. */
  public void refuse(ProtocolId protocol) {
    host.unhandle(protocol);
  }

  private FakeStream play(Stream stream, Script script) {
    FakeStream played = new FakeStream(simulation, stream);
    streams.add(played);
    script.onStream(played);
    return played;
  }

  /** Connects to a peer, and lets time pass until it is. */
  public PeerId connect(Multiaddr address) {
    Outcome<ConnectionInfo> connected = new Outcome<>();
    host.dial(address.withoutPeer(), address.peerId(), connected);
    return awaited("the fake on " + machine + " cannot dial " + address, connected).peer();
  }

  /** Opens a stream to a connected peer, and lets time pass until it is open. */
  public FakeStream open(PeerId peer, ProtocolId protocol, Script script) {
    Outcome<Stream> opened = new Outcome<>();
    host.openStream(peer, List.of(protocol), opened);
    return play(awaited("the fake on " + machine + " cannot open " + protocol, opened), script);
  }

  /** Ends all connections to a peer, in order. */
  public void disconnect(PeerId peer) {
    host.connections().stream()
        .filter(connection -> connection.peer().equals(peer))
        .forEach(connection -> host.disconnect(connection.id(), "the script says so"));
  }

  /** Who is connected now, the oldest first; one that is connected twice is there twice. */
  public List<PeerId> connected() {
    return host.connections().stream().map(ConnectionInfo::peer).toList();
  }

  /** All its streams of a protocol that ever were, in the order of their opening. */
  public List<FakeStream> streams(ProtocolId protocol) {
    return streams.stream().filter(stream -> stream.protocol().equals(protocol)).toList();
  }

  /** All that happened to its connections. */
  public List<HostEvent> events() {
    return List.copyOf(events);
  }

  /** Ends all its connections and listens no more. */
  public void close() {
    host.close(() -> {});
  }

  private <T> T awaited(String what, Outcome<T> outcome) {
    return simulation.await(() -> outcome.get(what), Simulation.PATIENCE);
  }
}
