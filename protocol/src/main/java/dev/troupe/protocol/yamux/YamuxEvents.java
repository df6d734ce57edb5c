package dev.troupe.protocol.yamux;

import java.nio.ByteBuffer;

/** Hears of a {@link YamuxSession}, from inside the calls that cause the events. */
public interface YamuxEvents {

  /** The remote opened a stream. */
  void onStreamOpened(int stream);

  /**
   * Bytes came, within what was requested.
   *
   * @param data on the heap; may be kept
   */
  void onStreamData(int stream, ByteBuffer data);

  /** There is room to write again after a write that was cut short. */
  void onStreamWritable(int stream);

  /** The remote will send no more, and all that it sent has been delivered. */
  void onStreamRemoteClosed(int stream);

  /** Both directions are closed; the stream is over. */
  void onStreamClosed(int stream);

  /** The remote ended the stream at once; the stream is over. */
  void onStreamReset(int stream, long code);

  /** The remote said that it will take no more streams. */
  void onGoAway(long code);
}
