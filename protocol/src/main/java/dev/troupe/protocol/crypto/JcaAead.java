package dev.troupe.protocol.crypto;

import dev.troupe.protocol.MalformedException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.Provider;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** ChaCha20-Poly1305 by any provider of the Java cryptography architecture: one cipher, initialised anew for each nonce. */
public final class JcaAead implements Aead {

  private static final String TRANSFORMATION = "ChaCha20-Poly1305";

  private final Cipher cipher;
  private final SecretKeySpec key;
  private final int mode;
  private final byte[] nonce = new byte[12];
  private final ByteBuffer nonceCounter =
      ByteBuffer.wrap(nonce).order(ByteOrder.LITTLE_ENDIAN);

  /**
   * A cipher in one direction.
   *
   * @param provider null for the JDK's own order of preference
   * @throws IllegalStateException if the provider does not have it
   */
  public JcaAead(@Nullable Provider provider, byte[] key, boolean seal) {
    try {
      this.cipher =
          provider == null
              ? Cipher.getInstance(TRANSFORMATION)
              : Cipher.getInstance(TRANSFORMATION, provider);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("no " + TRANSFORMATION, e);
    }
    this.key = new SecretKeySpec(key, "ChaCha20");
    this.mode = seal ? Cipher.ENCRYPT_MODE : Cipher.DECRYPT_MODE;
  }

  @Override
  public int seal(long counter, byte[] associatedData, ByteBuffer plaintext, ByteBuffer out) {
    require(Cipher.ENCRYPT_MODE);
    try {
      return run(counter, associatedData, plaintext, out);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot encrypt", e);
    }
  }

  @Override
  public int open(long counter, byte[] associatedData, ByteBuffer ciphertext, ByteBuffer out)
      throws MalformedException {
    require(Cipher.DECRYPT_MODE);
    if (ciphertext.remaining() < TAG_BYTES) {
      throw new MalformedException("a ciphertext shorter than its tag");
    }
    try {
      return run(counter, associatedData, ciphertext, out);
    } catch (AEADBadTagException e) {
      throw new MalformedException("a ciphertext with a wrong tag", e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("cannot decrypt", e);
    }
  }

  private void require(int wanted) {
    if (mode != wanted) {
      throw new IllegalStateException("this cipher works in the other direction");
    }
  }

  private int run(long counter, byte[] associatedData, ByteBuffer in, ByteBuffer out)
      throws GeneralSecurityException {
    nonceCounter.putLong(4, counter);
    cipher.init(mode, key, new IvParameterSpec(nonce));
    if (associatedData.length > 0) {
      cipher.updateAAD(associatedData);
    }
    return cipher.doFinal(in, out);
  }
}
