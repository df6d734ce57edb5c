package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;

/** RPCs that js-libp2p encoded. */
record JsVectors(String author, Bytes rpc) {

  static JsVectors named(String name) {
    try (InputStream in = JsVectors.class.getResourceAsStream("js-rpc.txt")) {
      String all = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.US_ASCII);
      return all.lines()
          .map(line -> line.split(" "))
          .filter(parts -> parts[0].equals(name))
          .map(parts -> new JsVectors(parts[1], Bytes.wrap(HexFormat.of().parseHex(parts[2]))))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
