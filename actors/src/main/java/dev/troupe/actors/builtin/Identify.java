package dev.troupe.actors.builtin;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.identify.IdentifyMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PeerRecord;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.varint.FrameDecoder;
import dev.troupe.protocol.varint.Frames;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two sides of an identify stream: one writes a message and closes, the other reads until the
 * end.
 */
final class Identify {

  private static final Logger LOG = LoggerFactory.getLogger(Identify.class);

  private static final Identification NOTHING =
      new Identification("", "", List.of(), List.of(), null, false);

  private Identify() {}

  /**
   * Says who we are, and closes.
   *
   * @param deadline called off when the stream is over
   */
  static void write(Stream stream, IdentifyMessage message, Cancellable deadline) {
    Bytes frames = Bytes.EMPTY;
    for (Bytes part : message.parts()) {
      frames = frames.concat(Bytes.wrap(Frames.encode(part)));
    }
    ByteBuffer frame = ByteBuffer.wrap(frames.toArray());
    stream.start(
        new StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            // The remote has nothing to say here.
          }

          @Override
          public void onWritable() {
            finish(stream, frame);
          }

          @Override
          public void onRemoteClosed() {
            // Half of an orderly end; our own half is under way.
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            // Delivered or lost: the remote asks again if it wants to.
            deadline.cancel();
          }
        });
    stream.request(1);
    finish(stream, frame);
  }

  private static void finish(Stream stream, ByteBuffer frame) {
    stream.write(frame);
    if (!frame.hasRemaining()) {
      stream.closeWrite();
    }
  }

  /**
   * Reads until the remote closes.
   *
   * @param heard gets the message
   * @param missed called instead if the remote resets, or sends too much or what cannot be read
   * @param deadline called off when the stream is over
   */
  static void read(
      Stream stream, Consumer<IdentifyMessage> heard, Runnable missed, Cancellable deadline) {
    stream.start(
        new StreamListener() {
          private final FrameDecoder frames = new FrameDecoder(IdentifyMessage.MAX_BYTES);
          private Bytes message = Bytes.EMPTY;
          private int parts;
          private boolean told;

          @Override
          public void onData(ByteBuffer data) {
            stream.request(data.remaining());
            frames.feed(data);
            try {
              for (Bytes frame = frames.next(); frame != null; frame = frames.next()) {
                // Each part is a copy of all before it: their number is bounded as their bytes are.
                if (frame.isEmpty() || ++parts > IdentifyMessage.MAX_PARTS) {
                  throw new MalformedException("an identify message in too many parts, or empty");
                }
                message = message.concat(frame);
                if (message.size() > IdentifyMessage.MAX_BYTES) {
                  throw new MalformedException("an identify message over the limit");
                }
                stream.closeWrite(); // It may have waited for us before it closes.
              }
            } catch (MalformedException e) {
              refuse(e);
            }
          }

          @Override
          public void onWritable() {
            // Nothing is written.
          }

          @Override
          public void onRemoteClosed() {
            stream.closeWrite();
            try {
              IdentifyMessage whole = IdentifyMessage.decode(message);
              told = true;
              heard.accept(whole);
            } catch (MalformedException e) {
              refuse(e);
            }
          }

          private void refuse(MalformedException e) {
            LOG.debug("identify refused peer={} reason={}", stream.remote(), e.getMessage());
            stream.reset(0, String.valueOf(e.getMessage()));
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            deadline.cancel();
            if (failure != null) {
              LOG.debug("identify failed peer={} reason={}", stream.remote(), failure.message());
            }
            if (!told) {
              missed.run();
            }
          }
        });
    stream.request(IdentifyMessage.MAX_BYTES);
  }

  /**
   * What a message says, over what the peer has said before: a push may bring only what has
   * changed.
   *
   * @param before null for the first message
   * @return null when the message speaks for somebody else
   */
  static @Nullable Identification merge(
      Crypto crypto, PeerId remote, @Nullable Identification before, IdentifyMessage message) {
    PublicKey key = message.publicKey();
    if (key != null && !PeerId.of(key).equals(remote)) {
      return null;
    }
    List<Multiaddr> certified = certifiedAddresses(crypto, remote, message.signedPeerRecord());
    List<Multiaddr> said =
        certified != null ? certified : withoutPeer(remote, message.listenAddresses());
    Identification old = before == null ? NOTHING : before;
    boolean silent = said.isEmpty() && certified == null;
    return new Identification(
        message.agentVersion().isEmpty() ? old.agentVersion() : message.agentVersion(),
        message.protocolVersion().isEmpty() ? old.protocolVersion() : message.protocolVersion(),
        message.protocols().isEmpty() ? old.protocols() : message.protocols(),
        silent ? old.listenAddresses() : said,
        message.observedAddress() == null ? old.observedAddress() : message.observedAddress(),
        silent ? old.certified() : certified != null);
  }

  /** The addresses of a record that the peer has signed; null if there is none, or no valid one. */
  private static @Nullable List<Multiaddr> certifiedAddresses(
      Crypto crypto, PeerId remote, @Nullable Bytes envelope) {
    if (envelope == null) {
      return null;
    }
    try {
      PeerRecord record = PeerRecord.open(crypto, envelope);
      return record.peerId().equals(remote) ? withoutPeer(remote, record.addresses()) : null;
    } catch (MalformedException e) {
      LOG.debug("peer record ignored peer={} reason={}", remote, e.getMessage());
      return null;
    }
  }

  private static List<Multiaddr> withoutPeer(PeerId remote, List<Multiaddr> addresses) {
    List<Multiaddr> own = new ArrayList<>();
    for (Multiaddr address : addresses) {
      PeerId named = address.peerId();
      if (named == null) {
        own.add(address);
      } else if (named.equals(remote)) {
        own.add(address.withoutPeer());
      }
    }
    return own;
  }
}
