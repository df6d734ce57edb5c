package dev.troupe.protocol.connection;

import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multistream.ProtocolId;
import java.nio.ByteBuffer;

/** Hears of a {@link ConnectionMachine}, from inside the calls that cause the events. */
public interface ConnectionEvents {

  /** The remote has proven who it is, and streams can be opened. */
  void onSecured(PeerId remote, PublicKey key, ProtocolId muxer);

  /** The remote opened a stream. */
  void onStreamOpened(int stream);

  /** Bytes came, within what was requested; on the heap, may be kept. */
  void onStreamData(int stream, ByteBuffer data);

  /** There is room to write again after a write that was cut short. */
  void onStreamWritable(int stream);

  /** The remote will send no more on the stream. */
  void onStreamRemoteClosed(int stream);

  /** Both directions are closed; the stream is over. */
  void onStreamClosed(int stream);

  /** The remote ended the stream at once; it is over. */
  void onStreamReset(int stream, long code);

  /**
   * The connection has ended, and all its streams with it; nothing follows. What {@link
   * ConnectionMachine#transmit} still has is to be sent before the transport is closed.
   */
  void onClosed(ConnectionCloseReason reason);
}
