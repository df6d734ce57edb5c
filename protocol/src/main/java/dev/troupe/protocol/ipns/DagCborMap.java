package dev.troupe.protocol.ipns;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A document of DAG-CBOR that is a map: what is signed in an IPNS record. Read strictly, since
 * there is one encoding only of each document: the shortest heads, definite lengths, keys in order
 * (the shorter first, then by their bytes) and each once, no tags but that of links, no floats but
 * finite ones of 64 bits, nothing after the end.
 *
 * <p>Source: ipld.io, "DAG-CBOR Specification", section "Strictness"; RFC 8949.
 */
final class DagCborMap {

  /** How many containers may be inside one another, the document included; one more is refused. */
  static final int MAX_DEPTH = 32;

  private static final int UNSIGNED = 0;
  private static final int NEGATIVE = 1;
  private static final int BYTES = 2;
  private static final int TEXT = 3;
  private static final int LIST = 4;
  private static final int MAP = 5;
  private static final int TAG = 6;

  private static final int LINK = 42;
  private static final int FALSE = 20;
  private static final int NULL = 22;

  private final Map<String, Item> entries;

  private DagCborMap(Map<String, Item> entries) {
    this.entries = entries;
  }

  /** What an IPNS record needs of an item. */
  private record Item(int major, long argument, Bytes content) {}

  /**
   * Reads a document.
   *
   * @throws MalformedException if it is no map, or not encoded as DAG-CBOR prescribes
   */
  static DagCborMap decode(Bytes document) throws MalformedException {
    Reader reader = new Reader(document);
    Map<String, Item> entries = new LinkedHashMap<>();
    if (reader.head() != MAP) {
      throw new MalformedException("DAG-CBOR that is no map");
    }
    reader.map(1, entries);
    if (reader.source.hasRemaining()) {
      throw new MalformedException(reader.source.remaining() + " bytes after DAG-CBOR");
    }
    return new DagCborMap(entries);
  }

  /**
   * The bytes under a key.
   *
   * @throws MalformedException if there is nothing, or something else
   */
  Bytes bytes(String key) throws MalformedException {
    return of(key, BYTES, "bytes").content;
  }

  /**
   * The number under a key, of 64 bits without a sign.
   *
   * @throws MalformedException if there is nothing, or something else, such as a number below zero
   */
  long unsigned(String key) throws MalformedException {
    return of(key, UNSIGNED, "an unsigned integer").argument;
  }

  private Item of(String key, int major, String what) throws MalformedException {
    Item item = entries.get(key);
    if (item == null) {
      throw new MalformedException("DAG-CBOR without " + key);
    }
    if (item.major != major) {
      throw new MalformedException("DAG-CBOR in which " + key + " is not " + what);
    }
    return item;
  }

  private static final class Reader {

    private final Bytes document;
    private final ByteBuffer source;

    /** Of the head that was read last. */
    private int information;

    private long argument;

    Reader(Bytes document) {
      this.document = document;
      this.source = document.asReadOnlyBuffer();
    }

    /** The major type; its argument is in the fields. */
    int head() throws MalformedException {
      need(1);
      int initial = Byte.toUnsignedInt(source.get());
      int major = initial >>> 5;
      information = initial & 0x1f;
      if (information < 24) {
        argument = information;
        return major;
      }
      if (information > 27) {
        throw new MalformedException("DAG-CBOR of indefinite length");
      }
      int width = 1 << (information - 24);
      need(width);
      argument = 0;
      for (int i = 0; i < width; i++) {
        argument = argument << 8 | Byte.toUnsignedLong(source.get());
      }
      long least = width == 1 ? 24 : 1L << (4 * width);
      if (major <= TAG && Long.compareUnsigned(argument, least) < 0) {
        throw new MalformedException("DAG-CBOR with a longer head than " + argument + " needs");
      }
      return major;
    }

    private Item item(int depth) throws MalformedException {
      int major = head();
      long number = argument;
      Bytes content = Bytes.EMPTY;
      switch (major) {
        case UNSIGNED, NEGATIVE -> {}
        case BYTES -> content = string();
        case TEXT -> content = text();
        case LIST -> list(depth + 1);
        case MAP -> map(depth + 1, null);
        case TAG -> link();
        default -> simple();
      }
      return new Item(major, number, content);
    }

    private Bytes string() throws MalformedException {
      int length = count(1);
      int from = source.position();
      source.position(from + length);
      return document.slice(from, from + length);
    }

    private Bytes text() throws MalformedException {
      Bytes text = string();
      if (!text.isUtf8()) {
        throw new MalformedException("DAG-CBOR with a text that is not UTF-8");
      }
      return text;
    }

