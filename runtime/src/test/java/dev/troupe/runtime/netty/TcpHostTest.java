package dev.troupe.runtime.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.builtin.BuiltInHost;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import dev.troupe.actors.link.LinkAcceptor;
import dev.troupe.actors.link.LinkListener;
import dev.troupe.actors.link.LinkTransport;
import dev.troupe.actors.link.RawLink;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseTransport;
import dev.troupe.runtime.world.RealWorld;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TcpHostTest {

  private static final ProtocolId ECHO = ProtocolId.of("/test/echo/1.0.0");

  private final RealWorld world = RealWorld.create();

  @AfterEach
  void close() {
    world.close();
  }

  /** The thread that dials may be slower than the loop that connects. */
  @Test
  void aConnectionThatIsMadeBeforeTheCallOfItsDialReturnsStays() throws Exception {
    Host server = host(event -> {});
    server.handle(ECHO, TcpHostTest::echo);
    List<Multiaddr> listening = await(c -> server.listen(parse("/ip4/127.0.0.1/tcp/0"), c));
    TcpTransport tcp = new TcpTransport(1);
    CountDownLatch connected = new CountDownLatch(1);
    LinkTransport late =
        new LinkTransport() {
          @Override
          public String name() {
            return tcp.name();
          }

          @Override
          public boolean supports(Multiaddr address) {
            return tcp.supports(address);
          }

          @Override
          public Cancellable dial(Multiaddr address, Completion<RawLink> completion) {
            Cancellable dial = tcp.dial(address, completion);
            try {
              assertTrue(connected.await(10, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return dial;
          }

          @Override
          public void listen(
              Multiaddr address, LinkAcceptor acceptor, Completion<LinkListener> completion) {
            tcp.listen(address, acceptor, completion);
          }
        };
    ByteBuffer scratch = ByteBuffer.allocateDirect(NoiseTransport.MAX_PLAINTEXT);
    Host client =
        new BuiltInHost(
            PrivateKey.generate(world.crypto(), world.keyMaterial()),
            HostSettings.DEFAULT,
            world.crypto(),
            world.keyMaterial(),
            world.clock(),
            List.of(late),
            tcp.nextLoop(),
            loop -> scratch);
    client.start(
        event -> {
          if (event instanceof HostEvent.Connected) {
            connected.countDown();
          }
        });
    TcpHostTest.<ConnectionInfo>await(c -> client.dial(listening.get(0), server.peerId(), c));
    TcpHostTest.<Stream>await(c -> client.openStream(server.peerId(), List.of(ECHO), c));
    client.close(() -> {});
    tcp.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0", "/dns4/localhost/tcp/0"})
  void twoHostsConnectIdentifyAndEcho(String address) throws Exception {
    LinkedBlockingQueue<HostEvent> events = new LinkedBlockingQueue<>();
    Host server = host(events::add);
    server.handle(ECHO, TcpHostTest::echo);
    LinkedBlockingQueue<HostEvent> clientEvents = new LinkedBlockingQueue<>();
    Host client = host(clientEvents::add);

    List<Multiaddr> listening = await(c -> server.listen(parse(address), c));
    ConnectionInfo connection = await(c -> client.dial(listening.get(0), server.peerId(), c));
    assertEquals(server.peerId(), connection.peer());

    HostEvent.Identified identified = awaitIdentified(clientEvents);
    assertEquals("troupe/0.1.0", identified.identification().agentVersion());
    assertTrue(identified.identification().supports(ECHO));
    assertEquals(listening, identified.identification().listenAddresses());
    awaitIdentified(events);

    Stream stream = await(c -> client.openStream(server.peerId(), List.of(ECHO), c));
    CompletableFuture<Integer> echoed = new CompletableFuture<>();
    int size = 5_000_000;
    ByteBuffer data = ByteBuffer.allocate(size);
    stream.start(
        new StreamListener() {
          private int received;

          @Override
          public void onData(ByteBuffer piece) {
            received += piece.remaining();
          }

          @Override
          public void onWritable() {
            writeMore();
          }

          void writeMore() {
            stream.write(data);
            if (!data.hasRemaining()) {
              stream.closeWrite();
            }
          }

          @Override
          public void onRemoteClosed() {
            echoed.complete(received);
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            if (failure != null) {
              echoed.completeExceptionally(new AssertionError(failure.toString()));
            }
          }
        });
    stream.request(Long.MAX_VALUE);
    stream.write(data);
    assertEquals(size, echoed.get(20, TimeUnit.SECONDS));

    CompletableFuture<Void> closed = new CompletableFuture<>();
    client.close(() -> closed.complete(null));
    closed.get(10, TimeUnit.SECONDS);
    CompletableFuture<Void> serverClosed = new CompletableFuture<>();
    server.close(() -> serverClosed.complete(null));
    serverClosed.get(10, TimeUnit.SECONDS);
  }

  private Host host(Consumer<HostEvent> events) {
    Host host =
        world.createHost(
            PrivateKey.generate(world.crypto(), world.keyMaterial()), HostSettings.DEFAULT);
    host.start(events::accept);
    return host;
  }

  private static HostEvent.Identified awaitIdentified(LinkedBlockingQueue<HostEvent> events)
      throws InterruptedException {
    while (true) {
      HostEvent event = events.poll(10, TimeUnit.SECONDS);
      assertTrue(event != null, "no identify within 10 s");
      if (event instanceof HostEvent.Identified identified) {
        return identified;
      }
    }
  }

  private static Multiaddr parse(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (dev.troupe.protocol.MalformedException e) {
      throw new AssertionError(e);
    }
  }

  static <T> T await(Consumer<Completion<T>> call) throws Exception {
    CompletableFuture<T> future = new CompletableFuture<>();
    call.accept(
        new Completion<>() {
          @Override
          public void succeeded(T value) {
            future.complete(value);
          }

          @Override
          public void failed(HostFailure failure) {
            future.completeExceptionally(new AssertionError(failure.toString()));
          }
        });
    return future.get(15, TimeUnit.SECONDS);
  }

  static void echo(Stream stream) {
    stream.start(
        new StreamListener() {
          private final ArrayDeque<ByteBuffer> pending = new ArrayDeque<>();
          private boolean remoteClosed;

          @Override
          public void onData(ByteBuffer data) {
            pending.add(data);
            writeMore();
          }

          @Override
          public void onWritable() {
            writeMore();
          }

          private void writeMore() {
            while (!pending.isEmpty()) {
              int taken = stream.write(pending.element());
              if (taken > 0) {
                stream.request(taken);
              }
              if (pending.element().hasRemaining()) {
                return;
              }
              pending.remove();
            }
            if (remoteClosed) {
              stream.closeWrite();
            }
          }

          @Override
          public void onRemoteClosed() {
            remoteClosed = true;
            writeMore();
          }

          @Override
          public void onClosed(@Nullable HostFailure failure) {
            // The client says what went wrong.
          }
        });
    stream.request(1 << 16);
  }
}
