package dev.troupe.runtime.store;

import dev.troupe.actors.store.StoreFailure.Kind;
import dev.troupe.protocol.keys.PeerId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The directory of a store: {@code LOCK}, which whoever has it open holds; {@code FORMAT}, one line
 * that says how to read the rest and whose it is; {@code records}, the database; {@code
 * ACKNOWLEDGED}, how far that has been acknowledged; and {@code native}, the copy of its library.
 * {@code FORMAT} is written last when a store is made: without it, what is there has never been
 * acknowledged.
 */
final class StoreDirectory implements AutoCloseable {

  /** The format that this version reads and writes. */
  static final int FORMAT = 1;

  private static final int MAX_FORMAT_BYTES = 4096;
  private static final Pattern LINE = Pattern.compile("troupe-store ([0-9]{1,9}) (\\S+)(?s:.*)");

  private final Path directory;
  private final PeerId owner;
  private final FileChannel lockFile;

  private StoreDirectory(Path directory, PeerId owner, FileChannel lockFile) {
    this.directory = directory;
    this.owner = owner;
    this.lockFile = lockFile;
  }

  /** Takes the directory, made where there is none, for this process and this owner alone. */
  static StoreDirectory take(Path directory, PeerId owner) throws StoreOpeningException {
    FileChannel lockFile = null;
    try {
      Files.createDirectories(directory);
      lockFile =
          FileChannel.open(
              directory.resolve("LOCK"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(lockFile) == null) {
        lockFile.close();
        throw new StoreOpeningException(
            Kind.IN_USE, "the store in " + directory + " is in use, perhaps by another process");
      }
      return new StoreDirectory(directory, owner, lockFile);
    } catch (IOException e) {
      closeQuietly(lockFile, e);
      throw new StoreOpeningException(
          Kind.FAILED, "the directory " + directory + " cannot be used for a store: " + e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException ourselves) {
      return null;
    }
  }

  /** Where the database is. */
  Path records() {
    return directory.resolve("records");
  }

  /** Where it is written how far the database has been acknowledged. */
  Path acknowledged() {
    return directory.resolve("ACKNOWLEDGED");
  }

  /** Where the library of the database is unpacked: replaced each time, so that none piles up. */
  Path nativeLibrary() {
    return directory.resolve("native");
  }

  /**
   * Whether a store has been made here.
   *
   * @throws StoreOpeningException if it has, and it is not one that this version and this owner may
   *     open
   */
  boolean isMade() throws StoreOpeningException {
    String text;
    try {
      Path file = directory.resolve("FORMAT");
      if (Files.size(file) > MAX_FORMAT_BYTES) {
        throw damaged("its FORMAT is too long");
      }
      text = Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw new StoreOpeningException(
          Kind.FAILED, "the FORMAT of the store in " + directory + " cannot be read: " + e);
    }
    Matcher line = LINE.matcher(text);
    if (!line.matches()) {
      throw damaged("its FORMAT is not readable");
    }
    int format = Integer.parseInt(line.group(1));
    if (format > FORMAT) {
      throw new StoreOpeningException(
          Kind.NEWER_FORMAT,
          "the store in "
              + directory
              + " has format "
              + format
              + ", of a newer version than this one, which knows "
              + FORMAT);
    }
    if (format < 1) {
      throw damaged("its FORMAT is " + format);
    }
    if (!line.group(2).equals(owner.toString())) {
      throw new StoreOpeningException(
          Kind.OTHER_OWNER,
          "the store in " + directory + " is that of peer " + line.group(2) + ", not of " + owner);
    }
    return true;
  }

  /** From now on a store has been made here. */
  void markMade() throws IOException {
    Path draft = directory.resolve("FORMAT.draft");
    String line = "troupe-store " + FORMAT + " " + owner + "\n";
    SyncedFiles.write(draft, line.getBytes(StandardCharsets.ISO_8859_1));
    Files.move(
        draft,
        directory.resolve("FORMAT"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    SyncedFiles.syncDirectory(directory);
  }

  StoreOpeningException damaged(String how) {
    return new StoreOpeningException(
        Kind.DAMAGED,
        "the store in "
            + directory
            + " is damaged: "
            + how
            + ". It has been left as it is; put a copy from before in its place, or move it away");
  }

  StoreOpeningException failed(String how) {
    return failure(Kind.FAILED, how);
  }

  StoreOpeningException failure(Kind kind, String how) {
    return new StoreOpeningException(kind, "the store in " + directory + ": " + how);
  }

  /** Gives the directory back. */
  @Override
  public void close() throws IOException {
    lockFile.close();
  }

  private static void closeQuietly(@Nullable FileChannel file, IOException because) {
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        because.addSuppressed(e);
      }
    }
  }
}
