package dev.troupe.actors.bootstrap;

import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Instant;
import java.util.List;

/**
 * What outlives a peer of its bootstrap peers. A store that implements it answers from memory at
 * once, and writes behind.
 */
public interface BootstrapMemory {

  /** Remembers nothing. */
  BootstrapMemory NONE =
      new BootstrapMemory() {
        @Override
        public List<Remembered> recall() {
          return List.of();
        }

        @Override
        public void remember(Remembered bootstrap) {}
      };

  /**
   * One that answered.
   *
   * @param address as it was configured
   * @param connectedAt when it was connected last
   */
  record Remembered(Multiaddr address, Instant connectedAt) {}

  /** All that is known. */
  List<Remembered> recall();

  /** One has just been connected; replaces what was known of its address. */
  void remember(Remembered bootstrap);
}
