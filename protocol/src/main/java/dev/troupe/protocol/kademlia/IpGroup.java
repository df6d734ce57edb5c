package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.multiaddr.Component;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Public addresses that are likely to be in one hand: those of an IPv4 network of 16 bits, or of 8
 * where all of that was given to one organisation, or of an IPv6 network of 32 bits. Whoever wants
 * to be many peers has many identities for nothing, and networks for money.
 *
 * <p>The groups are those of go-libp2p-kbucket, save that it knows which autonomous system has an
 * IPv6 network, where it knows that.
 *
 * @param bits how long the prefix is, of an IPv6 address if it is longer than 16
 * @param prefix so many bits, right-aligned
 */
public record IpGroup(int bits, long prefix) {

  /** What has been in the hand of one organisation as a whole since before networks were cut. */
  private static final Set<Integer> LEGACY_CLASS_A =
      new LinkedHashSet<>(List.of(12, 17, 19, 38, 48, 53, 56, 73));

  /** IPv4 networks that are not for the public internet (IANA, special-purpose registry). */
  private static final List<Network> SPECIAL_IPV4 =
      List.of(
          new Network(0, 0, 0, 8),
          new Network(10, 0, 0, 8),
          new Network(100, 64, 0, 10),
          new Network(127, 0, 0, 8),
          new Network(169, 254, 0, 16),
          new Network(172, 16, 0, 12),
          new Network(192, 0, 0, 24),
          new Network(192, 0, 2, 24),
          new Network(192, 168, 0, 16),
          new Network(198, 18, 0, 15),
          new Network(198, 51, 100, 24),
          new Network(203, 0, 113, 24),
          new Network(224, 0, 0, 3));

  private static final Bytes IPV4_MAPPED = Bytes.fromHex("00000000000000000000ffff");
  private static final Bytes IPV4_TRANSLATED = Bytes.fromHex("0064ff9b0000000000000000");
  private static final long DOCUMENTATION = 0x2001_0db8L;

  /** A network of so many bits. */
  private record Network(int a, int b, int c, int bits) {

    boolean contains(long address) {
      long first = (long) a << 24 | (long) b << 16 | (long) c << 8;
      return (address ^ first) >>> (32 - bits) == 0;
    }
  }

  /**
   * The group of an address; empty where it is not public, or names no IP address. The address of a
   * relay counts for those behind it.
   */
  public static Optional<IpGroup> of(Multiaddr address) {
    Component ip4 = address.find(Protocol.IP4);
    if (ip4 != null) {
      return ofIpv4(bitsOf(ip4.value()));
    }
    Component ip6 = address.find(Protocol.IP6);
    return ip6 == null ? Optional.empty() : ofIpv6(ip6.value());
  }

  private static Optional<IpGroup> ofIpv4(long address) {
    if (SPECIAL_IPV4.stream().anyMatch(network -> network.contains(address))) {
      return Optional.empty();
    }
    int first = (int) (address >>> 24);
    return Optional.of(
        LEGACY_CLASS_A.contains(first) ? new IpGroup(8, first) : new IpGroup(16, address >>> 16));
  }

  private static Optional<IpGroup> ofIpv6(Bytes address) {
    Bytes first = address.slice(0, 12);
    if (first.equals(IPV4_MAPPED) || first.equals(IPV4_TRANSLATED)) {
      return ofIpv4(bitsOf(address.slice(12, 16)));
    }
    long network = bitsOf(address.slice(0, 4));
    boolean isGlobal = network >>> 29 == 1;
    return isGlobal && network != DOCUMENTATION
        ? Optional.of(new IpGroup(32, network))
        : Optional.empty();
  }

  private static long bitsOf(Bytes four) {
    return Integer.toUnsignedLong(four.asReadOnlyBuffer().getInt());
  }

  @Override
  public String toString() {
    return bits == 32
        ? String.format("%x:%x::/32", prefix >>> 16, prefix & 0xffff)
        : bits == 16 ? (prefix >>> 8) + "." + (prefix & 0xff) + ".0.0/16" : prefix + ".0.0.0/8";
  }
}
