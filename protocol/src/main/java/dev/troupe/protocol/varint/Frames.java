package dev.troupe.protocol.varint;

import dev.troupe.protocol.Bytes;
import java.nio.ByteBuffer;

/** Puts lengths before messages; {@link FrameDecoder} is the way back. */
public final class Frames {

  private Frames() {}

  /** A message behind its length as a varint. */
  public static byte[] encode(Bytes message) {
    byte[] frame = new byte[Varint.size(message.size()) + message.size()];
    ByteBuffer target = ByteBuffer.wrap(frame);
    Varint.write(message.size(), target);
    target.put(message.asReadOnlyBuffer());
    return frame;
  }
}
