package dev.troupe.runtime.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.actors.world.Measurements;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.cid.Cid;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What Troupe has put, named and provided reaches peers of other kinds that were not there then:
 * published again, it is theirs, too.
 */
@Timeout(240)
class RepublishIT {

  /** Every four seconds or a little less, in place of every 22 h. */
  private static final DhtSettings.Records OFTEN =
      new DhtSettings.Records(
          Duration.ofSeconds(4),
          DhtSettings.Records.DEFAULT.providerExpiration(),
          DhtSettings.Records.DEFAULT.providerAddresses(),
          Duration.ofSeconds(4),
          DhtSettings.Records.DEFAULT.valueExpiration(),
          DhtSettings.Records.DEFAULT.sweep(),
          Duration.ofSeconds(1));

  /** The walks of who publishes: each is for something that is due. */
  private final LinkedBlockingQueue<Integer> walks = new LinkedBlockingQueue<>();

  private final Troupe publishing =
      Troupe.start(
          new Measurements() {
            @Override
            public void onWalked(int asked, int hops, Duration took) {
              walks.add(asked);
            }
          });
  private final Troupe asking = Troupe.start();
  private final List<JsonPeerProcess> started = new ArrayList<>();

  @AfterEach
  void stopPeers() {
    started.forEach(JsonPeerProcess::close);
    publishing.close();
    asking.close();
  }

  private JsonPeerProcess start(PeerKind kind, String name, String... arguments) {
    JsonPeerProcess peer = kind.start(kind + "-" + name, arguments);
    started.add(peer);
    return peer;
  }

  private static EmbeddedPeer embed(
      Troupe troupe, PrivateKey identity, String bootstrap, UnaryOperator<DhtSettings> change)
      throws Exception {
    DhtSettings dht = DhtSettings.DEFAULT.withBootstrapPeers(List.of(Multiaddr.parse(bootstrap)));
    PeerSettings settings =
        PeerSettings.of(identity, List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")))
            .withDht(change.apply(dht));
    return troupe.embed(
        assertInstanceOf(PeerManager.Created.class, await(troupe.createPeer("peer", settings))));
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(JsonPeerProcess.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @EnumSource(names = {"JS", "GO"})
  void whoJoinsLaterHoldsWhatWasPutNamedAndProvidedBefore(PeerKind foreign) throws Exception {
    JsonPeerProcess first = start(foreign, "first", "--dht", "server");
    PrivateKey identity = publishing.newIdentity();
    EmbeddedPeer ours = embed(publishing, identity, first.address(), dht -> dht.withRecords(OFTEN));
    first.awaitIdentified(ours.id().toString());
    Bytes key = Bytes.utf8("/test/before");
    Multihash content = Cid.raw(publishing.crypto(), Bytes.utf8("a file")).multihash();
    Bytes path = Bytes.utf8(InteropSuite.path(0));
    assertInstanceOf(Dht.ValuePut.class, await(ours.putValue(key, Bytes.utf8("a value"))));
    assertInstanceOf(Dht.Provided.class, await(ours.provide(content)));
    assertInstanceOf(EmbeddedPeer.NameFound.class, await(ours.publishName(identity, path)));

    JsonPeerProcess late =
        start(foreign, "late", "--dht", "server", "--bootstrap", first.address());
    late.awaitDhtReady();
    first.awaitIdentified(late);
    // It asks nobody else: what it learns, the late one holds.
    DhtSettings.Limits usual = DhtSettings.Limits.DEFAULT;
    DhtSettings.Limits one =
        new DhtSettings.Limits(
            usual.stash(),
            usual.running(),
            1,
            usual.inboundStreams(),
            usual.inboundStreamsPerPeer(),
            usual.values(),
            usual.providers());
    EmbeddedPeer asker =
        embed(
            asking,
            asking.newIdentity(),
            late.address(),
            dht -> dht.withMode(DhtMode.CLIENT).withLimits(one));

    Dht.ValueGot got =
        (Dht.ValueGot) untilPublished(() -> asker.getValue(key), Dht.ValueGot.class::isInstance);
    assertEquals("a value", got.value().utf8());
    EmbeddedPeer.NameFound named =
        (EmbeddedPeer.NameFound)
            untilPublished(
                () -> asker.resolveName(ours.id()), EmbeddedPeer.NameFound.class::isInstance);
    assertEquals(path, named.record().value());
    Dht.ProvidersFound providers =
        (Dht.ProvidersFound)
            untilPublished(
                () -> asker.findProviders(content, 20),
                reply -> reply instanceof Dht.ProvidersFound found && !found.providers().isEmpty());
    assertEquals(
        List.of(ours.id()),
        providers.providers().stream().map(Dht.PeerWithAddresses::peer).toList());
  }

  private interface Question<T> {
    CompletionStage<T> ask() throws Exception;
  }

  /** Asks again whenever something is published again, until the answer is as wanted. */
  private <T> T untilPublished(Question<T> question, Predicate<T> wanted) throws Exception {
    long end = System.nanoTime() + JsonPeerProcess.PATIENCE.toNanos();
    while (true) {
      T reply = await(question.ask());
      if (wanted.test(reply)) {
        return reply;
      }
      Integer walked = walks.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      assertNotNull(walked, () -> "still " + reply);
    }
  }
}
