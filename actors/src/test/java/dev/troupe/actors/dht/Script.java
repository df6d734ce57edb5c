package dev.troupe.actors.dht;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A remote peer as a test wants it to be: how long it takes, what it answers, and what it has been
 * asked.
 */
final class Script {

  static final Duration LATENCY = Duration.ofMillis(10);

  final PeerId peer;
  final Multiaddr address;
  final List<KademliaMessage> requests = new ArrayList<>();

  /** The same, by stream. */
  final List<List<KademliaMessage>> streams = new ArrayList<>();

  /** Where its connections are: of a name, what it stands for. */
  Multiaddr reached;

  /** Where it says that it listens. */
  List<Multiaddr> listens;

  /** Whether it can be dialled; a dial fails after {@link #dialTime}. */
  boolean reachable = true;

  /** Whether identify says that it serves the DHT. */
  boolean server = true;

  /** Whether it never answers a request. */
  boolean silent;

  /** Whether it never answers a request to store a value. */
  boolean ignoresPuts;

  /** Whether it leaves its streams open when it has answered and we have closed. */
  boolean lingers;

  /** Whether a stream can be opened; if not, that fails after {@link #openingTime}. */
  boolean opens = true;

  /** From how many connections it goes away again before a stream is open on them. */
  int drops;

  /** How long it takes to open a stream. */
  Duration openingTime = LATENCY;

  /** How long a dial takes, either way. */
  Duration dialTime = LATENCY;

  /** How long it takes over the first request on a stream. */
  Duration latency = LATENCY;

  /** How long it takes over each further request on a stream. */
  Duration takes = Duration.ZERO;

  /** How long it takes over each byte of its answers. */
  Duration trickle = Duration.ZERO;

  /** What it answers; null to reset the stream. */
  Function<KademliaMessage, @Nullable KademliaMessage> answer = request -> naming().apply(request);

  private Script(long number, Multiaddr address) {
    this.peer = peer(number);
    this.address = address;
    this.reached = address;
    this.listens = List.of(address);
  }

  static Script peerNumber(long number) {
    return new Script(number, address(number));
  }

  /** The same, elsewhere on the network. */
  static Script peerNumber(long number, String address) {
    return new Script(number, parse(address));
  }

  /** A script that stores whatever it is given, and names these peers. */
  static Function<KademliaMessage, KademliaMessage> naming(Script... closer) {
    List<PeerInfo> named = Arrays.stream(closer).map(Script::info).toList();
    return request ->
        request.type() == KademliaMessage.Type.PUT_VALUE
            ? request
            : request.answer(null, named, List.of());
  }

  PeerInfo info() {
    return new PeerInfo(peer, List.of(address));
  }

  Multiaddr bootstrapAddress() {
    return address.withPeer(peer);
  }

  List<KademliaMessage.Type> requestTypes() {
    return requests.stream().map(KademliaMessage::type).toList();
  }

  static PeerId peer(long number) {
    byte[] multihash = new byte[34];
    multihash[0] = 0x12;
    multihash[1] = 0x20;
    ByteBuffer.wrap(multihash).putLong(26, number);
    try {
      return PeerId.decode(multihash);
    } catch (MalformedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static Multiaddr address(long number) {
    return parse("/ip4/10.0." + number / 250 + "." + (1 + number % 250) + "/tcp/4001");
  }

  static Multiaddr parse(String address) {
    try {
      return Multiaddr.parse(address);
    } catch (MalformedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static Multihash hash(String text) {
    return Multihash.sha256(new PortableCrypto(), Bytes.utf8(text));
  }
}
