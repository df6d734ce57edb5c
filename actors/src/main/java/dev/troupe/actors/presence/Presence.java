package dev.troupe.actors.presence;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.presence.InvalidPresenceException;
import dev.troupe.protocol.presence.PresenceRecord;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Lets this peer be found under identities of an application, such as {@code /eth/<address>}, and
 * finds others under theirs.
 *
 * <p>An announced presence is a {@link PresenceRecord} in the DHT, signed by this peer and under a
 * key of its own, and this peer as a provider of the identity. Both are published at once and then
 * at intervals, until the presence is withdrawn; the record ends by itself when that stops. Nothing
 * of it outlives the peer: who starts again announces again. Whoever looks for an identity learns
 * of all peers that claim it and can prove who they are; which of them has a right to it is for the
 * application to judge.
 *
 * <p><b>Owns</b> what is announced. <b>Parent</b>: the Peer. <b>Children</b>: a {@link Publication}
 * for each presence while it is being published, a {@link Search} for each search. <b>States</b>:
 * one.
 *
 * <p><b>Who sends what</b>: the user announces, withdraws and looks for others, and is answered
 * once; the children put, provide and ask at the DHT, and report here. While the DHT is not ready
 * that takes until it is.
 *
 * <p><b>Limits</b>: {@link PresenceSettings#identities} and {@link PresenceSettings#searches}, one
 * more is refused with {@link Reason#TOO_MANY}; {@link PresenceSettings#candidates}, further ones
 * are left out; one publication of a presence at a time, so that one that takes longer than the
 * interval has the next one left out; the sizes of a {@link PresenceRecord}. <b>Timers</b>: the
 * next publication of each presence, at whole multiples of the interval after it was announced.
 *
 * <p><b>A crash</b> loses no presence: what is announced is kept, and published at once. Whoever
 * waits for a first publication or for a search is answered {@link Reason#CRASHED}; the former
 * presence stays announced. A child that crashes is not restarted: its search is answered {@code
 * CRASHED}, and its presence is published the next time.
 */
public final class Presence {

  /** What presence is told. */
  public sealed interface Command {}

  /**
   * Asks to be found under an identity from now on. Answered when it has been published once, or
   * that has failed; in either case it is published again at intervals, until it is withdrawn,
   * unless the reason says that it is not announced.
   *
   * @param identity a slash and something behind it; compared byte by byte
   * @param agentId for the application; may be empty
   * @param agentName for people; may be empty
   */
  public record Announce(
      String identity, String agentId, String agentName, ActorRef<AnnounceReply> replyTo)
      implements Command {}

  /**
   * Asks to be found under an identity no more. It is not published again, nor at all if that still
   * waits for the DHT to be ready; others find it until what they have is over ({@link
   * PresenceSettings#lifetime}).
   */
  public record Withdraw(String identity, ActorRef<Withdrawn> replyTo) implements Command {}

  /** Asks which other peers are present under an identity. */
  public record Find(String identity, ActorRef<FindReply> replyTo) implements Command {}

  /** Asks what is announced, and how that goes; answered at once. */
  public record GetAnnounced(ActorRef<AllAnnounced> replyTo) implements Command {}

  /** Asks to end: answers everything open with {@code STOPPING}, then stops. */
  public record Stop() implements Command {}

  private record RefreshDue(String identity) implements Command {}

  /** A publication has come to its end; with a failure, where it came to nothing. */
  private record PublicationEnded(
      long number, String identity, int peers, @Nullable String failure, boolean crashed)
      implements Command {}

  private record SearchEnded(long number, FindReply reply) implements Command {}

  /** The outcome of {@link Announce}. */
  public sealed interface AnnounceReply {}

  /**
   * It is published.
   *
   * @param peers how many others have the record
   */
  public record Announced(String identity, int peers) implements AnnounceReply {}

  /** It is not published, or not yet: see the reason. */
  public record AnnounceFailed(String identity, Reason reason, String message)
      implements AnnounceReply {}

  /**
   * The answer to {@link Withdraw}.
   *
   * @param wasAnnounced whether there was anything to withdraw
   */
  public record Withdrawn(String identity, boolean wasAnnounced) {}

  /** The outcome of {@link Find}. */
  public sealed interface FindReply {}

  /**
   * What the search came to; both lists may be empty.
   *
   * @param present those whose record is signed by them, of this identity, and valid now; this peer
   *     is not among them
   * @param refused those who say that they are to be found under the identity, and whose record
   *     does not show it
   */
  public record Found(String identity, List<PresenceRecord> present, List<Refused> refused)
      implements FindReply {
    public Found {
      present = List.copyOf(present);
      refused = List.copyOf(refused);
    }
  }

  /**
   * One who is not believed.
   *
   * @param fault what is wrong with its record; null where the DHT has no valid one (who holds one
   *     that is not is not believed by the DHT)
   */
  public record Refused(
      PeerId peer, InvalidPresenceException.@Nullable Fault fault, String message) {}

  /** It is not known who is present. */
  public record FindFailed(String identity, Reason reason, String message) implements FindReply {}

  /** What is announced, in the order in which it was. */
  public record AllAnnounced(List<Own> presences) {
    public AllAnnounced {
      presences = List.copyOf(presences);
    }
  }

  /**
   * A presence of this peer.
   *
   * @param peers how many others took the record when it was last published; 0 before that
   * @param failure why the last publication came to nothing; null if it did not
   */
  public record Own(String identity, int peers, @Nullable String failure) {}

  /** Why something came to nothing. */
  public enum Reason {
    /** It is no identity. It is not announced. */
    BAD_IDENTITY,
    /** The record would be longer than may be. It is not announced. */
    TOO_LARGE,
    /** There are as many as may be. It is not announced. */
    TOO_MANY,
    /** It is announced already: withdraw it first. What was announced stays as it was. */
    ALREADY_ANNOUNCED,
    /** The DHT could not do its part; the message says why. It stays announced. */
    DHT_FAILED,
    /** It was withdrawn before it was published. */
    WITHDRAWN,
    /** The peer stops. */
    STOPPING,
    /** The actor crashed. What was announced stays announced. */
    CRASHED
  }

  /** What a crash must not lose. */
  private static final class Kept {
    final Map<String, Standing> standings = new LinkedHashMap<>();
    final Map<Long, Find> searches = new LinkedHashMap<>();
    long numbers;
  }

  /** A presence that is announced. */
  private static final class Standing {
    final String agentId;
    final String agentName;

    /** Who waits for the first publication. */
    @Nullable ActorRef<AnnounceReply> waiting;

    @Nullable Long underWay;
    @Nullable ActorRef<Publication.Command> publication;
    int peers;
    @Nullable String failure;

    Standing(Announce announce) {
      this.agentId = announce.agentId();
      this.agentName = announce.agentName();
      this.waiting = announce.replyTo();
    }

    void answer(AnnounceReply reply) {
      if (waiting != null) {
        waiting.tell(reply);
        waiting = null;
      }
    }
  }

  /**
   * Makes the actor; its supervision is included.
   *
   * @param key of the peer
   * @param host of the peer; says where it listens
   */
  public static Behavior<Command> create(
      PresenceSettings settings,
      PrivateKey key,
      World world,
      Host host,
      ActorRef<Dht.Command> dht) {
    return Behaviors.setup(
        outside -> {
          Kept kept = new Kept();
          return Behaviors.supervise(
                  Behaviors.<Command>setup(
                      context ->
                          Behaviors.withTimers(
                              timers ->
                                  new Presence(
                                          context, timers, settings, key, world, host, dht, kept)
                                      .begin())))
              .onFailure(SupervisorStrategy.restart());
        });
  }

  private final ActorContext<Command> context;
  private final TimerScheduler<Command> timers;
  private final PresenceSettings settings;
  private final PrivateKey key;
  private final World world;
  private final Host host;
  private final ActorRef<Dht.Command> dht;
  private final Kept kept;

  private Presence(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      PresenceSettings settings,
      PrivateKey key,
      World world,
      Host host,
      ActorRef<Dht.Command> dht,
      Kept kept) {
    this.context = context;
    this.timers = timers;
    this.settings = settings;
    this.key = key;
    this.world = world;
    this.host = host;
    this.dht = dht;
    this.kept = kept;
  }

  /** The first turn, and the one after a crash. */
  private Behavior<Command> begin() {
    answerAll(Reason.CRASHED, "presence crashed");
    kept.standings.keySet().forEach(this::refresh);
    return Behaviors.receive(Command.class)
        .onMessage(Announce.class, this::onAnnounce)
        .onMessage(Withdraw.class, this::onWithdraw)
        .onMessage(Find.class, this::onFind)
        .onMessage(GetAnnounced.class, this::onGetAnnounced)
        .onMessage(
            RefreshDue.class,
            due -> {
              refresh(due.identity());
              return Behaviors.same();
            })
        .onMessage(PublicationEnded.class, this::onPublicationEnded)
        .onMessage(SearchEnded.class, this::onSearchEnded)
        .onMessage(Stop.class, stop -> Behaviors.stopped())
        .onSignal(
            PostStop.class,
            stop -> {
              answerAll(Reason.STOPPING, "the peer stops");
              return Behaviors.same();
            })
        .build();
  }

  /** Answers whoever waits; their children are gone. */
  private void answerAll(Reason reason, String message) {
    kept.standings.forEach(
        (identity, standing) -> {
          standing.underWay = null;
          standing.publication = null;
          standing.answer(new AnnounceFailed(identity, reason, message));
        });
    List<Find> open = List.copyOf(kept.searches.values());
    kept.searches.clear();
    open.forEach(find -> find.replyTo().tell(new FindFailed(find.identity(), reason, message)));
  }

  // Announcing

  private Behavior<Command> onAnnounce(Announce announce) {
    Reason reason = null;
    String message = "";
    if (!PresenceRecord.isIdentity(announce.identity())) {
      reason = Reason.BAD_IDENTITY;
      message =
          "an identity is / and something behind it, "
              + PresenceRecord.MAX_IDENTITY
              + " bytes at most";
    } else if (kept.standings.containsKey(announce.identity())) {
      reason = Reason.ALREADY_ANNOUNCED;
      message = announce.identity() + " is announced already";
    } else if (kept.standings.size() >= settings.identities()) {
      reason = Reason.TOO_MANY;
      message = kept.standings.size() + " identities are announced already";
    } else {
      Standing standing = new Standing(announce);
      try {
        seal(announce.identity(), standing);
      } catch (IllegalArgumentException e) {
        reason = Reason.TOO_LARGE;
        message = String.valueOf(e.getMessage());
      }
      if (reason == null) {
        kept.standings.put(announce.identity(), standing);
        refresh(announce.identity());
        return Behaviors.same();
      }
    }
    announce.replyTo().tell(new AnnounceFailed(announce.identity(), reason, message));
    return Behaviors.same();
  }

  /** Publishes a presence, unless that is under way, and sees to the next time. */
  private void refresh(String identity) {
    Standing standing = kept.standings.get(identity);
    if (standing == null) {
      return;
    }
    timers.startSingleTimer(identity, new RefreshDue(identity), settings.refresh());
    if (standing.underWay != null) {
      return;
    }
    long number = ++kept.numbers;
    standing.underWay = number;
    ActorRef<Command> self = context.getSelf();
    Bytes record;
    try {
      record = seal(identity, standing);
    } catch (IllegalArgumentException e) {
      // The peer listens at more addresses than when it was announced.
      self.tell(new PublicationEnded(number, identity, 0, String.valueOf(e.getMessage()), false));
      return;
    }
    ActorRef<Publication.Command> publication =
        context.spawnAnonymous(
            Publication.create(
                PresenceRecord.keyOf(host.peerId(), identity),
                record,
                PresenceRecord.placeOf(world.crypto(), identity),
                dht,
                (peers, failure) ->
                    self.tell(new PublicationEnded(number, identity, peers, failure, false))));
    standing.publication = publication;
    context.watchWith(
        publication, new PublicationEnded(number, identity, 0, "its publication crashed", true));
  }

  private Bytes seal(String identity, Standing standing) {
    return new PresenceRecord(
            identity,
            host.peerId(),
            world.clock().instant(),
            settings.lifetime(),
            standing.agentId,
            standing.agentName,
            host.listenAddresses())
        .seal(world.crypto(), key);
  }

  private Behavior<Command> onPublicationEnded(PublicationEnded ended) {
    Standing standing = kept.standings.get(ended.identity());
    if (standing == null) {
      // It was withdrawn; what was on its way to the DHT then may have come there since.
      stopPublishing(ended.identity());
    } else if (standing.underWay != null && standing.underWay == ended.number()) {
      standing.underWay = null;
      standing.publication = null;
      note(ended, standing);
    }
    return Behaviors.same();
  }

  private void note(PublicationEnded ended, Standing standing) {
    String failure = ended.failure();
    if (failure == null) {
      standing.peers = ended.peers();
      standing.answer(new Announced(ended.identity(), ended.peers()));
    } else {
      Reason reason = ended.crashed() ? Reason.CRASHED : Reason.DHT_FAILED;
      standing.answer(new AnnounceFailed(ended.identity(), reason, failure));
      if (standing.failure == null) {
        // Said once, until it works again.
        context
            .getLog()
            .atWarn()
            .addKeyValue("identity", ended.identity())
            .addKeyValue("reason", failure)
            .log("A presence could not be published");
      }
    }
    standing.failure = failure;
  }

  private Behavior<Command> onWithdraw(Withdraw withdraw) {
    String identity = withdraw.identity();
    Standing standing = kept.standings.remove(identity);
    if (standing != null) {
      timers.cancel(identity);
      standing.answer(
          new AnnounceFailed(
              identity, Reason.WITHDRAWN, "it was withdrawn before it was published"));
      if (standing.publication != null) {
        context.stop(standing.publication);
      }
      stopPublishing(identity);
    }
    withdraw.replyTo().tell(new Withdrawn(identity, standing != null));
    return Behaviors.same();
  }

  private void stopPublishing(String identity) {
    dht.tell(
        new Dht.StopPutting(
            PresenceRecord.keyOf(host.peerId(), identity), context.getSystem().ignoreRef()));
    dht.tell(
        new Dht.StopProviding(
            PresenceRecord.placeOf(world.crypto(), identity), context.getSystem().ignoreRef()));
  }

  private Behavior<Command> onGetAnnounced(GetAnnounced question) {
    question
        .replyTo()
        .tell(
            new AllAnnounced(
                kept.standings.entrySet().stream()
                    .map(
                        each ->
                            new Own(each.getKey(), each.getValue().peers, each.getValue().failure))
                    .toList()));
    return Behaviors.same();
  }

  // Searching

  private Behavior<Command> onFind(Find find) {
    String identity = find.identity();
    if (!PresenceRecord.isIdentity(identity)) {
      find.replyTo().tell(new FindFailed(identity, Reason.BAD_IDENTITY, "it is no identity"));
    } else if (kept.searches.size() >= settings.searches()) {
      String message = kept.searches.size() + " searches are under way";
      find.replyTo().tell(new FindFailed(identity, Reason.TOO_MANY, message));
    } else {
      long number = ++kept.numbers;
      kept.searches.put(number, find);
      ActorRef<Command> self = context.getSelf();
      ActorRef<Search.Command> search =
          context.spawnAnonymous(
              Search.create(
                  identity,
                  settings.candidates(),
                  world,
                  dht,
                  reply -> self.tell(new SearchEnded(number, reply))));
      context.watchWith(
          search,
          new SearchEnded(number, new FindFailed(identity, Reason.CRASHED, "the search crashed")));
    }
    return Behaviors.same();
  }

  private Behavior<Command> onSearchEnded(SearchEnded ended) {
    Find find = kept.searches.remove(ended.number());
    if (find != null) {
      find.replyTo().tell(ended.reply());
    }
    return Behaviors.same();
  }
}
