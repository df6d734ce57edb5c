package dev.troupe.protocol.kademlia;

import static java.util.Objects.requireNonNull;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The values that this peer keeps for others, and its own, in memory. Each is valid in its
 * namespace when it is stored and again when it is asked for, and none is replaced by a worse one.
 *
 * <p>When there is no room, the values farthest from us give way, and a newcomer that is farther
 * than all is refused: those near to us are the ones that others will ask us for. Before that, the
 * values of those senders give way that have more than their share, and a sender with its share is
 * refused. What this peer put itself has as much room beside that of all others, and gives way to a
 * better value only; its time is not over before it is no longer valid. Those that are not make
 * room where there is none for another of its own.
 *
 * <p>Not thread-safe.
 */
public final class ValueStore {

  /** What a value counts for, in bytes, beside its key and itself. */
  static final int RECORD_OVERHEAD = 128;

  private final Namespaces namespaces;
  private final PeerId self;
  private final Key here;
  private final Settings settings;
  private final NavigableMap<Distance, Stored> records = new TreeMap<>();

  /** What each sender takes of the room, and all of them but ourselves together. */
  private final Map<PeerId, Usage> usageOf = new LinkedHashMap<>();

  private Usage others = Usage.NONE;
  private Journal journal = Journal.NONE;

  /**
   * What bounds the store.
   *
   * @param maxRecords how many values of others are kept; and as many of our own
   * @param maxBytes how many bytes those have in all, each counting as its key, itself and 128
   *     bytes; and as many our own
   * @param shareOfSender one sender has one part in so many of either; where there is no room, what
   *     is beyond gives way, or is refused
   * @param timeToLive for how long each of others is kept, unless it is put again
   */
  public record Settings(int maxRecords, long maxBytes, int shareOfSender, Duration timeToLive) {

    /** 1024 values and 16 MiB, a quarter of that for one sender, 48 h. */
    public static final Settings DEFAULT = new Settings(1024, 16L << 20, 4, Duration.ofHours(48));

    /**
     * Checks the bounds.
     *
     * @throws IllegalArgumentException if one is not positive
     */
    public Settings {
      if (maxRecords < 1 || maxBytes < 1 || shareOfSender < 1 || timeToLive.toNanos() <= 0) {
        throw new IllegalArgumentException("all bounds of a value store must be positive");
      }
    }

    /** These, with another limit to the values. */
    public Settings withMaxRecords(int other) {
      return new Settings(other, maxBytes, shareOfSender, timeToLive);
    }

    /** These, with another time to live. */
    public Settings withTimeToLive(Duration other) {
      return new Settings(maxRecords, maxBytes, shareOfSender, other);
    }

    private Usage ofAll() {
      return new Usage(maxRecords, maxBytes);
    }

    private Usage ofOne() {
      return new Usage(
          Math.max(1, maxRecords / shareOfSender), Math.max(1, maxBytes / shareOfSender));
    }
  }

  /**
   * An empty store.
   *
   * @param self who we are, and so where we live
   */
  public ValueStore(Namespaces namespaces, PeerId self, Settings settings) {
    this.namespaces = namespaces;
    this.self = self;
    this.here = Key.of(self);
    this.settings = settings;
  }

  /** Hears of every change, to keep what is here beyond the end of the peer. */
  public interface Journal {

    /** Nobody keeps it. */
    Journal NONE =
        new Journal() {
          @Override
          public void put(ValueRecord record, PeerId sender, long putAt) {}

          @Override
          public void dropped(Bytes key) {}
        };

    /**
     * A value is stored, or lives on.
     *
     * @param putAt monotonic, in nanoseconds
     */
    void put(ValueRecord record, PeerId sender, long putAt);

    /** The value of a key is not here any more. */
    void dropped(Bytes key);
  }

  /** Tells of every change from now on. */
  public void tell(Journal other) {
    journal = other;
  }

  /** What became of a value. */
  public enum Outcome {
    /** It is stored. */
    STORED,
    /** A better one is stored already. */
    OUTDATED,
    /** There is no room for it. */
    FULL
  }

  /**
   * Stores a value, if it is valid and no better one is there. One that is there already lives on
   * as long as if it were new, and remains with who put it first; but with us, if we did either.
   *
   * @param sender who put it
   * @throws InvalidRecordException if it must not be under its key
   */
  public Outcome put(PeerId sender, ValueRecord record, long now) throws InvalidRecordException {
    return put(sender, record, now, now);
  }

  /**
   * Stores a value of this peer's own, of which nobody has been told yet: it counts as put so long
   * ago that it is over. Where the same is our own already, that remains as long ago as it was.
   *
   * @throws InvalidRecordException if it must not be under its key
   */
  public Outcome intend(ValueRecord record, long now) throws InvalidRecordException {
    return put(self, record, now - settings.timeToLive().toNanos(), now);
  }

  /** Drops a value that this peer put itself, if there is one: it is not to put it any more. */
  public void withdraw(Bytes key) {
    Distance distance = here.distanceTo(Key.of(key));
    Stored held = records.get(distance);
    if (held != null && held.sender.equals(self)) {
      remove(distance);
    }
  }

