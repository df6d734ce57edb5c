package dev.troupe.protocol.keys;

import dev.troupe.protocol.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/** The keys of the peer-ids specification, and signatures that OpenSSL made with them. */
public final class KeyVectors {
  /** What is signed. */
  public static final byte[] MESSAGE =
      "signed by the keys of the peer-ids specification".getBytes(StandardCharsets.US_ASCII);

  private static final Properties VECTORS = new Properties();

  static {
    try (InputStream in = KeyVectors.class.getResourceAsStream("vectors.properties")) {
      VECTORS.load(in);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private KeyVectors() {}

  /** One of them, such as {@code rsa.public}. */
  public static byte[] get(String name) {
    return Bytes.fromHex(VECTORS.getProperty(name).strip()).toArray();
  }
}
