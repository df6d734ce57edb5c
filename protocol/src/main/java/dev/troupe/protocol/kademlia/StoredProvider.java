package dev.troupe.protocol.kademlia;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.proto.StoredProviderMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;

/**
 * A provider of a key as it is kept beyond the end of a peer.
 *
 * @param key what it provides
 * @param toldAt when it said so last; from then on it lives
 */
public record StoredProvider(
    Multihash key, PeerId provider, List<Multiaddr> addresses, Instant toldAt) {

  /** Copies the list. */
  public StoredProvider {
    addresses = List.copyOf(addresses);
  }

  /** Under what it is kept: its key is known by the distance from us only once it is in memory. */
  static Bytes placeOf(Distance distance, PeerId provider) {
    byte[] words =
        ByteBuffer.allocate(Key.BITS / 8)
            .putLong(distance.w0())
            .putLong(distance.w1())
            .putLong(distance.w2())
            .putLong(distance.w3())
            .array();
    return Bytes.wrap(words).concat(provider.bytes());
  }

  /** All of it. */
  public Bytes encode() {
    StoredProviderMessage.Builder kept =
        StoredProviderMessage.newBuilder()
            .setKey(ByteString.copyFrom(key.encoded().asReadOnlyBuffer()))
            .setProvider(ByteString.copyFrom(provider.bytes().asReadOnlyBuffer()))
            .setToldAt(toldAt.toEpochMilli());
    addresses.forEach(
        address -> kept.addAddrs(ByteString.copyFrom(address.encoded().asReadOnlyBuffer())));
    return Bytes.wrap(kept.build().toByteArray());
  }

  /**
   * Reads what was kept.
   *
   * @throws MalformedException if it is no such thing
   */
  public static StoredProvider decode(Bytes encoded) throws MalformedException {
    try {
      StoredProviderMessage kept = StoredProviderMessage.parseFrom(encoded.asReadOnlyBuffer());
      return new StoredProvider(
          Multihash.decode(Bytes.wrap(kept.getKey().toByteArray())),
          PeerId.decode(kept.getProvider().toByteArray()),
          StoredPeer.addresses(kept.getAddrsList()),
          Instant.ofEpochMilli(kept.getToldAt()));
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("not a stored provider: " + e.getMessage());
    }
  }
}
