package dev.troupe.runtime.world;

import dev.troupe.actors.builtin.BuiltInHost;
import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.Measurements;
import dev.troupe.actors.world.Ticker;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.noise.NoiseTransport;
import dev.troupe.runtime.crypto.ConscryptCrypto;
import dev.troupe.runtime.netty.TcpTransport;
import dev.troupe.runtime.store.RocksStore;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Hosts over TCP, stores on the disk, the fastest cryptography there is, the machine's clocks and
 * its secure randomness. One serves any number of peers. Close it when they have stopped.
 * Thread-safe.
 */
public final class RealWorld implements World, AutoCloseable {

  private final Crypto crypto = ConscryptCrypto.orPortable();
  private final SecureRandom secureRandom = new SecureRandom();
  private final TcpTransport tcp;
  private final Map<EventLoop, ByteBuffer> scratch = new ConcurrentHashMap<>();

  private final Measurements measurements;

  private RealWorld(int threads, Measurements measurements, List<InetSocketAddress> nameServers) {
    this.measurements = measurements;
    this.tcp = new TcpTransport(threads, nameServers);
  }

  /** A world with an event loop for each processor. */
  public static RealWorld create() {
    return create(Measurements.NONE);
  }

  /** The same, measured. */
  public static RealWorld create(Measurements measurements) {
    return create(measurements, List.of());
  }

  /**
   * The same, with name servers of one's own.
   *
   * @param nameServers empty for those of the system
   */
  public static RealWorld create(Measurements measurements, List<InetSocketAddress> nameServers) {
    return new RealWorld(Runtime.getRuntime().availableProcessors(), measurements, nameServers);
  }

  @Override
  public Crypto crypto() {
    return crypto;
  }

  @Override
  public RandomSource keyMaterial() {
    return secureRandom::nextBytes;
  }

  @Override
  public RandomGenerator random(PeerId owner, String purpose) {
    return new SplittableRandom(secureRandom.nextLong());
  }

  @Override
  public Ticker ticker() {
    return System::nanoTime;
  }

  @Override
  public InstantSource clock() {
    return InstantSource.system();
  }

  @Override
  public Host createHost(PrivateKey identity, HostSettings settings) {
    return new BuiltInHost(
        identity,
        settings,
        crypto,
        keyMaterial(),
        clock(),
        List.of(tcp),
        tcp.nextLoop(),
        loop ->
            scratch.computeIfAbsent(
                loop, l -> ByteBuffer.allocateDirect(NoiseTransport.MAX_PLAINTEXT)));
  }

  @Override
  public Cancellable findText(String name, Completion<List<String>> completion) {
    return tcp.findText(name, completion);
  }

  @Override
  public void openStore(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    RocksStore.open(settings, owner, completion);
  }

  @Override
  public void onWalked(int asked, int hops, Duration took) {
    measurements.onWalked(asked, hops, took);
  }

  @Override
  public void onOperationBegun(DhtOperation operation, Duration waited) {
    measurements.onOperationBegun(operation, waited);
  }

  @Override
  public void onOperationEnded(DhtOperation operation, @Nullable Enum<?> failure) {
    measurements.onOperationEnded(operation, failure);
  }

  /** Closes all sockets and ends the event loops. */
  @Override
  public void close() {
    tcp.close();
  }
}
