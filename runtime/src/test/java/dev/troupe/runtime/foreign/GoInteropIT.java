package dev.troupe.runtime.foreign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Troupe and go-libp2p. */
class GoInteropIT extends InteropSuite {

  GoInteropIT() {
    super(PeerKind.GO);
  }

  @Nested
  class RoundAGoBootstrap extends BootstrappedNetwork {
    RoundAGoBootstrap() {
      super(Side.THEIRS);
    }
  }

  @Nested
  class RoundATroupeBootstrap extends BootstrappedNetwork {
    RoundATroupeBootstrap() {
      super(Side.OURS);
    }
  }

  /** A namespace in which both kinds check by themselves what they are given. */
  @Test
  void publicKeysThatOneKindPutsTheOtherChecksAndGives() throws Exception {
    JsonPeerProcess go = start(PeerKind.GO, "server", "--dht", "server");
    try (Troupe troupe = Troupe.start()) {
      PrivateKey identity = troupe.newIdentity();
      EmbeddedPeer ours = join(troupe, "first", identity, go);
      Bytes key = identity.publicKey().encoded();
      assertInstanceOf(Dht.ValuePut.class, await(ours.putValue(keyOf(ours.id()), key)));
      go.awaitDhtReady();
      go.ask("put-public-key");

      // Who comes now has stored neither.
      EmbeddedPeer late = join(troupe, "late", troupe.newIdentity(), go);
      JsonPeerProcess lateGo =
          start(PeerKind.GO, "late", "--dht", "server", "--bootstrap", go.address());
      lateGo.awaitDhtReady();
      PeerId theirs = PeerId.parse(go.peerId());
      assertEquals(key, got(late, ours.id()));
      assertArrayEquals(key.toArray(), got(lateGo, ours.id()));
      assertArrayEquals(got(late, theirs).toArray(), got(lateGo, theirs));
    }
  }

  private static EmbeddedPeer join(
      Troupe troupe, String alias, PrivateKey identity, JsonPeerProcess bootstrap)
      throws Exception {
    PeerSettings settings =
        PeerSettings.of(identity, List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")))
            .withDht(
                DhtSettings.DEFAULT.withBootstrapPeers(
                    List.of(Multiaddr.parse(bootstrap.address()))));
    return troupe.embed(
        assertInstanceOf(PeerManager.Created.class, await(troupe.createPeer(alias, settings))));
  }

  private static Bytes got(EmbeddedPeer peer, PeerId of) throws Exception {
    return assertInstanceOf(Dht.ValueGot.class, await(peer.getValue(keyOf(of)))).value();
  }

  private static byte[] got(JsonPeerProcess peer, PeerId of) throws Exception {
    return peer.ask("get-public-key " + of).path("data").binaryValue();
  }

  private static Bytes keyOf(PeerId peer) {
    return Bytes.utf8("/pk/").concat(peer.bytes());
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(JsonPeerProcess.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }
}
