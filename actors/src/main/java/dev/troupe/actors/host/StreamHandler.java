package dev.troupe.actors.host;

/** Takes the streams that remotes open for one protocol. */
@FunctionalInterface
public interface StreamHandler {

  /**
   * A remote opened a stream and both sides agreed on its protocol. Called on the connection's
   * event loop: it must not block, and it must {@link Stream#start start} the stream or {@link
   * Stream#reset reset} it, at once or later. A stream that is not started holds at most one window
   * of data.
   */
  void onStream(Stream stream);
}