  /** Others have been told of a value of this peer's own, if it is that still. */
  public void announced(ValueRecord record, long now) {
    Distance distance = here.distanceTo(Key.of(record.key()));
    Stored held = records.get(distance);
    if (held != null && held.sender.equals(self) && held.record.value().equals(record.value())) {
      records.put(distance, new Stored(record, self, now));
      journal.put(record, self, now);
    }
  }

  private Outcome put(PeerId sender, ValueRecord record, long putAt, long now)
      throws InvalidRecordException {
    namespaces.validate(record.key(), record.value());
    Distance distance = here.distanceTo(Key.of(record.key()));
    Optional<ValueRecord> held = get(record.key(), now);
    if (held.isPresent()) {
      Bytes better = namespaces.select(record.key(), List.of(record.value(), held.get().value()));
      if (!better.equals(record.value())) {
        return Outcome.OUTDATED;
      }
    }
    Stored before = records.get(distance);
    Stored same = before != null && before.record.value().equals(record.value()) ? before : null;
    PeerId owner = same != null && !sender.equals(self) ? same.sender : sender;
    long since = putAt;
    if (same != null && same.sender.equals(self)) {
      // That others have our own does not say that those have who should; nor does our intention.
      since = sender.equals(self) && putAt - same.putAt > 0 ? putAt : same.putAt;
    }
    Stored newcomer = new Stored(record, owner, since);
    if (!makeRoom(distance, newcomer, before)) {
      return Outcome.FULL;
    }
    take(distance);
    records.put(distance, newcomer);
    count(newcomer, 1);
    journal.put(record, owner, newcomer.putAt);
    return Outcome.STORED;
  }

  /**
   * Takes back a value that was stored before the peer ended. One that is here already is newer,
   * and stays. The journal is not told, unless others give way.
   *
   * @param putAt when it was stored, on today's clock; not later than now
   * @return whether it is here now
   * @throws InvalidRecordException if it must not be under its key any more
   */
  public boolean restore(ValueRecord record, PeerId sender, long putAt, long now)
      throws InvalidRecordException {
    namespaces.validate(record.key(), record.value());
    Distance distance = here.distanceTo(Key.of(record.key()));
    if (records.containsKey(distance)) {
      return true;
    }
    Stored stored = new Stored(record, sender, putAt);
    if (isExpired(stored, now) || !makeRoom(distance, stored, null)) {
      return false;
    }
    records.put(distance, stored);
    count(stored, 1);
    return true;
  }

  /** Whether the time of a value is over that was put then. */
  public boolean isOver(long putAt, long now) {
    return now - putAt >= settings.timeToLive().toNanos();
  }

  /**
   * Replaces a value by a better one that others hold; it remains with who put the one that was
   * there. If that was this peer, it is another's from now on: this peer does not put it again.
   * Does nothing where no value is there, or no room for it as another's.
   *
   * @param holder who holds the better one
   * @throws InvalidRecordException if it must not be under its key
   */
  public void correct(ValueRecord better, PeerId holder, long now) throws InvalidRecordException {
    if (get(better.key(), now).isPresent()) {
      Stored held = requireNonNull(records.get(here.distanceTo(Key.of(better.key()))));
      put(held.sender.equals(self) ? holder : held.sender, better, now);
    }
  }

  /**
   * The value of a key, if there is one that has not expired and is valid still; one that is not is
   * dropped.
   */
  public Optional<ValueRecord> get(Bytes key, long now) {
    Distance distance = here.distanceTo(Key.of(key));
    Stored stored = records.get(distance);
    if (stored == null || isExpired(stored, now)) {
      return Optional.empty();
    }
    if (!isValid(stored.record)) {
      remove(distance);
      return Optional.empty();
    }
    return Optional.of(stored.record);
  }

  /** Drops what has expired. */
  public void expire(long now) {
    records.entrySet().stream()
        .filter(entry -> isExpired(entry.getValue(), now))
        .map(Map.Entry::getKey)
        .toList()
        .forEach(this::remove);
  }

  /** What this peer put itself, be it valid still or not; nearest to it first. */
  public List<Own> own() {
    return records.values().stream()
        .filter(stored -> stored.sender.equals(self))
        .map(stored -> new Own(stored.record, stored.putAt))
        .toList();
  }

  /**
   * A value that this peer put itself.
   *
   * @param putAt when others were told of it last; monotonic, in nanoseconds
   */
  public record Own(ValueRecord record, long putAt) {}

  /** How many values are kept, expired ones included. */
  public int size() {
    return records.size();
  }

  /** How many bytes the values of others take, as {@link Settings} counts them. */
  public long bytesOfOthers() {
    return others.bytes;
  }

