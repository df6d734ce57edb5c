package dev.troupe.actors.gossip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.gossipsub.Rpc;
import dev.troupe.protocol.gossipsub.RpcCodec;
import dev.troupe.protocol.varint.Frames;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InboundRpcsTest {

  private record Delivery(List<Rpc> rpcs, int bytes) {}

  private final List<Delivery> deliveries = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();

  private final InboundRpcs inbound =
      new InboundRpcs(
          new InboundRpcs.Receiver() {
            @Override
            public void received(List<Rpc> rpcs, int bytes) {
              deliveries.add(new Delivery(List.copyOf(rpcs), bytes));
            }

            @Override
            public void malformed(String message) {
              faults.add(message);
            }

            @Override
            public void ended() {}

            @Override
            public void closed() {}
          });

  @Test
  void whatSaysNothingIsLeftOutButItsBytesCount() {
    inbound.onData(ByteBuffer.allocate(1000));
    assertEquals(List.of(new Delivery(List.of(), 1000)), deliveries);
    // A field that nobody knows.
    inbound.onData(ByteBuffer.wrap(new byte[] {3, (byte) 0xa0, 0x06, 0x01}));
    assertEquals(new Delivery(List.of(), 4), deliveries.get(1));
  }

  @Test
  void manyRpcsAreToldInSeveralDeliveriesAndTheirBytesWithTheLast() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<Rpc> all = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      Rpc rpc = Rpc.subscribed(List.of("topic " + i));
      all.add(rpc);
      bytes.writeBytes(Frames.encode(RpcCodec.encode(rpc)));
    }
    inbound.onData(ByteBuffer.wrap(bytes.toByteArray()));
    assertEquals(
        List.of(
            new Delivery(all.subList(0, 256), 0),
            new Delivery(all.subList(256, 512), 0),
            new Delivery(all.subList(512, 600), bytes.size())),
        deliveries);
  }

  @Test
  void whatCameBeforeAMalformedRpcIsToldFirst() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Rpc rpc = Rpc.subscribed(List.of("topic"));
    bytes.writeBytes(Frames.encode(RpcCodec.encode(rpc)));
    bytes.writeBytes(new byte[] {2, 0x0a, 5});
    inbound.onData(ByteBuffer.wrap(bytes.toByteArray()));
    assertEquals(List.of(new Delivery(List.of(rpc), bytes.size())), deliveries);
    assertEquals(1, faults.size());
    inbound.onData(ByteBuffer.allocate(10));
    assertEquals(1, deliveries.size());
  }

  @Test
  void aFrameOfTheLargestSizeIsTakenAndOneByteMoreIsNot() {
    byte[] largest = new byte[RpcCodec.MAX_RPC_BYTES];
    // One field that nobody knows, of all the bytes that are left.
    largest[0] = 0x7a;
    int content = largest.length - 4;
    largest[1] = (byte) (content & 0x7f | 0x80);
    largest[2] = (byte) (content >> 7 & 0x7f | 0x80);
    largest[3] = (byte) (content >> 14);
    inbound.onData(ByteBuffer.wrap(new byte[] {(byte) 0x80, (byte) 0x80, 0x40}));
    inbound.onData(ByteBuffer.wrap(largest));
    assertEquals(List.of(), faults);
    assertEquals(new Delivery(List.of(), largest.length), deliveries.get(1));
    inbound.onData(ByteBuffer.wrap(new byte[] {(byte) 0x81, (byte) 0x80, 0x40}));
    assertTrue(faults.get(0).contains("1048576"), faults.get(0));
  }
}
