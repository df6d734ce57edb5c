package dev.troupe.simulation.testkit;

import dev.troupe.protocol.Bytes;
import java.time.Duration;
import java.util.function.UnaryOperator;

/**
 * What a {@link FakePeer} does with a stream of one protocol. Write one as a lambda on the {@link
 * FakeStream}, or take one of those here.
 */
@FunctionalInterface
public interface Script {

  /** A remote opened a stream, or the fake did. Called once, before anything was read. */
  void onStream(FakeStream stream);

  /** Reads all and never says a word. */
  static Script silent() {
    return stream -> stream.onData(data -> {});
  }

  /** Reads nothing at all: whoever writes to it is stopped by flow control. */
  static Script unread() {
    return stream -> {};
  }

  /** Answers each frame (a message behind its length as a varint) with a frame. */
  static Script answering(UnaryOperator<Bytes> answer) {
    return stream ->
        stream
            .onFrame(frame -> stream.sendFrame(answer.apply(frame)))
            .onRemoteClosed(stream::close);
  }

  /** Sends back whatever comes, as it comes. */
  static Script echoing() {
    return stream -> stream.onData(stream::send).onRemoteClosed(stream::close);
  }

  /** Sends what it is given, whatever is asked, and closes its side. */
  static Script sending(Bytes data) {
    return stream -> {
      stream.onData(ignored -> {}).send(data);
      stream.close();
    };
  }

  /** Closes its side at once, and reads on. */
  static Script closing() {
    return stream -> stream.onData(ignored -> {}).close();
  }

  /** Resets the stream at once. */
  static Script resetting() {
    return FakeStream::reset;
  }

  /** Lets some virtual time pass before it does what another script says. */
  static Script after(Duration delay, Script then) {
    return stream -> stream.after(delay, () -> then.onStream(stream));
  }
}
