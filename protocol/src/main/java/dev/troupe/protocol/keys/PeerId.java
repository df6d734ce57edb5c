package dev.troupe.protocol.keys;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.cid.Cid;
import dev.troupe.protocol.multibase.Multibase;
import dev.troupe.protocol.multihash.Multihash;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * Who a peer is: the multihash of its public key, or the key itself where that takes at most 42
 * bytes. Immutable; ordered by its bytes.
 *
 * <p>Source: libp2p peer-ids specification.
 */
public final class PeerId implements Comparable<PeerId> {

  /** The most bytes of one. */
  public static final int MAX_BYTES = 44;

  private static final int MAX_INLINE_KEY = MAX_BYTES - 2;

  private final Bytes bytes;
  private final int hash;

  // Made when first asked for: most ids that a lookup meets are never shown. A race makes it twice.
  private @Nullable String text;

  private PeerId(Multihash multihash) {
    this.bytes = multihash.encoded();
    this.hash = bytes.hashCode();
  }

  /** The peer with this key. */
  public static PeerId of(PublicKey key) {
    Bytes encoded = key.encoded();
    if (encoded.size() <= MAX_INLINE_KEY) {
      return new PeerId(Multihash.identity(encoded));
    }
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(encoded.toArray());
      return new PeerId(new Multihash(Multihash.SHA2_256, Bytes.wrap(digest)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Reads the binary form.
   *
   * @throws MalformedException if it is no multihash, or one that no peer id has
   */
  public static PeerId decode(byte[] bytes) throws MalformedException {
    return ofMultihash(Multihash.decode(Bytes.wrap(bytes)));
  }

  /**
   * Reads the text form: base58btc ({@code 12D3…}, {@code Qm…}), or a CID of a libp2p key in one of
   * the bases of {@link Multibase}.
   *
   * @throws MalformedException naming what is wrong
   */
  public static PeerId parse(String text) throws MalformedException {
    try {
      if (text.startsWith("1") || text.startsWith("Qm")) {
        return ofMultihash(Multihash.decode(Bytes.wrap(Multibase.BASE58_BTC.decodeBare(text))));
      }
      Cid cid = Cid.parse(text);
      if (cid.codec() != Cid.LIBP2P_KEY) {
        throw new MalformedException("a CID that is not of a libp2p key");
      }
      return ofMultihash(cid.multihash());
    } catch (MalformedException e) {
      String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
      throw new MalformedException("'" + shown + "' is no peer id: " + e.getMessage(), e);
    }
  }

  private static PeerId ofMultihash(Multihash multihash) throws MalformedException {
    if (multihash.code() == Multihash.IDENTITY) {
      if (multihash.digest().size() > MAX_INLINE_KEY) {
        throw new MalformedException("a peer id with an inlined key of more than 42 bytes");
      }
      PublicKey.decode(multihash.digest().toArray());
    } else if (multihash.code() != Multihash.SHA2_256) {
      throw new MalformedException("a peer id under the hash function " + multihash.code());
    }
    return new PeerId(multihash);
  }

  /** The binary form: a multihash. */
  public Bytes bytes() {
    return bytes;
  }

  /** As a CID of version 1. */
  public Cid toCid() {
    try {
      return Cid.v1(Cid.LIBP2P_KEY, Multihash.decode(bytes));
    } catch (MalformedException e) {
      throw new IllegalStateException("a peer id is a multihash", e);
    }
  }

  /** The key, where the id holds it; null where it holds the key's hash only. */
  public @Nullable PublicKey inlineKey() {
    try {
      Multihash multihash = Multihash.decode(bytes);
      return multihash.code() == Multihash.IDENTITY
          ? PublicKey.decode(multihash.digest().toArray())
          : null;
    } catch (MalformedException e) {
      throw new IllegalStateException("checked when the peer id was made", e);
    }
  }

  /** Whether this is the id of a key. */
  public boolean matches(PublicKey key) {
    return equals(of(key));
  }

  @Override
  public int compareTo(PeerId other) {
    return bytes.compareTo(other.bytes);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PeerId that && bytes.equals(that.bytes);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** In base58btc. */
  @Override
  public String toString() {
    String shown = text;
    if (shown == null) {
      shown = Multibase.BASE58_BTC.encodeBare(bytes.toArray());
      text = shown;
    }
    return shown;
  }
}
