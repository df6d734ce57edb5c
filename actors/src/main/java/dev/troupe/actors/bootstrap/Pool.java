package dev.troupe.actors.bootstrap;

import dev.troupe.actors.bootstrap.Bootstrap.Status;
import dev.troupe.actors.names.Resolution;
import dev.troupe.protocol.kademlia.StoredBootstrap;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which bootstrap peers to dial, and when to try again. Pure: it dials nobody itself, and reads no
 * clock.
 *
 * <p>After each call of a method that tells it something, and when {@link #nextAt} has come, {@link
 * #due} says whom to dial. Primaries are dialled until so many are connected as are wanted: those
 * first that failed least, then in random order, those that answered in an earlier life first. One
 * that does not answer for a while does not count any more, so the next is dialled beside it; one
 * that failed rests. Where nobody is connected and no primary is left to wait for, it is the
 * backups' turn, in their order. Once a primary is back, nothing more is wanted of them.
 *
 * <p>What could not be reached rests for a short pause a few times, and then for growing ones. What
 * is lost after a long connection is dialled again at once; what drops its connections young rests
 * for pauses that grow further, lest a full bootstrap peer be dialled over and over by everybody
 * that it has no room for.
 */
final class Pool {

  /** A connection that lasted for so long was a good one. */
  static final Duration STEADY = Duration.ofSeconds(60);

  /** What the pauses of one grow to that drops its connections young. */
  static final Duration MAX_PAUSE_AFTER_DROPS = Duration.ofMinutes(10);

  /** All who lost the same bootstrap peer come back within so long, rather than all at once. */
  static final Duration SPREAD = Duration.ofSeconds(1);

  /** So many backups may be added to those that are configured. */
  static final int MAX_ADDED = 16;

  /** So many peers are taken from one {@code /dnsaddr} that does not say which it means. */
  static final int MAX_BEHIND = 16;

  /** A bootstrap peer, and how it stands. */
  static final class Entry {
    final int number;
    final Multiaddr name;
    final boolean backup;
    private final List<Multiaddr> addresses;
    private boolean added;
    private @Nullable PeerId peer;
    private Status status = Status.STANDBY;
    private int attempts;
    private int failures;
    private int drops;
    private boolean loud = true;

    /** When it was dialled or connected, or until when it rests, by its status. */
    private long since;

    private @Nullable Long lostAt;
    private @Nullable String reason;

    Entry(
        int number,
        Multiaddr name,
        @Nullable PeerId peer,
        List<Multiaddr> addresses,
        boolean backup) {
      this.number = number;
      this.name = name;
      this.peer = peer;
      this.addresses = new ArrayList<>(addresses);
      this.backup = backup;
    }

    /** Where to dial it, without {@code /p2p}. */
    List<Multiaddr> addresses() {
      return List.copyOf(addresses);
    }

    private void alsoAt(List<Multiaddr> others) {
      others.stream().filter(each -> !addresses.contains(each)).forEach(addresses::add);
    }

    /** Whether its address stands for an unknown number of peers. */
    boolean standsForOthers() {
      return peer == null && Resolution.isNeeded(name);
    }

    /** Whether the user added it to those that are configured. */
    boolean isAdded() {
      return added;
    }

    /** Who it is, as far as that is known. */
    @Nullable PeerId peer() {
      return peer;
    }

    boolean isConnected() {
      return status == Status.CONNECTED;
    }

    private boolean isEligible(long now) {
      return status == Status.STANDBY || (status == Status.RESTING && since - now <= 0);
    }

    /** Why it could not be reached last; null while it can. */
    @Nullable String reason() {
      return reason;
    }

    /** The number of its last dial. */
    int attempt() {
      return attempts;
    }

    /** Whether that dial is under way. */
    boolean isDialled(int attempt) {
      return status == Status.DIALLING && attempts == attempt;
    }

    private void dial(long now) {
      status = Status.DIALLING;
      attempts++;
      since = now;
    }

    private void lose(String why, long now, long pauseNanos) {
      status = Status.RESTING;
      since = now + pauseNanos;
      reason = why;
      if (lostAt == null) {
        lostAt = now;
      }
    }

    private Bootstrap view(long now) {
      return new Bootstrap(
          name,
          peer,
          backup,
          status,
          reason,
          lostAt == null ? null : Duration.ofNanos(now - lostAt));
    }
  }

  private final BootstrapSettings settings;
  private final RandomGenerator random;
  private final PeerId self;
  private final List<Entry> entries = new ArrayList<>();
  private boolean backupsDemanded;
  private int added;
  private int numbers;

  /**
   * Nobody has been dialled.
   *
   * @param primaries with or without {@code /p2p}; several addresses of one peer are one bootstrap
   *     peer
   * @param self is never dialled: bootstrap peers may share one list of all of them
   */
  Pool(BootstrapSettings settings, List<Multiaddr> primaries, PeerId self, RandomGenerator random) {
    this.settings = settings;
    this.random = random;
    this.self = self;
    List<Entry> left = new ArrayList<>(entriesOf(primaries, false));
    while (!left.isEmpty()) {
      entries.add(left.remove(random.nextInt(left.size())));
    }
    entriesOf(settings.backups(), true).stream().filter(this::isUnknown).forEach(entries::add);
  }

  /**
   * Who answered in an earlier life. Of those that are configured, they are dialled first, and at
   * the addresses where they were reached as well; those that the user had added stand in as
   * backups again, after the others. All of it is a hint: who is dialled has to prove who it is.
   *
   * @param good the latest first
   */
  void recall(List<StoredBootstrap> good) {
    List<Multiaddr> names = good.stream().map(StoredBootstrap::name).toList();
    List<Entry> primaries = new ArrayList<>(entries.stream().filter(each -> !each.backup).toList());
    primaries.sort(
        Comparator.comparingInt(
            entry -> {
              int place = names.indexOf(entry.name);
              return place < 0 ? names.size() : place;
            }));
    entries.removeAll(primaries);
    entries.addAll(0, primaries);
    for (StoredBootstrap each : good) {
      if (each.added() && !each.peer().equals(self)) {
        addBackup(each.name());
      }
      find(each.peer())
          .filter(entry -> entry.name.equals(each.name()))
          .ifPresent(entry -> entry.alsoAt(each.addresses()));
    }
  }

  private List<Entry> entriesOf(List<Multiaddr> addresses, boolean backup) {
    Map<Object, List<Multiaddr>> byPeer = new LinkedHashMap<>();
    for (Multiaddr address : addresses) {
      PeerId peer = address.peerId();
      if (!Objects.equals(peer, self)) {
        byPeer
            .computeIfAbsent(peer == null ? address : peer, unused -> new ArrayList<>())
            .add(address);
      }
    }
    List<Entry> made = new ArrayList<>();
    byPeer.forEach(
        (key, all) ->
            made.add(
                new Entry(
                    numbers++,
                    all.get(0),
                    key instanceof PeerId peer ? peer : null,
                    all.stream().map(Multiaddr::withoutPeer).toList(),
                    backup)));
    return made;
  }

  /** How it stands with each: primaries in the order of preference, then backups. */
  List<Bootstrap> view(long now) {
    return entries.stream().map(entry -> entry.view(now)).toList();
  }

  /** All of them. */
  List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** Those that could not be reached, as the user has been told, and cannot be still. */
  List<Entry> announced() {
    return entries.stream().filter(entry -> !entry.loud && entry.lostAt != null).toList();
  }

  /** The one of a number. */
  Entry entry(int number) {
    return entries.stream().filter(each -> each.number == number).findFirst().orElseThrow();
  }

  /** Whether no primary is connected. */
  boolean isOnBackups() {
    return count(entry -> !entry.backup && entry.isConnected()) == 0;
  }

  /** Whom to dial now; they count as dialled from now on. */
  List<Entry> due(long now) {
    int primaryPlaces =
        settings.connections() - count(entry -> !entry.backup && counts(entry, now));
    List<Entry> due =
        new ArrayList<>(
            eligible(false, now)
                .sorted(Comparator.comparingInt(entry -> entry.failures + entry.drops))
                .limit(Math.max(0, primaryPlaces))
                .toList());
    due.forEach(entry -> entry.dial(now));
    if (isBackupsTurn(now)) {
      int places = settings.connections() - count(entry -> counts(entry, now));
      List<Entry> backups = eligible(true, now).limit(Math.max(0, places)).toList();
      backups.forEach(entry -> entry.dial(now));
      due.addAll(backups);
    }
    return due;
  }

  /** When {@link #due} may have more to say, if nothing else happens before. */
  OptionalLong nextAt(long now) {
    LongStream endsOfFreshness =
        entries.stream()
            .filter(entry -> isFresh(entry, now))
            .mapToLong(entry -> entry.since + settings.failoverAfter().toNanos());
    boolean primariesWanted =
        count(entry -> !entry.backup && entry.isConnected()) < settings.connections();
    boolean backupsWanted = backupsDemanded || entries.stream().noneMatch(Entry::isConnected);
    LongStream endsOfRests =
        entries.stream()
            .filter(entry -> entry.status == Status.RESTING && entry.since - now > 0)
            .filter(entry -> entry.backup ? backupsWanted : primariesWanted)
            .mapToLong(entry -> entry.since);
    return LongStream.concat(endsOfFreshness, endsOfRests).min();
  }

  private Stream<Entry> eligible(boolean backup, long now) {
    return entries.stream().filter(entry -> entry.backup == backup && entry.isEligible(now));
  }

  /** Whether it takes one of the places that there are. */
  private boolean counts(Entry entry, long now) {
    return entry.isConnected() || isFresh(entry, now);
  }

  /** Whether it is dialled, and still worth waiting for. */
  private boolean isFresh(Entry entry, long now) {
    return entry.status == Status.DIALLING
        && now - entry.since < settings.failoverAfter().toNanos();
  }

  private boolean isBackupsTurn(long now) {
    return backupsDemanded
        || entries.stream()
            .noneMatch(entry -> entry.isConnected() || (!entry.backup && isFresh(entry, now)));
  }

  private int count(Predicate<Entry> which) {
    return (int) entries.stream().filter(which).count();
  }

  // What happens

  /**
   * Who answered at an address that did not say. It counts as dialled once more, under its name.
   *
   * @return false, and the address is dropped, if it is one that is in the pool already, or this
   *     peer itself
   */
  boolean identify(Entry entry, PeerId peer) {
    if (peer.equals(self) || find(peer).isPresent()) {
      entries.remove(entry);
      return false;
    }
    entry.peer = peer;
    entry.attempts++;
    return true;
  }

  /**
   * Who stands behind an address that stands for others: each of them takes its place, but for
   * those that are in the pool already, this peer itself, and those beyond {@value #MAX_BEHIND}.
   * Their names are resolved again whenever they are dialled.
   *
   * @return those who came in
   */
  List<Entry> expand(Entry entry, List<PeerId> peers) {
    List<Entry> made = new ArrayList<>();
    for (PeerId each : peers) {
      if (made.size() < MAX_BEHIND && !each.equals(self) && find(each).isEmpty()) {
        Entry one =
            new Entry(
                numbers++, entry.name.withPeer(each), each, List.of(entry.name), entry.backup);
        one.added = entry.added;
        made.add(random.nextInt(made.size() + 1), one);
      }
    }
    int place = entries.indexOf(entry);
    entries.remove(entry);
    entries.addAll(place, made);
    return made;
  }

  /**
   * Somebody is connected, whoever asked for it.
   *
   * @return the bootstrap peer that it is, if it is one and was not known to be connected
   */
  Optional<Entry> onPeerConnected(PeerId peer, long now) {
    Optional<Entry> found = find(peer).filter(entry -> !entry.isConnected());
    found.ifPresent(entry -> connected(entry, now));
    return found;
  }

  private void connected(Entry entry, long now) {
    entry.status = Status.CONNECTED;
    entry.since = now;
    entry.failures = 0;
    entry.loud = true;
    entry.lostAt = null;
    entry.reason = null;
    if (!entry.backup) {
      backupsDemanded = false;
    }
  }

  /**
   * The dial of one came to nothing; ignored where it is not dialled any more.
   *
   * @return whether the user is to hear of it: of the first failure after a success, or after the
   *     user asked for it
   */
  boolean onFailed(Entry entry, String reason, long now) {
    if (entry.status != Status.DIALLING) {
      return false;
    }
    entry.failures++;
    int beyond = entry.failures - settings.attempts();
    Duration pause =
        beyond < 0 ? settings.pause() : grown(settings.pause(), beyond + 1, settings.maxPause());
    entry.lose(reason, now, pause.toNanos());
    boolean announce = entry.loud;
    entry.loud = false;
    return announce;
  }

  /**
   * The last connection to somebody is gone.
   *
   * @return the bootstrap peer that was lost, if it was one
   */
  Optional<Entry> onLost(PeerId peer, String reason, long now) {
    Optional<Entry> lost = find(peer).filter(Entry::isConnected);
    lost.ifPresent(
        entry -> {
          boolean young = now - entry.since < STEADY.toNanos();
          entry.drops = young ? entry.drops + 1 : 0;
          long pause =
              young
                  ? grown(settings.pause(), entry.drops - 1, MAX_PAUSE_AFTER_DROPS).toNanos()
                  : random.nextLong(SPREAD.toNanos());
          entry.lose(reason, now, pause);
        });
    return lost;
  }

  /** Doubled so many times up to a maximum, and up to a fifth more from the second time on. */
  private Duration grown(Duration pause, int times, Duration most) {
    long grown = Math.min(pause.toNanos() << Math.min(times, 10), most.toNanos());
    return Duration.ofNanos(times == 0 ? grown : grown + random.nextLong(grown / 5 + 1));
  }

  /** Nobody is there to ask: those primaries that rest are dialled now. */
  void hurry(long now) {
    wake(entry -> !entry.backup, now);
  }

  /** The user wants all that cannot be reached to be tried again, and to hear what comes of it. */
  void retry(long now) {
    entries.forEach(entry -> entry.loud = true);
    hurry(now);
  }

  /** The user wants the backups to be used now, whether there are primaries or not. */
  void useBackups(long now) {
    backupsDemanded = true;
    entries.stream().filter(entry -> entry.backup).forEach(entry -> entry.loud = true);
    wake(entry -> entry.backup, now);
  }

  private void wake(Predicate<Entry> which, long now) {
    entries.stream()
        .filter(entry -> entry.status == Status.RESTING && which.test(entry))
        .forEach(entry -> entry.since = now);
  }

  /**
   * Adds a backup; one that is known already is not added.
   *
   * @return whether there was room
   */
  boolean addBackup(Multiaddr address) {
    List<Entry> made = entriesOf(List.of(address), true);
    boolean isNew = made.stream().anyMatch(this::isUnknown);
    if (!isNew) {
      return true;
    } else if (added >= MAX_ADDED) {
      return false;
    }
    made.forEach(entry -> entry.added = true);
    entries.addAll(made);
    added++;
    return true;
  }

  private boolean isUnknown(Entry entry) {
    return entries.stream()
        .noneMatch(
            each ->
                entry.peer == null
                    ? each.addresses.containsAll(entry.addresses)
                    : entry.peer.equals(each.peer));
  }

  private Optional<Entry> find(PeerId peer) {
    return entries.stream().filter(entry -> peer.equals(entry.peer)).findFirst();
  }
}
