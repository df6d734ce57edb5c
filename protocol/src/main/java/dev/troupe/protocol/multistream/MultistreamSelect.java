package dev.troupe.protocol.multistream;

import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.varint.Varint;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One negotiation of multistream-select 1.0, sans I/O. Bytes after the agreement are left in the
 * buffer: they belong to the protocol agreed upon. Not thread-safe.
 *
 * <p>Source: multiformats multistream-select specification; libp2p connection specification,
 * section "Protocol negotiation".
 */
public abstract sealed class MultistreamSelect {

  /** The protocol that negotiates. */
  public static final String HEADER = "/multistream/1.0.0";

  /** How many proposals of a remote are answered before it is given up. */
  public static final int MAX_PROPOSALS = 64;

  private static final String NOT_AVAILABLE = "na";
  private static final String LIST = "ls";

  private final LineReader lines = new LineReader();
  private boolean headerSeen;
  private @Nullable ProtocolId agreed;
  private boolean over;

  private MultistreamSelect() {}

  /**
   * The side that proposes.
   *
   * @param protocols what it can speak, the preferred first; at least one
   */
  public static MultistreamSelect dialer(List<ProtocolId> protocols) {
    return new Dialer(protocols);
  }

  /** The side that chooses. */
  public static MultistreamSelect listener(Predicate<ProtocolId> accepts) {
    return new Listener(accepts);
  }

  /** Says what has to be said first; call it once. */
  public abstract void start(Consumer<ByteBuffer> out);

  /**
   * Takes what the remote said, and answers.
   *
   * @param in read up to the agreement at most
   * @throws MalformedException if the remote does not speak multistream-select
   */
  public final void receive(ByteBuffer in, Consumer<ByteBuffer> out) throws MalformedException {
    while (!over) {
      String line = lines.read(in);
      if (line == null) {
        return;
      }
      if (!headerSeen) {
        if (!line.equals(HEADER)) {
          throw new MalformedException("the remote does not speak " + HEADER);
        }
        headerSeen = true;
      } else {
        onLine(line, out);
      }
    }
  }

  /** Whether it has ended, with or without an agreement. */
  public final boolean isOver() {
    return over;
  }

  /** What was agreed upon; null until then, and when there is nothing that both speak. */
  public final @Nullable ProtocolId agreed() {
    return agreed;
  }

  abstract void onLine(String line, Consumer<ByteBuffer> out) throws MalformedException;

  final void end(@Nullable ProtocolId protocol) {
    agreed = protocol;
    over = true;
  }

  private static ByteBuffer encode(String... lines) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String line : lines) {
      byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
      out.writeBytes(Varint.encode(bytes.length));
      out.writeBytes(bytes);
    }
    return ByteBuffer.wrap(out.toByteArray());
  }

  private static final class Dialer extends MultistreamSelect {
    private final Deque<ProtocolId> proposals;

    Dialer(List<ProtocolId> protocols) {
      if (protocols.isEmpty()) {
        throw new IllegalArgumentException("nothing to propose");
      }
      proposals = new ArrayDeque<>(protocols);
    }

    @Override
    public void start(Consumer<ByteBuffer> out) {
      out.accept(encode(HEADER, proposals.element().value()));
    }

    @Override
    void onLine(String line, Consumer<ByteBuffer> out) throws MalformedException {
      if (line.equals(proposals.element().value())) {
        end(proposals.element());
      } else if (line.equals(NOT_AVAILABLE)) {
        proposals.remove();
        if (proposals.isEmpty()) {
          end(null);
        } else {
          out.accept(encode(proposals.element().value()));
        }
      } else {
        throw new MalformedException("the remote agreed to what was not proposed");
      }
    }
  }

  private static final class Listener extends MultistreamSelect {
    private final Predicate<ProtocolId> accepts;
    private int proposals;

    Listener(Predicate<ProtocolId> accepts) {
      this.accepts = accepts;
    }

    @Override
    public void start(Consumer<ByteBuffer> out) {
      out.accept(encode(HEADER));
    }

    @Override
    void onLine(String line, Consumer<ByteBuffer> out) throws MalformedException {
      if (++proposals > MAX_PROPOSALS) {
        throw new MalformedException("more than " + MAX_PROPOSALS + " proposals");
      }
      // Measured as it would be sent again: what was not UTF-8 has grown.
      int bytes = line.getBytes(StandardCharsets.UTF_8).length;
      if (line.isEmpty() || bytes > ProtocolId.MAX_BYTES || line.indexOf('\n') >= 0) {
        throw new MalformedException("a proposal that is no protocol id");
      }
      if (!line.equals(LIST)) {
        ProtocolId protocol = ProtocolId.of(line);
        if (accepts.test(protocol)) {
          out.accept(encode(line));
          end(protocol);
          return;
        }
      }
      // "ls" is optional in the specification: refused, as by rust-libp2p.
      out.accept(encode(NOT_AVAILABLE));
    }
  }
}
