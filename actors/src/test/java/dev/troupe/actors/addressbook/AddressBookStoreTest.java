package dev.troupe.actors.addressbook;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.addressbook.AddressBook.Source;
import dev.troupe.actors.fakes.ScriptedStore;
import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.StoredPeer;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What of an address book outlives its peer. */
class AddressBookStoreTest {

  private static final Duration HOUR = Duration.ofHours(1);

  private final SimulatedSystem system = SimulatedSystem.create();
  private ScriptedStore store = new ScriptedStore();
  private ActorRef<AddressBook.Command> book;
  private int books;

  @AfterEach
  void close() {
    system.close();
  }

  private void start() {
    book =
        system.spawn(
            AddressBook.create(
                AddressBookSettings.DEFAULT, system::now, system.clock(), List.of(), store),
            "book-" + books++);
    system.runUntilIdle();
  }

  private void startAgain() {
    book.tell(new AddressBook.Stop());
    system.runUntilIdle();
    assertTrue(system.hasStopped(book));
    store = store.reopened();
    start();
  }

  private static PeerId peer(int number) {
    return ScriptedWorld.key(number).peerId();
  }

  private static Multiaddr at(int port) {
    try {
      return Multiaddr.parse("/ip4/192.0.2.1/tcp/" + port);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private void learn(int peer, Source source, int port) {
    book.tell(new AddressBook.Learn(peer(peer), List.of(at(port)), source, HOUR));
    system.runUntilIdle();
  }

  private List<Multiaddr> find(int peer) {
    Probe<AddressBook.Found> found = system.probe();
    book.tell(new AddressBook.Find(peer(peer), found.ref()));
    return found.next().addresses();
  }

  private void keep(int peer, int port, Instant heardAt) {
    store.memory.commit(
        Batch.of(
            Change.put(
                StoreCollection.ADDRESSES,
                peer(peer).bytes(),
                new StoredPeer(peer(peer), List.of(at(port)), heardAt).encode())),
        new StoreCompletion<>() {
          @Override
          public void succeeded(Batch batch) {}

          @Override
          public void failed(StoreFailure failure) {
            throw new AssertionError(failure);
          }
        });
  }

  @Test
  void wherePeersWereReachedAndWhatTheySignedIsThereAfterARestart() {
    start();
    learn(1, Source.CONNECTED, 1);
    learn(2, Source.CERTIFIED, 2);
    learn(3, Source.IDENTIFIED, 3);
    learn(4, Source.DISCOVERED, 4);
    startAgain();
    assertEquals(List.of(at(1)), find(1));
    assertEquals(List.of(at(2)), find(2));
    assertEquals(List.of(), find(3));
    assertEquals(List.of(), find(4));
  }

  @Test
  void itIsNotedNowAndThenAndOnlyWhereItHasChanged() {
    start();
    learn(1, Source.CONNECTED, 1);
    assertEquals(0, store.commits.size());
    system.advance(AddressBook.NOTE_INTERVAL);
    assertEquals(1, store.commits.size());
    system.advance(AddressBook.NOTE_INTERVAL.multipliedBy(10));
    assertEquals(1, store.commits.size());
    learn(1, Source.CONNECTED, 2);
    system.advance(AddressBook.NOTE_INTERVAL);
    assertEquals(2, store.commits.size());
  }

  @Test
  void whatHasExpiredInMemoryIsKeptForAweek() {
    start();
    learn(1, Source.CONNECTED, 1);
    system.advance(Duration.ofDays(2));
    assertEquals(List.of(), find(1));
    startAgain();
    assertEquals(List.of(at(1)), find(1));
    system.advance(Duration.ofDays(6));
    startAgain();
    assertEquals(List.of(), find(1));
    assertEquals(List.of(), store.keys(StoreCollection.ADDRESSES));
  }

  @Test
  void whatIsDatedTooEarlyOrNotReadableCostsNothingElse() {
    keep(1, 1, SimulatedSystem.EPOCH.minus(KeptAddresses.TIME_TO_LIVE).minusSeconds(1));
    keep(2, 2, SimulatedSystem.EPOCH.plus(Duration.ofDays(400)));
    store.memory.commit(
        Batch.of(Change.put(StoreCollection.ADDRESSES, Bytes.fromHex("01"), Bytes.fromHex("ff"))),
        new StoreCompletion<>() {
          @Override
          public void succeeded(Batch batch) {}

          @Override
          public void failed(StoreFailure failure) {}
        });
    start();
    assertEquals(List.of(), find(1));
    assertEquals(List.of(at(2)), find(2));
    system.advance(AddressBook.NOTE_INTERVAL);
    assertEquals(2, store.keys(StoreCollection.ADDRESSES).size());
  }

  @Test
  void aStoreThatIsFullCostsNothingAndIsTriedAgain() {
    start();
    store.failure = new StoreFailure(StoreFailure.Kind.FULL, "there is no room");
    learn(1, Source.CONNECTED, 1);
    system.advance(AddressBook.NOTE_INTERVAL);
    assertEquals(List.of(at(1)), find(1));
    assertEquals(List.of(), store.keys(StoreCollection.ADDRESSES));
    store.failure = null;
    system.advance(AddressBook.NOTE_INTERVAL);
    assertEquals(1, store.keys(StoreCollection.ADDRESSES).size());
  }

  @Test
  void aCrashLosesNothingThatWasKept() {
    start();
    learn(1, Source.CONNECTED, 1);
    system.advance(AddressBook.NOTE_INTERVAL);
    book.tell(new AddressBook.Find(peer(1), null));
    system.runUntilIdle();
    assertEquals(List.of(at(1)), find(1));
  }

  @Test
  void soManyPeersAreKept() {
    KeptAddresses kept = new KeptAddresses();
    int more = 20;
    Map<PeerId, List<Multiaddr>> lasting = new LinkedHashMap<>();
    List<PeerId> peers = new ArrayList<>();
    for (int i = 0; i < KeptAddresses.MAX_PEERS + more; i++) {
      byte[] id = new byte[34];
      id[0] = 0x12;
      id[1] = 0x20;
      id[2] = (byte) (i >> 8);
      id[3] = (byte) i;
      try {
        peers.add(PeerId.decode(id));
      } catch (MalformedException e) {
        throw new AssertionError(e);
      }
      lasting.put(peers.get(i), List.of(at(1)));
    }
    List<Change> changes = kept.note(lasting, SimulatedSystem.EPOCH).orElseThrow().changes();
    assertEquals(KeptAddresses.MAX_PEERS + 2 * more, changes.size());
    assertEquals(
        Change.delete(StoreCollection.ADDRESSES, peers.get(0).bytes()),
        changes.get(KeptAddresses.MAX_PEERS + more));
  }
}
