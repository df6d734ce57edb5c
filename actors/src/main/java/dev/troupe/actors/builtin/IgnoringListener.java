package dev.troupe.actors.builtin;

import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.StreamListener;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** For a stream that is about to be reset: nothing is requested, nothing is heard. */
final class IgnoringListener implements StreamListener {
  @Override
  public void onData(ByteBuffer data) {
    // Nothing was requested.
  }

  @Override
  public void onWritable() {
    // Nothing is written.
  }

  @Override
  public void onRemoteClosed() {
    // The reset says all.
  }

  @Override
  public void onClosed(@Nullable HostFailure failure) {
    // As intended.
  }
}