  /** Lets the farthest values go, if that makes enough room; otherwise does nothing. */
  private boolean makeRoom(Distance distance, Stored newcomer, @Nullable Stored before) {
    Usage ofOwner = usageOf.getOrDefault(newcomer.sender, Usage.NONE).plus(newcomer, 1);
    if (before != null && before.sender.equals(newcomer.sender)) {
      ofOwner = ofOwner.plus(before, -1);
    }
    if (newcomer.sender.equals(self)) {
      return ofOwner.isWithin(settings.ofAll())
          || ofOwner.less(dropOwnNotValid(distance)).isWithin(settings.ofAll());
    }
    Usage ofOthers = others.plus(newcomer, 1);
    if (before != null && !before.sender.equals(self)) {
      ofOthers = ofOthers.plus(before, -1);
    }
    if (ofOthers.isWithin(settings.ofAll())) {
      return true;
    }
    if (!ofOwner.isWithin(settings.ofOne())) {
      return false;
    }
    Set<Distance> going = new LinkedHashSet<>();
    ofOthers = letGoBeyondShares(distance, ofOthers, going);
    for (Map.Entry<Distance, Stored> farthest :
        records.tailMap(distance, false).descendingMap().entrySet()) {
      if (ofOthers.isWithin(settings.ofAll())) {
        break;
      }
      if (!farthest.getValue().sender.equals(self) && going.add(farthest.getKey())) {
        ofOthers = ofOthers.plus(farthest.getValue(), -1);
      }
    }
    if (!ofOthers.isWithin(settings.ofAll())) {
      return false;
    }
    going.forEach(this::remove);
    return true;
  }

  /**
   * Drops what this peer put itself and is not valid any more.
   *
   * @param sparing the place of the newcomer, whose predecessor goes anyway
   * @return what that took
   */
  private Usage dropOwnNotValid(Distance sparing) {
    Usage dropped = Usage.NONE;
    for (Map.Entry<Distance, Stored> each : List.copyOf(records.entrySet())) {
      Stored stored = each.getValue();
      if (stored.sender.equals(self) && !each.getKey().equals(sparing) && !isValid(stored.record)) {
        dropped = dropped.plus(stored, 1);
        remove(each.getKey());
      }
    }
    return dropped;
  }

  private boolean isValid(ValueRecord record) {
    try {
      namespaces.validate(record.key(), record.value());
      return true;
    } catch (InvalidRecordException noLonger) {
      return false;
    }
  }

  /**
   * Lets the farthest values go of those that have more than their share, until there is room or
   * nobody has.
   *
   * @param sparing the place of the newcomer, whose predecessor goes anyway
   * @param ofOthers what others take, the newcomer included
   * @param going to which it adds what is to go
   * @return what others take then
   */
  private Usage letGoBeyondShares(Distance sparing, Usage ofOthers, Set<Distance> going) {
    Map<PeerId, Usage> beyond = new LinkedHashMap<>();
    usageOf.forEach(
        (sender, usage) -> {
          if (!sender.equals(self) && !usage.isWithin(settings.ofOne())) {
            beyond.put(sender, usage);
          }
        });
    Usage left = ofOthers;
    for (Map.Entry<Distance, Stored> farthest : records.descendingMap().entrySet()) {
      if (beyond.isEmpty() || left.isWithin(settings.ofAll())) {
        break;
      }
      Stored stored = farthest.getValue();
      Usage usage = beyond.get(stored.sender);
      if (usage == null || farthest.getKey().equals(sparing)) {
        continue;
      }
      going.add(farthest.getKey());
      left = left.plus(stored, -1);
      usage = usage.plus(stored, -1);
      if (usage.isWithin(settings.ofOne())) {
        beyond.remove(stored.sender);
      } else {
        beyond.put(stored.sender, usage);
      }
    }
    return left;
  }

  private void remove(Distance distance) {
    Stored stored = take(distance);
    if (stored != null) {
      journal.dropped(stored.record.key());
    }
  }

  private @Nullable Stored take(Distance distance) {
    Stored stored = records.remove(distance);
    if (stored != null) {
      count(stored, -1);
    }
    return stored;
  }

  private void count(Stored stored, int sign) {
    Usage usage = usageOf.getOrDefault(stored.sender, Usage.NONE).plus(stored, sign);
    if (usage.records == 0) {
      usageOf.remove(stored.sender);
    } else {
      usageOf.put(stored.sender, usage);
    }
    if (!stored.sender.equals(self)) {
      others = others.plus(stored, sign);
    }
  }

  private record Usage(int records, long bytes) {

    static final Usage NONE = new Usage(0, 0);

    Usage plus(Stored stored, int sign) {
      return new Usage(records + sign, bytes + sign * stored.bytes());
    }

    Usage less(Usage other) {
      return new Usage(records - other.records, bytes - other.bytes);
    }

    boolean isWithin(Usage limit) {
      return records <= limit.records && bytes <= limit.bytes;
    }
  }

  private boolean isExpired(Stored stored, long now) {
    return !stored.sender.equals(self) && isOver(stored.putAt, now);
  }

  private record Stored(ValueRecord record, PeerId sender, long putAt) {

    long bytes() {
      return RECORD_OVERHEAD + record.key().size() + record.value().size();
    }
  }
}
