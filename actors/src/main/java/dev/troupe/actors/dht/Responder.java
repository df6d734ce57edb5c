package dev.troupe.actors.dht;

import dev.troupe.actors.host.Host;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.PeerInfo.Connectedness;
import dev.troupe.protocol.kademlia.ProviderStore;
import dev.troupe.protocol.kademlia.RoutingTable;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.kademlia.ValueStore;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Answers other peers' requests from the routing table and the stores (kad-dht specification, "RPC
 * messages"). Pure: what it stores, it stores in memory that belongs to the {@link Dht}.
 */
final class Responder {

  /** How many providers one answer names. */
  static final int MAX_PROVIDERS_NAMED = 64;

  private final Host host;
  private final RoutingTable table;
  private final ValueStore values;
  private final ProviderStore providers;
  private final Map<PeerId, List<Multiaddr>> connected;
  private final int replication;
  private final RandomGenerator random;

  /** What comes of a request. */
  sealed interface Response {

    /** Send this. */
    record Answer(KademliaMessage message) implements Response {}

    /** The request is fulfilled, and needs no answer. */
    record Silence() implements Response {}

    /** The request is against the rules: reset the stream. */
    record Refusal(String reason) implements Response {}
  }

  /**
   * Answers from these.
   *
   * @param host asked for our own id and addresses only
   * @param connected the connected peers that have said where they listen, whether they serve the
   *     DHT or not
   * @param replication how many closer peers one answer names
   * @param random chooses among the providers of a key that has more than one answer names
   */
  Responder(
      Host host,
      RoutingTable table,
      ValueStore values,
      ProviderStore providers,
      Map<PeerId, List<Multiaddr>> connected,
      int replication,
      RandomGenerator random) {
    this.host = host;
    this.table = table;
    this.values = values;
    this.providers = providers;
    this.connected = connected;
    this.replication = replication;
    this.random = random;
  }

  /**
   * Answers one request. An answer has as many peers as {@link KademliaMessage#ANSWER_BUDGET} has
   * room for.
   *
   * @param sender who asks, as proven by its connection
   * @param now monotonic, in nanoseconds
   * @param wallClock what to write into stored records
   */
  Response respond(PeerId sender, KademliaMessage request, long now, Instant wallClock) {
    Response response = decide(sender, request, now, wallClock);
    return response instanceof Response.Answer answer
        ? new Response.Answer(answer.message().withinBudget())
        : response;
  }

  private Response decide(PeerId sender, KademliaMessage request, long now, Instant wallClock) {
    if (request.key().isEmpty() && request.type() != KademliaMessage.Type.PING) {
      return new Response.Refusal(request.type() + " without a key");
    }
    return switch (request.type()) {
      case FIND_NODE -> findNode(sender, request);
      case GET_VALUE -> getValue(sender, request, now);
      case PUT_VALUE -> putValue(sender, request, now, wallClock);
      case GET_PROVIDERS -> getProviders(sender, request, now);
      case ADD_PROVIDER -> addProvider(sender, request, now);
      case PING -> new Response.Answer(request.answer(null, List.of(), List.of()));
    };
  }

  private Response findNode(PeerId sender, KademliaMessage request) {
    List<PeerInfo> closer = new ArrayList<>(closer(sender, request.key()));
    // A peer that does not serve is in nobody's table; whoever is connected to it can still say
    // where it is.
    PeerId asked = peerNamed(request.key());
    List<Multiaddr> addresses = asked == null ? null : connected.get(asked);
    if (asked != null
        && addresses != null
        && !asked.equals(sender)
        && closer.stream().noneMatch(info -> info.peer().equals(asked))) {
      closer.add(0, new PeerInfo(asked, addresses, Connectedness.CONNECTED));
    }
    if (host.peerId().bytes().equals(request.key())) {
      closer.add(0, new PeerInfo(host.peerId(), host.listenAddresses()));
    }
    return new Response.Answer(request.answer(null, closer, List.of()));
  }

  private static @Nullable PeerId peerNamed(Bytes key) {
    try {
      return PeerId.decode(key.toArray());
    } catch (MalformedException e) {
      return null; // A walk may go to any place in the keyspace.
    }
  }

  private Response getValue(PeerId sender, KademliaMessage request, long now) {
    ValueRecord record = values.get(request.key(), now).orElse(null);
    return new Response.Answer(request.answer(record, closer(sender, request.key()), List.of()));
  }

  private Response putValue(PeerId sender, KademliaMessage request, long now, Instant wallClock) {
    ValueRecord record = request.record();
    if (record == null || !record.key().equals(request.key())) {
      return new Response.Refusal("PUT_VALUE without a record of its key");
    }
    try {
      return switch (values.put(sender, record.receivedAt(wallClock), now)) {
        case STORED -> new Response.Answer(request.answer(record, List.of(), List.of()));
        case OUTDATED -> new Response.Refusal("a better value is stored");
        case FULL -> new Response.Refusal("there is no room for the value");
      };
    } catch (InvalidRecordException e) {
      return new Response.Refusal("PUT_VALUE of an invalid record: " + e.getMessage());
    }
  }

  private Response getProviders(PeerId sender, KademliaMessage request, long now) {
    try {
      Multihash key = Multihash.decode(request.key());
      return new Response.Answer(
          request.answer(
              null,
              closer(sender, request.key()),
              providers.providers(key, MAX_PROVIDERS_NAMED, random, now).stream()
                  .map(this::today)
                  .toList()));
    } catch (MalformedException e) {
      return new Response.Refusal("GET_PROVIDERS of what is no multihash: " + e.getMessage());
    }
  }

  /** We listen where we listen now, whatever we announced last. */
  private PeerInfo today(PeerInfo provider) {
    return provider.peer().equals(host.peerId())
        ? new PeerInfo(host.peerId(), PeerInfo.firstOf(host.listenAddresses()))
        : provider;
  }

  private Response addProvider(PeerId sender, KademliaMessage request, long now) {
    try {
      Multihash key = Multihash.decode(request.key());
      request.providers().stream()
          .filter(provider -> provider.peer().equals(sender)) // Nobody speaks for another.
          .findFirst()
          .ifPresent(provider -> providers.add(key, sender, provider.addresses(), now));
      return new Response.Silence();
    } catch (MalformedException e) {
      return new Response.Refusal("ADD_PROVIDER of what is no multihash: " + e.getMessage());
    }
  }

  private List<PeerInfo> closer(PeerId sender, Bytes key) {
    return table.nearest(Key.of(key), replication + 1).stream()
        .filter(info -> !info.peer().equals(sender))
        .limit(replication)
        .map(
            info ->
                connected.containsKey(info.peer())
                    ? new PeerInfo(info.peer(), info.addresses(), Connectedness.CONNECTED)
                    : info)
        .toList();
  }
}
