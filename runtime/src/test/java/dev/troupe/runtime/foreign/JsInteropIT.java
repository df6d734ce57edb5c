package dev.troupe.runtime.foreign;

import org.junit.jupiter.api.Nested;

/** Troupe and js-libp2p. */
class JsInteropIT extends InteropSuite {

  JsInteropIT() {
    super(PeerKind.JS);
  }

  @Nested
  class RoundAJsBootstrap extends BootstrappedNetwork {
    RoundAJsBootstrap() {
      super(Side.THEIRS);
    }
  }

  @Nested
  class RoundATroupeBootstrap extends BootstrappedNetwork {
    RoundATroupeBootstrap() {
      super(Side.OURS);
    }
  }
}
