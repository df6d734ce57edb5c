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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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
 *
 * <p>A {@code /dnsaddr} that does not say which peer it means stands beside those that are behind
 * it. While more are wanted it is resolved again, for growing pauses, and at once when none of
 * those is connected any more: who is new there comes in, who is there no longer goes. Where it
 * does not resolve, those stand in that answered in an earlier life.
 */
final class Pool {

  /** A connection that lasted for so long was a good one. */
  static final Duration STEADY = Duration.ofSeconds(60);

  /** What the pauses of one grow to that drops its connections young. */
  static final Duration MAX_PAUSE_AFTER_DROPS = Duration.ofMinutes(10);

  /** What the pauses grow to after which a name is resolved again that leads to connected peers. */
  static final Duration MAX_PAUSE_OF_NAMES = Duration.ofMinutes(10);

  /** All who lost the same bootstrap peer come back within so long, rather than all at once. */
  static final Duration SPREAD = Duration.ofSeconds(1);

  /**
   * So many backups may be added to those that are configured; a {@code /dnsaddr} is one, however
   * many are behind it. Beyond that, those give way that were added in an earlier life and are not
   * connected, the one first that answered longest ago.
   */
  static final int MAX_ADDED = 16;

  /**
   * So many peers are taken from one {@code /dnsaddr} that does not say which it means; those first
   * that answered before.
   */
  static final int MAX_BEHIND = 16;

  /** A bootstrap peer, and how it stands. */
  static final class Entry {
    final int number;
    final Multiaddr name;
    boolean backup;
    private final List<Multiaddr> addresses;
    private boolean added;

    /** Whether it was added in an earlier life, and has not answered in this one. */
    private boolean recalled;

    private @Nullable PeerId peer;

    /** The {@code /dnsaddr} that led to it. */
    private @Nullable Entry via;

    /** Whether it stands for others, and has been resolved. */
    private boolean resolved;

    /** How often it has been resolved since one of those behind it was lost. */
    private int resolutions;

    /** Who is behind it, in the pool or not. */
    private Set<PeerId> behind = Set.of();

    private Status status = Status.STANDBY;
    private int attempts;
    private int failures;
    private int drops;
    private boolean loud = true;

    /** Whether a connection to it has ended since it was dialled. */
    private boolean disconnected;

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

