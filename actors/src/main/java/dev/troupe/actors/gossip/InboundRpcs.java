package dev.troupe.actors.gossip;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.gossipsub.Rpc;
import dev.troupe.protocol.gossipsub.RpcCodec;
import dev.troupe.protocol.varint.FrameDecoder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the RPCs of one inbound stream on its event loop, so that the actor is told values, one
 * message for each arrival of bytes. The actor requests as many bytes again once it has dealt with
 * them: that bounds what is on its way.
 */
final class InboundRpcs implements StreamListener {

  /** Who hears of the stream. Called on its event loop. */
  interface Receiver {
    /** These RPCs are complete now; the bytes that came are to be requested again. */
    void received(List<Rpc> rpcs, int bytes);

    /** The remote sent what is no RPC; nothing more is read. */
    void malformed(String message);

    /** The remote will send no more. */
    void ended();

    /** The stream is over. */
    void closed();
  }

  private final FrameDecoder frames = new FrameDecoder(RpcCodec.MAX_RPC_BYTES);
  private final Receiver receiver;
  private boolean broken;

  InboundRpcs(Receiver receiver) {
    this.receiver = receiver;
  }

  @Override
  public void onData(ByteBuffer data) {
    if (broken) {
      return;
    }
    int bytes = data.remaining();
    List<Rpc> rpcs = new ArrayList<>();
    try {
      frames.feed(data);
      for (Bytes frame = frames.next(); frame != null; frame = frames.next()) {
        rpcs.add(RpcCodec.decode(frame));
      }
      receiver.received(rpcs, bytes);
    } catch (MalformedException e) {
      broken = true;
      receiver.received(rpcs, bytes);
      receiver.malformed(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void onWritable() {
    // Nothing is ever written to an inbound stream.
  }

  @Override
  public void onRemoteClosed() {
    receiver.ended();
  }

  @Override
  public void onClosed(@Nullable HostFailure failure) {
    receiver.closed();
  }
}
