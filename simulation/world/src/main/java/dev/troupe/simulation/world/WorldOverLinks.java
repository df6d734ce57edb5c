package dev.troupe.simulation.world;

import dev.troupe.actors.builtin.BuiltInHost;
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
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.random.RandomGenerator;

/** A machine whose hosts speak every byte. */
record WorldOverLinks(SimulatedNetwork network, SimulatedWorld machine) implements World {

  @Override
  public Crypto crypto() {
    return machine.crypto();
  }

  @Override
  public RandomSource keyMaterial() {
    return machine.keyMaterial();
  }

  @Override
  public RandomGenerator random(PeerId owner, String purpose) {
    return machine.random(owner, purpose);
  }

  @Override
  public Ticker ticker() {
    return machine.ticker();
  }

  @Override
  public InstantSource clock() {
    return machine.clock();
  }

  @Override
  public void onWalked(int asked, int hops, Duration took) {
    machine.onWalked(asked, hops, took);
  }

  @Override
  public void openStore(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    machine.openStore(settings, owner, completion);
  }

  @Override
  public Cancellable findText(String name, Completion<List<String>> completion) {
    return machine.findText(name, completion);
  }

  @Override
  public Host createHost(PrivateKey identity, HostSettings settings) {
    if (machine.isDown()) {
      throw new IllegalStateException("machine " + machine.name() + " has crashed");
    }
    machine.nextHost();
    return new BuiltInHost(
        identity,
        settings,
        crypto(),
        keyMaterial(),
        clock(),
        List.of(new SimulatedLinks(network, machine)),
        new SimulatedLoop(network, machine, "host"),
        loop -> network.scratch());
  }
}
