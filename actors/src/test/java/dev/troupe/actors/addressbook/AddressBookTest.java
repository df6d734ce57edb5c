package dev.troupe.actors.addressbook;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.actors.addressbook.AddressBook.Source;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.Probe;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AddressBookTest {

  private static final Duration HOUR = Duration.ofHours(1);

  private final SimulatedSystem system = SimulatedSystem.create();
  private final Probe<AddressBook.Found> found = system.probe();
  private final ActorRef<AddressBook.Command> book =
      system.spawn(AddressBook.create(new AddressBookSettings(2, 2), system::now), "book");

  @AfterEach
  void close() {
    system.close();
  }

  private static PeerId peer(int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    return PrivateKey.fromSeed(new PortableCrypto(), seed).peerId();
  }

  private static Multiaddr at(int port) {
    try {
      return Multiaddr.parse("/ip4/192.0.2.1/tcp/" + port);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private void learn(int peer, Source source, Duration timeToLive, int... ports) {
    List<Multiaddr> addresses = Arrays.stream(ports).mapToObj(AddressBookTest::at).toList();
    book.tell(new AddressBook.Learn(peer(peer), addresses, source, timeToLive));
  }

  private List<Multiaddr> find(int peer) {
    book.tell(new AddressBook.Find(peer(peer), found.ref()));
    return found.next().addresses();
  }

  @Test
  void theMostTrustedSourceComesFirst() {
    learn(1, Source.DISCOVERED, HOUR, 1);
    learn(1, Source.CONFIGURED, HOUR, 2);
    assertEquals(List.of(at(2), at(1)), find(1));
    assertEquals(List.of(), find(2));
  }

  @Test
  void aPeerIdAtTheEndIsDropped() {
    book.tell(
        new AddressBook.Learn(peer(1), List.of(at(1).withPeer(peer(1))), Source.IDENTIFIED, HOUR));
    assertEquals(List.of(at(1)), find(1));
  }

  @Test
  void anAddressExpiresAndTheLongerTimeCounts() {
    learn(1, Source.DISCOVERED, HOUR, 1);
    learn(1, Source.IDENTIFIED, Duration.ofMinutes(1), 1);
    learn(1, Source.DISCOVERED, Duration.ofMinutes(1), 2);
    system.advance(Duration.ofMinutes(2));
    assertEquals(List.of(at(1)), find(1));
    system.advance(HOUR);
    assertEquals(List.of(), find(1));
  }

  @Test
  void oneAddressCanBeForgotten() {
    learn(1, Source.DISCOVERED, HOUR, 1, 2);
    book.tell(new AddressBook.Forget(peer(1), at(1)));
    assertEquals(List.of(at(2)), find(1));
  }

  @Test
  void ofOnePeerTheMostTrustedAddressesAreKept() {
    learn(1, Source.DISCOVERED, HOUR, 1, 2);
    learn(1, Source.CONFIGURED, HOUR, 3);
    List<Multiaddr> kept = find(1);
    assertEquals(2, kept.size());
    assertEquals(at(3), kept.get(0));
    // A stranger's word does not drive out what the user said.
    learn(1, Source.DISCOVERED, HOUR, 4, 5, 6, 7);
    assertEquals(2, find(1).size());
    assertEquals(at(3), find(1).get(0));
  }

  @Test
  void asManyPeersAreKeptAsMayBe() {
    for (int i = 1; i <= 5; i++) {
      learn(i, Source.DISCOVERED, HOUR, i);
    }
    int kept = 0;
    for (int i = 1; i <= 5; i++) {
      kept += find(i).isEmpty() ? 0 : 1;
    }
    assertEquals(2, kept);
    assertEquals(List.of(at(5)), find(5));
  }

  @Test
  void aCrashForgetsEverythingAndTheBookServesOn() {
    learn(1, Source.CONFIGURED, HOUR, 1);
    book.tell(new AddressBook.Find(peer(1), null));
    assertEquals(List.of(), find(1));
    learn(1, Source.CONFIGURED, HOUR, 1);
    assertEquals(List.of(at(1)), find(1));
  }

  @Test
  void thePeerThatNobodyLearnedOfOrAskedForLongestGivesWay() {
    learn(1, Source.DISCOVERED, HOUR, 1);
    learn(2, Source.DISCOVERED, HOUR, 2);
    find(1);
    learn(3, Source.DISCOVERED, HOUR, 3);
    assertEquals(List.of(), find(2));
    assertEquals(List.of(at(1)), find(1));
    assertEquals(List.of(at(3)), find(3));
    learn(1, Source.DISCOVERED, HOUR, 1);
    learn(4, Source.DISCOVERED, HOUR, 4);
    assertEquals(List.of(), find(3));
    assertEquals(List.of(at(1)), find(1));
  }

  @Test
  void ofEquallyTrustedAddressesTheOneThatExpiresFirstGivesWay() {
    learn(1, Source.IDENTIFIED, Duration.ofMinutes(2), 1);
    learn(1, Source.IDENTIFIED, Duration.ofMinutes(1), 2);
    learn(1, Source.IDENTIFIED, Duration.ofMinutes(3), 3);
    assertEquals(List.of(at(3), at(1)), find(1));
    // A more trusted one drives out both, however soon it expires.
    learn(1, Source.CERTIFIED, Duration.ofSeconds(2), 4);
    learn(1, Source.CONFIGURED, Duration.ofSeconds(1), 5);
    assertEquals(List.of(at(5), at(4)), find(1));
  }

  @Test
  void allSourcesComeInTheirOrder() {
    ActorRef<AddressBook.Command> large =
        system.spawn(AddressBook.create(AddressBookSettings.DEFAULT, system::now), "large");
    Source[] sources = Source.values();
    for (int i = sources.length - 1; i >= 0; i--) {
      large.tell(new AddressBook.Learn(peer(1), List.of(at(i + 1)), sources[i], HOUR));
    }
    large.tell(new AddressBook.Find(peer(1), found.ref()));
    assertEquals(List.of(at(1), at(2), at(3), at(4)), found.next().addresses());
  }

  @Test
  void anAddressExpiresAtItsTimeToTheNanosecond() {
    learn(1, Source.DISCOVERED, HOUR, 1);
    system.runUntilIdle();
    system.advance(HOUR.minusNanos(1));
    assertEquals(List.of(at(1)), find(1));
    system.advance(Duration.ofNanos(1));
    assertEquals(List.of(), find(1));
  }

  @Test
  void whatHasExpiredDoesNotLendItsTrustToWhatIsLearnedLater() {
    learn(1, Source.CONFIGURED, Duration.ofMinutes(1), 1);
    system.advance(Duration.ofMinutes(2));
    learn(1, Source.DISCOVERED, HOUR, 1);
    learn(1, Source.IDENTIFIED, HOUR, 2);
    assertEquals(List.of(at(2), at(1)), find(1));
  }

  @Test
  void anAddressMayBeKnownForEverOrForNoTimeAtAll() {
    learn(1, Source.CONFIGURED, Duration.ofSeconds(Long.MAX_VALUE), 1);
    learn(1, Source.DISCOVERED, Duration.ZERO, 2);
    learn(1, Source.DISCOVERED, Duration.ofSeconds(Long.MIN_VALUE), 3);
    learn(2, Source.DISCOVERED, HOUR);
    system.advance(Duration.ofDays(365));
    assertEquals(List.of(at(1)), find(1));
    assertEquals(List.of(), find(2));
  }

  @Test
  void whatIsForgottenMayBeUnknownAndLearnedAgain() {
    book.tell(new AddressBook.Forget(peer(1), at(1)));
    learn(1, Source.CONFIGURED, HOUR, 1);
    book.tell(new AddressBook.Forget(peer(1), at(2)));
    book.tell(new AddressBook.Forget(peer(2), at(1)));
    assertEquals(List.of(at(1)), find(1));
    book.tell(new AddressBook.Forget(peer(1), at(1).withPeer(peer(1))));
    assertEquals(List.of(), find(1));
    learn(1, Source.DISCOVERED, HOUR, 1);
    assertEquals(List.of(at(1)), find(1));
  }
}
