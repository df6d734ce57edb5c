package dev.troupe.actors.builtin;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.protocol.keys.PeerId;
import org.jspecify.annotations.Nullable;

/**
 * A secured connection that carries streams: by {@link LinkDriver} over a link, later natively by
 * QUIC. Everything but {@link #loop} happens on its event loop.
 */
interface MuxedConnection {

  /** Where everything of this connection happens. */
  EventLoop loop();

  /** Opens a stream, or returns null when a limit is reached or the connection ends. */
  @Nullable MuxedStream openStream();

  /** Whether it has ended. */
  boolean isOver();

  /** Closes it in order. The listener hears {@link Listener#onEnded}. Idempotent. */
  void close(long code, String reason);

  /** Hears of a connection, on its loop. */
  interface Listener {

    /** The remote has proven who it is; streams can be opened. */
    void onSecured(PeerId remote);

    /**
     * The remote opened a stream; {@link MuxedStream#listen} is to be called before this returns.
     */
    void onStream(MuxedStream stream);

    /** It has ended, and all its streams have; told once, secured or not. */
    void onEnded(HostFailure reason);

    /** Nothing of it is left; told once, after {@link #onEnded}. */
    void onReleased();
  }
}
