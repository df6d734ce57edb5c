package dev.troupe.runtime.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.link.RawLink;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Questions to a name server on this machine. */
@Timeout(60)
class NamesTest {

  private final TinyNameServer server = new TinyNameServer();
  private final TcpTransport transport = new TcpTransport(1, List.of(server.address()));

  NamesTest() throws Exception {}

  @AfterEach
  void close() {
    transport.close();
    server.close();
  }

  private static final class Outcome<T> implements Completion<T> {
    final CompletableFuture<T> value = new CompletableFuture<>();
    final CompletableFuture<HostFailure> failure = new CompletableFuture<>();
    final AtomicInteger calls = new AtomicInteger();

    @Override
    public void succeeded(T brought) {
      calls.incrementAndGet();
      value.complete(brought);
    }

    @Override
    public void failed(HostFailure why) {
      calls.incrementAndGet();
      failure.complete(why);
    }
  }

  private Outcome<List<String>> ask(String name) {
    Outcome<List<String>> outcome = new Outcome<>();
    transport.findText(name, outcome);
    return outcome;
  }

  @Test
  void textRecordsAreReadAndTheStringsOfOneBelongTogether() throws Exception {
    server.text("_dnsaddr.example.org", "dnsaddr=/ip4/192.0.2.1/tcp/1/p2p", "/12D3");
    server.text("_dnsaddr.example.org", "v=spf1");
    List<String> records = ask("_dnsaddr.example.org").value.get(10, TimeUnit.SECONDS);
    assertEquals(List.of("dnsaddr=/ip4/192.0.2.1/tcp/1/p2p/12D3", "v=spf1"), records);
  }

  @Test
  void aNameThatDoesNotExistIsNamed() throws Exception {
    HostFailure failure = ask("_dnsaddr.nowhere.org").failure.get(10, TimeUnit.SECONDS);
    assertEquals(HostFailure.Kind.UNREACHABLE, failure.kind());
    assertTrue(
        failure.message().startsWith("the name _dnsaddr.nowhere.org does not resolve"),
        failure::message);
  }

  @Test
  void aSilentNameServerIsSaid() throws Exception {
    server.silent = true;
    HostFailure failure = ask("_dnsaddr.example.org").failure.get(30, TimeUnit.SECONDS);
    assertEquals(HostFailure.Kind.TIMED_OUT, failure.kind(), failure::message);
  }

  @Test
  void aQuestionThatIsCalledOffIsAnsweredOnce() throws Exception {
    server.silent = true;
    Outcome<List<String>> outcome = new Outcome<>();
    Cancellable asked = transport.findText("_dnsaddr.example.org", outcome);
    asked.cancel();
    asked.cancel();
    assertEquals(HostFailure.Kind.CANCELLED, outcome.failure.get(10, TimeUnit.SECONDS).kind());
    // By the time that a later question is given up, the earlier one would have been as well.
    ask("_dnsaddr.example.org").failure.get(30, TimeUnit.SECONDS);
    assertEquals(1, outcome.calls.get());
  }

  @Test
  void whatIsNoNameIsRefused() throws Exception {
    HostFailure failure = ask("a".repeat(300) + ".org").failure.get(10, TimeUnit.SECONDS);
    assertTrue(
        failure.kind() == HostFailure.Kind.MALFORMED
            || failure.kind() == HostFailure.Kind.UNREACHABLE,
        failure::toString);
  }

  @Test
  void theDialOfANameThatDoesNotResolveSaysWhich() throws Exception {
    Outcome<RawLink> outcome = new Outcome<>();
    transport.dial(Multiaddr.parse("/dns4/nowhere.example/tcp/1"), outcome);
    HostFailure failure = outcome.failure.get(10, TimeUnit.SECONDS);
    assertEquals(HostFailure.Kind.UNREACHABLE, failure.kind());
    assertTrue(
        failure.message().startsWith("the name nowhere.example does not resolve"),
        failure::message);
  }
}
