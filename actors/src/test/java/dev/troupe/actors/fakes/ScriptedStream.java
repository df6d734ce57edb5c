package dev.troupe.actors.fakes;

import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.multistream.ProtocolId;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A stream of bytes whose other end is the test. */
public final class ScriptedStream implements Stream {

  private final ConnectionInfo connection;
  private final ProtocolId protocol;
  private final Direction direction;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private @Nullable StreamListener listener;
  private boolean remoteClosed;
  private boolean closed;

  /** What may still come. */
  public long demand;

  /** How many more bytes there is room for. */
  public long room = Long.MAX_VALUE;

  /** Whether our side said that it writes no more. */
  public boolean writeClosed;

  /** Why our side reset it, if it did. */
  public @Nullable String resetReason;

  /** Makes the next write fail as a defect would. */
  public boolean defective;

  ScriptedStream(ConnectionInfo connection, ProtocolId protocol, Direction direction) {
    this.connection = connection;
    this.protocol = protocol;
    this.direction = direction;
  }

  // ---- what the test does

  /** The remote sends this; as much must have been requested. */
  public void receive(byte[] bytes) {
    if (bytes.length > demand) {
      throw new AssertionError(bytes.length + " bytes, and " + demand + " were requested");
    }
    demand -= bytes.length;
    hears().onData(ByteBuffer.wrap(bytes));
  }

  /** There is room for so many bytes. */
  public void makeRoom(long bytes) {
    room = bytes;
    hears().onWritable();
  }

  /** The remote writes no more. */
  public void closeRemotely() {
    remoteClosed = true;
    hears().onRemoteClosed();
    endWhenBothClosed();
  }

  /** The remote resets the stream. */
  public void resetRemotely() {
    end(new HostFailure(HostFailure.Kind.STREAM_RESET, "reset by the test"));
  }

  /** What was written since the last call. */
  public byte[] takeWritten() {
    byte[] taken = written.toByteArray();
    written.reset();
    return taken;
  }

  /** Whether somebody listens to it. */
  public boolean isStarted() {
    return listener != null;
  }

  /** Whether it is over, in whatever way. */
  public boolean isClosed() {
    return closed;
  }

  private StreamListener hears() {
    if (listener == null) {
      throw new AssertionError("nobody started the stream");
    }
    return listener;
  }

  private void endWhenBothClosed() {
    if (writeClosed && remoteClosed) {
      end(null);
    }
  }

  private void end(@Nullable HostFailure failure) {
    if (!closed) {
      closed = true;
      if (listener != null) {
        listener.onClosed(failure);
      }
    }
  }

  // ---- what the code under test does

  @Override
  public ConnectionInfo connection() {
    return connection;
  }

  @Override
  public ProtocolId protocol() {
    return protocol;
  }

  @Override
  public Direction direction() {
    return direction;
  }

  @Override
  public void start(StreamListener starting) {
    if (listener != null) {
      throw new IllegalStateException("started twice");
    }
    listener = starting;
  }

  @Override
  public void request(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a demand of " + bytes + " bytes");
    }
    demand = demand + bytes < 0 ? Long.MAX_VALUE : demand + bytes;
  }

  @Override
  public int write(ByteBuffer data) {
    if (defective) {
      defective = false;
      throw new IllegalStateException("a defect, by order of the test");
    }
    if (closed || writeClosed) {
      return 0;
    }
    byte[] bytes = new byte[(int) Math.min(room, data.remaining())];
    data.get(bytes);
    written.writeBytes(bytes);
    room -= bytes.length;
    return bytes.length;
  }

  @Override
  public void closeWrite() {
    writeClosed = true;
    endWhenBothClosed();
  }

  @Override
  public void reset(long code, String reason) {
    if (!closed) {
      resetReason = reason;
      end(new HostFailure(HostFailure.Kind.STREAM_RESET, reason));
    }
  }
}
