package dev.troupe.actors.dht;

import dev.troupe.actors.dht.Dht.Reason;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.IterativeLookup.Ending;
import dev.troupe.protocol.kademlia.IterativeLookup.Step.Finished;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.kademlia.Quorum;
import dev.troupe.protocol.kademlia.Region;
import dev.troupe.protocol.kademlia.ValueRecord;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Lookup} is for: what it asks each peer on its way, what it keeps of the answers,
 * when it has enough, and what it concludes. Pure, and used by one lookup only.
 */
sealed interface Query {

  /** What to ask each peer. Its key is where the lookup goes. */
  KademliaMessage question();

  /** A peer answered. Whatever it says of the query, it has named closer peers. */
  void onAnswer(PeerId from, KademliaMessage answer);

  /** Whether nothing more needs to be asked. */
  boolean isSatisfied();

  /** What came of it, once the walk is over. */
  Outcome conclude(Finished walk);

  /** What to send to whom, once the walk is over; nothing, where it is for its answers only. */
  default List<Parcel> parcels(Finished walk) {
    return List.of();
  }

  /** How long the walk may take, where one usually takes so long at most. */
  default Duration walkingTime(Duration usual) {
    return usual;
  }

  /** What to send at once to one that has just answered, while the walk goes on. */
  default Optional<Parcel> onTheWay(PeerId answered) {
    return Optional.empty();
  }

  /** Somebody has taken this. */
  default void onPlaced(Parcel parcel) {}

  /**
   * What came of it, where so many parcels were taken.
   *
   * @param unlessPlaced why, if none was
   */
  default Outcome placed(int parcels, Reason unlessPlaced) {
    return parcels > 0
        ? new Outcome.Placed(parcels)
        : new Outcome.Failed(unlessPlaced, "none of the nearest peers took the record");
  }

  /** Requests to one peer, in one go: one, or several that need no response. */
  record Parcel(PeerId peer, List<KademliaMessage> requests) {
    public Parcel {
      requests = List.copyOf(requests);
    }

    static List<Parcel> toEach(List<PeerId> peers, KademliaMessage request) {
      return peers.stream().map(peer -> new Parcel(peer, List.of(request))).toList();
    }
  }

  /**
   * Whether there is no walk: those that the lookup begins with count as the nearest that answered.
   */
  default boolean isDirect() {
    return false;
  }

  /** Whether it goes anywhere, so that how far it went is worth knowing. */
  default boolean isWalk() {
    return true;
  }

  /** Whose word it is where one that was found listens, if that is known. */
  default @Nullable PeerId tellerOf(PeerId found) {
    return null;
  }

  /** What came of a lookup. */
  sealed interface Outcome {

    /**
     * The walk went as far as it could; whom it met has been told to the {@link Dht} as it went.
     */
    record Explored(int answered) implements Outcome {}

    /** Where the peer can be dialled. */
    record FoundPeer(PeerId peer, List<Multiaddr> addresses) implements Outcome {}

    /** Who provides the key, perhaps nobody. */
    record FoundProviders(List<PeerInfo> providers) implements Outcome {}

    /**
     * The best value of the key.
     *
     * @param holder one who has it
     * @param peers how many returned it, perhaps this peer itself among them
     * @param uncorrected who should have it and has not, nearest or most certain first; perhaps
     *     this peer itself
     */
    record FoundValue(Bytes key, Bytes value, PeerId holder, int peers, List<PeerId> uncorrected)
        implements Outcome {
      public FoundValue {
        uncorrected = List.copyOf(uncorrected);
      }
    }

    /** It was placed with so many peers, at least one. */
    record Placed(int peers) implements Outcome {}

    /**
     * What was to be announced at one go.
     *
     * @param keys of these, others know now that we provide them
     * @param missed of these, too few do
     */
    record Announced(List<Multihash> keys, List<Multihash> missed) implements Outcome {
      public Announced {
        keys = List.copyOf(keys);
        missed = List.copyOf(missed);
      }
    }

    /** It came to nothing. */
    record Failed(Reason reason, String message) implements Outcome {}
  }

