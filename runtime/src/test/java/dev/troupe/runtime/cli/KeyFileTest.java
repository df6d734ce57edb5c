package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PrivateKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyFileTest {

  private static final Crypto CRYPTO = new PortableCrypto();

  @TempDir Path directory;

  private static PrivateKey key(int seed) {
    byte[] bytes = new byte[32];
    bytes[0] = (byte) seed;
    return PrivateKey.fromSeed(CRYPTO, bytes);
  }

  @Test
  void theFirstUseMakesAKeyThatOnlyItsOwnerMayReadAndTheNextFindsIt() throws Exception {
    Path file = directory.resolve("key");
    PrivateKey made = KeyFile.loadOrCreate(file, CRYPTO, () -> key(1));
    assertEquals(key(1), made);
    assertEquals(made, KeyFile.loadOrCreate(file, CRYPTO, () -> key(2)));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  /** What the JVM records of its own calls: of the disk itself no test can tell. */
  @Test
  void theKeyIsSyncedBeforeItIsUsedAndThenTheDirectoryThatNamesIt() throws Exception {
    Path dump = directory.resolve("recording");
    Path keys = Files.createDirectory(directory.resolve("keys"));
    try (Recording recording = new Recording()) {
      recording.enable("jdk.FileForce").withoutThreshold();
      recording.start();
      KeyFile.loadOrCreate(keys.resolve("key"), CRYPTO, () -> key(1));
      recording.stop();
      recording.dump(dump);
    }
    List<String> synced =
        RecordingFile.readAllEvents(dump).stream()
            .filter(each -> each.getEventType().getName().equals("jdk.FileForce"))
            .sorted(Comparator.comparing(RecordedEvent::getStartTime))
            .map(each -> each.getString("path"))
            .filter(path -> path.startsWith(keys.toString()))
            .toList();
    assertEquals(2, synced.size(), synced.toString());
    assertTrue(synced.get(0).endsWith(".draft"), synced.toString());
    assertEquals(keys.toString(), synced.get(1));
  }

  @Test
  void draftsThatACrashLeftBehindAreInNobodysWay() throws Exception {
    Files.write(directory.resolve(".key1.draft"), new byte[0]);
    Files.write(directory.resolve(".key2.draft"), new byte[] {8, 1, 18});
    Path file = directory.resolve("key");
    PrivateKey made = KeyFile.loadOrCreate(file, CRYPTO, () -> key(1));
    assertArrayEquals(key(1).encoded(), Files.readAllBytes(file));
    assertEquals(made, KeyFile.loadOrCreate(file, CRYPTO, () -> key(2)));
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(3, left.count());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no key", "\u0008\u0001\u0012"})
  void aFileWithoutAKeyIsNamedAndLeftAsItIs(String content) throws IOException {
    Path file = directory.resolve("key");
    Files.writeString(file, content);
    MalformedException refused =
        assertThrows(
            MalformedException.class, () -> KeyFile.loadOrCreate(file, CRYPTO, () -> key(1)));
    assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
    assertArrayEquals(
        content.getBytes(java.nio.charset.StandardCharsets.UTF_8), Files.readAllBytes(file));
  }

  @Test
  void aFileOfAnySizeIsNotRead() throws IOException {
    Path file = directory.resolve("key");
    Files.write(file, new byte[100_000]);
    assertThrows(MalformedException.class, () -> KeyFile.loadOrCreate(file, CRYPTO, () -> key(1)));
  }

  @Test
  void withoutItsDirectoryNoFileIsMade() {
    Path file = directory.resolve("absent/key");
    IOException refused =
        assertThrows(IOException.class, () -> KeyFile.loadOrCreate(file, CRYPTO, () -> key(1)));
    assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
  }
}
