package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.IHave;
import dev.troupe.protocol.gossipsub.Rpc.IWant;
import dev.troupe.protocol.gossipsub.Rpc.PeerInfo;
import dev.troupe.protocol.gossipsub.Rpc.Prune;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import dev.troupe.protocol.gossipsub.proto.ControlMessage;
import dev.troupe.protocol.gossipsub.proto.ControlPrune;
import dev.troupe.protocol.gossipsub.proto.RPC;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class RpcCodecTest {

  private static final Rpc FULL =
      new Rpc(
          List.of(new Subscription(true, "chat"), new Subscription(false, "news")),
          List.of(
              new Message(
                  Bytes.utf8("from"),
                  Bytes.utf8("data"),
                  Bytes.utf8("seqno"),
                  "chat",
                  Bytes.utf8("signature"),
                  Bytes.utf8("key"),
                  Bytes.EMPTY)),
          List.of(new IHave("chat", List.of(Bytes.of((byte) 1), Bytes.of((byte) 2)))),
          List.of(new IWant(List.of(Bytes.of((byte) 3)))),
          List.of(new Graft("chat")),
          List.of(
              new Prune(
                  "news",
                  List.of(
                      new PeerInfo(Bytes.utf8("p"), Bytes.utf8("r")),
                      new PeerInfo(Bytes.utf8("q"), null)),
                  60)));

  @Test
  void decodeAfterEncodeIsIdentity() throws MalformedException {
    assertEquals(FULL, RpcCodec.decode(RpcCodec.encode(FULL)));
  }

  @Test
  void writesWhatTheSchemaWrites() throws InvalidProtocolBufferException {
    Bytes ours = RpcCodec.encode(FULL);
    RPC theirs = RPC.parseFrom(ours.toArray());
    assertEquals(ours, Bytes.wrap(theirs.toByteArray()));
    assertEquals(2, theirs.getSubscriptionsCount());
    assertEquals("signature", theirs.getPublish(0).getSignature().toStringUtf8());
    assertEquals(2, theirs.getControl().getIhave(0).getMessageIDsCount());
    assertEquals(60, theirs.getControl().getPrune(0).getBackoff());
    assertEquals(
        "r", theirs.getControl().getPrune(0).getPeers(0).getSignedPeerRecord().toStringUtf8());
  }

  @Test
  void readsWhatJsLibp2pWrote() throws MalformedException {
    Bytes bytes = JsVectors.named("full").rpc();
    Rpc rpc = RpcCodec.decode(bytes);
    assertEquals(
        List.of(new Subscription(true, "chat"), new Subscription(false, "news")),
        rpc.subscriptions());
    assertEquals("hello from js", rpc.messages().get(0).payload().utf8());
    assertEquals(
        List.of(
            new IHave("chat", List.of(Bytes.of((byte) 1, (byte) 2, (byte) 3), Bytes.of((byte) 4)))),
        rpc.ihave());
    assertEquals(List.of(new IWant(List.of(Bytes.of((byte) 5, (byte) 6)))), rpc.iwant());
    assertEquals(List.of(new Graft("chat")), rpc.graft());
    assertEquals(
        List.of(
            new Prune(
                "news",
                List.of(new PeerInfo(Bytes.of((byte) 7), Bytes.of((byte) 8, (byte) 9))),
                60)),
        rpc.prune());
    assertEquals(bytes, RpcCodec.encode(rpc));
  }

  @Test
  void anEmptyRpcIsNoBytes() throws MalformedException {
    assertEquals(0, RpcCodec.encode(RpcCodec.decode(Bytes.EMPTY)).size());
  }

  @Test
  void absentAndEmptyPayloadsStayDifferent() throws MalformedException {
    for (Bytes data : new Bytes[] {null, Bytes.EMPTY}) {
      Message message = new Message(null, data, null, "t", null, null, Bytes.EMPTY);
      assertEquals(message, RpcCodec.decodeMessage(RpcCodec.encode(message)));
    }
  }

  @Test
  void unknownFieldsOfAMessageAreKeptAndThoseOfTheRpcSkipped() throws MalformedException {
    // topic "t", then field 9 (varint 7) and field 10 (two bytes).
    byte[] message = {0x22, 1, 't', 0x48, 7, 0x52, 2, 1, 2};
    Message read = RpcCodec.decodeMessage(Bytes.wrap(message));
    assertEquals(
        Bytes.of((byte) 0x48, (byte) 7, (byte) 0x52, (byte) 2, (byte) 1, (byte) 2), read.unknown());
    assertEquals(Bytes.wrap(message), RpcCodec.encode(read));
    assertEquals(RpcCodec.decode(Bytes.EMPTY), RpcCodec.decode(Bytes.of((byte) 0x78, (byte) 1)));
  }

  @Test
  void anUnsignedBackoffDoesNotOverflow() throws MalformedException {
    byte[] encoded =
        RPC.newBuilder()
            .setControl(
                ControlMessage.newBuilder()
                    .addPrune(ControlPrune.newBuilder().setTopicID("t").setBackoff(-1)))
            .build()
            .toByteArray();
    assertEquals(
        Long.MAX_VALUE, RpcCodec.decode(Bytes.wrap(encoded)).prune().get(0).backoffSeconds());
  }

  @Test
  void whatNamesNoTopicIsMalformed() {
    for (byte[] bytes :
        new byte[][] {
          {0x0a, 2, 0x08, 1}, {0x12, 0}, {0x1a, 2, 0x0a, 0}, {0x1a, 2, 0x1a, 0}, {0x1a, 2, 0x22, 0}
        }) {
      MalformedException e =
          assertThrows(MalformedException.class, () -> RpcCodec.decode(Bytes.wrap(bytes)));
      assertTrue(e.getMessage().contains("names no topic"), e.getMessage());
    }
  }

  @Test
  void topicsThatAreNotUtf8AreMalformed() {
    byte[] bytes = {0x12, 4, 0x22, 2, (byte) 0xc3, 0x28};
    assertThrows(MalformedException.class, () -> RpcCodec.decode(Bytes.wrap(bytes)));
  }

  @Test
  void everyListAndSizeIsBounded() {
    refused("subscriptions", subscriptions(RpcCodec.MAX_SUBSCRIPTIONS + 1));
    refused("messages", messages(RpcCodec.MAX_MESSAGES + 1));
    refused("IHAVE", ihave(RpcCodec.MAX_CONTROL_ENTRIES + 1, 1));
    refused("message ids in IHAVE", ihave(10, RpcCodec.MAX_MESSAGE_IDS / 10 + 1));
    refused("IWANT", iwant(RpcCodec.MAX_CONTROL_ENTRIES + 1, 1));
    refused("message ids in IWANT", iwant(10, RpcCodec.MAX_MESSAGE_IDS / 10 + 1));
    refused("GRAFT", grafts(RpcCodec.MAX_CONTROL_ENTRIES + 1));
    refused("PRUNE", prunes(RpcCodec.MAX_CONTROL_ENTRIES + 1, 0));
    refused("peers in PRUNE", prunes(10, RpcCodec.MAX_PEER_INFOS / 10 + 1));
    refused("topic name", Rpc.ofSubscriptions(List.of(new Subscription(true, "t".repeat(1025)))));
    refused("message id", Rpc.ofIWant(new IWant(List.of(Bytes.wrap(new byte[1025])))));
    // The tags and lengths of payload (4) and topic (3), and those of the message, are part of it.
    refused("an RPC of", Rpc.ofMessage(payload(RpcCodec.MAX_MESSAGE_BYTES - 7 + 1)));
  }

  @Test
  void theLimitsThemselvesAreAllowed() throws MalformedException {
    for (Rpc rpc :
        List.of(
            subscriptions(RpcCodec.MAX_SUBSCRIPTIONS),
            messages(RpcCodec.MAX_MESSAGES),
            ihave(10, RpcCodec.MAX_MESSAGE_IDS / 10),
            iwant(RpcCodec.MAX_CONTROL_ENTRIES, 1),
            grafts(RpcCodec.MAX_CONTROL_ENTRIES),
            prunes(10, RpcCodec.MAX_PEER_INFOS / 10),
            Rpc.ofSubscriptions(List.of(new Subscription(true, "t".repeat(1024)))),
            Rpc.ofMessage(payload(RpcCodec.MAX_MESSAGE_BYTES - 7)))) {
      assertEquals(rpc, RpcCodec.decode(RpcCodec.encode(rpc)));
    }
  }

  @Test
  void theLargestMessageFillsAnRpc() {
    Rpc rpc = Rpc.ofMessage(payload(RpcCodec.MAX_MESSAGE_BYTES - 7));
    assertEquals(
        RpcCodec.MAX_MESSAGE_BYTES,
        RpcCodec.encode(payload(RpcCodec.MAX_MESSAGE_BYTES - 7)).size());
    assertEquals(RpcCodec.MAX_RPC_BYTES, RpcCodec.encode(rpc).size());
    assertEquals(1 << 20, RpcCodec.MAX_RPC_BYTES);
  }

  @Test
  void truncatedRpcsAreMalformedOrShorterNeverMore() throws MalformedException {
    byte[] whole = JsVectors.named("full").rpc().toArray();
    int read = 0;
    for (int length = 0; length < whole.length; length++) {
      try {
        RpcCodec.decode(Bytes.wrap(java.util.Arrays.copyOf(whole, length)));
        read++;
      } catch (MalformedException expected) {
        // Cut within a field.
      }
    }
    // Only between two fields of the outermost level: nothing, two subscriptions, the message.
    assertEquals(4, read);
  }

  @Property
  void arbitraryBytesNeverThrowUnchecked(@ForAll byte[] bytes) {
    try {
      Rpc rpc = RpcCodec.decode(Bytes.of(bytes));
      assertEquals(rpc, RpcCodec.decode(RpcCodec.encode(rpc)));
    } catch (MalformedException expected) {
      // That is the answer to them.
    }
  }

  @Property
  void damagedRpcsNeverThrowUnchecked(@ForAll long seed) {
    Random random = new Random(seed);
    byte[] bytes = RpcCodec.encode(FULL).toArray();
    for (int i = 0; i < 3; i++) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    }
    arbitraryBytesNeverThrowUnchecked(bytes);
  }

  private static void refused(String what, Rpc rpc) {
    MalformedException e =
        assertThrows(MalformedException.class, () -> RpcCodec.decode(RpcCodec.encode(rpc)));
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }

  private static Message payload(int bytes) {
    return new Message(null, Bytes.wrap(new byte[bytes]), null, "t", null, null, Bytes.EMPTY);
  }

  private static Rpc subscriptions(int count) {
    return Rpc.ofSubscriptions(Collections.nCopies(count, new Subscription(true, "t")));
  }

  private static Rpc messages(int count) {
    Message message = new Message(null, null, null, "t", null, null, Bytes.EMPTY);
    return new Rpc(
        List.of(), Collections.nCopies(count, message), List.of(), List.of(), List.of(), List.of());
  }

  private static Rpc ihave(int count, int ids) {
    return Rpc.ofIHave(Collections.nCopies(count, new IHave("t", ids(ids))));
  }

  private static Rpc iwant(int count, int ids) {
    return new Rpc(
        List.of(),
        List.of(),
        List.of(),
        Collections.nCopies(count, new IWant(ids(ids))),
        List.of(),
        List.of());
  }

  private static Rpc grafts(int count) {
    return Rpc.ofMesh(Collections.nCopies(count, new Graft("t")), List.of());
  }

  private static Rpc prunes(int count, int peers) {
    List<PeerInfo> infos = new ArrayList<>();
    for (int i = 0; i < peers; i++) {
      infos.add(new PeerInfo(Bytes.EMPTY, null));
    }
    return Rpc.ofMesh(List.of(), Collections.nCopies(count, new Prune("t", infos, 0)));
  }

  private static List<Bytes> ids(int count) {
    return Collections.nCopies(count, Bytes.of((byte) 1));
  }

  @Test
  void agreesWithTheSchemaOnRandomRpcs() throws Exception {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      RPC.Builder rpc = RPC.newBuilder();
      for (int i = random.nextInt(3); i > 0; i--) {
        rpc.addSubscriptions(
            RPC.SubOpts.newBuilder().setSubscribe(random.nextBoolean()).setTopicid("t" + i));
      }
      for (int i = random.nextInt(3); i > 0; i--) {
        byte[] data = new byte[random.nextInt(300)];
        random.nextBytes(data);
        dev.troupe.protocol.gossipsub.proto.Message.Builder message =
            dev.troupe.protocol.gossipsub.proto.Message.newBuilder().setTopic("topic" + i);
        if (random.nextBoolean()) {
          message.setData(ByteString.copyFrom(data));
        }
        if (random.nextBoolean()) {
          message.setFrom(ByteString.copyFromUtf8("author"));
        }
        rpc.addPublish(message);
      }
      Bytes theirs = Bytes.wrap(rpc.build().toByteArray());
      assertEquals(theirs, RpcCodec.encode(RpcCodec.decode(theirs)));
    }
  }
}
