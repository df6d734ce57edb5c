package dev.troupe.actors.fakes;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.actors.world.Ticker;
import dev.troupe.actors.world.World;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The world of one simulated system; its hosts are the test's. */
public final class ScriptedWorld implements World {

  private static final Crypto CRYPTO = new PortableCrypto();

  private final SimulatedSystem system;

  /** The hosts made, the oldest first. */
  public final List<ScriptedHost> hosts = new ArrayList<>();

  /** The stores asked for, the oldest first: the test opens them, or does not. */
  public final List<StoreCompletion<Store>> openings = new ArrayList<>();

  /** What becomes of a question for TXT records; as long as it is null, there is no name server. */
  public @Nullable BiConsumer<String, Completion<List<String>>> nameServer;

  /** A world on this system's time. */
  public ScriptedWorld(SimulatedSystem system) {
    this.system = system;
  }

  /** The key of a number: equal numbers, equal keys. */
  public static PrivateKey key(int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    return PrivateKey.fromSeed(CRYPTO, seed);
  }

  @Override
  public Crypto crypto() {
    return CRYPTO;
  }

  @Override
  public RandomSource keyMaterial() {
    RandomGenerator random = system.random("keys");
    return random::nextBytes;
  }

  @Override
  public RandomGenerator random(PeerId owner, String purpose) {
    return system.random(owner + purpose);
  }

  @Override
  public Ticker ticker() {
    return system::now;
  }

  @Override
  public InstantSource clock() {
    return system.clock();
  }

  @Override
  public Host createHost(PrivateKey identity, HostSettings settings) {
    ScriptedHost host = new ScriptedHost(identity.peerId());
    hosts.add(host);
    return host;
  }

  @Override
  public void openStore(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    openings.add(completion);
  }

  @Override
  public Cancellable findText(String name, Completion<List<String>> completion) {
    if (nameServer == null) {
      return World.super.findText(name, completion);
    }
    nameServer.accept(name, completion);
    return () -> {};
  }
}