    private void list(int depth) throws MalformedException {
      int count = count(1);
      checkDepth(depth);
      for (int i = 0; i < count; i++) {
        item(depth);
      }
    }

    private void map(int depth, @Nullable Map<String, Item> entries) throws MalformedException {
      int count = count(2);
      checkDepth(depth);
      Bytes before = null;
      for (int i = 0; i < count; i++) {
        if (head() != TEXT) {
          throw new MalformedException("DAG-CBOR with a key that is no text");
        }
        Bytes key = text();
        if (before != null && !isBefore(before, key)) {
          throw new MalformedException("DAG-CBOR with keys out of order, or twice: " + key.utf8());
        }
        before = key;
        Item item = item(depth);
        if (entries != null) {
          entries.put(key.utf8(), item);
        }
      }
    }

    private static boolean isBefore(Bytes one, Bytes other) {
      return one.size() != other.size() ? one.size() < other.size() : one.compareTo(other) < 0;
    }

    private static void checkDepth(int depth) throws MalformedException {
      if (depth > MAX_DEPTH) {
        throw new MalformedException("DAG-CBOR more than " + MAX_DEPTH + " deep");
      }
    }

    private void link() throws MalformedException {
      if (argument != LINK) {
        throw new MalformedException(
            "DAG-CBOR with the tag " + Long.toUnsignedString(argument) + ", which is no link");
      }
      if (head() != BYTES) {
        throw new MalformedException("DAG-CBOR with a link that is not bytes");
      }
      Bytes cid = string();
      if (cid.size() < 2 || cid.at(0) != 0) {
        throw new MalformedException("DAG-CBOR with a link that is no CID");
      }
    }

    private void simple() throws MalformedException {
      boolean isConstant = information >= FALSE && information <= NULL;
      boolean isDouble = information == 27 && Double.isFinite(Double.longBitsToDouble(argument));
      if (!isConstant && !isDouble) {
        throw new MalformedException("DAG-CBOR with a simple value or float that it has not");
      }
    }

    /** So many items, each of which takes so many bytes at least: no more than there are. */
    private int count(int least) throws MalformedException {
      if (Long.compareUnsigned(argument, source.remaining() / least) > 0) {
        throw new MalformedException(cutShort());
      }
      return (int) argument;
    }

    private void need(int bytes) throws MalformedException {
      if (source.remaining() < bytes) {
        throw new MalformedException(cutShort());
      }
    }

    private String cutShort() {
      return "DAG-CBOR that is cut short, after " + document.size() + " bytes";
    }
  }

  /** A document with these entries, which are few and short; the writer puts them in order. */
  static Bytes encode(Map<String, Object> entries) {
    int room = 9;
    for (Map.Entry<String, Object> entry : entries.entrySet()) {
      room += 18 + Bytes.utf8(entry.getKey()).size();
      room += entry.getValue() instanceof Bytes bytes ? bytes.size() : 0;
    }
    ByteBuffer target = ByteBuffer.allocate(room);
    writeHead(MAP, entries.size(), target);
    entries.keySet().stream()
        .sorted((one, other) -> compare(Bytes.utf8(one), Bytes.utf8(other)))
        .forEach(key -> writeEntry(Bytes.utf8(key), entries.get(key), target));
    return Bytes.wrap(target.flip());
  }

  private static int compare(Bytes one, Bytes other) {
    return Reader.isBefore(one, other) ? -1 : one.equals(other) ? 0 : 1;
  }

  private static void writeEntry(Bytes key, @Nullable Object value, ByteBuffer target) {
    writeHead(TEXT, key.size(), target);
    target.put(key.asReadOnlyBuffer());
    if (value instanceof Bytes bytes) {
      writeHead(BYTES, bytes.size(), target);
      target.put(bytes.asReadOnlyBuffer());
    } else if (value instanceof Long number) {
      writeHead(UNSIGNED, number, target);
    } else {
      throw new IllegalArgumentException("not bytes and not a number: " + value);
    }
  }

  private static void writeHead(int major, long argument, ByteBuffer target) {
    int type = major << 5;
    if (Long.compareUnsigned(argument, 24) < 0) {
      target.put((byte) (type | argument));
    } else if (Long.compareUnsigned(argument, 0xff) <= 0) {
      target.put((byte) (type | 24)).put((byte) argument);
    } else if (Long.compareUnsigned(argument, 0xffff) <= 0) {
      target.put((byte) (type | 25)).putShort((short) argument);
    } else if (Long.compareUnsigned(argument, 0xffff_ffffL) <= 0) {
      target.put((byte) (type | 26)).putInt((int) argument);
    } else {
      target.put((byte) (type | 27)).putLong(argument);
    }
  }
}
