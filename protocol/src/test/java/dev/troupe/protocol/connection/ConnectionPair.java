package dev.troupe.protocol.connection;

import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseKey;
import dev.troupe.protocol.noise.NoiseTransport;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Two machines whose bytes reach each other in pieces of seeded random sizes, on a clock that the
 * test moves.
 */
final class ConnectionPair {

  static final PortableCrypto CRYPTO = new PortableCrypto();

  final Random random;
  final Side dialer;
  final Side listener;
  long now = 1_000;

  ConnectionPair(long seed, @Nullable PeerId expected) {
    random = new Random(seed);
    dialer = new Side(Role.DIALER, key(1), expected);
    listener = new Side(Role.LISTENER, key(2), null);
  }

  static PrivateKey key(int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    return PrivateKey.fromSeed(CRYPTO, seed);
  }

  void start() {
    dialer.machine.start(now);
    listener.machine.start(now);
    settle();
  }

  /** Moves bytes both ways until nobody has any. */
  void settle() {
    boolean moved;
    do {
      moved = dialer.sendTo(listener) | listener.sendTo(dialer);
    } while (moved);
  }

  final class Side implements ConnectionEvents {
    final ConnectionMachine machine;
    final ByteBuffer scratch = ByteBuffer.allocate(NoiseTransport.MAX_PLAINTEXT);
    final Map<Integer, ByteArrayOutputStream> received = new LinkedHashMap<>();
    final List<Integer> opened = new ArrayList<>();
    final List<Integer> remoteClosed = new ArrayList<>();
    final List<Integer> closed = new ArrayList<>();
    final List<Integer> reset = new ArrayList<>();
    final List<Integer> writable = new ArrayList<>();
    boolean readEverything = true;
    @Nullable PeerId remote;
    @Nullable ConnectionCloseReason end;
    int maxPiece = 40_000;

    Side(Role role, PrivateKey identity, @Nullable PeerId expected) {
      machine =
          new ConnectionMachine(
              ConnectionSettings.DEFAULT,
              role,
              NoiseKey.generate(CRYPTO, random::nextBytes, identity),
              expected,
              CRYPTO,
              random::nextBytes,
              this,
              now);
    }

    boolean sendTo(Side other) {
      ByteBuffer out = ByteBuffer.allocate(200_000);
      machine.transmit(out, scratch, now);
      out.flip();
      boolean any = out.hasRemaining();
      while (out.hasRemaining()) {
        int piece = Math.min(out.remaining(), 1 + random.nextInt(other.maxPiece));
        byte[] bytes = new byte[piece];
        out.get(bytes);
        other.machine.receive(ByteBuffer.wrap(bytes), now);
      }
      return any;
    }

    int open() {
      int stream = machine.openStream(now);
      if (stream > 0 && readEverything) {
        machine.request(stream, Long.MAX_VALUE, now);
      }
      return stream;
    }

    byte[] received(int stream) {
      return received.getOrDefault(stream, new ByteArrayOutputStream()).toByteArray();
    }

    @Override
    public void onSecured(PeerId peer, PublicKey key, ProtocolId muxer) {
      remote = peer;
    }

    @Override
    public void onStreamOpened(int stream) {
      opened.add(stream);
      if (readEverything) {
        machine.request(stream, Long.MAX_VALUE, now);
      }
    }

    @Override
    public void onStreamData(int stream, ByteBuffer data) {
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      received.computeIfAbsent(stream, s -> new ByteArrayOutputStream()).writeBytes(bytes);
    }

    @Override
    public void onStreamWritable(int stream) {
      writable.add(stream);
    }

    @Override
    public void onStreamRemoteClosed(int stream) {
      remoteClosed.add(stream);
    }

    @Override
    public void onStreamClosed(int stream) {
      closed.add(stream);
    }

    @Override
    public void onStreamReset(int stream, long code) {
      reset.add(stream);
    }

    @Override
    public void onClosed(ConnectionCloseReason reason) {
      end = reason;
    }
  }
}
