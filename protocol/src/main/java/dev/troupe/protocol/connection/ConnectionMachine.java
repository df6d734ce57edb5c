package dev.troupe.protocol.connection;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.connection.ConnectionCloseReason.Kind;
import dev.troupe.protocol.crypto.Aead;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.MultistreamSelect;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseHandshake;
import dev.troupe.protocol.noise.NoiseKey;
import dev.troupe.protocol.noise.NoiseTransport;
import dev.troupe.protocol.yamux.YamuxEvents;
import dev.troupe.protocol.yamux.YamuxSession;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One connection from the first byte to the last: multistream-select agrees on Noise, Noise secures
 * it and, where both sides can, names the muxer (otherwise multistream-select does, inside), and
 * Yamux carries the streams. Bytes in with {@link #receive}, bytes out with {@link #transmit}, time
 * as an argument.
 *
 * <p>Not thread-safe: one event loop owns it. Calls for streams that do not exist do nothing.
 */
public final class ConnectionMachine {

  private static final List<ProtocolId> SECURITY = List.of(NoiseHandshake.PROTOCOL);
  private static final List<ProtocolId> MUXERS = List.of(YamuxSession.PROTOCOL);

  /** From how many bytes a record is worth keeping its buffer for the next. */
  private static final int SPARE_MIN = 16 * 1024;

  private enum Phase {
    CHOOSING_SECURITY,
    SECURING,
    CHOOSING_MUXER,
    OPEN,
    CLOSED
  }

  private final ConnectionSettings settings;
  private final Role role;
  private final @Nullable PeerId expectedRemote;
  private final ConnectionEvents events;
  private final long upgradeDeadline;
  private final NoiseHandshake handshake;

  private Phase phase = Phase.CHOOSING_SECURITY;
  private MultistreamSelect negotiation;
  private @Nullable NoiseTransport noise;
  private @Nullable YamuxSession yamux;

  /** Bytes to send as they are, before the handshake is over. */
  private final Deque<ByteBuffer> plainOutput = new ArrayDeque<>();

  /** Bytes of the muxer's negotiation, to send encrypted. */
  private final Deque<ByteBuffer> securedOutput = new ArrayDeque<>();

  /** A record that is not complete yet: its length, then its bytes. */
  private @Nullable ByteBuffer partial;

  private int partialLength = -1;

  /** The bytes of the last record that came in pieces, while those are large. */
  private @Nullable ByteBuffer spare;

  /**
   * A connection over a transport that has just been made.
   *
   * @param key of this host
   * @param expectedRemote who must answer, or null for anyone
   */
  public ConnectionMachine(
      ConnectionSettings settings,
      Role role,
      NoiseKey key,
      @Nullable PeerId expectedRemote,
      Crypto crypto,
      RandomSource random,
      ConnectionEvents events,
      long now) {
    this.settings = settings;
    this.role = role;
    this.expectedRemote = expectedRemote;
    this.events = events;
    this.upgradeDeadline = now + settings.upgradeTimeoutNanos();
    this.handshake = new NoiseHandshake(crypto, random, key, MUXERS, role == Role.DIALER);
    this.negotiation =
        role == Role.DIALER
            ? MultistreamSelect.dialer(SECURITY)
            : MultistreamSelect.listener(SECURITY::contains);
  }

  /** Begins; call it once. */
  public void start(long now) {
    negotiation.start(plainOutput::add);
  }

  // ---- in

  /** Takes what the transport brought, all of it; events are called from inside. */
  public void receive(ByteBuffer in, long now) {
    try {
      while (in.hasRemaining() && phase != Phase.CLOSED) {
        if (phase == Phase.CHOOSING_SECURITY) {
          negotiation.receive(in, plainOutput::add);
          if (negotiation.isOver()) {
            onSecurityChosen();
          }
        } else {
          receiveRecord(in, now);
        }
      }
      in.position(in.limit());
    } catch (MalformedException e) {
      in.position(in.limit());
      if (phase == Phase.OPEN && yamux != null) {
        yamux.discardOutput();
        yamux.goAway(YamuxSession.PROTOCOL_ERROR);
      }
      String message = e.getMessage() == null ? "malformed" : e.getMessage();
      end(
          new ConnectionCloseReason(
              phase == Phase.OPEN ? Kind.PROTOCOL_VIOLATION : Kind.HANDSHAKE_FAILED, message));
    }
  }

  private void onSecurityChosen() throws MalformedException {
    if (negotiation.agreed() == null) {
      end(new ConnectionCloseReason(Kind.NOTHING_IN_COMMON, "the remote does not speak /noise"));
      return;
    }
    phase = Phase.SECURING;
    writeHandshake();
  }

  private void writeHandshake() throws MalformedException {
    if (handshake.mustWrite()) {
      byte[] message = handshake.write();
      ByteBuffer framed = ByteBuffer.allocate(2 + message.length);
      framed.putShort((short) message.length).put(message).flip();
      plainOutput.add(framed);
    }
  }

  private void receiveRecord(ByteBuffer in, long now) throws MalformedException {
    if (partial == null && in.remaining() >= 2) {
      int length = in.getShort(in.position()) & 0xffff;
      if (in.remaining() - 2 >= length) {
        if (length < SPARE_MIN) {
          spare = null;
        }
        ByteBuffer record = in.slice(in.position() + 2, length);
        in.position(in.position() + 2 + length);
        onRecord(record, now);
        return;
      }
    }
    if (partial == null) {
      partial = ByteBuffer.allocate(2);
      partialLength = -1;
    }
    ByteBuffer target = partial;
    int part = Math.min(target.remaining(), in.remaining());
    target.put(in.slice(in.position(), part));
    in.position(in.position() + part);
    if (target.hasRemaining()) {
      return;
    }
    target.flip();
    if (partialLength < 0) {
      partialLength = target.getShort() & 0xffff;
      partial =
          spare != null && spare.capacity() >= partialLength
              ? spare.clear().limit(partialLength)
              : ByteBuffer.allocate(partialLength);
      spare = null;
      if (partialLength > 0) {
        return;
      }
      target = partial;
    }
    partial = null;
    onRecord(target, now);
    // Bulk data cuts every record: the next one is gathered in the same bytes. Others do not keep
    // them.
    spare = target.capacity() >= SPARE_MIN ? target : null;
  }

  private void onRecord(ByteBuffer record, long now) throws MalformedException {
    if (phase == Phase.SECURING) {
      byte[] message = new byte[record.remaining()];
      record.get(message);
      handshake.read(message);
      if (!isExpected()) {
        return;
      }
      writeHandshake();
      if (handshake.isOver()) {
        onSecured(now);
      }
      return;
    }
    if (record.remaining() < Aead.TAG_BYTES) {
      throw new MalformedException("a Noise record shorter than its tag");
    }
    ByteBuffer plaintext = ByteBuffer.allocate(record.remaining() - Aead.TAG_BYTES);
    noise().open(record, plaintext);
    plaintext.flip();
    if (phase == Phase.CHOOSING_MUXER) {
      negotiation.receive(plaintext, securedOutput::add);
      if (negotiation.isOver()) {
        if (negotiation.agreed() == null) {
          end(
              new ConnectionCloseReason(
                  Kind.NOTHING_IN_COMMON, "the remote does not speak " + YamuxSession.PROTOCOL));
          return;
        }
        onMuxerChosen(now);
      }
    }
    if (phase == Phase.OPEN && plaintext.hasRemaining()) {
      yamux().receive(plaintext, now);
    }
  }

  /**
   * Ends the connection as soon as somebody else proves to be there, before this side has said who
   * it is.
   */
  private boolean isExpected() {
    if (expectedRemote == null || !handshake.knowsRemote()) {
      return true;
    }
    PeerId remote = PeerId.of(handshake.remoteKey());
    if (expectedRemote.equals(remote)) {
      return true;
    }
    end(
        new ConnectionCloseReason(
            Kind.WRONG_PEER, "expected peer " + expectedRemote + ", but " + remote + " answered"));
    return false;
  }

  private void onSecured(long now) {
    noise = handshake.transport();
    if (handshake.commonMuxer() != null) {
      onMuxerChosen(now);
      return;
    }
    if (handshake.remoteNamedMuxers()) {
      // Inlined muxer negotiation: where both sides named theirs and none is common, the handshake
      // must fail.
      end(new ConnectionCloseReason(Kind.NOTHING_IN_COMMON, "the remote speaks no muxer of ours"));
      return;
    }
    phase = Phase.CHOOSING_MUXER;
    negotiation =
        role == Role.DIALER
            ? MultistreamSelect.dialer(MUXERS)
            : MultistreamSelect.listener(MUXERS::contains);
    negotiation.start(securedOutput::add);
  }

  private void onMuxerChosen(long now) {
    phase = Phase.OPEN;
    yamux = new YamuxSession(settings.yamux(), role == Role.DIALER, new StreamEvents(), now);
    events.onSecured(
        PeerId.of(handshake.remoteKey()), handshake.remoteKey(), YamuxSession.PROTOCOL);
  }

  // ---- out

  /** Whether {@link #transmit} has anything to write. */
  public boolean hasOutput() {
    return !plainOutput.isEmpty()
        || !securedOutput.isEmpty()
        || (yamux != null && yamux.hasOutput());
  }

  /**
   * Writes what is to be sent, encrypted, in records as full as the output allows.
   *
   * @param out the more room, the better; below some 100 bytes nothing may fit
   * @param scratch at least {@link NoiseTransport#MAX_PLAINTEXT} bytes, direct for a native cipher;
   *     overwritten. One serves all connections of an event loop
   * @return how many bytes were written; 0 when nothing is left or nothing fits
   */
  public int transmit(ByteBuffer out, ByteBuffer scratch, long now) {
    int start = out.position();
    while (!plainOutput.isEmpty() && out.hasRemaining()) {
      move(plainOutput, out);
    }
    while (plainOutput.isEmpty()
        && (!securedOutput.isEmpty() || (yamux != null && yamux.hasOutput()))) {
      int room = out.remaining() - 2 - Aead.TAG_BYTES;
      if (room < 64) {
        break;
      }
      scratch.clear().limit(Math.min(NoiseTransport.MAX_PLAINTEXT, room));
      while (!securedOutput.isEmpty() && scratch.hasRemaining()) {
        move(securedOutput, scratch);
      }
      if (securedOutput.isEmpty() && yamux != null) {
        yamux.fill(scratch, now);
      }
      scratch.flip();
      if (!scratch.hasRemaining()) {
        break;
      }
      out.putShort((short) (scratch.remaining() + Aead.TAG_BYTES));
      noise().seal(scratch, out);
    }
    return out.position() - start;
  }

  private static void move(Deque<ByteBuffer> from, ByteBuffer to) {
    ByteBuffer head = from.element();
    int part = Math.min(head.remaining(), to.remaining());
    to.put(head.slice(head.position(), part));
    head.position(head.position() + part);
    if (!head.hasRemaining()) {
      from.remove();
    }
  }

  // ---- time and end

  /** When {@link #onDeadline} is to be called; {@link Long#MAX_VALUE} for never. */
  public long deadlineNanos() {
    return switch (phase) {
      case OPEN -> yamux().deadlineNanos();
      case CLOSED -> Long.MAX_VALUE;
      default -> upgradeDeadline;
    };
  }

  /** Time has passed. Calls that come too early do nothing. */
  public void onDeadline(long now) {
    if (phase == Phase.OPEN) {
      if (!yamux().onDeadline(now)) {
        end(new ConnectionCloseReason(Kind.UNRESPONSIVE, "the remote did not answer a ping"));
      }
    } else if (phase != Phase.CLOSED && now - upgradeDeadline >= 0) {
      end(new ConnectionCloseReason(Kind.TIMED_OUT, "the connection was not secured in time"));
    }
  }

  /** The transport has ended, from the other side or by a failure. */
  public void onTransportClosed(long now) {
    if (phase == Phase.OPEN) {
      end(new ConnectionCloseReason(Kind.CLOSED_BY_REMOTE, "the remote closed the connection"));
    } else {
      end(
          new ConnectionCloseReason(
              Kind.LOST, "the remote closed the connection before it was secured"));
    }
  }

  /**
   * Closes the connection: what was taken to be sent and a go-away are left to be transmitted, as
   * far as windows have room.
   */
  public void close(long code, String reason, long now) {
    if (phase == Phase.OPEN) {
      yamux().goAway(code);
    }
    end(new ConnectionCloseReason(Kind.CLOSED_LOCALLY, reason));
  }

  private void end(ConnectionCloseReason reason) {
    if (phase != Phase.CLOSED) {
      phase = Phase.CLOSED;
      events.onClosed(reason);
    }
  }

  // ---- streams

  /** Opens a stream: its id, or -1 when the connection is not open or a limit is reached. */
  public int openStream(long now) {
    return phase == Phase.OPEN ? yamux().open() : -1;
  }

  /** Takes bytes to send by reference, as far as there is room, and says how many. */
  public int write(int stream, ByteBuffer data, long now) {
    return phase == Phase.OPEN ? yamux().write(stream, data) : 0;
  }

  /** How many bytes that {@link #write} took have not been encrypted. */
  public int unsent(int stream) {
    return phase == Phase.OPEN ? yamux().unsent(stream) : 0;
  }

  /** How many more bytes {@link #write} would take. */
  public int room(int stream) {
    return phase == Phase.OPEN ? yamux().room(stream) : 0;
  }

  /**
   * Has {@link ConnectionEvents#onStreamWritable} follow as soon as half of the room is free, which
   * may be now.
   */
  public void notifyWhenWritable(int stream) {
    if (phase == Phase.OPEN) {
      yamux().notifyWhenWritable(stream);
    }
  }

  /** Closes a stream for writing. */
  public void closeWrite(int stream, long now) {
    if (phase == Phase.OPEN) {
      yamux().closeWrite(stream, now);
    }
  }

  /** Ends a stream at once; no event follows for it. */
  public void reset(int stream, long code, long now) {
    if (phase == Phase.OPEN) {
      yamux().reset(stream, code);
    }
  }

  /** Lets more bytes of a stream come. */
  public void request(int stream, long bytes, long now) {
    if (phase == Phase.OPEN) {
      yamux().request(stream, bytes, now);
    }
  }

  /** How many streams are open. */
  public int streamCount() {
    return yamux == null ? 0 : yamux.streamCount();
  }

  private NoiseTransport noise() {
    if (noise == null) {
      throw new IllegalStateException("not secured yet");
    }
    return noise;
  }

  private YamuxSession yamux() {
    if (yamux == null) {
      throw new IllegalStateException("not open yet");
    }
    return yamux;
  }

  /** Passes the streams' events on, but none after the end. */
  private final class StreamEvents implements YamuxEvents {
    @Override
    public void onStreamOpened(int stream) {
      if (phase == Phase.OPEN) {
        events.onStreamOpened(stream);
      }
    }

    @Override
    public void onStreamData(int stream, ByteBuffer data) {
      if (phase == Phase.OPEN) {
        events.onStreamData(stream, data);
      }
    }

    @Override
    public void onStreamWritable(int stream) {
      if (phase == Phase.OPEN) {
        events.onStreamWritable(stream);
      }
    }

    @Override
    public void onStreamRemoteClosed(int stream) {
      if (phase == Phase.OPEN) {
        events.onStreamRemoteClosed(stream);
      }
    }

    @Override
    public void onStreamClosed(int stream) {
      if (phase == Phase.OPEN) {
        events.onStreamClosed(stream);
      }
    }

    @Override
    public void onStreamReset(int stream, long code) {
      if (phase == Phase.OPEN) {
        events.onStreamReset(stream, code);
      }
    }

    @Override
    public void onGoAway(long code) {
      yamux().discardOutput();
      end(
          new ConnectionCloseReason(
              Kind.CLOSED_BY_REMOTE, "the remote goes away (code " + code + ")"));
    }
  }
}