  /** What an unsuccessful walk means. */
  static Outcome.Failed failure(Finished walk, String what) {
    if (walk.ending() == Ending.DEADLINE_PASSED) {
      return new Outcome.Failed(
          Reason.TIMED_OUT,
          "time ran out after " + walk.answered() + " of " + walk.asked() + " peers: " + what);
    }
    if (walk.asked() == 0) {
      return new Outcome.Failed(Reason.NO_PEERS, "there is no peer to ask: " + what);
    }
    if (walk.answered() == 0) {
      return new Outcome.Failed(
          Reason.NO_PEERS, "none of the " + walk.asked() + " peers asked answered: " + what);
    }
    return new Outcome.Failed(
        Reason.NOT_FOUND, "none of the " + walk.answered() + " peers asked knew: " + what);
  }

  /** Goes to a point of the keyspace to meet who lives there. */
  record Exploration(Bytes target) implements Query {

    @Override
    public KademliaMessage question() {
      return KademliaMessage.findNode(target);
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {}

    @Override
    public boolean isSatisfied() {
      return false;
    }

    @Override
    public Outcome conclude(Finished walk) {
      return new Outcome.Explored(walk.answered());
    }
  }

  /**
   * Asks one peer, with which the lookup begins, whether it is alive: for the peers nearest to
   * itself, as go-libp2p does. The answer is of no interest.
   */
  final class Check implements Query {

    private final PeerId peer;
    private boolean answered;

    Check(PeerId peer) {
      this.peer = peer;
    }

    @Override
    public KademliaMessage question() {
      return KademliaMessage.findNode(peer.bytes());
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {
      answered = true;
    }

    @Override
    public boolean isSatisfied() {
      return answered;
    }

    @Override
    public boolean isWalk() {
      return false;
    }

    @Override
    public Outcome conclude(Finished walk) {
      return new Outcome.Explored(walk.answered());
    }
  }

  /** Places a record with the peers nearest to its key. */
  record Placement(KademliaMessage record) implements Query {

    @Override
    public KademliaMessage question() {
      return KademliaMessage.findNode(record.key());
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {}

    @Override
    public boolean isSatisfied() {
      return false;
    }

    @Override
    public List<Parcel> parcels(Finished walk) {
      return Parcel.toEach(walk.closest(), record);
    }

    /** Only asked when there is nobody to place it with. */
    @Override
    public Outcome conclude(Finished walk) {
      return failure(walk, "whom to place the record with");
    }
  }

  /**
   * Places a record with the peers nearest to its key before it is known for certain who they are
   * (Trautwein et al., "Optimistic Provide"): at once with each that answers and is likely to be
   * one of them; and the walk is over when those that have answered are near enough. Only who has
   * answered counts, so that nobody ends it with names that he made up.
   */
  final class OptimisticPlacement implements Query {

    /**
     * How surely, in standard deviations: with nine in ten, a peer is one of the nearest, or the
     * nearest are no nearer than this. The number of peers within a distance is a Poisson variable.
     */
    private static final double CONFIDENCE = 1.28;

    private final KademliaMessage record;
    private final Key target;
    private final int replication;
    private final double likely;
    private final double enough;
    private final Set<PeerId> sent = new LinkedHashSet<>();

    /** How far away those are that have answered. */
    private final List<Double> answered = new ArrayList<>();

    /**
     * A placement.
     *
     * @param replication how many peers are to take it
     * @param radius how far away the last of the nearest so many is about to be
     */
    OptimisticPlacement(KademliaMessage record, int replication, double radius) {
      this.record = record;
      this.target = Key.of(record.key());
      this.replication = replication;
      this.likely = radius * (1 - CONFIDENCE / Math.sqrt(replication));
      double half = replication / 2.0 + 1;
      this.enough = radius * (half + CONFIDENCE * Math.sqrt(half)) / replication;
    }

