package dev.troupe.actors.names;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.fakes.ScriptedWorld;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WalkTest {

  private static final PeerId ALICE = ScriptedWorld.key(1).peerId();
  private static final PeerId BOB = ScriptedWorld.key(2).peerId();

  private final Map<String, List<String>> records = new LinkedHashMap<>();
  private final List<String> asked = new ArrayList<>();

  private static Multiaddr address(String text) {
    try {
      return Multiaddr.parse(text);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private Walk walk(String from) {
    Walk walk = new Walk(address(from));
    while (!walk.isOver()) {
      for (Walk.Question question : walk.takeQuestions()) {
        asked.add(question.name());
        List<String> answer = records.get(question.name());
        if (answer == null) {
          walk.onFailed(
              question, new HostFailure(HostFailure.Kind.TIMED_OUT, "no name server answers"));
        } else {
          walk.onRecords(question, answer);
        }
      }
    }
    return walk;
  }

  @Test
  void onlyWhatEndsWithThePeerCountsAndNamesAreFollowed() {
    records.put(
        "_dnsaddr.a.org",
        List.of(
            "v=spf1",
            "dnsaddr=/ip4/192.0.2.1/tcp/1/p2p/" + ALICE,
            "dnsaddr=/ip4/192.0.2.2/tcp/2/p2p/" + BOB,
            "dnsaddr=nonsense",
            "dnsaddr=/dnsaddr/b.org/tcp/3/p2p/" + ALICE));
    records.put(
        "_dnsaddr.b.org",
        List.of(
            "dnsaddr=/dns4/c.org/tcp/3/p2p/" + ALICE, "dnsaddr=/dns4/c.org/tcp/4/p2p/" + ALICE));
    assertEquals(
        List.of(
            address("/ip4/192.0.2.1/tcp/1/p2p/" + ALICE),
            address("/dns4/c.org/tcp/3/p2p/" + ALICE)),
        walk("/dnsaddr/a.org/p2p/" + ALICE).found());
    assertEquals(List.of("_dnsaddr.a.org", "_dnsaddr.b.org"), asked);
  }

  @Test
  void aCircleEnds() {
    records.put("_dnsaddr.a.org", List.of("dnsaddr=/dnsaddr/b.org"));
    records.put("_dnsaddr.b.org", List.of("dnsaddr=/dnsaddr/a.org"));
    Walk walk = walk("/dnsaddr/a.org");
    assertEquals(List.of(), walk.found());
    assertEquals(2, asked.size());
    assertEquals(HostFailure.Kind.UNREACHABLE, walk.failure().kind());
  }

  @Test
  void whatFailsIsNamedWithTheReason() {
    HostFailure failure = walk("/dnsaddr/a.org").failure();
    assertEquals(HostFailure.Kind.TIMED_OUT, failure.kind());
    assertEquals(
        "/dnsaddr/a.org does not resolve: _dnsaddr.a.org: no name server answers",
        failure.message());
    records.put("_dnsaddr.a.org", List.of("v=spf1"));
    assertTrue(walk("/dnsaddr/a.org").failure().message().contains("begins with dnsaddr="));
    records.put("_dnsaddr.a.org", List.of("dnsaddr=/ip4/192.0.2.2/tcp/2/p2p/" + BOB));
    String message = walk("/dnsaddr/a.org/p2p/" + ALICE).failure().message();
    assertTrue(message.endsWith("none of its records ends in /p2p/" + ALICE), message);
  }

  @Test
  void depthIsBounded() {
    for (int i = 0; i < 20; i++) {
      records.put("_dnsaddr." + i + ".org", List.of("dnsaddr=/dnsaddr/" + (i + 1) + ".org"));
    }
    String message = walk("/dnsaddr/0.org").failure().message();
    assertEquals(1 + Walk.MAX_DEPTH, asked.size());
    assertTrue(message.contains("_dnsaddr.9.org: it is more than 8 names away"), message);
  }

  @Test
  void questionsRecordsAndAddressesAreBounded() {
    records.put(
        "_dnsaddr.a.org",
        IntStream.range(0, 100).mapToObj(each -> "dnsaddr=/dnsaddr/" + each + ".org").toList());
    for (int i = 0; i < 100; i++) {
      int net = i;
      records.put(
          "_dnsaddr." + i + ".org",
          IntStream.range(0, 10)
              .mapToObj(each -> "dnsaddr=/ip4/10.0." + net + "." + each + "/tcp/1")
              .toList());
    }
    Walk walk = walk("/dnsaddr/a.org");
    assertEquals(Walk.MAX_QUESTIONS, asked.size());
    assertEquals(Walk.MAX_ADDRESSES, walk.found().size());
    records.put(
        "_dnsaddr.many.org",
        IntStream.range(0, 100)
            .mapToObj(each -> "dnsaddr=/ip4/10.0.0." + each + "/tcp/1")
            .toList());
    assertEquals(Walk.MAX_RECORDS, walk("/dnsaddr/many.org").found().size());
  }

  @Test
  void whatIsNoNameStandsForItself() {
    assertEquals(List.of(address("/ip4/192.0.2.1/tcp/1")), walk("/ip4/192.0.2.1/tcp/1").found());
  }
}
