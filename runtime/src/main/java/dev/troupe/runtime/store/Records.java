package dev.troupe.runtime.store;

import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreFailure.Kind;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.CompressionType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The database of a {@link RocksStore}: a key is one letter for its collection, and the key in it.
 * It blocks; for one thread.
 *
 * <p>After a crash the database takes its log as far as it is whole, for what follows was never
 * acknowledged. That it was not is what the {@link AcknowledgedMark} is for: a log that is damaged
 * before its end is an error, and not a loss that nobody hears of. Each write has the sum of all
 * entries with it, for damage that makes the database forget a whole table of them.
 */
final class Records implements AutoCloseable {

  /** The bytes of a key before the key in its collection. */
  private static final int PREFIX = 1;

  /** Where the sum of all entries is, as {@link StoreSettings#maxBytes} counts them. */
  private static final byte[] SUM = {0};

  private static final byte[] NO_ROOM = new byte[0];

  private final StoreDirectory directory;
  private final AcknowledgedMark acknowledged;
  private final Options options;
  private final WriteOptions durably = new WriteOptions().setSync(true);
  private final ReadOptions once = new ReadOptions().setFillCache(false);
  private @Nullable RocksDB db;
  private long bytes;

  private Records(StoreDirectory directory, AcknowledgedMark acknowledged) {
    this.directory = directory;
    this.acknowledged = acknowledged;
    this.options =
        new Options()
            .setParanoidChecks(true)
            .setWalRecoveryMode(WALRecoveryMode.PointInTimeRecovery)
            .setWriteBufferSize(4 << 20)
            .setMaxTotalWalSize(16 << 20)
            .setTargetFileSizeBase(8 << 20)
            .setMaxBytesForLevelBase(32 << 20)
            .setCompressionType(CompressionType.LZ4_COMPRESSION)
            .setMaxBackgroundJobs(2)
            .setMaxOpenFiles(128)
            .setStatsDumpPeriodSec(0)
            .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
            .setMaxLogFileSize(1 << 20)
            .setKeepLogFileNum(2);
  }

  /** Takes the directory, and opens what is in it, or makes it. */
  static Records open(StoreSettings settings, PeerId owner) throws StoreOpeningException {
    StoreDirectory directory = StoreDirectory.take(Path.of(settings.directory()), owner);
    Records records = null;
    boolean opened = false;
    try {
      boolean made = directory.isMade();
      loadLibrary(directory);
      records = new Records(directory, AcknowledgedMark.open(directory.acknowledged()));
      records.start(made);
      opened = true;
      return records;
    } catch (IOException e) {
      throw directory.failed("it cannot be opened: " + e);
    } finally {
      if (!opened) {
        closeQuietly(records == null ? directory : records);
      }
    }
  }

  private static void closeQuietly(AutoCloseable opened) {
    try {
      opened.close();
    } catch (Exception worse) {
      return; // Why it does not open is what the caller wants to hear.
    }
  }

  /**
   * The library unpacks itself into a temporary file that a killed process leaves behind, each time
   * another one; in the store's directory there is one.
   */
  private static void loadLibrary(StoreDirectory directory)
      throws IOException, StoreOpeningException {
    try {
      if (System.getenv("ROCKSDB_SHAREDLIB_DIR") == null) {
        Files.createDirectories(directory.nativeLibrary());
        NativeLibraryLoader.getInstance().loadLibrary(directory.nativeLibrary().toString());
      }
      RocksDB.loadLibrary();
    } catch (UnsatisfiedLinkError | RuntimeException e) {
      throw directory.failed("RocksDB does not run here: " + e);
    }
  }

  private void start(boolean made) throws IOException, StoreOpeningException {
    openDatabase(made);
    if (!made) {
      if (bytes > 0) {
        throw directory.damaged("it has records, and no FORMAT");
      }
      directory.markMade();
    }
  }

  private RocksDB openDatabase(boolean made) throws IOException, StoreOpeningException {
    options.setCreateIfMissing(!made);
    try {
      Files.createDirectories(directory.records());
      RocksDB opened = RocksDB.open(options, directory.records().toString());
      db = opened;
      bytes = measure(opened);
      long there = opened.getLatestSequenceNumber();
      long promised = acknowledged.get();
      if (there < promised) {
        throw directory.damaged(
            "its log ends after change " + there + " of " + promised + " that it had");
      }
      byte[] sum = opened.get(SUM);
      long recorded = sum == null ? 0 : ByteBuffer.wrap(sum).getLong();
      if (bytes != recorded) {
        throw directory.damaged("it holds " + bytes + " bytes, of " + recorded + " that it had");
      }
      return opened;
    } catch (RocksDBException e) {
      throw why(e, made);
    }
  }

