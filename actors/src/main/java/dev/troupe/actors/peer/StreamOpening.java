package dev.troupe.actors.peer;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Stream;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A stream on its way to whoever asked for it: called off before it is taken, it is reset. */
final class StreamOpening implements Completion<Stream>, Cancellable {

  private final Host host;
  private final PeerId peer;
  private final List<ProtocolId> protocols;
  private final AtomicBoolean settled = new AtomicBoolean();
  private volatile @Nullable Completion<Stream> completion;
  private volatile @Nullable Cancellable opening;
  private volatile @Nullable Stream stream;

  StreamOpening(Host host, PeerId peer, List<ProtocolId> protocols) {
    this.host = host;
    this.peer = peer;
    this.protocols = List.copyOf(protocols);
  }

  /** Opens it on a connected peer; once. */
  Cancellable start(Completion<Stream> told) {
    completion = told;
    opening = host.openStream(peer, protocols, this);
    return this;
  }

  /** From now on the stream is the caller's; false if it has been called off before. */
  boolean take() {
    return settled.compareAndSet(false, true);
  }

  @Override
  public void succeeded(Stream opened) {
    stream = opened;
    Completion<Stream> told = completion;
    if (settled.get() || told == null) {
      opened.reset(0, "called off");
    } else {
      told.succeeded(opened);
    }
  }

  @Override
  public void failed(HostFailure failure) {
    Completion<Stream> told = completion;
    if (told != null) {
      told.failed(failure);
    }
  }

  @Override
  public void cancel() {
    if (!settled.compareAndSet(false, true)) {
      return;
    }
    Cancellable under = opening;
    if (under != null) {
      under.cancel();
    }
    Stream opened = stream;
    if (opened != null) {
      opened.reset(0, "called off");
    }
  }
}
