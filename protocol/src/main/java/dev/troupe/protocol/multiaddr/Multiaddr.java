package dev.troupe.protocol.multiaddr;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.varint.Varint;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A network address that says how to get there, such as {@code /ip4/127.0.0.1/tcp/4001/p2p/12D3…}.
 * Immutable, in canonical form: equal addresses have equal text.
 *
 * <p>Source: multiformats multiaddr specification, libp2p addressing.
 */
public final class Multiaddr implements Comparable<Multiaddr> {

  /**
   * The most bytes of one in binary, {@code /p2p} at its end not counted: a peer can be named
   * behind any address.
   */
  public static final int MAX_BYTES = 1024;

  /** The most characters of one in text. */
  public static final int MAX_TEXT = 2048;

  /** The most protocols in one, {@code /p2p} at its end not counted. */
  public static final int MAX_COMPONENTS = 16;

  /** Code, length and value of {@code /p2p}. */
  private static final int MAX_P2P_BYTES = 2 + 1 + PeerId.MAX_BYTES;

  // Peers remember thousands of addresses: nothing else of one is kept.
  private final Bytes encoded;

  /** Where its last protocol begins. */
  private final int last;

  /** Whether that is {@code /p2p}. */
  private final boolean named;

  private Multiaddr(Bytes encoded) throws MalformedException {
    this.encoded = encoded;
    ByteBuffer source = encoded.asReadOnlyBuffer();
    int count = 0;
    int begin = 0;
    Protocol protocol = null;
    while (source.hasRemaining()) {
      begin = source.position();
      protocol = Protocol.numbered(Varint.read(source));
      protocol.check(value(protocol, source));
      count++;
    }
    if (protocol == null) {
      throw new MalformedException("an empty multiaddr");
    }
    this.last = begin;
    this.named = protocol == Protocol.P2P;
    if (count - (named ? 1 : 0) > MAX_COMPONENTS) {
      throw new MalformedException("a multiaddr of more than " + MAX_COMPONENTS + " protocols");
    }
    if ((named ? last : encoded.size()) > MAX_BYTES) {
      throw new MalformedException("a multiaddr of more than " + MAX_BYTES + " bytes");
    }
  }

  /** Reads the value that follows a protocol's code. */
  private Bytes value(Protocol protocol, ByteBuffer source) throws MalformedException {
    long size = protocol.size() < 0 ? Varint.read(source) : protocol.size();
    if (size > source.remaining() || size > Protocol.MAX_VALUE) {
      throw new MalformedException("the value of " + protocol.text() + " is cut short or too long");
    }
    int from = source.position();
    source.position(from + (int) size);
    return encoded.slice(from, from + (int) size);
  }

  /**
   * Reads the text form.
   *
   * @throws MalformedException naming the address and what is wrong with it
   */
  public static Multiaddr parse(String text) throws MalformedException {
    String shown = text.length() > 200 ? text.substring(0, 200) + "…" : text;
    if (text.length() > MAX_TEXT) {
      throw new MalformedException("'" + shown + "' is longer than " + MAX_TEXT + " characters");
    }
    try {
      if (!text.startsWith("/")) {
        throw new MalformedException("it does not begin with '/'");
      }
      String body = text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
      String[] parts = body.split("/", -1);
      ByteArrayOutputStream encoded = new ByteArrayOutputStream();
      for (int i = 1; i < parts.length; i++) {
        Protocol protocol = Protocol.named(parts[i]);
        if (!protocol.hasValue()) {
          encode(protocol, Bytes.EMPTY, encoded);
          continue;
        }
        if (i + 1 == parts.length) {
          throw new MalformedException("'" + parts[i] + "' needs a value");
        }
        String value = parts[++i];
        if (protocol == Protocol.UNIX) {
          // A path takes the rest of the address.
          value = "/" + String.join("/", List.of(parts).subList(i, parts.length));
          i = parts.length;
        }
        encode(protocol, protocol.parseValue(value), encoded);
      }
      return new Multiaddr(Bytes.wrap(encoded.toByteArray()));
    } catch (MalformedException e) {
      throw new MalformedException("'" + shown + "' is no multiaddr: " + e.getMessage(), e);
    }
  }

  /**
   * Reads the binary form.
   *
   * @throws MalformedException naming what is wrong
   */
  public static Multiaddr decode(Bytes bytes) throws MalformedException {
    if (bytes.size() > MAX_BYTES + MAX_P2P_BYTES) {
      throw new MalformedException("a multiaddr of " + bytes.size() + " bytes");
    }
    // A copy: the message that it came in is not to be kept for it.
    return new Multiaddr(Bytes.wrap(bytes.toArray()));
  }

  private static void encode(Protocol protocol, Bytes value, ByteArrayOutputStream out) {
    out.writeBytes(Varint.encode(protocol.code()));
    if (protocol.size() < 0) {
      out.writeBytes(Varint.encode(value.size()));
    }
    out.writeBytes(value.toArray());
  }

  /** Its protocols, the outermost first; at least one. Read from its bytes at each call. */
  public List<Component> components() {
    ByteBuffer source = encoded.asReadOnlyBuffer();
    List<Component> components = new ArrayList<>();
    try {
      while (source.hasRemaining()) {
        Protocol protocol = Protocol.numbered(Varint.read(source));
        Bytes value = value(protocol, source);
        components.add(
            new Component(protocol, value, protocol.hasValue() ? protocol.showValue(value) : ""));
      }
    } catch (MalformedException e) {
      throw new IllegalStateException("checked when the address was made", e);
    }
    return List.copyOf(components);
  }

  /** Its first component of a protocol, or null. */
  public @Nullable Component find(Protocol protocol) {
    for (Component component : components()) {
      if (component.protocol() == protocol) {
        return component;
      }
    }
    return null;
  }

  /** The binary form. */
  public Bytes encoded() {
    return encoded;
  }

  /**
   * This address with another behind it.
   *
   * @throws IllegalArgumentException if both together are too long
   */
  public Multiaddr encapsulate(Multiaddr inner) {
    return ofKnown(encoded.concat(inner.encoded));
  }

  /**
   * This address with {@code /p2p} and the peer at its end; instead of the one that is there, if
   * there is one.
   */
  public Multiaddr withPeer(PeerId peer) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes((named ? encoded.slice(0, last) : encoded).toArray());
    encode(Protocol.P2P, peer.bytes(), all);
    return ofKnown(Bytes.wrap(all.toByteArray()));
  }

  /** The peer that its last component names, or null. */
  public @Nullable PeerId peerId() {
    if (!named) {
      return null;
    }
    ByteBuffer source = encoded.asReadOnlyBuffer().position(last);
    try {
      return PeerId.decode(value(Protocol.numbered(Varint.read(source)), source).toArray());
    } catch (MalformedException e) {
      throw new IllegalStateException("checked when the address was made", e);
    }
  }

  /** This address without {@code /p2p} at its end; itself where that is all there is. */
  public Multiaddr withoutPeer() {
    return named && last > 0 ? ofKnown(Bytes.wrap(encoded.slice(0, last).toArray())) : this;
  }

  private static Multiaddr ofKnown(Bytes encoded) {
    try {
      return new Multiaddr(encoded);
    } catch (MalformedException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** By the bytes of the binary form, unsigned; consistent with equals. */
  @Override
  public int compareTo(Multiaddr other) {
    return encoded.compareTo(other.encoded);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Multiaddr that && encoded.equals(that.encoded);
  }

  @Override
  public int hashCode() {
    return encoded.hashCode();
  }

  /** The text form. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    components().forEach(text::append);
    return text.toString();
  }
}
