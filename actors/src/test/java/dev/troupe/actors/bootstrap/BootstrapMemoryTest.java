package dev.troupe.actors.bootstrap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.store.Batch;
import dev.troupe.actors.store.Change;
import dev.troupe.actors.store.Page;
import dev.troupe.actors.store.StoreCollection;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.kademlia.StoredBootstrap;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BootstrapMemoryTest {

  private final BootstrapMemory memory = new BootstrapMemory();

  private static StoredBootstrap at(int number) {
    try {
      Multiaddr name = Multiaddr.parse("/dns4/b" + number + ".example.org/tcp/4001");
      return new StoredBootstrap(
          name, ScriptedWorld.key(1).peerId(), List.of(), Instant.ofEpochSecond(number), false);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private static Page.Entry entry(StoredBootstrap bootstrap) {
    return new Page.Entry(bootstrap.name().encoded(), bootstrap.encode());
  }

  @Test
  void aDamagedEntryIsNamedAndTheOthersAreRead() {
    Page page =
        new Page(
            List.of(
                entry(at(1)),
                new Page.Entry(at(2).name().encoded(), Bytes.fromHex("ffff")),
                new Page.Entry(Bytes.fromHex("ffff"), at(3).encode()),
                entry(at(4))),
            true);
    List<BootstrapMemory.Unreadable> passedOver = memory.onPage(page);
    assertEquals(2, passedOver.size());
    assertEquals("/dns4/b2.example.org/tcp/4001", passedOver.get(0).name());
    assertTrue(passedOver.get(0).why().contains("not a stored bootstrap peer"));
    assertEquals("2 bytes ffff", passedOver.get(1).name());
    assertEquals(List.of(at(4), at(1)), memory.good());
  }

  @Test
  void whatWasConnectedMeanwhileIsNewerThanWhatIsRead() {
    StoredBootstrap old =
        new StoredBootstrap(at(1).name(), at(1).peer(), List.of(), Instant.EPOCH, true);
    memory.remember(at(1));
    memory.onPage(new Page(List.of(entry(old)), true));
    assertEquals(List.of(at(1)), memory.good());
  }

  private static StoredBootstrap reached(StoredBootstrap one, String where) {
    try {
      return new StoredBootstrap(
          one.name(), one.peer(), List.of(Multiaddr.parse(where)), one.connectedAt(), one.added());
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whereOneWasReachedIsKeptThoughItWasTheOneWhoDialledLast() {
    StoredBootstrap reached = reached(at(1), "/ip4/192.0.2.1/tcp/1");
    memory.remember(reached);
    assertEquals(
        List.of(Change.put(StoreCollection.BOOTSTRAP, at(1).name().encoded(), reached.encode())),
        memory.remember(at(1)).changes());
    StoredBootstrap elsewhere = reached(at(1), "/ip4/192.0.2.2/tcp/2");
    memory.remember(elsewhere);
    assertEquals(List.of(elsewhere), memory.good());

    BootstrapMemory slow = new BootstrapMemory();
    slow.remember(at(1));
    slow.onPage(new Page(List.of(entry(reached)), true));
    assertEquals(List.of(reached), slow.good());
  }

  @Test
  void ofTooManyThoseGoFirstThatCannotBeReadAndThenThoseThatAnsweredLongestAgo() {
    Bytes unreadable = Bytes.fromHex("ffff");
    memory.onPage(new Page(List.of(new Page.Entry(unreadable, Bytes.EMPTY)), true));
    IntStream.range(1, BootstrapMemory.MAX_KEPT).forEach(each -> memory.remember(at(each)));
    assertEquals(
        List.of(Change.delete(StoreCollection.BOOTSTRAP, unreadable), put(64)),
        memory.remember(at(64)).changes());
    Batch next = memory.remember(at(65));
    assertEquals(
        List.of(Change.delete(StoreCollection.BOOTSTRAP, at(1).name().encoded()), put(65)),
        next.changes());
    assertEquals(List.of(put(2)), memory.remember(at(2)).changes());
    assertEquals(BootstrapMemory.MAX_KEPT, memory.good().size());
  }

  private static Change put(int number) {
    StoredBootstrap bootstrap = at(number);
    return Change.put(StoreCollection.BOOTSTRAP, bootstrap.name().encoded(), bootstrap.encode());
  }
}
