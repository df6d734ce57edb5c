package dev.troupe.runtime.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Small files that a loss of power must not take. To replace or make one: {@linkplain #write write}
 * a draft beside it, move or link that to its place, and {@linkplain #syncDirectory sync} the
 * directory.
 */
public final class SyncedFiles {

  private SyncedFiles() {}

  /** Makes the file hold this and nothing else: when it returns, the disk has it. */
  public static void write(Path file, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  /**
   * When it returns, the disk has the names of the directory as they are. Windows opens no
   * directories, and is left to itself.
   */
  public static void syncDirectory(Path directory) throws IOException {
    if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
