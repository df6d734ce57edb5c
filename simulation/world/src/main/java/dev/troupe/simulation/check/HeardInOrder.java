package dev.troupe.simulation.check;

import dev.troupe.actors.virtualconnections.VirtualConnections.SendFailed;
import dev.troupe.actors.virtualconnections.VirtualConnections.SendFailure;
import dev.troupe.simulation.scenario.Cluster;
import dev.troupe.simulation.scenario.Letter;
import dev.troupe.simulation.scenario.Node;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whoever sends a message over a virtual connection and is told that it was delivered can rely on
 * it: the receiver had heard it by then. What one peer sends another is heard in the order of
 * sending, and nothing of it twice. (That each is answered, and once, is for {@link AnsweredOnce}.)
 *
 * <p>What crashes excuse: a receiver that starts anew does not know what it heard before, so each
 * life of it may hear a message once. Nothing is known of the order in which two lives of a sender
 * are heard. Crashes of actors inside a peer excuse nothing, since a peer remembers what it has
 * received when they restart.
 *
 * <p>A message that the sender was told had failed may have been heard all the same, unless the
 * reason excludes it.
 */
public final class HeardInOrder implements Checker {

  /** Who is told one of these can rely on it that nobody heard the message. */
  private static final Set<SendFailure> UNHEARD =
      EnumSet.of(
          SendFailure.UNREACHABLE,
          SendFailure.PROTOCOL_NOT_SUPPORTED,
          SendFailure.QUEUE_FULL,
          SendFailure.TOO_LARGE);

  /** What one life of a receiver heard of one sender. */
  private static final class Ear {
    final Set<Letter> heard = new LinkedHashSet<>();

    /** The newest of each life of the sender. */
    final Map<Integer, Letter> newest = new LinkedHashMap<>();
  }

  private record Way(Node from, Node to, int incarnation) {}

  private final Map<Way, Ear> ears = new LinkedHashMap<>();
  private final List<Letter> open = new ArrayList<>();
  private int letters;
  private int hearings;

  @Override
  public String name() {
    return "heard-in-order";
  }

  @Override
  public List<String> during(Cluster cluster) {
    List<String> violations = new ArrayList<>();
    while (hearings < cluster.hearings().size()) {
      onHeard(cluster.hearings().get(hearings++), violations);
    }
    while (letters < cluster.letters().size()) {
      open.add(cluster.letters().get(letters++));
    }
    open.stream().filter(Letter::isDelivered).forEach(letter -> checkClaim(letter, violations));
    open.removeIf(letter -> !letter.isOpen());
    return violations;
  }

  @Override
  public List<String> after(Cluster cluster) {
    List<String> violations = new ArrayList<>(during(cluster));
    for (Letter letter : cluster.letters()) {
      if (letter.sending().reply() instanceof SendFailed failed
          && UNHEARD.contains(failed.reason())
          && !letter.hearings().isEmpty()) {
        violations.add(letter + " was heard, and its sender was told " + failed.reason());
      }
    }
    return violations;
  }

  private static void checkClaim(Letter letter, List<String> violations) {
    long answeredAt = letter.sending().askedAt() + letter.sending().latency();
    if (letter.hearings().stream().noneMatch(heard -> heard.at() <= answeredAt)) {
      violations.add(letter + " was not heard when its sender was told that it was delivered");
    }
  }

  private void onHeard(Letter.Hearing hearing, List<String> violations) {
    Letter letter = hearing.letter();
    if (hearing.by() != letter.to()) {
      violations.add(letter + " was heard by " + hearing.by().name());
      return;
    }
    Way way = new Way(letter.from(), letter.to(), hearing.incarnation());
    Ear ear = ears.computeIfAbsent(way, newWay -> new Ear());
    Letter newest = ear.newest.get(letter.incarnation());
    if (!ear.heard.add(letter)) {
      violations.add(letter + " was heard twice");
    } else if (newest != null && newest.number() > letter.number()) {
      violations.add(letter + " was heard after " + newest);
    } else {
      ear.newest.put(letter.incarnation(), letter);
    }
  }
}
