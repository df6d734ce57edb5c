package dev.troupe.protocol.connection;

import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseKey;
import dev.troupe.protocol.noise.NoiseTransport;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * Two machines back to back on one thread, one stream of bulk data: how much of the time is ours
 * rather than the network's. A program, not a test: {@code Throughput [MiB] [bytes a read of the
 * transport]}.
 */
final class Throughput {

  private Throughput() {}

  /** Runs it five times and prints each. */
  public static void main(String[] arguments) {
    long total = (arguments.length > 0 ? Long.parseLong(arguments[0]) : 512) << 20;
    int read = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 64 * 1024;
    for (int i = 0; i < 5; i++) {
      run(total, read);
    }
  }

  private static void run(long total, int read) {
    PortableCrypto crypto = new PortableCrypto();
    SplittableRandom seeded = new SplittableRandom(1);
    RandomSource random = seeded::nextBytes;
    End sender = new End();
    End receiver = new End();
    long now = System.nanoTime();
    sender.machine =
        new ConnectionMachine(
            ConnectionSettings.DEFAULT,
            Role.DIALER,
            NoiseKey.generate(crypto, random, PrivateKey.generate(crypto, random)),
            null,
            crypto,
            random,
            sender,
            now);
    receiver.machine =
        new ConnectionMachine(
            ConnectionSettings.DEFAULT,
            Role.LISTENER,
            NoiseKey.generate(crypto, random, PrivateKey.generate(crypto, random)),
            null,
            crypto,
            random,
            receiver,
            now);
    sender.machine.start(now);
    receiver.machine.start(now);
    ByteBuffer wire = ByteBuffer.allocateDirect(256 * 1024);
    ByteBuffer scratch = ByteBuffer.allocateDirect(NoiseTransport.MAX_PLAINTEXT);
    while (!sender.secured || !receiver.secured) {
      move(sender, receiver, wire, scratch, read);
      move(receiver, sender, wire, scratch, read);
    }
    int stream = sender.machine.openStream(System.nanoTime());
    byte[] chunk = new byte[64 * 1024];
    long left = total;
    long start = System.nanoTime();
    while (receiver.received < total) {
      while (left > 0) {
        ByteBuffer data = ByteBuffer.wrap(chunk, 0, (int) Math.min(left, chunk.length));
        int taken = sender.machine.write(stream, data, System.nanoTime());
        left -= taken;
        if (taken == 0) {
          break;
        }
      }
      move(sender, receiver, wire, scratch, read);
      move(receiver, sender, wire, scratch, read);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf("%.0f MB/s%n", total / 1e6 / seconds);
  }

  private static void move(End from, End to, ByteBuffer wire, ByteBuffer scratch, int read) {
    wire.clear();
    from.machine.transmit(wire, scratch, System.nanoTime());
    wire.flip();
    while (wire.hasRemaining()) {
      int size = Math.min(read, wire.remaining());
      to.machine.receive(wire.slice(wire.position(), size), System.nanoTime());
      wire.position(wire.position() + size);
    }
  }

  @SuppressWarnings("NullAway.Init")
  private static final class End implements ConnectionEvents {
    ConnectionMachine machine;
    boolean secured;
    long received;

    @Override
    public void onSecured(PeerId remote, PublicKey key, ProtocolId muxer) {
      secured = true;
    }

    @Override
    public void onStreamOpened(int stream) {
      machine.request(stream, Long.MAX_VALUE, System.nanoTime());
    }

    @Override
    public void onStreamData(int stream, ByteBuffer data) {
      received += data.remaining();
    }

    @Override
    public void onStreamWritable(int stream) {}

    @Override
    public void onStreamRemoteClosed(int stream) {}

    @Override
    public void onStreamClosed(int stream) {}

    @Override
    public void onStreamReset(int stream, long code) {}

    @Override
    public void onClosed(ConnectionCloseReason reason) {
      throw new IllegalStateException(reason.toString());
    }
  }
}
