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
import java.util.ArrayList;
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
      system.spawn(AddressBook.create(new AddressBookSettings(2, 2, 2, HOUR), system::now), "book");

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
  void hearsayDrivesOutNobodyWhoWasMetAndGivesWayFirst() {
    learn(1, Source.IDENTIFIED, HOUR, 1);
    for (int i = 2; i <= 100; i++) {
      learn(i, Source.DISCOVERED, HOUR, i);
    }
    assertEquals(List.of(at(1)), find(1));
    assertEquals(List.of(at(100)), find(100));
    learn(101, Source.CERTIFIED, HOUR, 101);
    assertEquals(List.of(), find(100));
    // Where all have been met, the least trusted gives way, however lately it was asked for.
    learn(102, Source.CONNECTED, HOUR, 102);
    find(1);
    assertEquals(List.of(), find(1));
    assertEquals(List.of(at(101)), find(101));
    learn(103, Source.CONFIGURED, HOUR, 103);
    learn(104, Source.IDENTIFIED, HOUR, 104);
    assertEquals(List.of(), find(104));
    assertEquals(List.of(at(102)), find(102));
    assertEquals(List.of(at(103)), find(103));
  }

  @Test
  void whatHasExpiredGivesWayBeforeHearsay() {
    learn(1, Source.CONFIGURED, Duration.ofMinutes(1), 1);
    learn(2, Source.DISCOVERED, HOUR, 2);
    system.advance(Duration.ofMinutes(2));
    learn(3, Source.DISCOVERED, HOUR, 3);
    assertEquals(List.of(at(2)), find(2));
    assertEquals(List.of(at(3)), find(3));
  }

  @Test
  void hearsayIsBelievedForALimitedTimeOnlyAndLendsNoneToWhatIsTrusted() {
    learn(1, Source.DISCOVERED, Duration.ofDays(1), 1);
    learn(1, Source.CERTIFIED, Duration.ofMinutes(1), 1);
    learn(1, Source.IDENTIFIED, Duration.ofMinutes(2), 2);
    assertEquals(2, trusted(1));
    system.advance(Duration.ofSeconds(90));
    assertEquals(List.of(at(2), at(1)), find(1));
    assertEquals(1, trusted(1));
    system.advance(HOUR.minusSeconds(91));
    assertEquals(List.of(at(1)), find(1));
    assertEquals(0, trusted(1));
    system.advance(Duration.ofSeconds(1));
    assertEquals(List.of(), find(1));
  }

  private int trusted(int peer) {
    book.tell(new AddressBook.Find(peer(peer), found.ref()));
    return found.next().trusted();
  }

  @Test
  void onePeerFillsOnlyAPartOfTheBookWithItsWord() {
    ActorRef<AddressBook.Command> large =
        system.spawn(
            AddressBook.create(new AddressBookSettings(100, 2, 3, HOUR), system::now), "large");
    PeerId teller = peer(50);
    large.tell(new AddressBook.Learn(peer(40), List.of(at(1)), Source.DISCOVERED, HOUR, peer(51)));
    large.tell(new AddressBook.Learn(peer(41), List.of(at(1)), Source.DISCOVERED, HOUR, teller));
    // This one is met afterwards, and stands for itself.
    large.tell(new AddressBook.Learn(peer(41), List.of(at(2)), Source.IDENTIFIED, HOUR));
    for (int i = 1; i <= 5; i++) {
      large.tell(new AddressBook.Learn(peer(i), List.of(at(i)), Source.DISCOVERED, HOUR, teller));
    }
    List<Integer> known = new ArrayList<>();
    for (int i : new int[] {1, 2, 3, 4, 5, 40, 41}) {
      large.tell(new AddressBook.Find(peer(i), found.ref()));
      if (!found.next().addresses().isEmpty()) {
        known.add(i);
      }
    }
    assertEquals(List.of(3, 4, 5, 40, 41), known);
  }

  @Test
  void whatIsConfiguredIsKnownFromTheBeginningAndAfterACrash() {
    ActorRef<AddressBook.Command> configured =
        system.spawn(
            AddressBook.create(
                AddressBookSettings.DEFAULT, system::now, List.of(at(1), at(2).withPeer(peer(1)))),
            "configured");
    for (int i = 0; i < 2; i++) {
      configured.tell(new AddressBook.Find(peer(1), found.ref()));
      AddressBook.Found answer = found.next();
      assertEquals(List.of(at(2)), answer.addresses());
      assertEquals(1, answer.trusted());
      configured.tell(new AddressBook.Find(peer(1), null));
    }
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
    assertEquals(List.of(at(1), at(2), at(3), at(4), at(5)), found.next().addresses());
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
