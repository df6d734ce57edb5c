package dev.troupe.protocol.multibase;

import dev.troupe.protocol.MalformedException;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;

/**
 * Text encodings of bytes. Only the one canonical text of some bytes is decoded; bases with letters
 * of one case take either.
 *
 * <p>Source: multiformats multibase specification.
 */
public enum Multibase {
  /** Hexadecimal, lower case. */
  BASE16('f'),
  /** RFC 4648, lower case, without padding. */
  BASE32('b'),
  /**
   * Digits and lower-case letters, as one large number; usual for the names of IPNS, which are peer
   * ids.
   */
  BASE36('k'),
  /** The alphabet of Bitcoin. */
  BASE58_BTC('z'),
  /** RFC 4648, without padding. */
  BASE64('m'),
  /** RFC 4648, URL-safe alphabet, without padding. */
  BASE64_URL('u');

  /** The longest text that is decoded: bases 36 and 58 take time by the square of the length. */
  public static final int MAX_TEXT = 4096;

  private static final String ALPHABET_58 =
      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  private static final String ALPHABET_32 = "abcdefghijklmnopqrstuvwxyz234567";
  private static final String ALPHABET_36 = "0123456789abcdefghijklmnopqrstuvwxyz";

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
      case BASE36 -> encodeNumber(bytes, ALPHABET_36);
      case BASE58_BTC -> encodeNumber(bytes, ALPHABET_58);
      case BASE64 -> Base64.getEncoder().withoutPadding().encodeToString(bytes);
      case BASE64_URL -> Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    };
  }

  /**
   * Decodes a text whose first character names its base.
   *
   * @throws MalformedException if it is empty, too long, of an unknown base, or has characters that
   *     its base does not know
   */
  public static byte[] decode(String text) throws MalformedException {
    if (text.isEmpty()) {
      throw new MalformedException("an empty multibase text");
    }
    for (Multibase base : values()) {
      if (base.prefix == text.charAt(0)
          || (base.takesEitherCase() && Character.toUpperCase(base.prefix) == text.charAt(0))) {
        return base.decodeBare(text.substring(1));
      }
    }
    throw new MalformedException("an unknown multibase " + shown(text.charAt(0)));
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
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 127) {
        throw new MalformedException(shown(text.charAt(i)) + " is no character of " + name());
      }
    }
    String lower = takesEitherCase() ? text.toLowerCase(Locale.ROOT) : text;
    try {
      return switch (this) {
        case BASE16 -> HexFormat.of().parseHex(lower);
        case BASE32 -> decode32(lower);
        case BASE36 -> decodeNumber(lower, ALPHABET_36);
        case BASE58_BTC -> decodeNumber(text, ALPHABET_58);
        case BASE64 -> canonical(text, Base64.getDecoder().decode(text));
        case BASE64_URL -> canonical(text, Base64.getUrlDecoder().decode(text));
      };
    } catch (IllegalArgumentException e) {
      throw new MalformedException("not " + name() + ": " + e.getMessage(), e);
    }
  }

  /** The JDK's decoders let padding and stray bits pass: several texts of the same bytes. */
  private byte[] canonical(String text, byte[] bytes) throws MalformedException {
    if (!encodeBare(bytes).equals(text)) {
      throw new MalformedException("not " + name() + ": padding, or bits left over");
    }
    return bytes;
  }

  /** The bytes as one number, after one zero digit for each zero byte that they begin with. */
  private static String encodeNumber(byte[] bytes, String alphabet) {
    int zeros = 0;
    while (zeros < bytes.length && bytes[zeros] == 0) {
      zeros++;
    }
    // Long division by the radix, in place, one digit of the text a round, the last digit first.
    byte[] number = bytes.clone();
    char[] text = new char[bytes.length * 2];
    int from = text.length;
    for (int start = zeros; start < number.length; ) {
      int remainder = 0;
      for (int i = start; i < number.length; i++) {
        int part = remainder << 8 | number[i] & 0xFF;
        number[i] = (byte) (part / alphabet.length());
        remainder = part % alphabet.length();
      }
      text[--from] = alphabet.charAt(remainder);
      if (number[start] == 0) {
        start++;
      }
    }
    return alphabet.substring(0, 1).repeat(zeros) + new String(text, from, text.length - from);
  }

  private byte[] decodeNumber(String text, String alphabet) throws MalformedException {
    int zeros = 0;
    while (zeros < text.length() && text.charAt(zeros) == alphabet.charAt(0)) {
      zeros++;
    }
    BigInteger radix = BigInteger.valueOf(alphabet.length());
    BigInteger number = BigInteger.ZERO;
    for (int i = zeros; i < text.length(); i++) {
      number = number.multiply(radix).add(BigInteger.valueOf(digit(text.charAt(i), alphabet)));
    }
    byte[] magnitude = number.signum() == 0 ? new byte[0] : number.toByteArray();
    int skip = magnitude.length > 0 && magnitude[0] == 0 ? 1 : 0;
    byte[] bytes = new byte[zeros + magnitude.length - skip];
    System.arraycopy(magnitude, skip, bytes, zeros, magnitude.length - skip);
    return bytes;
  }

  private int digit(char character, String alphabet) throws MalformedException {
    int digit = alphabet.indexOf(character);
    if (digit < 0) {
      throw new MalformedException(shown(character) + " is no character of " + name());
    }
    return digit;
  }

  private boolean takesEitherCase() {
    return this == BASE16 || this == BASE32 || this == BASE36;
  }

  private static String shown(char character) {
    return character > ' ' && character < 127
        ? "'" + character + "'"
        : String.format(Locale.ROOT, "U+%04X", (int) character);
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

  private byte[] decode32(String text) throws MalformedException {
    byte[] bytes = new byte[text.length() * 5 / 8];
    int buffer = 0;
    int bits = 0;
    int at = 0;
    for (int i = 0; i < text.length(); i++) {
      buffer = (buffer << 5 | digit(text.charAt(i), ALPHABET_32)) & 0xfff;
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
