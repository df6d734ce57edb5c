package dev.troupe.protocol.kademlia;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
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
import java.io.IOException;
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
 * nineteen. Of lists longer than the limits below the first entries are read and the others
 * skipped.
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
   * The largest response that is accepted, in bytes, but for those that name providers: {@link
   * #MAX_CLOSER_PEERS} peers with a dozen addresses each.
   */
  public static final int MAX_RESPONSE_SIZE = 256 * 1024;

  /**
   * The largest response to {@link Type#GET_PROVIDERS} that is accepted, in bytes: go-libp2p names
   * every provider that it knows, as far as its own largest message goes.
   */
  public static final int MAX_PROVIDERS_RESPONSE_SIZE = 4 * 1024 * 1024;

  /**
   * How many closer peers are read, the first ones; the rest is skipped. A foreign bootstrap node
   * may name the 200 of its bucket.
   */
  public static final int MAX_CLOSER_PEERS = 256;

  /** How many providers are read, the first ones; the rest is skipped. */
  public static final int MAX_PROVIDERS = 512;

  /** The largest entry of such a list that is read, in bytes; a larger one is left out. */
  static final int MAX_PEER_SIZE = 64 * 1024;

  /**
   * How many bytes the peers take that one answer of ours names, see {@link #withinBudget}. What it
   * says beside them is bounded by itself: the key by {@link #MAX_KEY_SIZE}, and a record by that
   * and {@link ValueRecord#MAX_VALUE_SIZE}.
   */
  public static final int ANSWER_BUDGET = 32 * 1024;

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

  /**
   * This message with as many of its peers as {@link #ANSWER_BUDGET} has room for, the first ones.
   * Where it names providers, closer peers have half of the budget, and providers what is left.
   */
  public KademliaMessage withinBudget() {
    int forCloser = providers.isEmpty() ? ANSWER_BUDGET : ANSWER_BUDGET / 2;
    List<PeerInfo> closer = firstWithin(forCloser, closerPeers);
    int left = ANSWER_BUDGET - closer.stream().mapToInt(KademliaMessage::sizeOf).sum();
    return new KademliaMessage(type, key, record, closer, firstWithin(left, providers));
  }

  private static List<PeerInfo> firstWithin(int budget, List<PeerInfo> peers) {
    int size = 0;
    for (int i = 0; i < peers.size(); i++) {
      size += sizeOf(peers.get(i));
      if (size > budget) {
        return peers.subList(0, i);
      }
    }
    return peers;
  }

  private static int sizeOf(PeerInfo peer) {
    return CodedOutputStream.computeMessageSize(DhtMessage.CLOSERPEERS_FIELD_NUMBER, encode(peer));
  }

  /** The largest response to a request of this type that is accepted, in bytes. */
  public static int maxResponseSize(Type type) {
    return type == Type.GET_PROVIDERS ? MAX_PROVIDERS_RESPONSE_SIZE : MAX_RESPONSE_SIZE;
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
    if (encoded.size() > MAX_PROVIDERS_RESPONSE_SIZE) {
      throw new MalformedException("a DHT message of " + encoded.size() + " bytes is too large");
    }
    int type = 0;
    Bytes key = Bytes.EMPTY;
    ValueRecord record = null;
    List<PeerInfo> closer = new ArrayList<>();
    List<PeerInfo> providers = new ArrayList<>();
    int closerSeen = 0;
    int providersSeen = 0;
    try {
      // Field by field, and not as one message: four megabytes of empty entries would become a
      // hundred megabytes of objects before they could be counted.
      // And from a stream: of a buffer that is read-only, all four would be copied first.
      int window = Math.max(1, Math.min(encoded.size(), DECODING_WINDOW));
      CodedInputStream input = CodedInputStream.newInstance(encoded.asInputStream(), window);
      for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
        switch (tag) {
          case TYPE -> type = input.readEnum();
          case KEY -> key = own(input.readBytes());
          case RECORD -> record = record(DhtRecord.parseFrom(input.readBytes()));
          case CLOSER_PEER -> {
            if (++closerSeen <= MAX_CLOSER_PEERS) {
              decodePeer(input.readBytes(), closer);
            } else {
              input.skipField(tag);
            }
          }
          case PROVIDER -> {
            if (++providersSeen <= MAX_PROVIDERS) {
              decodePeer(input.readBytes(), providers);
            } else {
              input.skipField(tag);
            }
          }
          default -> {
            if (!input.skipField(tag)) {
              throw new MalformedException("not a DHT message: a group ends that never began");
            }
          }
        }
      }
    } catch (IOException e) {
      throw new MalformedException("not a DHT message: " + e.getMessage());
    }
    if (type < 0 || type >= TYPES.length) {
      throw new MalformedException("a DHT message of the unknown type " + type);
    }
    limit("key", key.size());
    return new KademliaMessage(TYPES[type], key, record, closer, providers);
  }

  /** So many bytes of a message are read at a time, except for longer fields. */
  private static final int DECODING_WINDOW = 4096;

  // The fields of a message that are read, with the kinds of their encoding.
  private static final int TYPE = DhtMessage.TYPE_FIELD_NUMBER << 3;
  private static final int KEY = DhtMessage.KEY_FIELD_NUMBER << 3 | 2;
  private static final int RECORD = DhtMessage.RECORD_FIELD_NUMBER << 3 | 2;
  private static final int CLOSER_PEER = DhtMessage.CLOSERPEERS_FIELD_NUMBER << 3 | 2;
  private static final int PROVIDER = DhtMessage.PROVIDERPEERS_FIELD_NUMBER << 3 | 2;
  private static final Type[] TYPES = Type.values();
  private static final Connectedness[] CONNECTEDNESS = Connectedness.values();

  private static DhtMessage.Peer encode(PeerInfo info) {
    DhtMessage.Peer.Builder peer =
        DhtMessage.Peer.newBuilder()
            .setId(foreign(info.peer().bytes()))
            .setConnectionValue(info.connection().ordinal());
    PeerInfo.firstOf(info.addresses())
        .forEach(address -> peer.addAddrs(foreign(address.encoded())));
    return peer.build();
  }

  private static ValueRecord record(DhtRecord found) throws MalformedException {
    limit("key of the record", found.getKey().size());
    return new ValueRecord(own(found.getKey()), own(found.getValue()), found.getTimeReceived());
  }

  private static void decodePeer(ByteString encoded, List<PeerInfo> readable)
      throws InvalidProtocolBufferException {
    if (encoded.size() > MAX_PEER_SIZE) {
      return;
    }
    DhtMessage.Peer peer = DhtMessage.Peer.parseFrom(encoded);
    try {
      PeerId id = PeerId.decode(peer.getId().toByteArray());
      readable.add(new PeerInfo(id, addresses(id, peer), connectedness(peer)));
    } catch (MalformedException unreadable) {
      return; // A peer id of a kind that we do not know; see the Javadoc of this record.
    }
  }

  private static List<Multiaddr> addresses(PeerId id, DhtMessage.Peer peer) {
    List<Multiaddr> readable = new ArrayList<>();
    for (ByteString encoded : peer.getAddrsList()) {
      if (readable.size() == PeerInfo.MAX_ADDRESSES) {
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
    return PeerInfo.firstOf(readable);
  }

  private static Connectedness connectedness(DhtMessage.Peer peer) {
    int number = peer.getConnectionValue();
    return number < 0 || number >= CONNECTEDNESS.length
        ? Connectedness.NOT_CONNECTED
        : CONNECTEDNESS[number];
  }

  private static void limit(String what, int size) throws MalformedException {
    if (size > MAX_KEY_SIZE) {
      throw new MalformedException(
          "the " + what + " of a DHT message has " + size + " bytes, more than " + MAX_KEY_SIZE);
    }
  }

  private static ByteString foreign(Bytes bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes.asReadOnlyBuffer());
  }

  private static Bytes own(ByteString bytes) {
    return Bytes.wrap(bytes.toByteArray());
  }
}
