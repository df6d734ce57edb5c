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
public final class Multiaddr {

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

  private final List<Component> components;
  private final Bytes encoded;

  private Multiaddr(List<Component> components) throws MalformedException {
    if (components.isEmpty()) {
      throw new MalformedException("an empty multiaddr");
    }
    this.components = List.copyOf(components);
    this.encoded = encode(this.components);
    int bytes = encoded.size();
    int count = components.size();
    Component last = components.get(count - 1);
    if (last.protocol() == Protocol.P2P) {
      bytes -= encode(List.of(last)).size();
      count--;
    }
    if (count > MAX_COMPONENTS) {
      throw new MalformedException("a multiaddr of more than " + MAX_COMPONENTS + " protocols");
    }
    if (bytes > MAX_BYTES) {
      throw new MalformedException("a multiaddr of more than " + MAX_BYTES + " bytes");
    }
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
      List<Component> components = new ArrayList<>();
      for (int i = 1; i < parts.length; i++) {
        Protocol protocol = Protocol.named(parts[i]);
        if (!protocol.hasValue()) {
          components.add(new Component(protocol, Bytes.EMPTY, ""));
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
        Bytes binary = protocol.parseValue(value);
        components.add(new Component(protocol, binary, protocol.showValue(binary)));
      }
      return new Multiaddr(components);
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
    ByteBuffer source = bytes.asReadOnlyBuffer();
    List<Component> components = new ArrayList<>();
    while (source.hasRemaining()) {
      Protocol protocol = Protocol.numbered(Varint.read(source));
      long size = protocol.size() < 0 ? Varint.read(source) : protocol.size();
      if (size > source.remaining() || size > Protocol.MAX_VALUE) {
        throw new MalformedException(
            "the value of " + protocol.text() + " is cut short or too long");
      }
      byte[] value = new byte[(int) size];
      source.get(value);
      Bytes binary = Bytes.wrap(value);
      components.add(
          new Component(protocol, binary, protocol.hasValue() ? protocol.showValue(binary) : ""));
    }
    return new Multiaddr(components);
  }

  private static Bytes encode(List<Component> components) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Component component : components) {
      out.writeBytes(Varint.encode(component.protocol().code()));
      if (component.protocol().size() < 0) {
        out.writeBytes(Varint.encode(component.value().size()));
      }
      out.writeBytes(component.value().toArray());
    }
    return Bytes.wrap(out.toByteArray());
  }

  /** Its protocols, the outermost first; at least one. */
  public List<Component> components() {
    return components;
  }

  /** Its first component of a protocol, or null. */
  public @Nullable Component find(Protocol protocol) {
    for (Component component : components) {
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
    List<Component> both = new ArrayList<>(components);
    both.addAll(inner.components);
    return ofKnown(both);
  }

  /**
   * This address with {@code /p2p} and the peer at its end; instead of the one that is there, if
   * there is one.
   */
  public Multiaddr withPeer(PeerId peer) {
    List<Component> all = new ArrayList<>(peerId() == null ? components : withoutLast());
    all.add(new Component(Protocol.P2P, peer.bytes(), peer.toString()));
    return ofKnown(all);
  }

  /** The peer that its last component names, or null. */
  public @Nullable PeerId peerId() {
    Component last = components.get(components.size() - 1);
    if (last.protocol() != Protocol.P2P) {
      return null;
    }
    try {
      return PeerId.decode(last.value().toArray());
    } catch (MalformedException e) {
      throw new IllegalStateException("checked when the address was made", e);
    }
  }

  /** This address without {@code /p2p} at its end; itself where that is all there is. */
  public Multiaddr withoutPeer() {
    return peerId() == null || components.size() == 1 ? this : ofKnown(withoutLast());
  }

  private List<Component> withoutLast() {
    return components.subList(0, components.size() - 1);
  }

  private static Multiaddr ofKnown(List<Component> components) {
    try {
      return new Multiaddr(components);
    } catch (MalformedException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
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
    components.forEach(text::append);
    return text.toString();
  }
}
