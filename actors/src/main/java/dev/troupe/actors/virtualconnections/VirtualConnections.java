package dev.troupe.actors.virtualconnections;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multistream.ProtocolId;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * CONTRACT (handlers follow). Made by {@code static Behavior<Command> create(VirtualConnectionSettings settings, World world, Host
 * host, ActorRef<Connections.Command> connections)}, its supervision included.
 */
public final class VirtualConnections {

  /** What virtual connections are told. */
  public sealed interface Command {}

  /** Asks to receive what remotes send under a protocol. Ends when the receiver does. */
  public record Start(
      ProtocolId protocol, ActorRef<Received> receiver, ActorRef<StartReply> replyTo)
      implements Command {}

  /** Asks to receive nothing more under a protocol. */
  public record Stop(ProtocolId protocol, ActorRef<StopReply> replyTo) implements Command {}

  /**
   * Asks to send a message; messages to one peer under one protocol arrive in the order of asking.
   *
   * @param replyTo answered once: after the remote's acknowledgement, or when the last attempt failed
   */
  public record Send(PeerId peer, ProtocolId protocol, Bytes data, ActorRef<SendReply> replyTo)
      implements Command {}

  /** A message of a remote peer, each once, in order. */
  public record Received(PeerId peer, ProtocolId protocol, Bytes data) {}

  /** The outcome of {@link Start}. */
  public sealed interface StartReply {}

  /** It is received from now on. */
  public record Started(ProtocolId protocol) implements StartReply {}

  /** Somebody receives this protocol already, or one cap or the other is reached. */
  public record StartRefused(ProtocolId protocol, String message) implements StartReply {}

  /** The answer to {@link Stop}. */
  public record StopReply(ProtocolId protocol, boolean wasStarted) {}

  /** The outcome of {@link Send}. */
  public sealed interface SendReply {}

  /**
   * The remote acknowledged it.
   *
   * @param attempts how many times it was sent, 1 to 3
   */
  public record Delivered(PeerId peer, ProtocolId protocol, int attempts) implements SendReply {}

  /**
   * It was not acknowledged; whether the remote has it is unknown unless the reason says so.
   *
   * @param attempts how many times it was tried
   */
  public record SendFailed(
      PeerId peer, ProtocolId protocol, SendFailure reason, String message, int attempts)
      implements SendReply {}

  /** Why a message was not delivered. */
  public enum SendFailure {
    /** No connection to the peer could be made. */
    UNREACHABLE,
    /** The peer does not speak the protocol. */
    PROTOCOL_NOT_SUPPORTED,
    /** No acknowledgement came in time, at any attempt. */
    NOT_ACKNOWLEDGED,
    /** Too many messages wait for this peer already. */
    QUEUE_FULL,
    /** Over the limit of a message. */
    TOO_LARGE,
    /** The peer stops. */
    STOPPING,
    /** The actor crashed with the message under way. */
    CRASHED
  }

  private VirtualConnections() {}
}
