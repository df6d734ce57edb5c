package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.IHave;
import dev.troupe.protocol.gossipsub.Rpc.IWant;
import dev.troupe.protocol.gossipsub.Rpc.Prune;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is too much for one RPC goes out in several, each of which a receiver takes. */
class RpcPartsTest {

  private static final int MAX_IDS = 5000;

  private static String topic(int number) {
    return "x".repeat(RpcCodec.MAX_TOPIC_BYTES - 6) + (100_000 + number);
  }

  private static List<Rpc> parts(Rpc whole) throws MalformedException {
    List<Rpc> parts = RpcParts.of(whole, MAX_IDS);
    for (Rpc part : parts) {
      assertEquals(part, RpcCodec.decode(RpcCodec.encode(part)));
    }
    return parts;
  }

  private static Rpc rejoined(List<Rpc> parts) {
    List<Subscription> subscriptions = new ArrayList<>();
    List<IHave> ihave = new ArrayList<>();
    List<IWant> iwant = new ArrayList<>();
    List<Graft> graft = new ArrayList<>();
    List<Prune> prune = new ArrayList<>();
    for (Rpc part : parts) {
      subscriptions.addAll(part.subscriptions());
      ihave.addAll(part.ihave());
      iwant.addAll(part.iwant());
      graft.addAll(part.graft());
      prune.addAll(part.prune());
    }
    return new Rpc(subscriptions, List.of(), ihave, iwant, graft, prune);
  }

  @Test
  void whatFitsIsOneRpcAndNothingIsNone() throws MalformedException {
    Rpc small = Rpc.ofMesh(List.of(new Graft("a")), List.of(new Prune("b", List.of(), 60)));
    assertEquals(List.of(small), parts(small));
    assertEquals(List.of(), parts(Rpc.ofSubscriptions(List.of())));
  }

  @Test
  void everyKindIsDividedAndNothingIsLost() throws MalformedException {
    List<Subscription> subscriptions = new ArrayList<>();
    List<Graft> graft = new ArrayList<>();
    List<Prune> prune = new ArrayList<>();
    List<IHave> ihave = new ArrayList<>();
    List<IWant> iwant = new ArrayList<>();
    for (int i = 0; i < 2500; i++) {
      subscriptions.add(new Subscription(i % 2 == 0, topic(i)));
      graft.add(new Graft(topic(i)));
      prune.add(new Prune(topic(i), List.of(), i));
      ihave.add(new IHave(topic(i), List.of(Bytes.utf8("id " + i))));
      iwant.add(new IWant(Collections.nCopies(8, Bytes.wrap(new byte[120]))));
    }
    Rpc whole = new Rpc(subscriptions, List.of(), ihave, iwant, graft, prune);
    List<Rpc> parts = parts(whole);
    assertTrue(parts.size() > 10, parts.size() + " parts");
    assertEquals(whole, rejoined(parts));
  }

  @Test
  void anRpcIsFilledToTheLastByteAndNotBeyond() throws MalformedException {
    // Filled with long topics; the last one makes the difference.
    List<Subscription> entries = new ArrayList<>();
    int bytes = 0;
    for (int i = 0; bytes + 2048 < RpcCodec.MAX_RPC_BYTES - 4; i++) {
      Subscription entry = new Subscription(true, topic(i));
      entries.add(entry);
      bytes += RpcCodec.encode(Rpc.ofSubscriptions(List.of(entry))).size();
    }
    // Tag, length (2) and the fields round the topic: 2, 1 and 2.
    int rest = RpcCodec.MAX_RPC_BYTES - 4 - bytes - 3 - 5;
    Subscription half = new Subscription(true, "y".repeat(500));
    entries.add(half);
    rest -= 500 + 8;
    entries.add(new Subscription(true, "z".repeat(rest)));
    List<Rpc> exactly = parts(Rpc.ofSubscriptions(entries));
    assertEquals(1, exactly.size());
    assertEquals(RpcCodec.MAX_RPC_BYTES - 4, RpcCodec.encode(exactly.get(0)).size());
    entries.set(entries.size() - 1, new Subscription(true, "z".repeat(rest + 1)));
    assertEquals(2, parts(Rpc.ofSubscriptions(entries)).size());
  }

  @Test
  void messageIdsAreCountedOverAllEntries() throws MalformedException {
    IHave half = new IHave("t", Collections.nCopies(MAX_IDS / 2, Bytes.of((byte) 1)));
    assertEquals(1, parts(Rpc.ofIHave(List.of(half, half))).size());
    assertEquals(2, parts(Rpc.ofIHave(List.of(half, half, half))).size());
  }
}
