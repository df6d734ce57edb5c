package dev.troupe.actors.gossip;

import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.gossipsub.Rpc;
import dev.troupe.protocol.gossipsub.RpcCodec;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A stream whose other end is the test. */
final class FakeStream implements Stream {

  private final ConnectionInfo connection;
  private final Direction direction;
  private final FrameDecoder frames = new FrameDecoder(RpcCodec.MAX_RPC_BYTES);
  StreamListener listener;
  final List<Rpc> written = new ArrayList<>();
  long requested;
  boolean writeClosed;
  String resetReason;

  /** How many more bytes there is room for. */
  long room = Long.MAX_VALUE;

  /** Runs before each write. */
  Runnable beforeWrite = () -> {};

  /** Makes the next write fail as a defect would. */
  boolean defective;

  FakeStream(ConnectionInfo connection, Direction direction) {
    this.connection = connection;
    this.direction = direction;
  }

  // ---- what the test does

  /** The remote sends this; as much must have been requested. */
  void receive(Rpc rpc) {
    receive(Frames.encode(RpcCodec.encode(rpc)));
  }

  void receive(byte[] bytes) {
    listener.onData(ByteBuffer.wrap(bytes));
  }

  void makeRoom(long bytes) {
    room = bytes;
    listener.onWritable();
  }

  void lose() {
    listener.onClosed(new HostFailure(HostFailure.Kind.STREAM_RESET, "reset by the test"));
  }

  List<Rpc> takeWritten() {
    List<Rpc> taken = List.copyOf(written);
    written.clear();
    return taken;
  }

  // ---- what the actor does

  @Override
  public ConnectionInfo connection() {
    return connection;
  }

  @Override
  public ProtocolId protocol() {
    return FakeHost.MESHSUB;
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
    requested += bytes;
  }

  @Override
  public int write(ByteBuffer data) {
    beforeWrite.run();
    if (defective) {
      defective = false;
      throw new IllegalStateException("a defect, by order of the test");
    }
    if (resetReason != null || writeClosed) {
      return 0;
    }
    int taken = (int) Math.min(room, data.remaining());
    byte[] bytes = new byte[taken];
    data.get(bytes);
    room -= taken;
    try {
      frames.feed(ByteBuffer.wrap(bytes));
      for (Bytes frame = frames.next(); frame != null; frame = frames.next()) {
        written.add(RpcCodec.decode(frame));
      }
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
    return taken;
  }

  @Override
  public void closeWrite() {
    writeClosed = true;
  }

  @Override
  public void reset(long code, String reason) {
    if (resetReason == null) {
      resetReason = reason;
      if (listener != null) {
        listener.onClosed(new HostFailure(HostFailure.Kind.STREAM_RESET, reason));
      }
    }
  }
}
