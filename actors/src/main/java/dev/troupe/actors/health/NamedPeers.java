package dev.troupe.actors.health;

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
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks a connected peer of the DHT for those nearest to us, and counts them: whether a bootstrap
 * peer knows anybody. One request on a stream of its own. Whoever does not answer, or not as a peer
 * of the DHT would, is not heard of.
 */
final class NamedPeers implements Completion<Stream>, StreamListener, Cancellable {

  private static final int ONE_READ = 16 * 1024;

  /** The longest answer that is read; a longer one is not counted. */
  private static final int MAX_ANSWER = 256 * 1024;

  private final FrameDecoder incoming = new FrameDecoder(MAX_ANSWER);
  private final Bytes self;
  private final IntConsumer told;
  private volatile @Nullable Cancellable opening;
  private volatile @Nullable Stream stream;
  private volatile boolean over;

  private NamedPeers(Bytes self, IntConsumer told) {
    this.self = self;
    this.told = told;
  }

  /**
   * Asks.
   *
   * @param told how many it named; called once at most, on a thread of the host
   */
  static Cancellable count(Host host, ProtocolId protocol, PeerId peer, IntConsumer told) {
    NamedPeers question = new NamedPeers(host.peerId().bytes(), told);
    question.opening = host.openStream(peer, List.of(protocol), question);
    return question;
  }

  @Override
  public void succeeded(Stream opened) {
    stream = opened;
    opened.start(this);
    if (over) {
      opened.reset(0, "called off");
      return;
    }
    opened.write(ByteBuffer.wrap(Frames.encode(KademliaMessage.findNode(self).encode())));
    opened.request(ONE_READ);
  }

  @Override
  public void failed(HostFailure failure) {
    over = true;
  }

  @Override
  public void onData(ByteBuffer data) {
    Stream of = stream;
    if (over || of == null) {
      return;
    }
    incoming.feed(data);
    try {
      Bytes frame = incoming.next();
      if (frame == null) {
        of.request(ONE_READ);
        return;
      }
      over = true;
      told.accept(KademliaMessage.decode(frame).closerPeers().size());
      of.closeWrite();
    } catch (MalformedException e) {
      over = true;
      of.reset(0, String.valueOf(e.getMessage()));
    }
  }

  @Override
  public void onWritable() {
    // A question of fifty bytes always fits.
  }

  @Override
  public void onRemoteClosed() {
    Stream of = stream;
    if (of != null) {
      of.closeWrite();
    }
  }

  @Override
  public void onClosed(@Nullable HostFailure failure) {
    over = true;
  }

  @Override
  public void cancel() {
    over = true;
    Cancellable under = opening;
    if (under != null) {
      under.cancel();
    }
    Stream of = stream;
    if (of != null) {
      of.reset(0, "called off");
    }
  }
}
