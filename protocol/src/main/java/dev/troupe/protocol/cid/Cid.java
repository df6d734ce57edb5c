package dev.troupe.protocol.cid;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.multibase.Multibase;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.varint.Varint;
import java.nio.ByteBuffer;

/**
 * A content identifier.
 *
 * <p>Source: multiformats CID specification.
 *
 * @param version 0 or 1; version 0 is dag-pb under sha2-256 only
 * @param codec what the content is, from the multicodec table
 * @param multihash of the content
 */
public record Cid(int version, long codec, Multihash multihash) {

  /** Raw bytes. */
  public static final long RAW = 0x55;

  /** MerkleDAG protobuf. */
  public static final long DAG_PB = 0x70;

  /** A libp2p public key. */
  public static final long LIBP2P_KEY = 0x72;

  /**
   * Refuses what does not exist.
   *
   * @throws IllegalArgumentException if there is no such version or codec, or no such CID of
   *     version 0
   */
  public Cid {
    if (version != 0 && version != 1) {
      throw new IllegalArgumentException("no version " + version + " of CIDs");
    }
    if (codec < 0) {
      throw new IllegalArgumentException("a codec is unsigned, not " + codec);
    }
    if (version == 0 && (codec != DAG_PB || multihash.code() != Multihash.SHA2_256)) {
      throw new IllegalArgumentException("a CID of version 0 is dag-pb under sha2-256");
    }
  }

  /** Version 1. */
  public static Cid v1(long codec, Multihash multihash) {
    return new Cid(1, codec, multihash);
  }

  /** CIDv1(raw, sha2-256(data)): what a text or a topic is provided under. */
  public static Cid raw(Crypto crypto, Bytes data) {
    return v1(RAW, Multihash.sha256(crypto, data));
  }

  /**
   * Reads the text form: base58btc of version 0, multibase of version 1.
   *
   * @throws MalformedException naming what is wrong
   */
  public static Cid parse(String text) throws MalformedException {
    if (text.length() == 46 && text.startsWith("Qm")) {
      return decode(Bytes.wrap(Multibase.BASE58_BTC.decodeBare(text)));
    }
    Cid cid = decode(Bytes.wrap(Multibase.decode(text)));
    if (cid.version() == 0) {
      throw new MalformedException("a CID of version 0 has no multibase prefix");
    }
    return cid;
  }

  /**
   * Reads the binary form.
   *
   * @throws MalformedException naming what is wrong
   */
  public static Cid decode(Bytes bytes) throws MalformedException {
    if (bytes.size() == 34 && bytes.at(0) == 0x12 && bytes.at(1) == 0x20) {
      return new Cid(0, DAG_PB, Multihash.decode(bytes));
    }
    ByteBuffer source = bytes.asReadOnlyBuffer();
    long version = Varint.read(source);
    if (version != 1) {
      throw new MalformedException("no version " + version + " of CIDs");
    }
    long codec = Varint.read(source);
    Multihash multihash = Multihash.read(source);
    if (source.hasRemaining()) {
      throw new MalformedException(source.remaining() + " bytes after a CID");
    }
    return v1(codec, multihash);
  }

  /** The binary form. */
  public Bytes encoded() {
    if (version == 0) {
      return multihash.encoded();
    }
    ByteBuffer head = ByteBuffer.allocate(1 + Varint.size(codec));
    Varint.write(1, head);
    Varint.write(codec, head);
    return Bytes.wrap(head.array()).concat(multihash.encoded());
  }

  /** The text form: base58btc of version 0, base32 of version 1. */
  @Override
  public String toString() {
    return version == 0
        ? Multibase.BASE58_BTC.encodeBare(encoded().toArray())
        : Multibase.BASE32.encode(encoded().toArray());
  }
}
