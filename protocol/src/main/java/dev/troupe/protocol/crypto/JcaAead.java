package dev.troupe.protocol.crypto;

import dev.troupe.protocol.MalformedException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Provider;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * ChaCha20-Poly1305 by any provider of the Java cryptography architecture: one cipher, initialised
 * anew for each nonce. The JDK's own refuses the nonce that it was given last, even to decrypt: to
 * open the same counter again takes a new cipher.
 */
public final class JcaAead implements Aead {

  private static final String TRANSFORMATION = "ChaCha20-Poly1305";

  private final @Nullable Provider provider;
  private final SecretKeySpec key;
  private final int mode;
  private Cipher cipher;
  private final byte[] nonce = new byte[12];
  private final ByteBuffer nonceCounter = ByteBuffer.wrap(nonce).order(ByteOrder.LITTLE_ENDIAN);

  /**
   * A cipher in one direction.
   *
   * @param provider null for the JDK's own order of preference
   * @param key 32 bytes
   * @throws IllegalArgumentException if the key has another length
   * @throws IllegalStateException if the provider does not have it
   */
  public JcaAead(@Nullable Provider provider, byte[] key, boolean seal) {
    if (key.length != KEY_BYTES) {
      throw new IllegalArgumentException("a key of " + key.length + " bytes, not " + KEY_BYTES);
    }
    this.provider = provider;
    this.cipher = newCipher(provider);
    this.key = new SecretKeySpec(key, "ChaCha20");
    this.mode = seal ? Cipher.ENCRYPT_MODE : Cipher.DECRYPT_MODE;
  }

  private static Cipher newCipher(@Nullable Provider provider) {
    try {
      return provider == null
          ? Cipher.getInstance(TRANSFORMATION)
          : Cipher.getInstance(TRANSFORMATION, provider);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("no " + TRANSFORMATION, e);
    }
  }

  @Override
  public int seal(long counter, byte[] associatedData, ByteBuffer plaintext, ByteBuffer out) {
    require(Cipher.ENCRYPT_MODE);
    requireRoom(plaintext.remaining() + TAG_BYTES, out);
    try {
      initialise(counter);
      return run(associatedData, plaintext, out);
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
    requireRoom(ciphertext.remaining() - TAG_BYTES, out);
    int start = out.position();
    try {
      try {
        initialise(counter);
      } catch (InvalidKeyException sameNonceAgain) {
        cipher = newCipher(provider);
        initialise(counter);
      }
      return run(associatedData, ciphertext, out);
    } catch (AEADBadTagException e) {
      out.position(start);
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

  private static void requireRoom(int bytes, ByteBuffer out) {
    if (out.remaining() < bytes) {
      throw new BufferOverflowException();
    }
  }

  private void initialise(long counter) throws GeneralSecurityException {
    nonceCounter.putLong(4, counter);
    cipher.init(mode, key, new IvParameterSpec(nonce));
  }

  private int run(byte[] associatedData, ByteBuffer in, ByteBuffer out)
      throws GeneralSecurityException {
    if (associatedData.length > 0) {
      cipher.updateAAD(associatedData);
    }
    return cipher.doFinal(in, out);
  }
}
