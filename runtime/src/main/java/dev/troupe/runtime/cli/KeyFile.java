package dev.troupe.runtime.cli;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.runtime.store.SyncedFiles;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Supplier;

/** A file with a private key in libp2p's protobuf, which only its owner may read. */
final class KeyFile {

  private static final int MAX_BYTES = 64 * 1024;

  private KeyFile() {}

  /**
   * Reads the key, or makes one where there is no file, and returns it when the disk has it.
   *
   * @throws MalformedException if the file holds no key; it is left as it is
   * @throws IOException if it cannot be read or written
   */
  static PrivateKey loadOrCreate(Path file, Crypto crypto, Supplier<PrivateKey> maker)
      throws IOException, MalformedException {
    if (Files.exists(file)) {
      return load(file, crypto);
    }
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new IOException("there is no directory for the key file " + file);
    }
    PrivateKey key = maker.get();
    // Written whole or not at all, and never readable by others in between. What a crash leaves
    // of the draft is in nobody's way.
    Path draft = Files.createTempFile(parent, ".key", ".draft", ownerOnly());
    try {
      SyncedFiles.write(draft, key.encoded());
      Files.createLink(file, draft);
    } catch (FileAlreadyExistsException e) {
      key = load(file, crypto);
    } catch (UnsupportedOperationException e) {
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(draft);
    }
    // A store may name the key's peer as its owner next, and be durable: so must the key be.
    SyncedFiles.syncDirectory(parent);
    return key;
  }

  private static PrivateKey load(Path file, Crypto crypto) throws IOException, MalformedException {
    if (Files.size(file) > MAX_BYTES) {
      throw new MalformedException("the key file " + file + " is too long to hold a key");
    }
    try {
      return PrivateKey.decode(crypto, Files.readAllBytes(file));
    } catch (MalformedException e) {
      throw new MalformedException("the key file " + file + " holds no key: " + e.getMessage(), e);
    }
  }

  private static FileAttribute<?>[] ownerOnly() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }
}
