package dev.troupe.runtime.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.ping.Ping;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.world.RealWorld;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What strangers send to an open port ends their connection, and nothing else. */
class HostileSocketTest {

  private static final Duration HANDSHAKE = Duration.ofMillis(700);
  private static final int MAX_UPGRADING = 8;
  private static final int READ_TIMEOUT_MILLIS = 10_000;
  private static final byte[] NOISE =
      "\u0013/multistream/1.0.0\n\u0007/noise\n".getBytes(StandardCharsets.US_ASCII);

  private final Queue<String> leaks = new ConcurrentLinkedQueue<>();
  private RealWorld world;
  private Host server;
  private Multiaddr address;
  private int port;

  @BeforeEach
  void listen() throws Exception {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    ByteBufUtil.setLeakListener((type, records) -> leaks.add(type + records));
    world = RealWorld.create();
    HostSettings defaults = HostSettings.DEFAULT;
    server =
        world.createHost(
            PrivateKey.generate(world.crypto(), world.keyMaterial()),
            new HostSettings(
                defaults.agentVersion(),
                HANDSHAKE,
                defaults.streamTimeout(),
                defaults.identifyTimeout(),
                defaults.linger(),
                defaults.maxConnections(),
                MAX_UPGRADING,
                MAX_UPGRADING,
                defaults.maxStreamsPerConnection(),
                defaults.maxReceiveWindow()));
    server.start(event -> {});
    Ping.answer(server);
    List<Multiaddr> listening =
        TcpHostTest.await(c -> server.listen(parse("/ip4/127.0.0.1/tcp/0"), c));
    address = listening.get(0);
    port = address.components().get(1).port();
  }

  @AfterEach
  void close() throws Exception {
    CompletableFuture<Void> closed = new CompletableFuture<>();
    server.close(() -> closed.complete(null));
    closed.get(10, TimeUnit.SECONDS);
    world.close();
    // A buffer that leaked is reported by the next allocation after it was collected.
    System.gc();
    PooledByteBufAllocator.DEFAULT.directBuffer(1).release();
    assertEquals(List.of(), List.copyOf(leaks));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomBytesInsteadOfANegotiation(long seed) throws Exception {
    assertClosed(random(seed, 64 * 1024));
    assertServes();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomBytesInsteadOfNoise(long seed) throws Exception {
    assertClosed(NOISE, random(seed, 64 * 1024));
    assertServes();
  }

  @Test
  void aNegotiationLineWithoutEnd() throws Exception {
    byte[] line = new byte[64 * 1024];
    java.util.Arrays.fill(line, (byte) 'a');
    line[0] = (byte) 0xff;
    line[1] = (byte) 0xff;
    line[2] = 0x7f;
    assertClosed(line);
    assertServes();
  }

  @Test
  void aHandshakeMessageThatIsAllZeros() throws Exception {
    byte[] message = new byte[2 + 32];
    message[1] = 32;
    assertClosed(NOISE, message);
    assertServes();
  }

  @Test
  void truncationAtEveryByteOfTheNegotiation() throws Exception {
    for (int cut = 0; cut < NOISE.length; cut++) {
      try (Socket socket = connect()) {
        socket.getOutputStream().write(NOISE, 0, cut);
        socket.shutdownOutput();
        drain(socket);
      }
    }
    assertServes();
  }

  @Test
  void aConnectionResetInTheMiddle() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (Socket socket = connect()) {
        socket.getOutputStream().write(NOISE);
        socket.setSoLinger(true, 0);
      }
    }
    assertServes();
  }

  @Test
  void oneByteAtATimeRunsIntoTheHandshakeTimeout() throws Exception {
    try (Socket socket = connect()) {
      long start = System.nanoTime();
      socket.getOutputStream().write(NOISE, 0, 1);
      drain(socket);
      Duration taken = Duration.ofNanos(System.nanoTime() - start);
      assertTrue(
          taken.compareTo(HANDSHAKE.minusMillis(100)) > 0, "closed too soon, after " + taken);
    }
    assertServes();
  }

  @Test
  void moreStrangersThanMayUpgradeAreTurnedAwayUntilTheOthersTimeOut() throws Exception {
    List<Socket> strangers = new ArrayList<>();
    try {
      for (int i = 0; i < 3 * MAX_UPGRADING; i++) {
        strangers.add(connect());
      }
      for (Socket stranger : strangers) {
        drain(stranger);
      }
    } finally {
      for (Socket stranger : strangers) {
        stranger.close();
      }
    }
    assertServes();
  }

  private void assertClosed(byte[]... parts) throws IOException {
    try (Socket socket = connect()) {
      try {
        OutputStream out = socket.getOutputStream();
        for (byte[] part : parts) {
          out.write(part);
        }
      } catch (SocketException closedAlready) {
        assertTrue(closedAlready.getMessage() != null);
      }
      drain(socket);
    }
  }

  private void assertServes() throws Exception {
    Host client =
        world.createHost(
            PrivateKey.generate(world.crypto(), world.keyMaterial()), HostSettings.DEFAULT);
    client.start(event -> {});
    TcpHostTest.<ConnectionInfo>await(c -> client.dial(address, server.peerId(), c));
    List<Long> times =
        TcpHostTest.await(
            c -> Ping.run(client, world.ticker(), world.keyMaterial(), server.peerId(), 3, c));
    assertEquals(3, times.size());
    assertTrue(
        server.connections().stream().allMatch(each -> each.direction() == Direction.INBOUND));
    CompletableFuture<Void> closed = new CompletableFuture<>();
    client.close(() -> closed.complete(null));
    closed.get(10, TimeUnit.SECONDS);
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    return socket;
  }

  /** Reads until the server ends the connection; a read that times out fails the test. */
  private static void drain(Socket socket) throws IOException {
    byte[] buffer = new byte[4096];
    try {
      while (socket.getInputStream().read(buffer) >= 0) {
        // What it says does not matter here.
      }
    } catch (SocketException reset) {
      assertTrue(reset.getMessage() != null);
    }
  }

  private static byte[] random(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static Multiaddr parse(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (dev.troupe.protocol.MalformedException e) {
      throw new AssertionError(e);
    }
  }
}
