package dev.troupe.protocol.varint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class FrameDecoderTest {
  private static void feed(FrameDecoder decoder, String hex) {
    decoder.feed(Bytes.fromHex(hex).asReadOnlyBuffer());
  }

  private static int frameSize(int body) {
    return Varint.size(body) + body;
  }

  @Test
  void waitsForTheWholeFrame() throws MalformedException {
    FrameDecoder decoder = new FrameDecoder(300);
    feed(decoder, "03");
    assertNull(decoder.next());
    feed(decoder, "0102");
    assertNull(decoder.next());
    assertEquals(3, decoder.buffered());
    feed(decoder, "0300");
    assertEquals(Bytes.fromHex("010203"), decoder.next());
    assertEquals(Bytes.EMPTY, decoder.next());
    assertNull(decoder.next());
    assertEquals(0, decoder.buffered());
  }

  @Test
  void refusesAFrameBeyondItsBoundBeforeTheBodyComes() throws MalformedException {
    FrameDecoder decoder = new FrameDecoder(3);
    feed(decoder, "03010203");
    assertEquals(3, decoder.next().size());
    feed(decoder, "04");
    assertThrows(MalformedException.class, decoder::next);
    feed(decoder, "0100");
    assertThrows(MalformedException.class, decoder::next, "spent");
    assertEquals(0, decoder.buffered());
  }

  @Test
  void refusesAMalformedLength() {
    FrameDecoder decoder = new FrameDecoder(Integer.MAX_VALUE);
    feed(decoder, "8000");
    assertThrows(MalformedException.class, decoder::next);
  }

  @Property
  void yieldsTheSameFramesHoweverTheBytesArrive(
      @ForAll @Size(max = 20) List<byte[]> bodies, @ForAll @IntRange(min = 1, max = 40) int piece)
      throws MalformedException {
    ByteBuffer stream =
        ByteBuffer.allocate(bodies.stream().mapToInt(b -> frameSize(b.length)).sum());
    bodies.forEach(body -> stream.put(Frames.encode(Bytes.of(body))));
    stream.flip();
    FrameDecoder decoder = new FrameDecoder(1024);
    List<Bytes> frames = new ArrayList<>();
    while (stream.hasRemaining()) {
      int length = Math.min(piece, stream.remaining());
      decoder.feed(stream.slice(stream.position(), length));
      stream.position(stream.position() + length);
      for (Bytes frame = decoder.next(); frame != null; frame = decoder.next()) {
        frames.add(frame);
      }
    }
    assertEquals(bodies.stream().map(Bytes::of).toList(), frames);
    assertEquals(0, decoder.buffered());
  }

  @Property
  void holdsNoMoreThanWasFed(@ForAll @Size(max = 50) List<byte[]> pieces) {
    FrameDecoder decoder = new FrameDecoder(64);
    int fed = 0;
    try {
      for (byte[] piece : pieces) {
        decoder.feed(ByteBuffer.wrap(piece));
        fed += piece.length;
        for (Bytes frame = decoder.next(); frame != null; frame = decoder.next()) {
          fed -= frameSize(frame.size());
        }
        assertEquals(fed, decoder.buffered());
      }
    } catch (MalformedException refused) {
      assertEquals(0, decoder.buffered());
    }
  }

  @Test
  void takesAFrameThatComesInManySmallPieces() throws MalformedException {
    byte[] body = new byte[100_000];
    ByteBuffer frame = ByteBuffer.wrap(Frames.encode(Bytes.of(body)));
    FrameDecoder decoder = new FrameDecoder(body.length);
    while (frame.hasRemaining()) {
      assertNull(decoder.next());
      decoder.feed(frame.slice(frame.position(), 1));
      frame.position(frame.position() + 1);
    }
    assertEquals(Bytes.of(body), decoder.next());
  }
}
