package dev.troupe.actors.dht;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * One request to one connected peer, on a stream of its own, and its response (kad-dht
 * specification, "RPC messages"); or several, where none is due.
 *
 * <p>It belongs to an actor, which hands it every {@link Signal} that bears its number; the
 * stream's event loop only sends these signals, so nothing here is touched by two threads. It
 * reports its end once. The actor minds the time, and calls {@link #cancel} when it has run out.
 */
final class Exchange {

  private static final long ONE_READ = 16 * 1024;

  private final long number;
  private final PeerId peer;
  private final List<KademliaMessage> requests;
  private final boolean expectsResponse;
  private final ActorRef<? super Signal> owner;
  private final ByteBuffer outgoing;
  private final FrameDecoder incoming;
  private @Nullable Cancellable opening;
  private boolean asked;

  /** Since when it waits for the stream, or for the peer to take the request or to respond. */
  private long waitsSince;

  /** Whether that has taken longer than usual. */
  private boolean late;

  private Duration openedAfter = Duration.ZERO;

  // These are all that another thread sees: the host's, on which the stream opens and ends. Whoever
  // comes second, the one that opens the stream or the one that wants it no more, sees what the
  // other did, and resets it. A message could be lost with its actor.
  private volatile @Nullable Stream stream;
  private volatile boolean unwanted;

  /** Nothing that happens to the stream is of interest to the actor any more. */
  private volatile boolean over;

  /** The remote has closed the stream, too, or it has been reset. */
  private volatile boolean ended;

  /** What the stream of an exchange tells the actor. */
  record Signal(long number, Event event) implements Lookup.Command {}

  /** What may happen to the stream of an exchange. */
  sealed interface Event {
    record Opened() implements Event {}

    record NotOpened(HostFailure failure) implements Event {}

    record Received(ByteBuffer data) implements Event {}

    record Writable() implements Event {}

    record Ended(@Nullable HostFailure failure) implements Event {}
  }

  /** What a failure says of the peer. */
  enum Verdict {
    /** Nothing: the fault is ours. */
    BLAMELESS,
    /** Nothing yet: the connection went away, as it does where a peer has too many. */
    CONNECTION_LOST,
    /** It should have done better. */
    BLAMED
  }

  /** How an exchange may end. */
  sealed interface End {

    /** The peer responded; with the request itself, where no response is due. */
    record Responded(KademliaMessage response) implements End {}

    /**
     * It did not.
     *
     * @param verdict what that says of the peer
     */
    record Failed(String message, Verdict verdict) implements End {}
  }

  /**
   * An exchange that has not begun.
   *
   * @param number what its signals bear
   * @param requests one; or several that need no response
   * @param now in nanoseconds, on the clock of {@link #on}
   */
  Exchange(
      long number,
      PeerId peer,
      List<KademliaMessage> requests,
      ActorRef<? super Signal> owner,
      long now) {
    this.number = number;
    this.waitsSince = now;
    this.peer = peer;
    this.requests = List.copyOf(requests);
    KademliaMessage.Type type = requests.get(0).type();
    this.expectsResponse = type != KademliaMessage.Type.ADD_PROVIDER;
    this.owner = owner;
    this.incoming = new FrameDecoder(KademliaMessage.maxResponseSize(type));
    this.outgoing = framed(requests);
  }

  private static ByteBuffer framed(List<KademliaMessage> requests) {
    List<byte[]> frames = requests.stream().map(each -> Frames.encode(each.encode())).toList();
    ByteBuffer all = ByteBuffer.allocate(frames.stream().mapToInt(frame -> frame.length).sum());
    frames.forEach(all::put);
    return all.flip();
  }

  /** Opens the stream. The peer should be connected. */
  void begin(Host host, ProtocolId protocol) {
    opening =
        host.openStream(
            peer,
            List.of(protocol),
            new Completion<>() {
              @Override
              public void succeeded(Stream opened) {
                stream = opened;
                if (unwanted) {
                  opened.reset(0, "no longer wanted");
                } else {
                  tell(new Event.Opened());
                }
              }

              @Override
              public void failed(HostFailure failure) {
                tell(new Event.NotOpened(failure));
              }
            });
  }

  /** Whether the stream is being opened, or has been. */
  boolean hasBegun() {
    return opening != null;
  }

  /** Whether the stream is open, so that the peer can be blamed for what it does not say. */
  boolean hasAsked() {
    return asked;
  }

  /** The stream, if the peer has responded on it and has yet to close it. From any thread. */
  Optional<Stream> unclosed() {
    return over && !unwanted && !ended ? Optional.ofNullable(stream) : Optional.empty();
  }

  /**
   * How long it has waited: for the stream; and from when that was open, or the peer last took
   * something of the request, for the peer.
   */
  Duration waited(long now) {
    return Duration.ofNanos(now - waitsSince);
  }

  /** How long it has waited for the stream, once that is open. */
  Duration openedAfter() {
    return openedAfter;
  }

  /** It has waited for longer than usual; until the stream opens, if that is what it waits for. */
  void becomeLate() {
    late = true;
  }

  boolean isLate() {
    return late;
  }

  /** What its signals bear. */
  long number() {
    return number;
  }

  /** What it asks. */
  List<KademliaMessage> requests() {
    return requests;
  }

  /** Whom it asks. */
  PeerId peer() {
    return peer;
  }

  /**
   * Something happened to the stream.
   *
   * @return the end of the exchange, if this was it; after that, signals do nothing
   */
  Optional<End> on(Event event, long now) {
    if (over) {
      return Optional.empty();
    } else if (event instanceof Event.Opened) {
      openedAfter = waited(now);
      waitsSince = now;
      late = false;
      return onOpened();
    } else if (event instanceof Event.NotOpened notOpened) {
      return end(failed(notOpened.failure()));
    } else if (event instanceof Event.Received received) {
      return onReceived(received.data());
    } else if (event instanceof Event.Writable) {
      waitsSince = now;
      late = false;
      write(Objects.requireNonNull(stream, "told to be writable"));
      return Optional.empty();
    }
    return onEnded(((Event.Ended) event).failure());
  }

  /** Ends it without a result; its stream is reset. Does nothing, if it is over. */
  void cancel(String reason) {
    if (over) {
      return;
    }
    over = true;
    unwanted = true;
    Stream opened = stream;
    if (opened != null) {
      opened.reset(0, reason);
    } else if (opening != null) {
      opening.cancel();
    }
  }

  private Optional<End> onOpened() {
    Stream opened = Objects.requireNonNull(stream, "told to be open");
    asked = true;
    opened.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            tellUnlessOver(new Event.Received(data));
          }

          @Override
          public void onWritable() {
            tellUnlessOver(new Event.Writable());
          }

          @Override
          public void onRemoteClosed() {
            ended = true;
            tellUnlessOver(new Event.Ended(null));
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            ended = true;
            tellUnlessOver(new Event.Ended(failure));
          }
        });
    opened.request(ONE_READ);
    write(opened);
    return Optional.empty();
  }

  private void write(Stream opened) {
    if (outgoing.hasRemaining()) {
      opened.write(outgoing);
      if (!outgoing.hasRemaining() && !expectsResponse) {
        opened.closeWrite();
      }
    }
  }

  private Optional<End> onReceived(ByteBuffer data) {
    int size = data.remaining();
    Bytes frame;
    try {
      incoming.feed(data);
      frame = incoming.next();
    } catch (MalformedException e) {
      // Longer than what we read, most likely: that limit is ours, and others may have another.
      return end(new End.Failed("unreadable response: " + e.getMessage(), Verdict.BLAMELESS));
    }
    if (frame != null) {
      try {
        return end(new End.Responded(KademliaMessage.decode(frame)));
      } catch (MalformedException e) {
        return end(new End.Failed("malformed response: " + e.getMessage(), Verdict.BLAMED));
      }
    }
    Objects.requireNonNull(stream, "told to have data").request(size);
    return Optional.empty();
  }

  private Optional<End> onEnded(@Nullable HostFailure failure) {
    boolean isSent = !outgoing.hasRemaining();
    if (!expectsResponse && isSent && (failure == null || isReset(failure))) {
      // The remote closes when it has read the request: all the acknowledgement there is. Some
      // reset the stream where they find that
      // nothing follows, so a reset does not tell a refusal from a goodbye.
      return end(new End.Responded(requests.get(0)));
    }
    return end(
        failure == null
            ? new End.Failed("closed without a response", Verdict.BLAMED)
            : failed(failure));
  }

  /**
   * Half-closes only now, and leaves it to the owner to see in the end that the remote does so, too
   * ({@link #unclosed}): who reads "nothing follows" before the request may not read the request.
   */
  private Optional<End> end(End end) {
    over = true;
    Stream opened = stream;
    if (opened != null && end instanceof End.Failed failed) {
      unwanted = true;
      opened.reset(0, failed.message());
    } else if (opened != null) {
      opened.closeWrite();
    }
    return Optional.of(end);
  }

  private static boolean isReset(HostFailure failure) {
    return failure.kind() == HostFailure.Kind.STREAM_RESET;
  }

  /** What follows a response costs the actor no message. */
  private void tellUnlessOver(Event event) {
    if (!over) {
      tell(event);
    }
  }

  private void tell(Event event) {
    owner.tell(new Signal(number, event));
  }

  private static End.Failed failed(HostFailure failure) {
    return new End.Failed(failure.message(), verdictOn(failure));
  }

  /** What a failure says of the peer. */
  static Verdict verdictOn(HostFailure failure) {
    return switch (failure.kind()) {
      case CANCELLED, CLOSED, LIMIT_EXCEEDED, UNSUPPORTED_ADDRESS -> Verdict.BLAMELESS;
      case CONNECTION_LOST, NOT_CONNECTED -> Verdict.CONNECTION_LOST;
      default -> Verdict.BLAMED;
    };
  }
}
