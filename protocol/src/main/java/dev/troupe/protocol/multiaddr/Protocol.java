package dev.troupe.protocol.multiaddr;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multibase.Multibase;
import dev.troupe.protocol.multihash.Multihash;
import java.nio.ByteBuffer;

/** The protocols of multiaddrs that are known here, with their codes from the multicodec table. */
public enum Protocol {
  /** An IPv4 address. */
  IP4("ip4", 4, 4),
  /** A DCCP port. */
  DCCP("dccp", 33, 2),
  /** A TCP port. */
  TCP("tcp", 6, 2),
  /** A UDP port. */
  UDP("udp", 273, 2),
  /** An IPv6 address. */
  IP6("ip6", 41, 16),
  /** The zone of the IPv6 address that follows. */
  IP6ZONE("ip6zone", 42, -1),
  /** A name that resolves to IPv4 or IPv6 addresses. */
  DNS("dns", 53, -1),
  /** A name that resolves to IPv4 addresses. */
  DNS4("dns4", 54, -1),
  /** A name that resolves to IPv6 addresses. */
  DNS6("dns6", 55, -1),
  /** A name whose TXT records hold multiaddrs. */
  DNSADDR("dnsaddr", 56, -1),
  /** An SCTP port. */
  SCTP("sctp", 132, 2),
  /** A peer. */
  P2P("p2p", 421, -1),
  /** Through a relay. */
  P2P_CIRCUIT("p2p-circuit", 290, 0),
  /** QUIC, draft 29. */
  QUIC("quic", 460, 0),
  /** QUIC, RFC 9000. */
  QUIC_V1("quic-v1", 461, 0),
  /** WebTransport. */
  WEBTRANSPORT("webtransport", 465, 0),
  /** The hash of a certificate. */
  CERTHASH("certhash", 466, -1),
  /** WebRTC to a server. */
  WEBRTC_DIRECT("webrtc-direct", 280, 0),
  /** WebRTC between browsers. */
  WEBRTC("webrtc", 281, 0),
  /** HTTP over TLS. */
  HTTPS("https", 443, 0),
  /** TLS. */
  TLS("tls", 448, 0),
  /** TLS server name. */
  SNI("sni", 449, -1),
  /** Noise. */
  NOISE("noise", 454, 0),
  /** WebSocket. */
  WS("ws", 477, 0),
  /** WebSocket over TLS. */
  WSS("wss", 478, 0),
  /** HTTP. */
  HTTP("http", 480, 0),
  /** A socket in the file system. */
  UNIX("unix", 400, -1),
  /** A place within this process, used by simulations. */
  MEMORY("memory", 777, 8);

  /** The longest value of variable length, in bytes. */
  public static final int MAX_VALUE = 512;

  private final String text;
  private final int code;
  private final int size;

  Protocol(String text, int code, int size) {
    this.text = text;
    this.code = code;
    this.size = size;
  }

  /** Its name in text. */
  public String text() {
    return text;
  }

  /** Its code in binary. */
  public int code() {
    return code;
  }

  boolean hasPort() {
    return this == TCP || this == UDP || this == DCCP || this == SCTP;
  }

  boolean hasValue() {
    return size != 0;
  }

  /** How many bytes the value has, or -1 where a length says so. */
  int size() {
    return size;
  }

  static Protocol named(String name) throws MalformedException {
    if (name.equals("ipfs")) {
      return P2P;
    }
    for (Protocol protocol : values()) {
      if (protocol.text.equals(name)) {
        return protocol;
      }
    }
    throw new MalformedException("an unknown protocol '" + shortened(name) + "'");
  }

  static Protocol numbered(long code) throws MalformedException {
    for (Protocol protocol : values()) {
      if (protocol.code == code) {
        return protocol;
      }
    }
    throw new MalformedException("an unknown protocol " + code);
  }

  Bytes parseValue(String value) throws MalformedException {
    return switch (this) {
      case IP4 -> IpText.parse4(value);
      case IP6 -> IpText.parse6(value);
      case TCP, UDP, DCCP, SCTP -> {
        int port = (int) parseNumber(value, "65535");
        yield Bytes.of((byte) (port >> 8), (byte) port);
      }
      case MEMORY ->
          Bytes.wrap(
              ByteBuffer.allocate(8).putLong(parseNumber(value, "18446744073709551615")).array());
      case P2P -> PeerId.parse(value).bytes();
      case CERTHASH -> Multihash.decode(Bytes.wrap(Multibase.decode(value))).encoded();
      default -> {
        Bytes bytes = Bytes.utf8(value);
        checkText(value, bytes.size());
        yield bytes;
      }
    };
  }

  /** Refuses what has the right size, and is no value of this protocol. */
  void check(Bytes value) throws MalformedException {
    if (this == P2P) {
      PeerId.decode(value.toArray());
    } else if (size < 0) {
      showValue(value);
    }
  }

  String showValue(Bytes value) throws MalformedException {
    return switch (this) {
      case IP4 -> IpText.show4(value);
      case IP6 -> IpText.show6(value);
      case TCP, UDP, DCCP, SCTP -> Integer.toString(port(value));
      case MEMORY -> Long.toUnsignedString(value.asReadOnlyBuffer().getLong());
      case P2P -> PeerId.decode(value.toArray()).toString();
      case CERTHASH -> Multibase.BASE64_URL.encode(Multihash.decode(value).encoded().toArray());
      default -> {
        if (!value.isUtf8()) {
          throw new MalformedException("the value of " + text + " is not UTF-8");
        }
        String shown = value.utf8();
        checkText(shown, value.size());
        yield shown;
      }
    };
  }

  static int port(Bytes value) {
    return (value.at(0) & 0xff) << 8 | value.at(1) & 0xff;
  }

  private void checkText(String value, int size) throws MalformedException {
    // A path begins with a slash; one at its end would be lost in the text of the address.
    boolean slashes =
        this == UNIX ? value.startsWith("/") && !value.endsWith("/") : value.indexOf('/') < 0;
    // What is shown in a log must not break its lines.
    boolean printable = value.codePoints().noneMatch(Character::isISOControl);
    if (value.isEmpty() || size > MAX_VALUE || !slashes || !printable) {
      throw new MalformedException("no value of " + text + ": '" + shortened(value) + "'");
    }
  }

  /**
   * An unsigned number in decimal digits, read as long as it has no more of them than the largest.
   */
  private long parseNumber(String value, String max) throws MalformedException {
    boolean digits = !value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9');
    if (!digits || value.length() > max.length()) {
      throw noNumber(value, max);
    }
    try {
      long number = Long.parseUnsignedLong(value);
      if (Long.compareUnsigned(number, Long.parseUnsignedLong(max)) <= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw noNumber(value, max); // more than 64 bits
    }
    throw noNumber(value, max);
  }

  private MalformedException noNumber(String value, String max) {
    return new MalformedException(
        text + " takes a number up to " + max + ", not '" + shortened(value) + "'");
  }

  private static String shortened(String value) {
    return value.length() > 80 ? value.substring(0, 80) + "…" : value;
  }
}