  /** Reads all, and so finds what cannot be read. */
  private long measure(RocksDB opened) throws RocksDBException {
    long sum = 0;
    try (RocksIterator all = opened.newIterator(once)) {
      for (all.seekToFirst(); all.isValid(); all.next()) {
        if (!Arrays.equals(all.key(), SUM)) {
          sum += Change.sizeOf(all.key().length - PREFIX, all.value().length);
        }
      }
      all.status();
    }
    return sum;
  }

  /** Opens the database anew, after it has failed to write. */
  void reopen() throws StoreOpeningException {
    closeDatabase();
    try {
      openDatabase(true);
    } catch (IOException e) {
      throw directory.failed("it cannot be opened anew: " + e);
    }
  }

  /** How much it holds, as {@link StoreSettings#maxBytes} counts. */
  long bytes() {
    return bytes;
  }

  /** What the entry that is to be changed counts for now. */
  long sizeAt(Change change) throws StoreOpeningException {
    byte[] key = keyOf(change.collection(), change.key());
    try {
      int size = database().get(key, NO_ROOM);
      return size == RocksDB.NOT_FOUND ? 0 : Change.sizeOf(change.key().size(), size);
    } catch (RocksDBException e) {
      throw why(e, true);
    }
  }

  /**
   * Makes these batches durable, all or none of them.
   *
   * @param bytesThen how much it holds then
   */
  void write(List<Batch> batches, long bytesThen) throws StoreOpeningException {
    try (WriteBatch all = new WriteBatch()) {
      for (Batch batch : batches) {
        for (Change change : batch.changes()) {
          byte[] key = keyOf(change.collection(), change.key());
          Bytes value = change.value();
          if (value == null) {
            all.delete(key);
          } else {
            all.put(key, value.toArray());
          }
        }
      }
      all.put(SUM, ByteBuffer.allocate(Long.BYTES).putLong(bytesThen).array());
      RocksDB opened = database();
      opened.write(durably, all);
      bytes = bytesThen;
      acknowledged.set(opened.getLatestSequenceNumber());
    } catch (RocksDBException e) {
      throw why(e, true);
    } catch (IOException e) {
      throw directory.failed("the mark of what is acknowledged cannot be written: " + e);
    }
  }

  /** As {@link Store#read}. */
  Page page(StoreCollection from, Bytes after) throws StoreOpeningException {
    byte letter = letterOf(from);
    byte[] start = keyOf(from, after);
    List<Page.Entry> entries = new ArrayList<>();
    int size = 0;
    try (RocksIterator all = database().newIterator(once)) {
      for (all.seek(start); all.isValid() && all.key()[0] == letter; all.next()) {
        byte[] key = all.key();
        if (Arrays.equals(key, start)) {
          continue;
        }
        if (entries.size() == Store.PAGE_ENTRIES || size >= Store.PAGE_BYTES) {
          return new Page(entries, false);
        }
        byte[] value = all.value();
        entries.add(new Page.Entry(Bytes.wrap(key).slice(PREFIX, key.length), Bytes.wrap(value)));
        size += key.length - PREFIX + value.length;
      }
      all.status();
      return new Page(entries, true);
    } catch (RocksDBException e) {
      throw why(e, true);
    }
  }

  private RocksDB database() throws StoreOpeningException {
    if (db == null) {
      throw directory.failed("it could not be opened anew");
    }
    return db;
  }

  private StoreOpeningException why(RocksDBException e, boolean made) {
    Status status = e.getStatus();
    if (status == null) {
      return directory.failed(String.valueOf(e.getMessage()));
    }
    String says = status.getCodeString() + " " + status.getState();
    return switch (status.getCode()) {
      case Corruption -> directory.damaged(says);
      // Of one that was made: it is not there any more.
      case InvalidArgument -> made ? directory.damaged(says) : directory.failed(says);
      case IOError ->
          switch (status.getSubCode()) {
            case NoSpace -> directory.failure(Kind.FULL, "there is no room on its disk: " + says);
            // The binding has no name for "path not found".
            case Undefined -> directory.damaged(says);
            default -> directory.failed(says);
          };
      default -> directory.failed(says);
    };
  }

  private static byte[] keyOf(StoreCollection collection, Bytes key) {
    byte[] prefixed = new byte[PREFIX + key.size()];
    prefixed[0] = letterOf(collection);
    System.arraycopy(key.toArray(), 0, prefixed, PREFIX, key.size());
    return prefixed;
  }

  /** Part of the format. */
  private static byte letterOf(StoreCollection collection) {
    return (byte)
        switch (collection) {
          case VALUES -> 'v';
          case PROVIDERS -> 'p';
          case TABLE -> 't';
          case ADDRESSES -> 'a';
          case BOOTSTRAP -> 'b';
        };
  }

  private void closeDatabase() {
    if (db != null) {
      db.close();
      db = null;
    }
  }

  @Override
  public void close() throws IOException {
    closeDatabase();
    durably.close();
    once.close();
    options.close();
    try (directory) {
      acknowledged.close();
    }
  }
}
