package dev.troupe.protocol.yamux;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Both directions of one Yamux connection, sans I/O: bytes in with {@link #receive}, bytes out with
 * {@link #fill}, time as an argument.
 *
 * <p>Flow control. A remote may send what our window allows; the window is topped up only as far as
 * the reader has taken what came before, so an unread stream holds one window at most. A window
 * that is emptied twice within two round trips doubles, up to its limits. What is sent is taken by
 * reference and read in place; streams take turns, a frame at a time.
 *
 * <p>Not thread-safe.
 */
public final class YamuxSession {

  /** The protocol's name in multistream-select. */
  public static final ProtocolId PROTOCOL = ProtocolId.of("/yamux/1.0.0");

  /** Both windows of a new stream, in bytes. */
  public static final int INITIAL_WINDOW = 256 * 1024;

  /**
   * The most streams that may wait for the remote's acknowledgement (libp2p yamux specification,
   * "ACK backlog").
   */
  public static final int MAX_UNACKNOWLEDGED = 256;

  /**
   * The most answers (acknowledgements, resets of refused streams, pongs) that may wait to be sent
   * before the remote is said to flood us. js-libp2p opens up to 1000 streams at once, without an
   * ACK backlog.
   */
  public static final int MAX_ANSWERS = 2048;

  /**
   * The most streams of a remote refused one after the other, none accepted in between, before it
   * is said to flood us.
   */
  public static final int MAX_REFUSED = 4096;

  private static final int HEADER = 12;

  /** How old a measured round trip may be while a stream's window is still topped up by it. */
  private static final long ROUND_TRIP_MAX_AGE_NANOS = 10_000_000_000L;

  /**
   * What is not read waits in chunks of at least this many bytes: otherwise a remote that sends
   * single bytes has us keep a whole record for each.
   */
  private static final int MIN_CHUNK = 512;

  /**
   * Bytes that are less than this share of the array they lie in are copied out of it before they
   * wait, for sending or with whoever reads them: what is small must not hold what is large.
   */
  private static final int SMALL_SHARE = 4;

  /**
   * How long the end of a stream waits for the answer to its fence, in nanoseconds (5 s); it goes
   * out without one then. A fence is for the sake of remotes that lose an end which comes too soon,
   * and none of them needs as long.
   */
  public static final long FENCE_TIMEOUT_NANOS = 5_000_000_000L;

  /** A frame and its header fill one Noise record. */
  private static final int MAX_PAYLOAD = 65519 - HEADER;

  /** The code of a go-away to a remote that broke the protocol. */
  public static final int PROTOCOL_ERROR = 1;

  private static final int DATA = 0;
  private static final int WINDOW_UPDATE = 1;
  private static final int PING = 2;
  private static final int GO_AWAY = 3;

  private static final int SYN = 1;
  private static final int ACK = 2;
  private static final int FIN = 4;
  private static final int RST = 8;

  /** Marks a frame of our own accord among those that answer the remote; never sent. */
  private static final int OWN = 1 << 16;

  /**
   * Tells the pings that fence off the end of a stream from those that show whether the remote
   * lives.
   */
  private static final int FENCE = 1 << 31;

  private final YamuxSettings settings;
  private final YamuxEvents events;
  private final boolean client;
  private final Map<Integer, MuxedStream> streams = new LinkedHashMap<>();

  /** Streams with something to send, in turn. */
  private final Deque<MuxedStream> ready = new ArrayDeque<>();

  /** Frames without payload that wait to be sent. */
  private final Deque<Frame> control = new ArrayDeque<>();

  private int answers;
  private int nextId;
  private int unacknowledged;
  private int refused;
  private int grownWindows;
  private boolean goAwaySent;
  private @Nullable Frame goAwayFrame;
  private boolean goAwayReceived;

  // What is being received.
  private final ByteBuffer header = ByteBuffer.allocate(HEADER);
  private int payloadLeft;
  private @Nullable MuxedStream payloadOf;
  private boolean finAfterPayload;

  // Pings.
  private long lastHeardNanos;
  private long pingSentNanos;
  private boolean pingOpen;
  private int pingValue;
  private long roundTripNanos = -1;
  private long measuredNanos;

  /** Streams whose end waits for the answer to a ping, by the value of that ping. */
  private final Map<Integer, MuxedStream> fences = new LinkedHashMap<>();

  private int fenceValue;

  /**
   * A session at the start of its connection.
   *
   * @param client whether this side dialled
   */
  public YamuxSession(YamuxSettings settings, boolean client, YamuxEvents events, long now) {
    this.settings = settings;
    this.events = events;
    this.client = client;
    this.nextId = client ? 1 : 2;
    this.lastHeardNanos = now;
    ping(now);
  }

  // ---- streams

  /**
   * Opens a stream; nothing of it is sent before something is written or {@link #fill} comes.
   *
   * @return its id, or -1 when a limit is reached or one side goes away
   */
  public int open() {
    if (goAwaySent
        || goAwayReceived
        || nextId < 0
        || streams.size() >= settings.maxStreams()
        || unacknowledged >= MAX_UNACKNOWLEDGED) {
      return -1;
    }
    MuxedStream stream = new MuxedStream(nextId);
    nextId += 2;
    unacknowledged++;
    stream.synPending = true;
    stream.awaitsAck = true;
    streams.put(stream.id, stream);
    makeReady(stream);
    return stream.id;
  }

  /**
   * Takes bytes to send, as far as there is room; the position moves past them. They are taken by
   * reference, but for the few of a large array.
   *
   * @return how many bytes were taken; 0 too when the stream is unknown or closed for writing
   */
  public int write(int id, ByteBuffer data) {
    MuxedStream stream = streams.get(id);
    if (stream == null || stream.closeWanted) {
      return 0;
    }
    int room = settings.maxSendBuffer() - stream.queuedBytes;
    int taken = Math.min(room, data.remaining());
    if (taken < data.remaining()) {
      stream.wantsWritable = true;
    }
    if (taken > 0) {
      stream.hold(data.slice(data.position(), taken));
      data.position(data.position() + taken);
      stream.queuedBytes += taken;
      makeReady(stream);
    }
    return taken;
  }

  /** How many bytes that {@link #write} took have not been sent. */
  public int unsent(int id) {
    MuxedStream stream = streams.get(id);
    return stream == null ? 0 : stream.queuedBytes;
  }

  /** How many more bytes {@link #write} would take. */
  public int room(int id) {
    MuxedStream stream = streams.get(id);
    return stream == null || stream.closeWanted ? 0 : settings.maxSendBuffer() - stream.queuedBytes;
  }

  /**
   * Has {@link YamuxEvents#onStreamWritable} follow as soon as half of the room is free, which may
   * be now.
   */
  public void notifyWhenWritable(int id) {
    MuxedStream stream = streams.get(id);
    if (stream == null || stream.closeWanted) {
      return;
    }
    if (stream.queuedBytes <= settings.maxSendBuffer() / 2) {
      events.onStreamWritable(id);
    } else {
      stream.wantsWritable = true;
    }
  }

  /**
   * Closes the stream for writing, after what was taken has been sent and the remote is known to
   * have seen the first of it.
   *
   * <p>Some muxers, that of js-libp2p among them, lose a stream whose end comes in one read with
   * the answer that agrees on its protocol. So the end waits for anything the remote sends on the
   * stream after our first data; where it may have nothing to send, for the answer to a ping that
   * follows the data, though for {@link #FENCE_TIMEOUT_NANOS} at most.
   */
  public void closeWrite(int id, long now) {
    MuxedStream stream = streams.get(id);
    if (stream != null && !stream.closeWanted) {
      stream.closeWanted = true;
      stream.wantsWritable = false;
      makeReady(stream);
      fence(stream, now);
    }
  }

  private void fence(MuxedStream stream, long now) {
    if (stream.closeWanted && stream.queuedBytes == 0 && stream.isEndHeld() && stream.fence == 0) {
      stream.fence = FENCE | ++fenceValue;
      stream.fencedNanos = now;
      fences.put(stream.fence, stream);
      control.add(new Frame(PING, SYN, 0, stream.fence));
    }
  }

  /** The remote has seen what we sent first, or is taken to have. */
  private void onHeard(MuxedStream stream) {
    fences.remove(stream.fence);
    if (stream.isEndHeld()) {
      stream.heard = true;
      makeReady(stream);
    }
  }

  /** Ends the stream at once; no event follows. */
  public void reset(int id, long code) {
    MuxedStream stream = streams.get(id);
    if (stream != null) {
      if (!stream.synPending) {
        control.add(new Frame(WINDOW_UPDATE, RST | OWN, id, (int) code));
      }
      remove(stream);
    }
  }

  /**
   * Lets more bytes of the stream be delivered; those that wait are delivered from inside this
   * call.
   */
  public void request(int id, long bytes, long now) {
    MuxedStream stream = streams.get(id);
    if (stream == null || bytes <= 0) {
      return;
    }
    stream.demand = stream.demand + bytes < 0 ? Long.MAX_VALUE : stream.demand + bytes;
    deliver(stream, now);
  }

  /** How many streams are open. */
  public int streamCount() {
    return streams.size();
  }

  /**
   * Says that no more streams are taken; those that are open end with the connection. It goes out
   * after all that was taken to be sent and that the remote's windows have room for.
   */
  public void goAway(long code) {
    if (!goAwaySent) {
      goAwaySent = true;
      goAwayFrame = new Frame(GO_AWAY, 0, 0, (int) code);
    }
  }

  /**
   * Drops all that waits to be sent: nobody reads it any more. A {@link #goAway} that follows is
   * still sent.
   */
  public void discardOutput() {
    control.clear();
    ready.clear();
    answers = 0;
    goAwayFrame = null;
  }

  // ---- time

  /** When {@link #onDeadline} is to be called next. */
  public long deadlineNanos() {
    long ofPings = pingDeadlineNanos();
    if (fences.isEmpty()) {
      return ofPings;
    }
    // The oldest fence is the first to be given up.
    long ofFences = fences.values().iterator().next().fencedNanos + FENCE_TIMEOUT_NANOS;
    return ofPings == Long.MAX_VALUE || ofFences - ofPings < 0 ? ofFences : ofPings;
  }

  private long pingDeadlineNanos() {
    if (pingOpen) {
      return pingSentNanos + settings.pingTimeoutNanos();
    }
    return settings.keepAliveNanos() == Long.MAX_VALUE
        ? Long.MAX_VALUE
        : lastHeardNanos + settings.keepAliveNanos();
  }

  /**
   * Time has passed: gives up fences, and pings when the remote has been silent.
   *
   * @return false when the remote did not answer the last ping in time: the connection is dead
   */
  public boolean onDeadline(long now) {
    while (!fences.isEmpty()) {
      MuxedStream oldest = fences.values().iterator().next();
      if (now - oldest.fencedNanos < FENCE_TIMEOUT_NANOS) {
        break;
      }
      onHeard(oldest);
    }
    if (pingDeadlineNanos() == Long.MAX_VALUE || now - pingDeadlineNanos() < 0) {
      return true;
    }
    if (pingOpen) {
      // Anything at all that came since shows that the remote lives.
      if (lastHeardNanos - pingSentNanos > 0) {
        pingOpen = false;
        return true;
      }
      return false;
    }
    ping(now);
    return true;
  }

  private void ping(long now) {
    pingOpen = true;
    pingSentNanos = now;
    control.add(new Frame(PING, SYN, 0, ++pingValue));
  }

  // ---- out

  /** Whether {@link #fill} has anything to write. */
  public boolean hasOutput() {
    return !control.isEmpty() || !ready.isEmpty() || goAwayFrame != null;
  }

  /** Writes frames until the buffer is full or nothing is left; says by its position how much. */
  public void fill(ByteBuffer out, long now) {
    while (out.remaining() >= HEADER && !control.isEmpty()) {
      Frame frame = control.remove();
      if (frame.isAnswer()) {
        answers--;
      }
      putHeader(out, frame.type, frame.flags, frame.stream, frame.length);
    }
    while (out.remaining() > HEADER && !ready.isEmpty()) {
      MuxedStream stream = ready.remove();
      stream.isReady = false;
      fillFrom(stream, out, now);
    }
    Frame last = goAwayFrame;
    if (last != null && control.isEmpty() && ready.isEmpty() && out.remaining() >= HEADER) {
      putHeader(out, last.type, last.flags, last.stream, last.length);
      goAwayFrame = null;
    }
  }

  private void fillFrom(MuxedStream stream, ByteBuffer out, long now) {
    int flags = 0;
    if (stream.synPending) {
      flags = SYN;
      stream.synPending = false;
    }
    int size =
        Math.min(
            Math.min(stream.queuedBytes, stream.sendWindow),
            Math.min(MAX_PAYLOAD, out.remaining() - HEADER));
    stream.dataSent |= size > 0;
    // The end travels in a frame of its own: js-libp2p drops the data of a frame that carries FIN.
    boolean fin =
        stream.closeWanted && !stream.finSent && !stream.isEndHeld() && stream.queuedBytes == 0;
    if (size == 0 && !fin) {
      if (flags != 0) {
        putHeader(out, WINDOW_UPDATE, flags, stream.id, 0);
      }
      return;
    }
    putHeader(out, DATA, fin ? flags | FIN : flags, stream.id, size);
    int left = size;
    while (left > 0) {
      ByteBuffer head = stream.queue.element();
      int part = Math.min(left, head.remaining());
      int limit = head.limit();
      out.put(head.limit(head.position() + part));
      head.limit(limit);
      if (!head.hasRemaining()) {
        stream.queue.remove();
        if (head == stream.queueTail) {
          stream.queueTail = null;
        }
      }
      left -= part;
    }
    stream.queuedBytes -= size;
    stream.sendWindow -= size;
    if (fin) {
      stream.finSent = true;
      endIfClosed(stream);
      return;
    }
    fence(stream, now);
    if (stream.wantsWritable && stream.queuedBytes <= settings.maxSendBuffer() / 2) {
      stream.wantsWritable = false;
      events.onStreamWritable(stream.id);
    }
    if (streams.get(stream.id) == stream) {
      makeReady(stream);
    }
  }

  private static void putHeader(ByteBuffer out, int type, int flags, int stream, int length) {
    out.put((byte) 0).put((byte) type).putShort((short) flags).putInt(stream).putInt(length);
  }

  private void makeReady(MuxedStream stream) {
    boolean sendable = stream.queuedBytes > 0 && stream.sendWindow > 0;
    boolean closable =
        stream.closeWanted && !stream.finSent && !stream.isEndHeld() && stream.queuedBytes == 0;
    if (!stream.isReady && (sendable || closable || stream.synPending)) {
      stream.isReady = true;
      ready.add(stream);
    }
  }

  // ---- in

  /**
   * Takes what the remote sent, all of it; events are called from inside.
   *
   * @param in on the heap, with an accessible array, which nobody changes any more: data is handed
   *     on without a copy
   * @throws MalformedException if the remote broke the protocol: the connection must end
   */
  public void receive(ByteBuffer in, long now) throws MalformedException {
    lastHeardNanos = now;
    while (in.hasRemaining() && !goAwayReceived) {
      if (payloadLeft > 0) {
        receivePayload(in, now);
      } else if (header.position() == 0 && in.remaining() >= HEADER) {
        int end = in.position() + HEADER;
        receiveHeader(in, now);
        in.position(end);
      } else {
        int part = Math.min(header.remaining(), in.remaining());
        header.put(in.slice(in.position(), part));
        in.position(in.position() + part);
        if (!header.hasRemaining()) {
          header.flip();
          receiveHeader(header, now);
          header.clear();
        }
      }
    }
    in.position(in.limit());
  }

  private void receivePayload(ByteBuffer in, long now) {
    int part = Math.min(payloadLeft, in.remaining());
    MuxedStream stream = payloadOf;
    ByteBuffer data = in.slice(in.position(), part);
    in.position(in.position() + part);
    payloadLeft -= part;
    if (stream != null && streams.get(stream.id) == stream) {
      stream.enqueue(data);
      if (payloadLeft == 0 && finAfterPayload) {
        stream.finReceived = true;
      }
      deliver(stream, now);
    }
  }

  private void receiveHeader(ByteBuffer in, long now) throws MalformedException {
    int version = in.get();
    int type = in.get();
    int flags = in.getShort() & 0xffff;
    int id = in.getInt();
    int length = in.getInt();
    if (version != 0) {
      throw new MalformedException("a Yamux frame of version " + version);
    }
    switch (type) {
      case DATA -> receiveData(flags, id, length, now);
      case WINDOW_UPDATE -> receiveWindowUpdate(flags, id, length, now);
      case PING -> receivePing(flags, length, now);
      case GO_AWAY -> {
        goAwayReceived = true;
        events.onGoAway(length & 0xffffffffL);
      }
      default -> throw new MalformedException("a Yamux frame of type " + type);
    }
  }

  private void receiveData(int flags, int id, int length, long now) throws MalformedException {
    if (length < 0) {
      throw new MalformedException("a Yamux frame of " + (length & 0xffffffffL) + " bytes");
    }
    MuxedStream stream = onFlags(flags, id, 0);
    if (stream != null) {
      if (length > stream.receiveWindow) {
        throw new MalformedException(
            "stream " + id + ": " + length + " bytes, over its window of " + stream.receiveWindow);
      }
      if (stream.finReceived && length > 0) {
        throw new MalformedException("stream " + id + ": data after its end");
      }
      stream.receiveWindow -= length;
    } else if (length > INITIAL_WINDOW && length > settings.maxStreamWindow()) {
      throw new MalformedException("a Yamux frame of " + length + " bytes, over every window");
    }
    payloadOf = stream;
    payloadLeft = length;
    finAfterPayload = (flags & FIN) != 0;
    if (length == 0 && finAfterPayload && stream != null) {
      stream.finReceived = true;
      deliver(stream, now);
    }
  }

  private void receiveWindowUpdate(int flags, int id, int delta, long now)
      throws MalformedException {
    MuxedStream stream = onFlags(flags, id, delta);
    if (stream == null) {
      return;
    }
    long window = stream.sendWindow + (delta & 0xffffffffL);
    if (window > Integer.MAX_VALUE) {
      throw new MalformedException("stream " + id + ": a window of " + window + " bytes");
    }
    stream.sendWindow = (int) window;
    makeReady(stream);
    if ((flags & FIN) != 0) {
      stream.finReceived = true;
      deliver(stream, now);
    }
  }

  /**
   * What the flags of a frame do to its stream; null where the rest of the frame is to be ignored.
   */
  private @Nullable MuxedStream onFlags(int flags, int id, int code) throws MalformedException {
    if ((flags & SYN) != 0) {
      accept(id);
    } else if (id == 0) {
      throw new MalformedException("a frame of no stream, where one is needed");
    }
    MuxedStream stream = streams.get(id);
    if (stream == null) {
      // Of a stream that has ended here, while the frame was under way.
      return null;
    }
    if ((flags & ACK) != 0 && stream.awaitsAck) {
      stream.awaitsAck = false;
      unacknowledged--;
    }
    if ((flags & RST) != 0) {
      remove(stream);
      events.onStreamReset(id, code & 0xffffffffL);
      return null;
    }
    onHeard(stream);
    return stream;
  }

  private boolean isRemote(int id) {
    return id != 0 && (id & 1) == (client ? 0 : 1);
  }

  private void accept(int id) throws MalformedException {
    if (!isRemote(id) || id < 0) {
      throw new MalformedException("the remote opened stream " + id + ", which is not its to open");
    }
    // Not in order: go-yamux hands out ids before it takes its turn to send.
    if (streams.containsKey(id)) {
      throw new MalformedException("the remote opened stream " + id + " again");
    }
    if (streams.size() >= settings.maxStreams() || goAwaySent) {
      if (++refused > MAX_REFUSED) {
        throw new MalformedException("more than " + MAX_REFUSED + " streams over the limit");
      }
      answer(new Frame(WINDOW_UPDATE, RST, id, 0));
      return;
    }
    refused = 0;
    MuxedStream stream = new MuxedStream(id);
    streams.put(id, stream);
    answer(new Frame(WINDOW_UPDATE, ACK, id, 0));
    events.onStreamOpened(id);
  }

  private void receivePing(int flags, int value, long now) throws MalformedException {
    if ((flags & SYN) != 0) {
      answer(new Frame(PING, ACK, 0, value));
    } else if ((flags & ACK) != 0 && pingOpen && value == pingValue) {
      pingOpen = false;
      roundTripNanos = Math.max(1, now - pingSentNanos);
      measuredNanos = now;
    } else if ((flags & ACK) != 0) {
      MuxedStream stream = fences.get(value);
      if (stream != null) {
        onHeard(stream);
      }
    }
  }

  private void answer(Frame frame) throws MalformedException {
    if (++answers > MAX_ANSWERS) {
      throw new MalformedException(
          "more than " + MAX_ANSWERS + " answers wait: the remote floods us");
    }
    control.add(frame);
  }

  private void deliver(MuxedStream stream, long now) {
    if (stream.delivering) {
      return;
    }
    stream.delivering = true;
    while (stream.demand > 0 && !stream.received.isEmpty()) {
      ByteBuffer head = stream.received.remove();
      ByteBuffer data = head;
      if (head.remaining() > stream.demand) {
        data = head.slice(head.position(), (int) stream.demand);
        head.position(head.position() + data.remaining());
        stream.received.addFirst(head);
      }
      int size = data.remaining();
      if (stream.demand != Long.MAX_VALUE) {
        stream.demand -= size;
      }
      stream.consumed += size;
      if (head == stream.tail && head == data) {
        stream.tail = null;
      }
      events.onStreamData(stream.id, unshared(data));
    }
    stream.delivering = false;
    if (streams.get(stream.id) != stream) {
      return;
    }
    if (stream.finReceived && stream.received.isEmpty()) {
      // The last payload may still be under way when a FIN came with its header: it is set only
      // after that.
      if (!stream.finDelivered) {
        stream.finDelivered = true;
        events.onStreamRemoteClosed(stream.id);
        endIfClosed(stream);
      }
    } else if (stream.consumed >= stream.window / 2) {
      topUp(stream, now);
    }
  }

  /** The same bytes, in an array of their own where they are a small part of theirs. */
  private static ByteBuffer unshared(ByteBuffer data) {
    if (!data.hasArray() || data.remaining() >= data.array().length / SMALL_SHARE) {
      return data;
    }
    return ByteBuffer.allocate(data.remaining()).put(data).flip();
  }

  private void topUp(MuxedStream stream, long now) {
    if (!pingOpen && now - measuredNanos >= ROUND_TRIP_MAX_AGE_NANOS) {
      ping(now);
    }
    boolean fast =
        roundTripNanos > 0
            && stream.lastUpdateNanos != Long.MIN_VALUE
            && now - stream.lastUpdateNanos < 2 * roundTripNanos;
    int growth =
        Math.min(
            Math.min(stream.window, settings.maxStreamWindow() - stream.window),
            settings.maxConnectionWindow() - grownWindows);
    int delta = stream.consumed;
    if (fast && growth > 0) {
      stream.window += growth;
      grownWindows += growth;
      delta += growth;
    }
    stream.lastUpdateNanos = now;
    stream.consumed = 0;
    stream.receiveWindow += delta;
    control.add(new Frame(WINDOW_UPDATE, 0, stream.id, delta));
  }

  private void endIfClosed(MuxedStream stream) {
    if (stream.finSent && stream.finDelivered) {
      remove(stream);
      events.onStreamClosed(stream.id);
    }
  }

  private void remove(MuxedStream stream) {
    streams.remove(stream.id);
    if (stream.isReady) {
      ready.remove(stream);
    }
    if (stream.awaitsAck) {
      stream.awaitsAck = false;
      unacknowledged--;
    }
    grownWindows -= stream.window - INITIAL_WINDOW;
    fences.remove(stream.fence);
    stream.queue.clear();
    stream.received.clear();
  }

  /** The ids of all open streams. */
  public List<Integer> streamIds() {
    return new ArrayList<>(streams.keySet());
  }

  private record Frame(int type, int flags, int stream, int length) {
    boolean isAnswer() {
      return (type == PING && flags == ACK)
          || (type == WINDOW_UPDATE && (flags == ACK || flags == RST));
    }
  }

  private static final class MuxedStream {
    final int id;

    // Out.
    final Deque<ByteBuffer> queue = new ArrayDeque<>(2);
    int queuedBytes;
    int sendWindow = INITIAL_WINDOW;
    boolean synPending;
    boolean awaitsAck;
    boolean closeWanted;
    boolean finSent;
    boolean wantsWritable;
    boolean isReady;

    /** The last chunk of what waits to be sent, where it is our own; see {@link #tail}. */
    @Nullable ByteBuffer queueTail;

    /** Whether data has been sent, and whether the remote is known to have seen it. */
    boolean dataSent;

    boolean heard;

    /** The value of the ping whose answer shows that, 0 while there is none, and when it went. */
    int fence;

    long fencedNanos;

    // In.
    final Deque<ByteBuffer> received = new ArrayDeque<>(2);
    int window = INITIAL_WINDOW;
    int receiveWindow = INITIAL_WINDOW;
    int consumed;
    long demand;
    long lastUpdateNanos = Long.MIN_VALUE;
    boolean finReceived;
    boolean finDelivered;
    boolean delivering;

    /**
     * The last chunk of what waits to be read, where it is our own: the room after its limit is
     * free.
     */
    @Nullable ByteBuffer tail;

    MuxedStream(int id) {
      this.id = id;
    }

    /**
     * Has data wait: as it is when it is to be delivered now, or is most of the record it came in;
     * otherwise copied into chunks.
     */
    void enqueue(ByteBuffer data) {
      int size = data.remaining();
      if (demand >= size && received.isEmpty() || size > data.array().length / 2) {
        received.add(data);
        tail = null;
        return;
      }
      tail = append(data, received, tail);
    }

    /** Has data wait to be sent: as it is where it is much of its array, otherwise as a copy. */
    void hold(ByteBuffer data) {
      int size = data.remaining();
      boolean alone = size >= MIN_CHUNK || queue.isEmpty();
      if (alone && (!data.hasArray() || size >= data.array().length / SMALL_SHARE)) {
        queue.add(data);
        queueTail = null;
      } else {
        queueTail = append(data, queue, queueTail);
      }
    }

    /** Copies data behind the last chunk, or into a new one, and returns the chunk it is in. */
    private static ByteBuffer append(
        ByteBuffer data, Deque<ByteBuffer> chunks, @Nullable ByteBuffer last) {
      int size = data.remaining();
      ByteBuffer chunk = last;
      if (chunk == null || chunk.capacity() - chunk.limit() < size) {
        chunk = ByteBuffer.allocate(Math.max(MIN_CHUNK, size)).limit(0);
        chunks.add(chunk);
      }
      int end = chunk.limit();
      chunk.limit(end + size).put(end, data, data.position(), size);
      return chunk;
    }

    /** A remote that has closed its own half has agreed long since. */
    boolean isEndHeld() {
      return dataSent && !heard && !finReceived;
    }
  }
}
