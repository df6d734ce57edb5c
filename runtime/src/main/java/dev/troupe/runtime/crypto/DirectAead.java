package dev.troupe.runtime.crypto;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Aead;
import java.nio.ByteBuffer;

/**
 * Gives a native cipher direct buffers only. Conscrypt allocates a direct buffer for each call that
 * brings one on the heap, which costs more than the cipher; here each thread has two that serve all
 * its connections.
 */
final class DirectAead implements Aead {

  /** A Noise record and a little: what is larger goes to the cipher as it is. */
  private static final int CAPACITY = 65_536 + TAG_BYTES;

  private static final ThreadLocal<Staging> STAGING = ThreadLocal.withInitial(Staging::new);

  private final Aead cipher;

  DirectAead(Aead cipher) {
    this.cipher = cipher;
  }

  @Override
  public int seal(long counter, byte[] associatedData, ByteBuffer plaintext, ByteBuffer out) {
    int size = plaintext.remaining() + TAG_BYTES;
    if (size > CAPACITY || (plaintext.isDirect() && out.isDirect())) {
      return cipher.seal(counter, associatedData, plaintext, out);
    }
    Staging staging = STAGING.get();
    ByteBuffer in = staging.in(plaintext);
    if (out.isDirect()) {
      return cipher.seal(counter, associatedData, in, out);
    }
    int written = cipher.seal(counter, associatedData, in, staging.out());
    out.put(staging.out.flip());
    return written;
  }

  @Override
  public int open(long counter, byte[] associatedData, ByteBuffer ciphertext, ByteBuffer out)
      throws MalformedException {
    if (ciphertext.remaining() > CAPACITY || (ciphertext.isDirect() && out.isDirect())) {
      return cipher.open(counter, associatedData, ciphertext, out);
    }
    Staging staging = STAGING.get();
    ByteBuffer in = staging.in(ciphertext);
    if (out.isDirect()) {
      return cipher.open(counter, associatedData, in, out);
    }
    int written = cipher.open(counter, associatedData, in, staging.out());
    out.put(staging.out.flip());
    return written;
  }

  private static final class Staging {
    private final ByteBuffer in = ByteBuffer.allocateDirect(CAPACITY);
    private final ByteBuffer out = ByteBuffer.allocateDirect(CAPACITY);

    /** The bytes themselves if they are direct, otherwise a copy; the source counts as read. */
    ByteBuffer in(ByteBuffer source) {
      return source.isDirect() ? source : in.clear().put(source).flip();
    }

    ByteBuffer out() {
      return out.clear();
    }
  }
}
