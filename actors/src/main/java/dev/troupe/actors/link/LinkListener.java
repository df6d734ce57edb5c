package dev.troupe.actors.link;

import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;

/** A socket, or its like, that accepts links. Thread-safe. */
public interface LinkListener {

  /**
   * Where it can be dialled: real ports, real interface addresses, without {@code /p2p}. Never
   * empty.
   */
  List<Multiaddr> addresses();

  /**
   * Accepts no more. Links accepted before live on. Idempotent.
   *
   * @param done run, on any thread, once the address is free again
   */
  void close(Runnable done);
}
