package dev.troupe.simulation.world;

import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamListener;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Listeners that write down what they hear. */
final class Recorder {

  private Recorder() {}

  /** The outcome of a call. */
  static final class Outcome<T> implements Completion<T> {
    final List<Object> told = new ArrayList<>();

    @Override
    public void succeeded(T value) {
      told.add(value);
    }

    @Override
    public void failed(HostFailure failure) {
      told.add(failure);
    }

    @SuppressWarnings("unchecked")
    T value() {
      if (told.size() != 1 || told.get(0) instanceof HostFailure) {
        throw new AssertionError("no value but " + told);
      }
      return (T) told.get(0);
    }

    HostFailure.Kind failure() {
      if (told.size() != 1 || !(told.get(0) instanceof HostFailure failure)) {
        throw new AssertionError("no failure but " + told);
      }
      return failure.kind();
    }
  }

  /** What happened on a stream, in order; consecutive data is one entry of the bytes field. */
  static final class Heard implements StreamListener {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    final List<String> events = new ArrayList<>();
    @Nullable Runnable onWritable;

    static Heard of(Stream stream) {
      Heard heard = new Heard();
      stream.start(heard);
      return heard;
    }

    @Override
    public void onData(ByteBuffer data) {
      byte[] copy = new byte[data.remaining()];
      data.get(copy);
      bytes.writeBytes(copy);
    }

    @Override
    public void onWritable() {
      events.add("writable");
      if (onWritable != null) {
        onWritable.run();
      }
    }

    @Override
    public void onRemoteClosed() {
      events.add("remote closed");
    }

    @Override
    public void onClosed(@Nullable HostFailure failure) {
      events.add("closed " + (failure == null ? "in order" : failure.kind()));
    }
  }
}
