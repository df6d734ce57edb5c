package dev.troupe.protocol.kademlia;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.PeerInfo.Connectedness;
import dev.troupe.protocol.kademlia.proto.DhtMessage;
import dev.troupe.protocol.kademlia.proto.DhtRecord;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One RPC message, request or response (specification, "RPC messages"). On a stream each is
 * preceded by its length as a varint.
 *
 * <p>One message type serves both directions, so a response is told from a request by who sent it
 * only. What a peer names but we cannot read (a peer id of an unknown kind, an address of an
 * unknown protocol) is left out of the decoded lists: one strange entry must not cost the other
 * nineteen. Lists longer than the limits below are malformed.
 *
 * @param type what is asked, or was
 * @param key what it is asked about: peer id bytes, multihash bytes or the key of a record; may be
 *     empty in responses
 * @param record the value stored or to store, if any
 * @param closerPeers peers closer to the key than the one who answers
 * @param providers peers that provide what the key names
 */
public record KademliaMessage(
    Type type,
    Bytes key,
    @Nullable ValueRecord record,
    List<PeerInfo> closerPeers,
    List<PeerInfo> providers) {

  /** What is asked. The order is that of the numbers on the wire, 0 to 5. */
  public enum Type {
    /** Store {@code record}; the answer echoes it. */
    PUT_VALUE,
    /** Which value is stored under {@code key}, and who is closer to it? */
    GET_VALUE,
    /** The sender provides {@code key}; there is no answer. */
    ADD_PROVIDER,
    /** Who provides {@code key}, and who is closer to it? */
    GET_PROVIDERS,
    /** Who is closest to the peer id {@code key}? */
    FIND_NODE,
    /** Are you there? Never sent by us; answered for old peers' sake. */
    PING
  }

  /** The largest request that is accepted, in bytes: a value and its key. */
  public static final int MAX_REQUEST_SIZE = 64 * 1024;

  /**
   * The largest response that is accepted, in bytes: {@link #MAX_CLOSER_PEERS} peers with a dozen
   * addresses each.
   */
  public static final int MAX_RESPONSE_SIZE = 256 * 1024;

  /**
   * The longest list of closer peers that is accepted: a foreign bootstrap node may name the 200 of
   * its bucket.
   */
  public static final int MAX_CLOSER_PEERS = 256;

  /** The longest list of providers that is accepted. */
  public static final int MAX_PROVIDERS = 512;

  /** How many addresses of one peer are kept, the first ones; the rest is ignored. */
  public static final int MAX_ADDRESSES = 32;

  /** The longest key that is accepted, in bytes. */
  public static final int MAX_KEY_SIZE = 1024;

  /** Copies the lists. */
  public KademliaMessage {
    closerPeers = List.copyOf(closerPeers);
    providers = List.copyOf(providers);
  }

  /** Asks who is closest to a peer id. */
  public static KademliaMessage findNode(Bytes peerId) {
    return new KademliaMessage(Type.FIND_NODE, peerId, null, List.of(), List.of());
  }

  /** Asks for the value of a key. */
  public static KademliaMessage getValue(Bytes key) {
    return new KademliaMessage(Type.GET_VALUE, key, null, List.of(), List.of());
  }

  /** Asks to store a value. */
  public static KademliaMessage putValue(ValueRecord record) {
    return new KademliaMessage(Type.PUT_VALUE, record.key(), record, List.of(), List.of());
  }

  /** Asks who provides a key. */
  public static KademliaMessage getProviders(Multihash key) {
    return new KademliaMessage(Type.GET_PROVIDERS, key.encoded(), null, List.of(), List.of());
  }

  /** Says that the sender provides a key. */
  public static KademliaMessage addProvider(Multihash key, PeerInfo sender) {
    return new KademliaMessage(Type.ADD_PROVIDER, key.encoded(), null, List.of(), List.of(sender));
  }

  /** The answer to this request that names these peers and this value. */
  public KademliaMessage answer(
      @Nullable ValueRecord value, List<PeerInfo> closer, List<PeerInfo> providing) {
    return new KademliaMessage(type, key, value, closer, providing);
  }

  /** The protobuf bytes, without a length. */
  public Bytes encode() {
    DhtMessage.Builder message =
        DhtMessage.newBuilder().setTypeValue(type.ordinal()).setKey(foreign(key));
    if (record != null) {
      message.setRecord(
          DhtRecord.newBuilder()
              .setKey(foreign(record.key()))
              .setValue(foreign(record.value()))
              .setTimeReceived(record.timeReceived()));
    }
    closerPeers.forEach(peer -> message.addCloserPeers(encode(peer)));
    providers.forEach(peer -> message.addProviderPeers(encode(peer)));
    return Bytes.wrap(message.build().toByteArray());
  }

  /**
   * Reads the protobuf bytes of one message.
   *
   * @throws MalformedException if they are no such message, its type is unknown, or one of its
   *     parts exceeds the limits above
   */
  public static KademliaMessage decode(Bytes encoded) throws MalformedException {
    if (encoded.size() > MAX_RESPONSE_SIZE) {
      throw new MalformedException("a DHT message of " + encoded.size() + " bytes is too large");
    }
    DhtMessage message;
    try {
      message = DhtMessage.parseFrom(encoded.asReadOnlyBuffer());
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("not a DHT message: " + e.getMessage());
    }
    int type = message.getTypeValue();
    if (type < 0 || type >= TYPES.length) {
      throw new MalformedException("a DHT message of the unknown type " + type);
    }
    limit("key", message.getKey().size(), MAX_KEY_SIZE);
    limit("list of closer peers", message.getCloserPeersCount(), MAX_CLOSER_PEERS);
    limit("list of providers", message.getProviderPeersCount(), MAX_PROVIDERS);
    ValueRecord record = null;
    if (message.hasRecord()) {
      DhtRecord found = message.getRecord();
      limit("key of the record", found.getKey().size(), MAX_KEY_SIZE);
      record = new ValueRecord(own(found.getKey()), own(found.getValue()), found.getTimeReceived());
    }
    return new KademliaMessage(
        TYPES[type],
        own(message.getKey()),
        record,
        decode(message.getCloserPeersList()),
        decode(message.getProviderPeersList()));
  }

  private static final Type[] TYPES = Type.values();
  private static final Connectedness[] CONNECTEDNESS = Connectedness.values();

  private static DhtMessage.Peer encode(PeerInfo info) {
    DhtMessage.Peer.Builder peer =
        DhtMessage.Peer.newBuilder()
            .setId(foreign(info.peer().bytes()))
            .setConnectionValue(info.connection().ordinal());
    info.addresses().stream()
        .limit(MAX_ADDRESSES)
        .forEach(address -> peer.addAddrs(foreign(address.encoded())));
    return peer.build();
  }

  private static List<PeerInfo> decode(List<DhtMessage.Peer> peers) {
    List<PeerInfo> readable = new ArrayList<>(peers.size());
    for (DhtMessage.Peer peer : peers) {
      try {
        PeerId id = PeerId.decode(peer.getId().toByteArray());
        readable.add(new PeerInfo(id, addresses(id, peer), connectedness(peer)));
      } catch (MalformedException unreadable) {
        continue; // A peer id of a kind that we do not know; see the Javadoc of this record.
      }
    }
    return readable;
  }

  private static List<Multiaddr> addresses(PeerId id, DhtMessage.Peer peer) {
    List<Multiaddr> readable = new ArrayList<>();
    for (ByteString encoded : peer.getAddrsList()) {
      if (readable.size() == MAX_ADDRESSES) {
        break;
      }
      try {
        Multiaddr address = Multiaddr.decode(own(encoded));
        if (id.equals(address.peerId())) {
          address = address.withoutPeer();
        }
        readable.add(address);
      } catch (MalformedException unreadable) {
        continue; // An address of a protocol that we do not know; see the Javadoc of this record.
      }
    }
    return readable;
  }

  private static Connectedness connectedness(DhtMessage.Peer peer) {
    int number = peer.getConnectionValue();
    return number < 0 || number >= CONNECTEDNESS.length
        ? Connectedness.NOT_CONNECTED
        : CONNECTEDNESS[number];
  }

  private static void limit(String what, int size, int max) throws MalformedException {
    if (size > max) {
      throw new MalformedException(
          "the " + what + " of a DHT message has " + size + " entries or bytes, more than " + max);
    }
  }

  private static ByteString foreign(Bytes bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes.asReadOnlyBuffer());
  }

  private static Bytes own(ByteString bytes) {
    return Bytes.wrap(bytes.toByteArray());
  }
}
