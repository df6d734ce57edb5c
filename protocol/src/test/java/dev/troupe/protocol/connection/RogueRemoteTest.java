package dev.troupe.protocol.connection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.connection.ConnectionCloseReason.Kind;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseHandshake;
import dev.troupe.protocol.noise.NoiseKey;
import dev.troupe.protocol.noise.NoiseTransport;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A listener against a dialer that knows every layer and breaks one of them. */
class RogueRemoteTest {

  private static final String HEADER = "/multistream/1.0.0";
  private static final ProtocolId YAMUX = ProtocolId.of("/yamux/1.0.0");

  private final ConnectionPair pair = new ConnectionPair(1, null);
  private final ConnectionPair.Side victim = pair.listener;

  private void assertEnded(Kind kind) {
    ConnectionCloseReason end = victim.end;
    assertNotNull(end, "still open");
    assertEquals(kind, end.kind(), end.message());
    assertFalse(end.message().isBlank());
    assertEquals(Long.MAX_VALUE, victim.machine.deadlineNanos());
    assertEquals(-1, victim.machine.openStream(pair.now));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: a program that speaks HTTP\r\n\r\n",
        "\u0000",
        "\u0012/multistream/1.0.0\n",
        "\u0013/multistream/2.0.0\n",
        "\u0003na\n",
        "\u0080\u0080\u0001",
        "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff"
      })
  void whatIsNotMultistreamEndsTheHandshake(String bytes) {
    victim.machine.start(pair.now);
    victim.machine.receive(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)), pair.now);
    assertEnded(Kind.HANDSHAKE_FAILED);
  }

  @Test
  void aLineOverTheLimitEndsTheHandshakeBeforeItHasCome() {
    victim.machine.start(pair.now);
    victim.machine.receive(ByteBuffer.wrap(line(HEADER)), pair.now);
    victim.machine.receive(ByteBuffer.wrap(new byte[] {(byte) 0x81, 0x08}), pair.now);
    assertEnded(Kind.HANDSHAKE_FAILED);
  }

  @Test
  void proposalsWithoutEndAreBounded() {
    victim.machine.start(pair.now);
    victim.machine.receive(ByteBuffer.wrap(line(HEADER)), pair.now);
    for (int i = 0; i < 100; i++) {
      victim.machine.receive(ByteBuffer.wrap(line("/tls/" + i)), pair.now);
    }
    assertEnded(Kind.HANDSHAKE_FAILED);
  }

  @Test
  void aDialerThatFindsNothingInCommonSaysSo() {
    ConnectionPair.Side dialer = pair.dialer;
    dialer.machine.start(pair.now);
    dialer.machine.receive(ByteBuffer.wrap(line(HEADER)), pair.now);
    dialer.machine.receive(ByteBuffer.wrap(line("na")), pair.now);
    assertNotNull(dialer.end);
    assertEquals(Kind.NOTHING_IN_COMMON, dialer.end.kind());
  }

  @Test
  void aLinkLostBeforeTheHandshakeIsLost() {
    victim.machine.start(pair.now);
    victim.machine.onTransportClosed(pair.now);
    assertEnded(Kind.LOST);
  }

  @Test
  void handshakeMessagesOfAnyLengthAndContentAreSurvived() {
    for (int seed = 0; seed < 200; seed++) {
      ConnectionPair fresh = new ConnectionPair(seed, null);
      fresh.listener.machine.start(fresh.now);
      fresh.listener.machine.receive(ByteBuffer.wrap(line(HEADER)), fresh.now);
      fresh.listener.machine.receive(ByteBuffer.wrap(line("/noise")), fresh.now);
      Random random = new Random(seed);
      for (int i = 0; i < 3; i++) {
        byte[] message = new byte[seed % 4 == 0 ? random.nextInt(40) : random.nextInt(65_535)];
        random.nextBytes(message);
        fresh.listener.machine.receive(ByteBuffer.wrap(framed(message)), fresh.now);
      }
      assertNotNull(fresh.listener.end);
      assertEquals(Kind.HANDSHAKE_FAILED, fresh.listener.end.kind());
    }
  }

  @Test
  void aWrongPeerIsNotToldWhoWeAre() throws MalformedException {
    ConnectionPair other = new ConnectionPair(1, ConnectionPair.key(7).peerId());
    other.dialer.machine.start(other.now);
    other.listener.machine.start(other.now);
    other.settle();
    assertNotNull(other.dialer.end);
    assertEquals(Kind.WRONG_PEER, other.dialer.end.kind());
    assertFalse(other.dialer.machine.hasOutput());
    assertNull(other.listener.remote, "the listener never learnt who dialled");
  }

  @Test
  void anOrdinaryRemoteIsSecured() throws MalformedException {
    Rogue rogue = new Rogue(YAMUX);
    assertEquals(ConnectionPair.key(9).peerId(), victim.remote);
    rogue.send(frame(0, 1, 1, new byte[] {5}));
    assertEquals(List.of(1), victim.opened);
    assertEquals(Bytes.of((byte) 5), Bytes.of(victim.received(1)));
  }

  @Test
  void aRemoteWithoutEarlyMuxersNegotiatesInside() throws MalformedException {
    Rogue rogue = new Rogue();
    assertNull(victim.remote);
    rogue.send(
        line(HEADER), line("/mplex/6.7.0"), line("/yamux/1.0.0"), frame(0, 1, 1, new byte[3]));
    assertEquals(ConnectionPair.key(9).peerId(), victim.remote);
    assertEquals(List.of(1), victim.opened);
    String answers = new String(rogue.received(), StandardCharsets.ISO_8859_1);
    assertTrue(answers.startsWith("\u0013/multistream/1.0.0\n\u0003na\n\r/yamux/1.0.0\n"), answers);
  }

  @Test
  void oversizeLinesAndGarbageInsideNoiseEndTheHandshake() throws MalformedException {
    Rogue rogue = new Rogue();
    rogue.send(new byte[] {(byte) 0xff, (byte) 0xff, 0x01});
    assertEnded(Kind.HANDSHAKE_FAILED);
    assertNull(victim.remote);
  }

  @Test
  void muxersWithNothingInCommonEndTheHandshake() throws MalformedException {
    new Rogue(ProtocolId.of("/mplex/6.7.0"));
    assertEnded(Kind.NOTHING_IN_COMMON);
  }

  @Test
  void aRecordChangedOrShorterThanItsTagIsAViolation() throws MalformedException {
    new Rogue(YAMUX).raw(framed(new byte[15]));
    assertEnded(Kind.PROTOCOL_VIOLATION);
  }

  @Test
  void aRecordOfRandomBytesIsAViolation() throws MalformedException {
    byte[] random = new byte[60_000];
    new Random(4).nextBytes(random);
    new Rogue(YAMUX).raw(framed(random));
    assertEnded(Kind.PROTOCOL_VIOLATION);
  }

  @Test
  void aRecordOfNoDataIsHarmless() throws MalformedException {
    Rogue rogue = new Rogue(YAMUX);
    rogue.send(new byte[0]);
    rogue.send(frame(0, 1, 1, new byte[1]));
    assertNull(victim.end);
    assertEquals(List.of(1), victim.opened);
  }

  @Test
  void yamuxGarbageIsAViolationThatTheRemoteIsTold() throws MalformedException {
    Rogue rogue = new Rogue(YAMUX);
    rogue.received();
    rogue.send(new byte[] {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9});
    assertEnded(Kind.PROTOCOL_VIOLATION);
    assertEquals(
        Bytes.fromHex("000300000000000000000001"), Bytes.of(rogue.received()), "go away, code 1");
    assertFalse(victim.machine.hasOutput());
  }

  @Test
  void aWindowOverrunIsAViolationEvenWhenNobodyReads() throws MalformedException {
    victim.readEverything = false;
    Rogue rogue = new Rogue(YAMUX);
    rogue.send(frame(1, 1, 1, 0));
    for (int i = 0; i < 4; i++) {
      rogue.send(frame(0, 0, 1, new byte[65_000]));
    }
    assertNull(victim.end);
    rogue.send(frame(0, 0, 1, new byte[65_000]));
    assertEnded(Kind.PROTOCOL_VIOLATION);
  }

  @Test
  void aFloodOfSynEndsTheConnectionAndNoOther() throws MalformedException {
    victim.readEverything = false;
    Rogue rogue = new Rogue(YAMUX);
    for (int id = 1; victim.end == null && id < 50_000; id += 2) {
      rogue.send(frame(1, 1, id, 0));
    }
    assertEnded(Kind.PROTOCOL_VIOLATION);
    assertTrue(victim.opened.size() <= 1024);
  }

  @Test
  void randomFramesAreSurvived() throws MalformedException {
    for (int seed = 0; seed < 60; seed++) {
      RogueRemoteTest fresh = new RogueRemoteTest();
      Rogue rogue = fresh.new Rogue(YAMUX);
      Random random = new Random(seed);
      for (int i = 0; i < 200 && fresh.victim.end == null; i++) {
        byte[] bytes;
        if (random.nextInt(4) == 0) {
          bytes = frame(0, random.nextInt(16), 1 + random.nextInt(6), new byte[random.nextInt(99)]);
        } else {
          bytes =
              frame(
                  1 + random.nextInt(2),
                  random.nextInt(16),
                  random.nextInt(7),
                  random.nextInt(5) == 0 ? random.nextInt() : random.nextInt(1000));
        }
        rogue.send(bytes);
        if (!fresh.victim.opened.isEmpty()) {
          int stream = fresh.victim.opened.get(random.nextInt(fresh.victim.opened.size()));
          switch (random.nextInt(4)) {
            case 0 -> fresh.victim.machine.write(stream, ByteBuffer.allocate(100), fresh.pair.now);
            case 1 -> fresh.victim.machine.closeWrite(stream, fresh.pair.now);
            case 2 -> fresh.victim.machine.reset(stream, 1, fresh.pair.now);
            default -> fresh.victim.machine.openStream(fresh.pair.now);
          }
        }
      }
      if (fresh.victim.end != null) {
        Kind kind = fresh.victim.end.kind();
        assertTrue(kind == Kind.PROTOCOL_VIOLATION || kind == Kind.CLOSED_BY_REMOTE, "" + kind);
      }
    }
  }

  @Test
  void callsAfterTheEndDoNothing() throws MalformedException {
    Rogue rogue = new Rogue(YAMUX);
    rogue.send(frame(0, 1, 1, new byte[1]));
    victim.machine.close(0, "done", pair.now);
    ConnectionCloseReason first = victim.end;
    victim.machine.close(0, "again", pair.now);
    victim.machine.onTransportClosed(pair.now);
    victim.machine.onDeadline(Long.MAX_VALUE / 2);
    rogue.send(frame(0, 0, 1, new byte[1]));
    victim.machine.reset(1, 0, pair.now);
    victim.machine.closeWrite(1, pair.now);
    victim.machine.request(1, 1, pair.now);
    assertEquals(0, victim.machine.write(1, ByteBuffer.allocate(1), pair.now));
    assertEquals(first, victim.end);
    assertEquals(1, victim.received(1).length);
  }

  private static byte[] line(String text) {
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(bytes.length);
    out.writeBytes(bytes);
    return out.toByteArray();
  }

  private static byte[] framed(byte[] message) {
    return ByteBuffer.allocate(2 + message.length)
        .putShort((short) message.length)
        .put(message)
        .array();
  }

  private static byte[] frame(int type, int flags, int stream, int length) {
    return ByteBuffer.allocate(12)
        .put((byte) 0)
        .put((byte) type)
        .putShort((short) flags)
        .putInt(stream)
        .putInt(length)
        .array();
  }

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    return ByteBuffer.allocate(12 + payload.length)
        .put(frame(type, flags, stream, payload.length))
        .put(payload)
        .array();
  }

  /** A dialer up to the end of the handshake; what follows is up to the test. */
  private final class Rogue {
    private final NoiseTransport noise;

    Rogue(ProtocolId... muxers) throws MalformedException {
      victim.machine.start(pair.now);
      NoiseHandshake handshake =
          new NoiseHandshake(
              ConnectionPair.CRYPTO,
              pair.random::nextBytes,
              NoiseKey.generate(
                  ConnectionPair.CRYPTO, pair.random::nextBytes, ConnectionPair.key(9)),
              List.of(muxers),
              true);
      raw(line(HEADER), line("/noise"));
      int skipped = line(HEADER).length + line("/noise").length;
      assertEquals(skipped, output().remaining());
      raw(framed(handshake.write()));
      ByteBuffer answer = output();
      byte[] second = new byte[answer.getShort() & 0xffff];
      answer.get(second);
      handshake.read(second);
      raw(framed(handshake.write()));
      noise = handshake.transport();
    }

    void raw(byte[]... parts) {
      for (byte[] part : parts) {
        victim.machine.receive(ByteBuffer.wrap(part), pair.now);
      }
    }

    /** All parts in one record. */
    void send(byte[]... parts) {
      ByteArrayOutputStream plaintext = new ByteArrayOutputStream();
      for (byte[] part : parts) {
        plaintext.writeBytes(part);
      }
      ByteBuffer sealed = ByteBuffer.allocate(plaintext.size() + 16);
      noise.seal(ByteBuffer.wrap(plaintext.toByteArray()), sealed);
      raw(framed(sealed.array()));
    }

    /** What the victim has sent since, decrypted. */
    byte[] received() throws MalformedException {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      ByteBuffer in = output();
      while (in.hasRemaining()) {
        byte[] record = new byte[in.getShort() & 0xffff];
        in.get(record);
        ByteBuffer plaintext = ByteBuffer.allocate(record.length - 16);
        noise.open(ByteBuffer.wrap(record), plaintext);
        all.writeBytes(plaintext.array());
      }
      return all.toByteArray();
    }

    private ByteBuffer output() {
      ByteBuffer out = ByteBuffer.allocate(1 << 20);
      victim.machine.transmit(out, victim.scratch, pair.now);
      return out.flip();
    }
  }
}
