package dev.troupe.actors.peer;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import java.util.List;

/** How a peer answers what it cannot pass on to the child that it is meant for. */
record Refusal(
    HostFailure failure,
    Dht.Reason reason,
    Gossip.Refusal gossipRefusal,
    VirtualConnections.SendFailure sendFailure,
    Presence.Reason presenceReason) {

  /** The peer stops, or has not come to listen. */
  static final Refusal STOPPING =
      new Refusal(
          new HostFailure(HostFailure.Kind.CLOSED, "the peer stops"),
          Dht.Reason.STOPPING,
          Gossip.Refusal.STOPPING,
          VirtualConnections.SendFailure.STOPPING,
          Presence.Reason.STOPPING);

  /** Too much waits for the peer to listen. */
  static final Refusal CROWDED =
      new Refusal(
          new HostFailure(
              HostFailure.Kind.LIMIT_EXCEEDED,
              Peer.STASH + " messages wait for the peer to listen"),
          Dht.Reason.STASH_FULL,
          Gossip.Refusal.OVERLOADED,
          VirtualConnections.SendFailure.QUEUE_FULL,
          Presence.Reason.TOO_MANY);

  private String message() {
    return failure.message();
  }

  void answer(Dht.Command command) {
    Dht.OperationFailed failed = new Dht.OperationFailed(reason, message());
    if (command instanceof Dht.Provide provide) {
      provide.replyTo().tell(failed);
    } else if (command instanceof Dht.StartProviding start) {
      start.replyTo().tell(failed);
    } else if (command instanceof Dht.StopProviding stop) {
      stop.replyTo().tell(failed);
    } else if (command instanceof Dht.StopPutting stop) {
      stop.replyTo().tell(failed);
    } else if (command instanceof Dht.FindProviders find) {
      find.replyTo().tell(failed);
    } else if (command instanceof Dht.PutValue put) {
      put.replyTo().tell(failed);
    } else if (command instanceof Dht.GetValue get) {
      get.replyTo().tell(failed);
    } else if (command instanceof Dht.FindPeer find) {
      find.replyTo().tell(failed);
    } else if (command instanceof Dht.GetState get) {
      get.replyTo().tell(new Dht.StateChanged(Dht.State.DEGRADED, 0, 0));
    } else if (command instanceof Dht.GetTable get) {
      get.replyTo().tell(new Dht.Table(List.of(), List.of(), 0));
    } else if (command instanceof Dht.GetRecords get) {
      get.replyTo().tell(new Dht.Records(0, 0));
    }
  }

  void answer(Health.Command command) {
    if (command instanceof Health.GetReport get) {
      get.replyTo()
          .tell(
              new HealthReport(
                  HealthReport.State.DOWN,
                  Dht.State.DEGRADED,
                  0,
                  0,
                  false,
                  List.of(),
                  List.of(message())));
    } else if (command instanceof Health.Retry retry) {
      retry.replyTo().tell(new BootstrapPool.Declined(message()));
    } else if (command instanceof Health.UseBackup use) {
      use.replyTo().tell(new BootstrapPool.Declined(message()));
    } else if (command instanceof Health.Verify verify) {
      verify.replyTo().tell(new Health.VerifyRefused(message()));
    } else if (command instanceof Health.ProbeReadiness probe) {
      probe.replyTo().tell(new Health.NotReady(0, message()));
    }
  }

  void answer(Gossip.Command command) {
    Gossip.refuse(command, gossipRefusal, message());
  }

  void answer(VirtualConnections.Command command) {
    if (command instanceof VirtualConnections.Start start) {
      start.replyTo().tell(new VirtualConnections.StartRefused(start.protocol(), message()));
    } else if (command instanceof VirtualConnections.Stop stop) {
      stop.replyTo().tell(new VirtualConnections.StopReply(stop.protocol(), false));
    } else if (command instanceof VirtualConnections.Send send) {
      send.replyTo()
          .tell(
              new VirtualConnections.SendFailed(
                  send.peer(), send.protocol(), sendFailure, message(), 0));
    }
  }

  void answer(Presence.Command command) {
    if (command instanceof Presence.Announce announce) {
      announce
          .replyTo()
          .tell(new Presence.AnnounceFailed(announce.identity(), presenceReason, message()));
    } else if (command instanceof Presence.Withdraw withdraw) {
      withdraw.replyTo().tell(new Presence.Withdrawn(withdraw.identity(), false));
    } else if (command instanceof Presence.Find find) {
      find.replyTo().tell(new Presence.FindFailed(find.identity(), presenceReason, message()));
    } else if (command instanceof Presence.GetAnnounced get) {
      get.replyTo().tell(new Presence.AllAnnounced(List.of()));
    }
  }

  void answer(Connections.Command command) {
    if (command instanceof Connections.Connect connect) {
      connect.replyTo().tell(new Connections.ConnectFailed(connect.peer(), failure));
    } else if (command instanceof Connections.ConnectTo connect) {
      connect.replyTo().tell(new Connections.ConnectFailed(connect.address().peerId(), failure));
    } else if (command instanceof Connections.Disconnect disconnect) {
      disconnect.replyTo().tell(new Connections.DisconnectReply(disconnect.peer(), false));
    } else if (command instanceof Connections.Subscribe subscribe && subscribe.replyTo() != null) {
      subscribe.replyTo().tell(new Connections.SubscribeRefused(message()));
    } else if (command instanceof Connections.GetConnected get) {
      get.replyTo().tell(new Connections.ConnectedPeers(List.of()));
    }
  }
}
