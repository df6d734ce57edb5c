package dev.troupe.runtime.netty;

import dev.troupe.actors.host.HostContract;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.world.RealWorld;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** The built-in host keeps the contract over TCP. */
final class TcpHostContractTest extends HostContract {

  @Override
  protected Surroundings surroundings() {
    try {
      return new Loopback();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final class Loopback implements Surroundings {

    private final RealWorld near = RealWorld.create();
    private final RealWorld far = RealWorld.create();
    private final int closedPort;

    /** The machine takes its connections, and nobody ever reads from them. */
    private final ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    Loopback() throws IOException {
      try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        closedPort = gone.getLocalPort();
      }
    }

    @Override
    public World near() {
      return near;
    }

    @Override
    public World far() {
      return far;
    }

    @Override
    public Multiaddr listenAddress() {
      return loopback(0);
    }

    @Override
    public Multiaddr refusingAddress() {
      return loopback(closedPort);
    }

    @Override
    public Multiaddr silentAddress() {
      return loopback(silent.getLocalPort());
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration limit) {
      long deadline = System.nanoTime() + limit.toNanos();
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() - deadline > 0) {
          return condition.getAsBoolean();
        }
        LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
      }
      return true;
    }

    @Override
    public void pause() {
      await(() -> false, Duration.ofMillis(200));
    }

    @Override
    public void close() {
      try {
        silent.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      near.close();
      far.close();
    }

    private static Multiaddr loopback(int port) {
      try {
        return Multiaddr.parse("/ip4/127.0.0.1/tcp/" + port);
      } catch (MalformedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
