package dev.troupe.runtime.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How far the database has been acknowledged, in its own sequence numbers: a file of 16 bytes, the
 * number and its complement, written over in place after each group.
 *
 * <p>It is not synced, for it need not be: after the end of the process it is whole, and after a
 * loss of power it is an earlier one, or none, and then there is less to check.
 */
final class AcknowledgedMark implements AutoCloseable {

  private static final int BYTES = 16;

  private final FileChannel file;
  private final ByteBuffer buffer = ByteBuffer.allocate(BYTES);

  private AcknowledgedMark(FileChannel file) {
    this.file = file;
  }

  static AcknowledgedMark open(Path path) throws IOException {
    return new AcknowledgedMark(
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
  }

  /** The number that was set last; 0 if none is readable. */
  long get() throws IOException {
    buffer.clear();
    while (buffer.hasRemaining()) {
      if (file.read(buffer, buffer.position()) < 0) {
        return 0;
      }
    }
    buffer.flip();
    long number = buffer.getLong();
    return buffer.getLong() == ~number ? number : 0;
  }

  void set(long number) throws IOException {
    buffer.clear();
    buffer.putLong(number).putLong(~number).flip();
    while (buffer.hasRemaining()) {
      file.write(buffer, buffer.position());
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
