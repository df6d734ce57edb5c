package dev.troupe.protocol.multiaddr;

import dev.troupe.protocol.Bytes;

/**
 * One protocol of a multiaddr, with its value.
 *
 * @param value in binary; empty where the protocol has none
 * @param text the value in text; empty likewise
 */
public record Component(Protocol protocol, Bytes value, String text) {

  /**
   * The value as a port.
   *
   * @throws IllegalStateException if the protocol has no port
   */
  public int port() {
    if (!protocol.hasPort()) {
      throw new IllegalStateException(protocol.text() + " has no port");
    }
    return Protocol.port(value);
  }

  @Override
  public String toString() {
    return "/"
        + protocol.text()
        + (protocol.hasValue() ? (text.startsWith("/") ? "" : "/") + text : "");
  }
}