    @Override
    public KademliaMessage question() {
      return KademliaMessage.findNode(record.key());
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {
      answered.add(Key.of(from).distanceTo(target).fraction());
    }

    @Override
    public Optional<Parcel> onTheWay(PeerId peer) {
      boolean isLikely = Key.of(peer).distanceTo(target).fraction() <= likely;
      return isLikely && sent.size() < replication && sent.add(peer)
          ? Optional.of(new Parcel(peer, List.of(record)))
          : Optional.empty();
    }

    /** The mean distance of the nearest is what their number lets expect, or not much more. */
    @Override
    public boolean isSatisfied() {
      return answered.size() >= replication
          && answered.stream().sorted().limit(replication).mapToDouble(each -> each).sum()
              <= enough * replication;
    }

    @Override
    public List<Parcel> parcels(Finished walk) {
      return Parcel.toEach(
          walk.closest().stream().filter(peer -> !sent.contains(peer)).toList(), record);
    }

    /** Only asked when there is nobody to place it with. */
    @Override
    public Outcome conclude(Finished walk) {
      return failure(walk, "whom to place the record with");
    }
  }

  /**
   * Announces at one go all that we provide in a region of the keyspace, see {@link Region}.
   *
   * <p>It walks to the first of the keys. Of those that it finds, the ones inside the region are
   * the nearest of its other keys, too, and whoever looks for one of these comes to them; three
   * quarters of what each key is placed with are such, the others may live next to the region. A
   * key counts as announced when at least half of those took it with whom it was to be placed.
   */
  final class Sweep implements Query {

    /** So many keys are announced on one stream. */
    static final int KEYS_A_PARCEL = 256;

    private final List<Multihash> keys;
    private final PeerInfo self;
    private final int replication;

    /** With how many peers each key of the region is to be placed, and how many have taken it. */
    private final Map<Multihash, Integer> assigned = new LinkedHashMap<>();

    private final Map<Multihash, Integer> taken = new LinkedHashMap<>();

    /**
     * A sweep.
     *
     * @param keys what may be announced: the first one, and of the others those in its region
     */
    Sweep(List<Multihash> keys, PeerInfo self, int replication) {
      this.keys = List.copyOf(keys);
      this.self = self;
      this.replication = replication;
    }

    @Override
    public KademliaMessage question() {
      return KademliaMessage.findNode(keys.get(0).encoded());
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {}

    @Override
    public boolean isSatisfied() {
      return false;
    }

    /** Nobody waits for it, and a walk that is cut short serves one key only. */
    @Override
    public Duration walkingTime(Duration usual) {
      return usual.multipliedBy(3);
    }

    @Override
    public List<Parcel> parcels(Finished walk) {
      Region region = Region.of(keys.get(0), walk, replication);
      // Along paths that disagree all are told: those of one path may be fakes, however near.
      int each = Math.max(replication, walk.closest().size());
      Map<PeerId, List<KademliaMessage>> perPeer = new LinkedHashMap<>();
      region
          .assign(keys, each)
          .forEach(
              (key, peers) -> {
                assigned.put(key, peers.size());
                KademliaMessage record = KademliaMessage.addProvider(key, self);
                peers.forEach(
                    peer -> perPeer.computeIfAbsent(peer, unused -> new ArrayList<>()).add(record));
              });
      // One peer after another, and each of them again: so all are busy, and none is swamped.
      List<Parcel> parcels = new ArrayList<>();
      for (int from = 0; !perPeer.isEmpty(); from += KEYS_A_PARCEL) {
        int begin = from;
        perPeer.values().removeIf(records -> records.size() <= begin);
        perPeer.forEach(
            (peer, records) ->
                parcels.add(
                    new Parcel(
                        peer,
                        records.subList(begin, Math.min(begin + KEYS_A_PARCEL, records.size())))));
      }
      return parcels;
    }

    @Override
    public void onPlaced(Parcel parcel) {
      for (KademliaMessage record : parcel.requests()) {
        try {
          taken.merge(Multihash.decode(record.key()), 1, Integer::sum);
        } catch (MalformedException e) {
          throw new IllegalStateException("a key of ours", e);
        }
      }
    }

    @Override
    public Outcome placed(int parcels, Reason unlessPlaced) {
      List<Multihash> announced = new ArrayList<>();
      List<Multihash> missed = new ArrayList<>();
      assigned.forEach(
          (key, peers) -> (2 * taken.getOrDefault(key, 0) >= peers ? announced : missed).add(key));
      return new Outcome.Announced(announced, missed);
    }

    /** Only asked when there is nobody to announce it to. */
    @Override
    public Outcome conclude(Finished walk) {
      return failure(walk, "whom to tell what we provide");
    }
  }