    /** The {@code /dnsaddr} that led to it; null for one that was configured or added itself. */
    @Nullable Entry via() {
      return via;
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

    /** Whether a dial that ends well now has found a connection that is there no more. */
    boolean isDisconnected() {
      return disconnected;
    }

    private void dial(long now) {
      status = Status.DIALLING;
      attempts++;
      disconnected = false;
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
  private List<StoredBootstrap> good = List.of();
  private boolean backupsDemanded;
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
   * backups again, after the others; those behind a name count once that is resolved, or cannot be.
   * All of it is a hint: who is dialled has to prove who it is.
   *
   * @param kept the latest first
   */
  void recall(List<StoredBootstrap> kept) {
    good = List.copyOf(kept);
    List<Entry> primaries = new ArrayList<>(entries.stream().filter(each -> !each.backup).toList());
    primaries.sort(Comparator.comparingInt(this::rank));
    entries.removeAll(primaries);
    entries.addAll(0, primaries);
    for (StoredBootstrap each : good) {
      if (each.added() && !each.peer().equals(self)) {
        add(each.name(), true);
      }
      find(each.peer())
          .filter(entry -> entry.name.equals(each.name()))
          .ifPresent(entry -> entry.alsoAt(each.addresses()));
    }
  }

  /** How many answered in an earlier life, and later than this one did, or one behind it. */
  private int rank(Entry entry) {
    for (int i = 0; i < good.size(); i++) {
      Multiaddr name = good.get(i).name();
      if (name.equals(entry.name)
          || (entry.standsForOthers() && name.withoutPeer().equals(entry.name))) {
        return i;
      }
    }
    return good.size();
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

  /**
   * How it stands with each: primaries in the order of preference, then backups. A name that has
   * been resolved gives way to those behind it.
   */
  List<Bootstrap> view(long now) {
    return entries.stream().filter(entry -> !entry.resolved).map(entry -> entry.view(now)).toList();
  }

  /** All of them, names that have been resolved included. */
  List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** Those that could not be reached, as the user has been told, and cannot be still. */
  List<Entry> announced() {
    return entries.stream().filter(entry -> !entry.loud && entry.lostAt != null).toList();
  }

  /** The one of a number, if it is there still. */
  Optional<Entry> entry(int number) {
    return entries.stream().filter(each -> each.number == number).findFirst();
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
    List<Entry> names =
        entries.stream()
            .filter(entry -> entry.resolved && entry.isEligible(now) && isWanted(entry))
            .toList();
    names.forEach(entry -> entry.dial(now));
    due.addAll(names);
    return due;
  }

  /** When {@link #due} may have more to say, if nothing else happens before. */
  OptionalLong nextAt(long now) {
    LongStream endsOfFreshness =
        entries.stream()
            .filter(entry -> isFresh(entry, now))
            .mapToLong(entry -> entry.since + settings.failoverAfter().toNanos());
    LongStream endsOfRests =
        entries.stream()
            .filter(entry -> entry.status == Status.RESTING && entry.since - now > 0)
            .filter(this::isWanted)
            .mapToLong(entry -> entry.since);
    return LongStream.concat(endsOfFreshness, endsOfRests).min();
  }

  /** Whether more of its kind are wanted. */
  private boolean isWanted(Entry one) {
    return one.backup
        ? backupsDemanded || entries.stream().noneMatch(Entry::isConnected)
        : count(entry -> !entry.backup && entry.isConnected()) < settings.connections();
  }

  private Stream<Entry> eligible(boolean backup, long now) {
    return entries.stream()
        .filter(entry -> entry.backup == backup && !entry.resolved && entry.isEligible(now));
  }

  /** Whether it takes one of the places that there are. */
  private boolean counts(Entry entry, long now) {
    return entry.isConnected() || isFresh(entry, now);
  }

  /** Whether it is dialled, and still worth waiting for. */
  private boolean isFresh(Entry entry, long now) {
    return entry.status == Status.DIALLING
        && !entry.resolved
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
   *     peer itself; a backup whose address that of a primary is becomes one
   */
  boolean identify(Entry entry, PeerId peer) {
    Entry known = find(peer).orElse(null);
    if (peer.equals(self) || known != null) {
      if (known != null && known.backup && !entry.backup) {
        promote(known, entry);
      }
      entries.remove(entry);
      return false;
    }
    entry.peer = peer;
    entry.attempts++;
    return true;
  }

  /** A backup that turns out to be meant by a primary address stands behind that. */
  private void promote(Entry backup, Entry primary) {
    backup.backup = false;
    entries.remove(backup);
    entries.add(entries.indexOf(primary) + 1, backup);
    if (backup.isConnected()) {
      backupsDemanded = false;
    }
  }

  /**
   * Who stands behind an address that stands for others, now. Each of them comes in, but for those
   * that are in the pool already, this peer itself, and those beyond {@value #MAX_BEHIND}; who is
   * not among them any more goes, unless it is connected or dialled. Their names are resolved again
   * whenever they are dialled.
   *
   * @return those who came in, and those who were backups and are primaries from now on
   */
  List<Entry> expand(Entry name, List<PeerId> peers, long now) {
    name.behind = new LinkedHashSet<>(peers);
    entries.removeIf(
        each ->
            each.via == name
                && !name.behind.contains(each.peer)
                && each.status != Status.CONNECTED
                && each.status != Status.DIALLING);
    List<Entry> news = comeIn(name, peers);
    name.resolved = true;
    name.failures = 0;
    name.loud = true;
    name.lostAt = null;
    name.reason = null;
    resolveLater(name, now);
    return news;
  }

  /**
   * A name does not resolve: those who were found behind it in an earlier life, and answered, come
   * in; where it has been resolved before, they are there.
   *
   * @return those who came in, and those who were backups and are primaries from now on
   */
  List<Entry> expandFromMemory(Entry name) {
    if (name.resolved || !name.standsForOthers()) {
      return List.of();
    }
    return comeIn(
        name,
        good.stream()
            .filter(each -> !each.name().equals(name.name))
            .filter(each -> each.name().withoutPeer().equals(name.name))
            .map(StoredBootstrap::peer)
            .toList());
  }

  private List<Entry> comeIn(Entry name, List<PeerId> peers) {
    List<Entry> made = new ArrayList<>();
    List<Entry> promoted = new ArrayList<>();
    for (PeerId each : peers) {
      Entry known = find(each).orElse(null);
      if (known != null && known.backup && !name.backup) {
        promote(known, name);
        promoted.add(known);
      } else if (known == null && !each.equals(self)) {
        Entry one =
            new Entry(numbers++, name.name.withPeer(each), each, List.of(name.name), name.backup);
        one.via = name;
        good.stream()
            .filter(kept -> kept.name().equals(one.name))
            .forEach(kept -> one.alsoAt(kept.addresses()));
        made.add(one);
      }
    }
    int room = MAX_BEHIND - count(entry -> entry.via == name);
    made.sort(Comparator.comparingInt(this::rank));
    List<Entry> taken = new ArrayList<>();
    for (Entry one : made.subList(0, Math.max(0, Math.min(room, made.size())))) {
      taken.add(random.nextInt(taken.size() + 1), one);
    }
    taken.sort(Comparator.comparingInt(this::rank));
    entries.addAll(entries.indexOf(name) + 1, taken);
    taken.addAll(promoted);
    return taken;
  }

  private boolean leadsToConnected(Entry name) {
    return entries.stream().anyMatch(each -> each.isConnected() && name.behind.contains(each.peer));
  }

  private void resolveLater(Entry name, long now) {
    Duration most = leadsToConnected(name) ? MAX_PAUSE_OF_NAMES : settings.maxPause();
    name.status = Status.RESTING;
    name.since = now + grown(settings.pause(), name.resolutions++, most).toNanos();
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
    entry.recalled = false;
    if (entry.via != null) {
      entry.via.recalled = false;
    }
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
    if (entry.resolved) {
      // Those behind it say for themselves how it stands with them.
      resolveLater(entry, now);
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
    Optional<Entry> known = find(peer);
    known.ifPresent(entry -> entry.disconnected = true);
    Optional<Entry> lost = known.filter(Entry::isConnected);
    lost.ifPresent(
        entry -> {
          boolean young = now - entry.since < STEADY.toNanos();
          entry.drops = young ? entry.drops + 1 : 0;
          long pause =
              young
                  ? grown(settings.pause(), entry.drops - 1, MAX_PAUSE_AFTER_DROPS).toNanos()
                  : random.nextLong(SPREAD.toNanos());
          entry.lose(reason, now, pause);
          entries.stream()
              .filter(name -> name.resolved && name.behind.contains(peer))
              .filter(name -> name.status == Status.RESTING && !leadsToConnected(name))
              .forEach(
                  name -> {
                    name.resolutions = 0;
                    name.since = Math.min(name.since, now + random.nextLong(SPREAD.toNanos()));
                  });
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
   * Adds a backup; one that is known already is not added. Where {@value #MAX_ADDED} are there, one
   * gives way that was added in an earlier life and is not connected.
   *
   * @return whether there was room
   */
  boolean addBackup(Multiaddr address) {
    return add(address, false);
  }

  private boolean add(Multiaddr address, boolean recalled) {
    List<Entry> made = entriesOf(List.of(address), true);
    boolean isNew = made.stream().anyMatch(this::isUnknown);
    if (!isNew) {
      return true;
    } else if (count(Entry::isAdded) >= MAX_ADDED && (recalled || !forgetOldest())) {
      return false;
    }
    for (Entry entry : made) {
      entry.added = true;
      entry.recalled = recalled;
    }
    entries.addAll(made);
    return true;
  }

  /** The last of those that were taken back is the one that answered longest ago. */
  private boolean forgetOldest() {
    Optional<Entry> oldest =
        entries.stream()
            .filter(entry -> entry.recalled && !entry.isConnected())
            .filter(entry -> count(each -> each.via == entry && each.isConnected()) == 0)
            .reduce((one, later) -> later);
    oldest.ifPresent(gone -> entries.removeIf(each -> each == gone || each.via == gone));
    return oldest.isPresent();
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
