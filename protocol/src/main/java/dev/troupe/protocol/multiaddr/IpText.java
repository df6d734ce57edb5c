package dev.troupe.protocol.multiaddr;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;

/**
 * IP addresses as text, without looking anything up: RFC 4291 for reading, RFC 5952 for writing.
 */
final class IpText {

  private IpText() {}

  static Bytes parse4(String text) throws MalformedException {
    String[] parts = text.split("\\.", -1);
    byte[] bytes = new byte[4];
    if (parts.length != 4) {
      throw not4(text);
    }
    for (int i = 0; i < 4; i++) {
      String part = parts[i];
      if (!part.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(part) > 255) {
        throw not4(text);
      }
      bytes[i] = (byte) Integer.parseInt(part);
    }
    return Bytes.wrap(bytes);
  }

  static String show4(Bytes value) {
    return (value.at(0) & 0xff)
        + "."
        + (value.at(1) & 0xff)
        + "."
        + (value.at(2) & 0xff)
        + "."
        + (value.at(3) & 0xff);
  }

  static Bytes parse6(String text) throws MalformedException {
    if (text.length() > 45 || text.indexOf(':') < 0) {
      throw not6(text);
    }
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
      throw not6(text);
    }
    byte[] bytes = new byte[16];
    Bytes head = groups(gap < 0 ? text : text.substring(0, gap), text, gap < 0);
    Bytes tail = groups(gap < 0 ? "" : text.substring(gap + 2), text, true);
    int size = head.size() + tail.size();
    if (gap < 0 ? size != 16 : size > 14) {
      throw not6(text);
    }
    System.arraycopy(head.toArray(), 0, bytes, 0, head.size());
    System.arraycopy(tail.toArray(), 0, bytes, 16 - tail.size(), tail.size());
    return Bytes.wrap(bytes);
  }

  private static Bytes groups(String part, String whole, boolean mayEndIn4)
      throws MalformedException {
    if (part.isEmpty()) {
      return Bytes.EMPTY;
    }
    Bytes bytes = Bytes.EMPTY;
    String[] groups = part.split(":", -1);
    for (int i = 0; i < groups.length; i++) {
      String group = groups[i];
      if (mayEndIn4 && i == groups.length - 1 && group.indexOf('.') >= 0) {
        bytes = bytes.concat(parse4(group));
      } else if (group.matches("[0-9a-fA-F]{1,4}")) {
        int number = Integer.parseInt(group, 16);
        bytes = bytes.concat(Bytes.of((byte) (number >> 8), (byte) number));
      } else {
        throw not6(whole);
      }
    }
    return bytes;
  }

  static String show6(Bytes value) {
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (value.at(2 * i) & 0xff) << 8 | value.at(2 * i + 1) & 0xff;
    }
    boolean mapped = groups[5] == 0xffff;
    for (int i = 0; i < 5; i++) {
      mapped &= groups[i] == 0;
    }
    if (mapped) {
      return "::ffff:" + show4(value.slice(12, 16));
    }
    int start = -1;
    int length = 1;
    for (int i = 0; i < 8; i++) {
      int end = i;
      while (end < 8 && groups[end] == 0) {
        end++;
      }
      if (end - i > length) {
        start = i;
        length = end - i;
      }
      i = Math.max(i, end - 1);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == start) {
        text.append("::");
        i += length - 1;
      } else {
        if (i > 0 && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(groups[i]));
      }
    }
    return text.toString();
  }

  private static MalformedException not4(String text) {
    return new MalformedException("no IPv4 address: '" + shortened(text) + "'");
  }

  private static MalformedException not6(String text) {
    return new MalformedException("no IPv6 address: '" + shortened(text) + "'");
  }

  private static String shortened(String text) {
    return text.length() > 80 ? text.substring(0, 80) + "…" : text;
  }
}
