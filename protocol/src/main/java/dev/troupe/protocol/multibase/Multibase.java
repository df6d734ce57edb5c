package dev.troupe.protocol.multibase;

import dev.troupe.protocol.MalformedException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;

/** Text encodings of bytes: base58btc, base32, base16, base64 and base64url (unpadded). */
public enum Multibase {
  /** Hexadecimal, lower case. */
  BASE16('f'),
  /** RFC 4648, lower case, without padding. */
  BASE32('b'),
  /** The alphabet of Bitcoin. */
  BASE58_BTC('z'),
  /** RFC 4648, without padding. */
  BASE64('m'),
  /** RFC 4648, URL-safe alphabet, without padding. */
  BASE64_URL('u');

  /** The longest text that is decoded: base 58 takes time by the square of the length. */
  public static final int MAX_TEXT = 4096;

  private static final String ALPHABET_58 =
      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  private static final String ALPHABET_32 = "abcdefghijklmnopqrstuvwxyz234567";
  private static final BigInteger FIFTY_EIGHT = BigInteger.valueOf(58);

  private final char prefix;

  Multibase(char prefix) {
    this.prefix = prefix;
  }

  /** With the prefix that names the base. */
  public String encode(byte[] bytes) {
    return prefix + encodeBare(bytes);
  }

  /** Without the prefix. */
  public String encodeBare(byte[] bytes) {
    return switch (this) {
      case BASE16 -> HexFormat.of().formatHex(bytes);
      case BASE32 -> encode32(bytes);
      case BASE58_BTC -> encode58(bytes);
      case BASE64 -> Base64.getEncoder().withoutPadding().encodeToString(bytes);
      case BASE64_URL -> Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    };
  }

  /**
   * Decodes a text whose first character names its base.
   *
   * @throws MalformedException if it is empty, too long, of an unknown base, or has characters that its base does not know
   */
  public static byte[] decode(String text) throws MalformedException {
    if (text.isEmpty()) {
      throw new MalformedException("an empty multibase text");
    }
    for (Multibase base : values()) {
      if (base.prefix == text.charAt(0)) {
        return base.decodeBare(text.substring(1));
      }
    }
    if (text.charAt(0) == 'B' || text.charAt(0) == 'F') {
      return decode(text.toLowerCase(Locale.ROOT));
    }
    throw new MalformedException("an unknown multibase '" + text.charAt(0) + "'");
  }

  /**
   * Decodes a text without a prefix.
   *
   * @throws MalformedException if it is too long or has characters that the base does not know
   */
  public byte[] decodeBare(String text) throws MalformedException {
    if (text.length() > MAX_TEXT) {
      throw new MalformedException("a text of more than " + MAX_TEXT + " characters");
    }
    try {
      return switch (this) {
        case BASE16 -> HexFormat.of().parseHex(text);
        case BASE32 -> decode32(text);
        case BASE58_BTC -> decode58(text);
        case BASE64 -> Base64.getDecoder().decode(text);
        case BASE64_URL -> Base64.getUrlDecoder().decode(text);
      };
    } catch (IllegalArgumentException e) {
      throw new MalformedException("not " + name() + ": " + e.getMessage(), e);
    }
  }

  private static String encode58(byte[] bytes) {
    int zeros = 0;
    while (zeros < bytes.length && bytes[zeros] == 0) {
      zeros++;
    }
    StringBuilder text = new StringBuilder();
    BigInteger number = new BigInteger(1, bytes);
    while (number.signum() > 0) {
      BigInteger[] parts = number.divideAndRemainder(FIFTY_EIGHT);
      text.append(ALPHABET_58.charAt(parts[1].intValue()));
      number = parts[0];
    }
    return text.append("1".repeat(zeros)).reverse().toString();
  }

  private static byte[] decode58(String text) throws MalformedException {
    int zeros = 0;
    while (zeros < text.length() && text.charAt(zeros) == '1') {
      zeros++;
    }
    BigInteger number = BigInteger.ZERO;
    for (int i = zeros; i < text.length(); i++) {
      int digit = ALPHABET_58.indexOf(text.charAt(i));
      if (digit < 0) {
        throw new MalformedException("'" + text.charAt(i) + "' is no character of base58");
      }
      number = number.multiply(FIFTY_EIGHT).add(BigInteger.valueOf(digit));
    }
    byte[] magnitude = number.signum() == 0 ? new byte[0] : number.toByteArray();
    int skip = magnitude.length > 0 && magnitude[0] == 0 ? 1 : 0;
    byte[] bytes = new byte[zeros + magnitude.length - skip];
    System.arraycopy(magnitude, skip, bytes, zeros, magnitude.length - skip);
    return bytes;
  }

  private static String encode32(byte[] bytes) {
    StringBuilder text = new StringBuilder((bytes.length * 8 + 4) / 5);
    int buffer = 0;
    int bits = 0;
    for (byte b : bytes) {
      buffer = (buffer << 8 | b & 0xff) & 0xfff;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        text.append(ALPHABET_32.charAt(buffer >> bits & 31));
      }
    }
    if (bits > 0) {
      text.append(ALPHABET_32.charAt(buffer << (5 - bits) & 31));
    }
    return text.toString();
  }

  private static byte[] decode32(String text) throws MalformedException {
    byte[] bytes = new byte[text.length() * 5 / 8];
    int buffer = 0;
    int bits = 0;
    int at = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = ALPHABET_32.indexOf(text.charAt(i));
      if (digit < 0) {
        throw new MalformedException("'" + text.charAt(i) + "' is no character of base32");
      }
      buffer = (buffer << 5 | digit) & 0xfff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        bytes[at++] = (byte) (buffer >> bits);
      }
    }
    if (bits >= 5 || (buffer & ((1 << bits) - 1)) != 0) {
      throw new MalformedException("base32 with bits left over");
    }
    return Arrays.copyOf(bytes, at);
  }
}
