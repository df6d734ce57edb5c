package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import java.nio.ByteBuffer;

/** Peers of a small keyspace: peer n lives at n, in the first byte of its key. */
final class Peers {

  private Peers() {}

  /** The peer that lives at this point, 0 to 255. */
  static PeerId at(int point) {
    return peer((long) point << 56);
  }

  /** A peer told by a number that need not be small. */
  static PeerId peer(long number) {
    byte[] multihash = new byte[34];
    multihash[0] = 0x12;
    multihash[1] = 0x20;
    ByteBuffer.wrap(multihash).putLong(2, number);
    try {
      return PeerId.decode(multihash);
    } catch (MalformedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** Where a peer of this keyspace lives: at the digest of its multihash, not hashed again. */
  static Key keyOf(PeerId peer) {
    return Key.ofDigest(peer.bytes().slice(2, 34).toArray());
  }

  static Key key(int point) {
    return keyOf(at(point));
  }

  static int pointOf(PeerId peer) {
    return (int) (keyOf(peer).w0() >>> 56);
  }
}
