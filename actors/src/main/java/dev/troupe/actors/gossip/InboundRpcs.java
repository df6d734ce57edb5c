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
 * message for each arrival of bytes, or several where they are more than {@value
 * #RPCS_PER_DELIVERY} RPCs. What says nothing is left out. The actor requests as many bytes again
 * once it has dealt with all of them: that bounds what is on its way, and slows down whoever makes
 * it work.
 */
final class InboundRpcs implements StreamListener {

  /** Who hears of the stream. Called on its event loop. */
  interface Receiver {
    /** These RPCs are complete now; so many bytes are to be requested again after them. */
    void received(List<Rpc> rpcs, int bytes);

    /** The remote sent what is no RPC; nothing more is read. */
    void malformed(String message);

    /** The remote will send no more. */
    void ended();

    /** The stream is over. */
    void closed();
  }

  /** Most RPCs that the actor is told in one message: others have their turn in between. */
  static final int RPCS_PER_DELIVERY = 256;

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
        Rpc rpc = RpcCodec.decode(frame);
        if (!rpc.isEmpty()) {
          if (rpcs.size() == RPCS_PER_DELIVERY) {
            // The bytes count with the last of them.
            receiver.received(rpcs, 0);
            rpcs = new ArrayList<>();
          }
          rpcs.add(rpc);
        }
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
