package dev.troupe.simulation.scenarios;

import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.KademliaMessage;
import dev.troupe.protocol.kademlia.PeerInfo;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server of the DHT that lies: it takes every record and keeps none, has never anything that is
 * asked for, and names nobody but its accomplices.
 */
final class Sybil {

  private static final long CREDIT = 64 * 1024;

  private final Host host;
  private final PeerInfo self;
  private final List<Sybil> accomplices;

  /**
   * A liar that listens.
   *
   * @param accomplices all of them, this one included as soon as it is there
   */
  Sybil(World world, PrivateKey identity, Multiaddr address, List<Sybil> accomplices) {
    this.host = world.createHost(identity, HostSettings.DEFAULT);
    this.self = new PeerInfo(identity.peerId(), List.of(address));
    this.accomplices = accomplices;
    host.start(event -> {});
    host.handle(DhtSettings.DEFAULT.protocol(), this::serve);
    host.listen(address, new Whatever<>());
  }

  /** Becomes known to somebody: whoever identifies it takes it for a server. */
  void meet(Multiaddr address) {
    host.dial(address.withoutPeer(), address.peerId(), new Whatever<ConnectionInfo>());
  }

  private void serve(Stream stream) {
    FrameDecoder questions = new FrameDecoder(KademliaMessage.MAX_REQUEST_SIZE);
    stream.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            stream.request(data.remaining());
            questions.feed(data);
            answerAll(questions, stream);
          }

          @Override
          public void onWritable() {}

          @Override
          public void onRemoteClosed() {
            stream.closeWrite();
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {}
        });
    stream.request(CREDIT);
  }

  private void answerAll(FrameDecoder questions, Stream stream) {
    try {
      for (Bytes frame = questions.next(); frame != null; frame = questions.next()) {
        KademliaMessage question = KademliaMessage.decode(frame);
        if (question.type() != KademliaMessage.Type.ADD_PROVIDER) {
          List<PeerInfo> named =
              accomplices.stream().filter(each -> each != this).map(each -> each.self).toList();
          KademliaMessage lie = question.answer(question.record(), named, List.of());
          stream.write(ByteBuffer.wrap(Frames.encode(lie.encode())));
        }
      }
    } catch (MalformedException e) {
      stream.reset(0, "not a question");
    }
  }

  private static final class Whatever<T> implements Completion<T> {
    @Override
    public void succeeded(T outcome) {}

    @Override
    public void failed(HostFailure why) {}
  }
}
