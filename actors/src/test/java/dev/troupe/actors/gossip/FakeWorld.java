package dev.troupe.actors.gossip;

import dev.troupe.actors.host.Host;
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
import java.util.random.RandomGenerator;

/** The world of one simulated system; it makes no hosts. */
record FakeWorld(SimulatedSystem system) implements World {

  static final Crypto CRYPTO = new PortableCrypto();

  static PrivateKey key(int number) {
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
    throw new UnsupportedOperationException();
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
    throw new UnsupportedOperationException();
  }
}