  /** Sends the best value to those who lack it (specification, "Entry correction"). */
  record Correction(KademliaMessage record) implements Query {

    @Override
    public KademliaMessage question() {
      return KademliaMessage.getValue(record.key());
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {}

    @Override
    public boolean isSatisfied() {
      return true;
    }

    @Override
    public List<Parcel> parcels(Finished walk) {
      return Parcel.toEach(walk.closest(), record);
    }

    @Override
    public boolean isDirect() {
      return true;
    }

    /** Only asked when there is nobody to send it to. */
    @Override
    public Outcome conclude(Finished walk) {
      return failure(walk, "whom to correct");
    }
  }

  /**
   * Looks for the addresses of one peer: until that peer itself has answered, or as far as the walk
   * goes. What others say of it is not believed before, and then those addresses first that most of
   * them named.
   */
  final class PeerSearch implements Query {

    /** How many different addresses that others name are remembered. */
    static final int MAX_HEARSAY = 128;

    private final PeerId wanted;
    private final Map<Multiaddr, Integer> hearsay = new LinkedHashMap<>();
    private List<Multiaddr> own = List.of();

    /** Who was the first to name addresses of the peer. */
    private @Nullable PeerId teller;

    private boolean reached;

    PeerSearch(PeerId wanted) {
      this.wanted = wanted;
    }

    @Override
    public KademliaMessage question() {
      return KademliaMessage.findNode(wanted.bytes());
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {
      reached |= from.equals(wanted);
      answer.closerPeers().stream()
          .filter(info -> info.peer().equals(wanted))
          .findFirst()
          .ifPresent(info -> hear(from, info.addresses()));
    }

    private void hear(PeerId from, List<Multiaddr> addresses) {
      if (from.equals(wanted)) {
        own = addresses;
        return;
      }
      if (teller == null && !addresses.isEmpty()) {
        teller = from;
      }
      for (Multiaddr address : addresses) {
        if (hearsay.containsKey(address) || hearsay.size() < MAX_HEARSAY) {
          hearsay.merge(address, 1, Integer::sum);
        }
      }
    }

    @Override
    public boolean isSatisfied() {
      return reached;
    }

    @Override
    public Outcome conclude(Finished walk) {
      List<Multiaddr> addresses = own.isEmpty() ? mostNamedFirst() : own;
      return addresses.isEmpty()
          ? failure(walk, "where " + wanted + " listens")
          : new Outcome.FoundPeer(wanted, addresses);
    }

    @Override
    public @Nullable PeerId tellerOf(PeerId found) {
      return own.isEmpty() ? teller : wanted;
    }

    private List<Multiaddr> mostNamedFirst() {
      return PeerInfo.firstOf(
          hearsay.entrySet().stream()
              .sorted(Map.Entry.<Multiaddr, Integer>comparingByValue().reversed())
              .map(Map.Entry::getKey)
              .toList());
    }
  }

  /** Looks for providers of a key, until there are enough. */
  final class ProviderSearch implements Query {

    private final Multihash key;
    private final int limit;
    private final PeerId self;
    private final Map<PeerId, PeerInfo> found = new LinkedHashMap<>();

    /** Who named each of them, with the addresses that are kept. */
    private final Map<PeerId, PeerId> tellers = new LinkedHashMap<>();

    ProviderSearch(Multihash key, int limit, PeerId self, List<PeerInfo> known) {
      this.key = key;
      this.limit = limit;
      this.self = self;
      // Those that are known here have announced themselves.
      known.forEach(provider -> keep(provider.peer(), provider));
    }

