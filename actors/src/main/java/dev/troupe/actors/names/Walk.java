package dev.troupe.actors.names;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Component;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * From a {@code /dnsaddr} address to those that it stands for. Pure: it says what to ask, and is
 * told the answers.
 *
 * <p>The TXT records of {@code _dnsaddr.NAME} that begin with {@code dnsaddr=} hold one address
 * each. Those count that end as the address did behind its name, with the same {@code /p2p} above
 * all; one that is a {@code /dnsaddr} again is followed, and so is one that is nothing but that,
 * where what is behind it ends so. Whatever cannot be read, or is too much, is passed over.
 */
final class Walk {

  /** How many names may lead from one to the next. */
  static final int MAX_DEPTH = 8;

  /** How many names are asked for in all. */
  static final int MAX_QUESTIONS = 32;

  /** How many records of one answer are looked at. */
  static final int MAX_RECORDS = 64;

  /** How many addresses are found in all. */
  static final int MAX_ADDRESSES = 128;

  private static final String MARK = "dnsaddr=";

  /**
   * A name to ask the TXT records of.
   *
   * @param suffix what an address has to end with
   * @param depth how many names led here
   */
  record Question(String name, List<Component> suffix, int depth) {}

  private final Multiaddr from;
  private final Set<Question> asked = new LinkedHashSet<>();
  private final Set<Question> open = new LinkedHashSet<>();
  private final List<Question> toAsk = new ArrayList<>();
  private final Set<Multiaddr> found = new LinkedHashSet<>();
  private final Map<String, String> complaints = new LinkedHashMap<>();
  private HostFailure.Kind kind = HostFailure.Kind.UNREACHABLE;

  /**
   * Nothing has been asked yet.
   *
   * @param from what is to be resolved; where it is no {@code /dnsaddr}, it stands for itself
   */
  Walk(Multiaddr from) {
    this.from = from;
    add(from, 0, "");
  }

  /** The names to ask for now; each is given once. */
  List<Question> takeQuestions() {
    List<Question> now = List.copyOf(toAsk);
    toAsk.clear();
    open.addAll(now);
    return now;
  }

  /** Whether all answers are there. */
  boolean isOver() {
    return toAsk.isEmpty() && open.isEmpty();
  }

  /** The records of a name are there. */
  void onRecords(Question question, List<String> records) {
    if (!open.remove(question)) {
      return;
    }
    int before = found.size() + toAsk.size();
    boolean any = false;
    for (String record : records.stream().limit(MAX_RECORDS).toList()) {
      if (!record.startsWith(MARK)) {
        continue;
      }
      any = true;
      try {
        Multiaddr address = Multiaddr.parse(record.substring(MARK.length()));
        if (address.components().size() == 1 && Resolution.isNeeded(address)) {
          // It leads to anybody: what is behind it has to end as was asked for.
          ask(address, question.suffix(), question.depth() + 1);
        } else if (endsWith(address, question.suffix())) {
          add(address, question.depth() + 1, question.name());
        }
      } catch (MalformedException e) {
        complain(question.name(), String.valueOf(e.getMessage()));
      }
    }
    if (records.size() > MAX_RECORDS) {
      complain(
          question.name(),
          "it has " + records.size() + " records, and only " + MAX_RECORDS + " are looked at");
    } else if (!any) {
      complain(question.name(), "none of its " + records.size() + " records begins with " + MARK);
    } else if (before == found.size() + toAsk.size()) {
      complain(
          question.name(),
          "none of its records ends in "
              + question.suffix().stream().map(Component::toString).collect(Collectors.joining()));
    }
  }

  /** A name has no answer. */
  void onFailed(Question question, HostFailure failure) {
    if (open.remove(question)) {
      kind = failure.kind();
      complain(question.name(), failure.message());
    }
  }

  /** There is no time left: what is open counts as without an answer. */
  void onTimeOut(HostFailure late) {
    List.copyOf(open).forEach(question -> onFailed(question, late));
  }

  private void add(Multiaddr address, int depth, String where) {
    Component first = address.components().get(0);
    if (first.protocol() != Protocol.DNSADDR) {
      if (found.size() < MAX_ADDRESSES) {
        found.add(address);
      } else {
        complain(where, "there are more than " + MAX_ADDRESSES + " addresses");
      }
      return;
    }
    ask(address, address.components().subList(1, address.components().size()), depth);
  }

  private void ask(Multiaddr address, List<Component> suffix, int depth) {
    String name = "_dnsaddr." + address.components().get(0).text();
    Question question = new Question(name, List.copyOf(suffix), depth);
    if (depth > MAX_DEPTH) {
      complain(question.name(), "it is more than " + MAX_DEPTH + " names away");
    } else if (asked.size() >= MAX_QUESTIONS) {
      complain(question.name(), "more than " + MAX_QUESTIONS + " names would have to be asked for");
    } else if (asked.stream().noneMatch(each -> isSame(each, question))) {
      asked.add(question);
      toAsk.add(question);
    }
  }

  private static boolean isSame(Question one, Question other) {
    return one.name().equals(other.name()) && one.suffix().equals(other.suffix());
  }

  private static boolean endsWith(Multiaddr address, List<Component> suffix) {
    List<Component> all = address.components();
    int from = all.size() - suffix.size();
    return from >= 0 && all.subList(from, all.size()).equals(suffix);
  }

  private void complain(String name, String why) {
    complaints.putIfAbsent(name, why);
  }

  /** The addresses found, in the order of the answers; none of them a {@code /dnsaddr}. */
  List<Multiaddr> found() {
    return List.copyOf(found);
  }

  /** Why nothing was found, name by name. */
  HostFailure failure() {
    return new HostFailure(
        kind,
        complaints.isEmpty()
            ? from + " leads nowhere but back to itself"
            : complaints.entrySet().stream()
                .map(each -> each.getKey() + ": " + each.getValue())
                .collect(Collectors.joining("; ", from + " does not resolve: ", "")));
  }
}
