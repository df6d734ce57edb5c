package dev.troupe.protocol.multistream;

import dev.troupe.protocol.MalformedException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Reads lines (varint length, text, line feed) and takes no byte beyond the line. */
final class LineReader {

  /** The longest line, its line feed counted. */
  static final int MAX_LINE = 1024;

  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private int length = -1;
  private int lengthBytes;
  private int lengthSoFar;

  /** The next line without its line feed, or null when more bytes are needed. */
  @Nullable String read(ByteBuffer in) throws MalformedException {
    while (length < 0) {
      if (!in.hasRemaining()) {
        return null;
      }
      int b = in.get();
      lengthSoFar |= (b & 0x7f) << (7 * lengthBytes++);
      if (b >= 0) {
        if (lengthSoFar == 0 || lengthSoFar > MAX_LINE) {
          throw new MalformedException(
              "a multistream line of " + lengthSoFar + " bytes, over the limit of " + MAX_LINE);
        }
        length = lengthSoFar;
      } else if (lengthBytes == 2) {
        throw new MalformedException("a multistream line over the limit of " + MAX_LINE);
      }
    }
    while (line.size() < length) {
      if (!in.hasRemaining()) {
        return null;
      }
      line.write(in.get());
    }
    byte[] bytes = line.toByteArray();
    line.reset();
    length = -1;
    lengthBytes = 0;
    lengthSoFar = 0;
    if (bytes[bytes.length - 1] != '\n') {
      throw new MalformedException("a multistream line without a line feed");
    }
    return new String(bytes, 0, bytes.length - 1, StandardCharsets.UTF_8);
  }
}