    @Override
    public KademliaMessage question() {
      return KademliaMessage.getProviders(key);
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {
      answer.providers().forEach(provider -> keep(from, provider));
    }

    @Override
    public boolean isSatisfied() {
      return found.size() >= limit;
    }

    @Override
    public Outcome conclude(Finished walk) {
      boolean nobodySaid = found.isEmpty() && walk.answered() == 0;
      boolean interrupted = found.isEmpty() && walk.ending() == Ending.DEADLINE_PASSED;
      return nobodySaid || interrupted
          ? failure(walk, "who provides " + key)
          : new Outcome.FoundProviders(List.copyOf(found.values()));
    }

    @Override
    public @Nullable PeerId tellerOf(PeerId provider) {
      return tellers.get(provider);
    }

    private void keep(PeerId teller, PeerInfo provider) {
      PeerInfo known = found.get(provider.peer());
      boolean isNew = known == null && found.size() < limit && !provider.peer().equals(self);
      boolean isBetter = known != null && known.addresses().isEmpty();
      if (isNew || isBetter) {
        found.put(provider.peer(), provider);
        tellers.put(provider.peer(), teller);
      }
    }
  }

  /** Looks for values of a key, until a quorum of peers returned one. */
  final class ValueSearch implements Query {

    private final Bytes key;
    private final int wanted;
    private final boolean isRequired;
    private final Quorum quorum;

    /** Who returned what must not be under the key. */
    private final Set<PeerId> mistaken = new LinkedHashSet<>();

    /**
     * Begins with what is stored here.
     *
     * @param wanted how many peers must return a value
     * @param isRequired whether nothing is found where fewer do
     */
    ValueSearch(
        Bytes key,
        int wanted,
        boolean isRequired,
        Namespaces namespaces,
        PeerId self,
        Optional<ValueRecord> known) {
      this.key = key;
      this.wanted = wanted;
      this.isRequired = isRequired;
      this.quorum = new Quorum(namespaces, key, wanted);
      known.ifPresent(record -> count(self, record));
    }

    @Override
    public KademliaMessage question() {
      return KademliaMessage.getValue(key);
    }

    @Override
    public void onAnswer(PeerId from, KademliaMessage answer) {
      ValueRecord record = answer.record();
      // Some send an empty record in place of none.
      if (record != null && !(record.key().isEmpty() && record.value().isEmpty())) {
        count(from, record);
      }
    }

    @Override
    public boolean isSatisfied() {
      return quorum.isReached();
    }

    @Override
    public Outcome conclude(Finished walk) {
      Optional<Bytes> best = quorum.best();
      if (best.isEmpty()) {
        return failure(walk, "the value of the key");
      }
      if (isRequired && !quorum.isReached()) {
        return new Outcome.Failed(
            Reason.QUORUM_NOT_REACHED,
            "of the " + wanted + " peers that were to return a value, " + quorum.votes() + " did");
      }
      Bytes value = best.get();
      return new Outcome.FoundValue(
          key, value, quorum.holderOf(value), quorum.votes(value), uncorrected(value, walk));
    }

    /**
     * Those with another value; and of the nearest, once it is known who they are, those without.
     */
    private List<PeerId> uncorrected(Bytes best, Finished walk) {
      Set<PeerId> peers = new LinkedHashSet<>(quorum.holdersOfOthers(best));
      peers.addAll(mistaken);
      if (walk.ending() == Ending.CONVERGED || walk.ending() == Ending.EXHAUSTED) {
        walk.closest().stream().filter(peer -> !quorum.hasVoted(peer)).forEach(peers::add);
      }
      return List.copyOf(peers);
    }

    private void count(PeerId holder, ValueRecord record) {
      try {
        if (!record.key().equals(key)) {
          mistaken.add(holder);
          return;
        }
        quorum.onValue(holder, record.value());
      } catch (InvalidRecordException invalid) {
        mistaken.add(holder); // The remote's fault, or its clock's; it is not blamed for more.
      }
    }
  }
}
