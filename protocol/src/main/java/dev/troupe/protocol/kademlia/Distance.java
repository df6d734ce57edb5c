package dev.troupe.protocol.kademlia;

/**
 * How far two {@link Key}s are apart: their XOR, as an unsigned 256-bit number, the most
 * significant word first.
 */
public record Distance(long w0, long w1, long w2, long w3) implements Comparable<Distance> {

  /** How many leading bits are zero: the length of the prefix that both keys share. */
  public int leadingZeros() {
    if (w0 != 0) {
      return Long.numberOfLeadingZeros(w0);
    }
    if (w1 != 0) {
      return 64 + Long.numberOfLeadingZeros(w1);
    }
    if (w2 != 0) {
      return 128 + Long.numberOfLeadingZeros(w2);
    }
    return 192 + Long.numberOfLeadingZeros(w3);
  }

  /** As a fraction of the whole keyspace, from 0 to 1, to the precision of a double. */
  public double fraction() {
    return ((w0 >>> 1) * 2.0 + (w0 & 1)) / 0x1p64;
  }

  @Override
  public int compareTo(Distance other) {
    int order = Long.compareUnsigned(w0, other.w0);
    if (order == 0) {
      order = Long.compareUnsigned(w1, other.w1);
    }
    if (order == 0) {
      order = Long.compareUnsigned(w2, other.w2);
    }
    if (order == 0) {
      order = Long.compareUnsigned(w3, other.w3);
    }
    return order;
  }
}
