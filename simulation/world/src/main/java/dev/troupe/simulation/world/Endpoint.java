package dev.troupe.simulation.world;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Component;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An address that this network speaks: {@code /memory/N}, {@code /ip4/…/tcp/N}, {@code
 * /ip6/…/tcp/N} and names before {@code tcp}.
 *
 * @param kind the protocol of the place: MEMORY, IP4, IP6, DNS, DNS4 or DNS6
 * @param place the IP address or name; empty for memory
 * @param port the port, or the number after {@code /memory}
 */
record Endpoint(Protocol kind, String place, long port) {

  /** Reads an address, or answers null if no transport of this network speaks it. */
  static @Nullable Endpoint of(Multiaddr address) {
    List<Component> components = address.withoutPeer().components();
    Component first = components.get(0);
    if (first.protocol() == Protocol.MEMORY && components.size() == 1) {
      return new Endpoint(Protocol.MEMORY, "", Long.parseLong(first.text()));
    }
    if (components.size() != 2 || components.get(1).protocol() != Protocol.TCP) {
      return null;
    }
    return switch (first.protocol()) {
      case IP4, IP6, DNS, DNS4, DNS6 ->
          new Endpoint(first.protocol(), first.text(), components.get(1).port());
      default -> null;
    };
  }

  boolean isMemory() {
    return kind == Protocol.MEMORY;
  }

  boolean isName() {
    return kind == Protocol.DNS || kind == Protocol.DNS4 || kind == Protocol.DNS6;
  }

  boolean isUnspecified() {
    return place.equals("0.0.0.0") || place.equals("::");
  }

  boolean isLoopback() {
    return (kind == Protocol.IP4 && place.startsWith("127.")) || place.equals("::1");
  }

  Endpoint at(Protocol otherKind, String otherPlace) {
    return new Endpoint(otherKind, otherPlace, port);
  }

  Endpoint withPort(long otherPort) {
    return new Endpoint(kind, place, otherPort);
  }

  Multiaddr address() {
    String text = isMemory() ? "/memory/" + port : "/" + kind.text() + "/" + place + "/tcp/" + port;
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new IllegalStateException("made of parts that were parsed before", e);
    }
  }
}
