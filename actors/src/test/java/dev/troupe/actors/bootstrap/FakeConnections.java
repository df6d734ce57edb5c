package dev.troupe.actors.bootstrap;

import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.simulation.kernel.SimulatedSystem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Connections among remotes that are up, or refuse, or say nothing, by order of the test. */
public final class FakeConnections {

  /** How a dial takes. */
  public static final Duration LATENCY = Duration.ofMillis(20);

  private final SimulatedSystem system;
  private final Map<PeerId, Multiaddr> addresses = new LinkedHashMap<>();
  private final Map<PeerId, Set<ActorRef<ConnectionsEvent>>> watchers = new LinkedHashMap<>();

  /** Who answers a dial. */
  public final Set<PeerId> up = new LinkedHashSet<>();

  /** Who says nothing to a dial, where the others refuse it. */
  public final Set<PeerId> silent = new LinkedHashSet<>();

  /** Whose connection, where it is to be closed, is gone right after the next dial has found it. */
  public final Set<PeerId> slowToClose = new LinkedHashSet<>();

  /** Who is connected. */
  public final Set<PeerId> connected = new LinkedHashSet<>();

  /** Who is protected from being trimmed. */
  public final Set<PeerId> protectedPeers = new LinkedHashSet<>();

  /** Who was dialled, in order. */
  public final List<PeerId> dials = new ArrayList<>();

  /** Whom nobody wants to dial any more. */
  public final List<PeerId> withdrawn = new ArrayList<>();

  /** Its actor. */
  public final ActorRef<Connections.Command> ref;

  /** Remotes that listen at these addresses, each with {@code /p2p}. */
  public FakeConnections(SimulatedSystem system, List<Multiaddr> remotes) {
    this.system = system;
    remotes.forEach(address -> addresses.put(address.peerId(), address.withoutPeer()));
    ref = system.spawn(behavior(), "connections");
  }

  /** The connection to one is gone. */
  public void lose(PeerId peer) {
    drop(peer);
    system.runUntilIdle();
  }

  private void drop(PeerId peer) {
    connected.remove(peer);
    tell(
        new ConnectionsEvent.PeerDisconnected(
            peer,
            addresses.get(peer),
            Direction.OUTBOUND,
            new HostFailure(HostFailure.Kind.CONNECTION_LOST, "it went away")));
  }

  private void tell(ConnectionsEvent event) {
    watchers
        .getOrDefault(event.peer(), new LinkedHashSet<>())
        .forEach(watcher -> watcher.tell(event));
  }

  private Behavior<Connections.Command> behavior() {
    return Behaviors.receive(Connections.Command.class)
        .onMessage(
            Connections.Watch.class,
            watch -> {
              watchers
                  .computeIfAbsent(watch.peer(), unused -> new LinkedHashSet<>())
                  .add(watch.watcher());
              if (connected.contains(watch.peer())) {
                watch.watcher().tell(connectedEvent(watch.peer()));
              }
              return Behaviors.same();
            })
        .onMessage(
            Connections.Connect.class,
            connect -> {
              connect(connect.peer(), connect.replyTo());
              return Behaviors.same();
            })
        .onMessage(
            Connections.ConnectTo.class,
            connect -> {
              addresses.forEach(
                  (peer, address) -> {
                    if (address.equals(connect.address())) {
                      connect(peer, connect.replyTo());
                    }
                  });
              return Behaviors.same();
            })
        .onMessage(
            Connections.Withdraw.class,
            withdraw -> {
              withdrawn.add(withdraw.peer());
              return Behaviors.same();
            })
        .onMessage(
            Connections.Disconnect.class,
            disconnect -> {
              if (!slowToClose.contains(disconnect.peer())) {
                drop(disconnect.peer());
              }
              disconnect.replyTo().tell(new Connections.DisconnectReply(disconnect.peer(), true));
              return Behaviors.same();
            })
        .onMessage(
            Connections.GetConnected.class,
            get -> {
              get.replyTo()
                  .tell(
                      new Connections.ConnectedPeers(
                          connected.stream()
                              .map(
                                  peer ->
                                      new Connections.ConnectedPeer(
                                          peer, addresses.get(peer), Direction.OUTBOUND, 1, null))
                              .toList()));
              return Behaviors.same();
            })
        .onMessage(
            Connections.Protect.class,
            protect -> {
              protectedPeers.add(protect.peer());
              return Behaviors.same();
            })
        .onMessage(
            Connections.Unprotect.class,
            unprotect -> {
              protectedPeers.remove(unprotect.peer());
              return Behaviors.same();
            })
        .build();
  }

  private ConnectionsEvent connectedEvent(PeerId peer) {
    return new ConnectionsEvent.PeerConnected(peer, addresses.get(peer), Direction.OUTBOUND);
  }

  private void connect(PeerId peer, ActorRef<Connections.ConnectReply> replyTo) {
    if (connected.contains(peer)) {
      replyTo.tell(new Connections.Connected(peer, addresses.get(peer)));
      if (slowToClose.remove(peer)) {
        drop(peer);
      }
      return;
    }
    dials.add(peer);
    if (silent.contains(peer)) {
      return;
    }
    system.schedule(
        LATENCY,
        () -> {
          if (!up.contains(peer)) {
            replyTo.tell(
                new Connections.ConnectFailed(
                    peer, new HostFailure(HostFailure.Kind.REFUSED, "refused by " + peer)));
            return;
          }
          if (connected.add(peer)) {
            tell(connectedEvent(peer));
          }
          replyTo.tell(new Connections.Connected(peer, addresses.get(peer)));
        });
  }
}
