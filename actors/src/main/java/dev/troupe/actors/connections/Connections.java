package dev.troupe.actors.connections;

import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.Identification;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** CONTRACT (handlers follow). */
public final class Connections {

  /** What connections is told. */
  public sealed interface Command {}

  /**
   * Asks to be connected to a peer: answered at once when it is, otherwise after one dial of all its known addresses. Whoever asks
   * while that dial is under way shares it.
   *
   * @param addresses where to dial beside what the address book knows, without {@code /p2p}; may be empty
   */
  public record Connect(PeerId peer, List<Multiaddr> addresses, ActorRef<ConnectReply> replyTo)
      implements Command {
    public Connect {
      addresses = List.copyOf(addresses);
    }
  }

  /** Asks to dial one address, whoever answers there (or the peer that its {@code /p2p} names). */
  public record ConnectTo(Multiaddr address, ActorRef<ConnectReply> replyTo) implements Command {}

  /** Asks to close all connections to a peer and to call off its dial. */
  public record Disconnect(PeerId peer, ActorRef<DisconnectReply> replyTo) implements Command {}

  /** Asks who is connected. */
  public record GetConnected(ActorRef<ConnectedPeers> replyTo) implements Command {}

  /**
   * Asks to hear of every {@link ConnectionsEvent} from now on; those who are connected already are told first, as events. Ends
   * when the subscriber does.
   */
  public record Subscribe(ActorRef<ConnectionsEvent> subscriber) implements Command {}

  /** Keeps the connections to a peer from being trimmed, for as long as at least one tag protects them. */
  public record Protect(PeerId peer, String tag) implements Command {}

  /** Takes one protection back. */
  public record Unprotect(PeerId peer, String tag) implements Command {}

  /** Gives a peer a weight under a tag; where connections must be trimmed, the lowest sums go first. */
  public record Tag(PeerId peer, String tag, int weight) implements Command {}

  /** Takes one tag back. */
  public record Untag(PeerId peer, String tag) implements Command {}

  /** The outcome of {@link Connect} and {@link ConnectTo}. */
  public sealed interface ConnectReply {}

  /** There is a connection to the peer. */
  public record Connected(PeerId peer, Multiaddr address) implements ConnectReply {}

  /**
   * There is none.
   *
   * @param peer null where the dialled address named no peer
   * @param failure the reason that decided; its message names the addresses that were tried and what became of each
   */
  public record ConnectFailed(@Nullable PeerId peer, HostFailure failure) implements ConnectReply {}

  /**
   * The answer to {@link Disconnect}.
   *
   * @param wasConnected whether there was anything to close
   */
  public record DisconnectReply(PeerId peer, boolean wasConnected) {}

  /** The answer to {@link GetConnected}, in the order of connecting. */
  public record ConnectedPeers(List<ConnectedPeer> peers) {
    public ConnectedPeers {
      peers = List.copyOf(peers);
    }
  }

  /**
   * One connected peer.
   *
   * @param address the remote end of its oldest connection
   * @param connections how many connections there are to it
   * @param identification null until it has said who it is
   */
  public record ConnectedPeer(
      PeerId peer,
      Multiaddr address,
      Direction direction,
      int connections,
      @Nullable Identification identification) {}

  private Connections() {}
}
