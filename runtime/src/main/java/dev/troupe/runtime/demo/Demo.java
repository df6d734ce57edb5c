package dev.troupe.runtime.demo;

import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.dht.DhtMode;
import dev.troupe.actors.dht.DhtSettings;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.peer.PeerSettings;
import dev.troupe.actors.peermanager.PeerManager;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.embedding.Troupe;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Five peers over TCP on this machine, one of them the bootstrap. The other four subscribe to a
 * topic before they are ready, find each other through the DHT, and talk until everyone has heard
 * everyone; then one leaves.
 */
public final class Demo {

  private static final String TOPIC = "green-room";
  private static final List<String> PLAYERS = List.of("ariel", "banquo", "cordelia", "duncan");
  private static final long LIMIT_SECONDS = 25;

  private final PrintStream out;
  private final long startedAt = System.nanoTime();
  private final Map<PeerId, Player> players = new LinkedHashMap<>();

  private Demo(PrintStream out) {
    this.out = out;
  }

  /**
   * Runs the demo.
   *
   * @return whether every message reached everyone in time
   */
  public static boolean run(PrintStream out) {
    Demo demo = new Demo(out);
    try (Troupe troupe = Troupe.start()) {
      demo.play(troupe);
      return true;
    } catch (TimeoutException e) {
      demo.say("demo", "not done within " + LIMIT_SECONDS + " s");
      return false;
    } catch (ExecutionException | MalformedException e) {
      demo.say("demo", "failed: " + e.getMessage());
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** One of the peers, and what the narrator knows of it. */
  private final class Player {
    final EmbeddedPeer peer;
    final String name;
    final long bornAt = System.nanoTime();
    final CompletableFuture<Void> meshed = new CompletableFuture<>();
    final CompletableFuture<Void> heardAll = new CompletableFuture<>();
    final CompletableFuture<Void> sawLeaving = new CompletableFuture<>();
    final Set<PeerId> heard = new LinkedHashSet<>();
    final Set<PeerId> present = new LinkedHashSet<>();
    volatile long readyAfterNanos = -1;
    volatile int table;
    volatile int mesh;
    volatile int sent;
    volatile int received;

    Player(EmbeddedPeer peer) {
      this.peer = peer;
      this.name = peer.alias();
    }

    void onDht(Dht.StateChanged changed) {
      table = changed.peers();
      if (changed.state() == Dht.State.READY && readyAfterNanos < 0) {
        readyAfterNanos = System.nanoTime() - bornAt;
        say(
            name,
            "ready after "
                + millis(readyAfterNanos)
                + " ms, with "
                + changed.peers()
                + " peer(s) in its routing table");
      }
    }

    void onTopic(Gossip.TopicEvent event) {
      if (event instanceof Gossip.Advertised advertised) {
        say(name, "advertised '" + TOPIC + "' at " + advertised.peers() + " peer(s)");
      } else if (event instanceof Gossip.Discovered discovered) {
        say(name, "discovered " + names(discovered.peers()));
      } else if (event instanceof Gossip.PeerJoined joined) {
        present.add(joined.peer());
        say(name, "sees " + nameOf(joined.peer()) + " in '" + TOPIC + "'");
        if (present.size() == PLAYERS.size() - 1) {
          meshed.complete(null);
        }
      } else if (event instanceof Gossip.MeshFormed formed) {
        say(name, "mesh formed with " + formed.peers() + " peer(s)");
      } else if (event instanceof Gossip.Message message) {
        received++;
        say(name, "heard " + nameOf(message.from()) + ": " + message.data().utf8());
        heard.add(message.from());
        if (heard.size() == PLAYERS.size() - 1) {
          heardAll.complete(null);
        }
      } else if (event instanceof Gossip.PeerLeft left) {
        say(name, nameOf(left.peer()) + " left '" + TOPIC + "'");
        sawLeaving.complete(null);
      }
    }
  }

  private void play(Troupe troupe)
      throws InterruptedException, ExecutionException, TimeoutException, MalformedException {
    say("demo", "five peers on this machine; one of them is the bootstrap");
    Player bootstrap = start(troupe, "bootstrap", DhtMode.SERVER, List.of());
    List<Player> all = new ArrayList<>(List.of(bootstrap));
    for (String name : PLAYERS) {
      all.add(start(troupe, name, DhtMode.AUTO, bootstrap.peer.addresses()));
    }
    List<Player> speakers = all.subList(1, all.size());
    for (Player player : speakers) {
      await(player.peer.subscribe(TOPIC, player::onTopic));
      say(player.name, "subscribed to '" + TOPIC + "'");
      Dht.StateChanged dht = await(player.peer.dhtState());
      if (dht.state() == Dht.State.BOOTSTRAPPING) {
        say(player.name, "bootstrapping: " + dht.stashed() + " DHT operation(s) queued");
      }
    }
    for (Player player : speakers) {
      await(player.meshed);
    }
    for (Player player : speakers) {
      Gossip.PublishReply reply =
          await(player.peer.publish(TOPIC, Bytes.utf8("good evening from " + player.name)));
      if (reply instanceof Gossip.Published) {
        player.sent++;
      }
    }
    for (Player player : speakers) {
      await(player.heardAll);
    }
    say("demo", "every message has reached everyone");
    for (Player player : all) {
      player.mesh = await(player.peer.topicPeers(TOPIC)).mesh().size();
      player.table = await(player.peer.dhtState()).peers();
    }
    Player leaver = speakers.get(speakers.size() - 1);
    await(leaver.peer.unsubscribe(TOPIC));
    for (Player player : speakers.subList(0, speakers.size() - 1)) {
      await(player.sawLeaving);
    }
    table(all);
    for (Player player : all) {
      await(player.peer.stop());
    }
    say("demo", "done");
  }

  private Player start(Troupe troupe, String name, DhtMode mode, List<Multiaddr> bootstrap)
      throws InterruptedException, ExecutionException, TimeoutException, MalformedException {
    PeerSettings settings =
        PeerSettings.of(troupe.newIdentity(), List.of(Multiaddr.parse("/ip4/127.0.0.1/tcp/0")))
            .withDht(DhtSettings.DEFAULT.withMode(mode).withBootstrapPeers(bootstrap));
    PeerManager.CreateReply reply = await(troupe.createPeer(name, settings));
    if (!(reply instanceof PeerManager.Created created)) {
      throw new ExecutionException(
          new IllegalStateException(((PeerManager.CreateRefused) reply).message()));
    }
    Player player = new Player(troupe.embed(created));
    synchronized (players) {
      players.put(created.id(), player);
    }
    say(name, "listens at " + created.addresses().get(0));
    player.peer.onDht(player::onDht);
    return player;
  }

  private <T> T await(CompletionStage<T> stage)
      throws InterruptedException, ExecutionException, TimeoutException {
    long left = TimeUnit.SECONDS.toNanos(LIMIT_SECONDS) - (System.nanoTime() - startedAt);
    return stage.toCompletableFuture().get(Math.max(1, left), TimeUnit.NANOSECONDS);
  }

  private String nameOf(PeerId id) {
    synchronized (players) {
      Player player = players.get(id);
      return player == null ? id.toString() : player.name;
    }
  }

  private String names(List<PeerId> ids) {
    return ids.isEmpty()
        ? "nobody yet"
        : String.join(", ", ids.stream().map(this::nameOf).toList());
  }

  private void say(String who, String what) {
    out.printf(
        Locale.ROOT, "%8.3f s  %-10s %s%n", (System.nanoTime() - startedAt) / 1e9, who, what);
  }

  private static long millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }

  private void table(List<Player> all) {
    out.println();
    out.printf(
        "%-10s %13s %5s %5s %9s %14s%n",
        "peer", "routing table", "mesh", "sent", "received", "time to ready");
    for (Player player : all) {
      out.printf(
          "%-10s %13d %5d %5d %9d %11d ms%n",
          player.name,
          player.table,
          player.mesh,
          player.sent,
          player.received,
          millis(Math.max(0, player.readyAfterNanos)));
    }
    out.println();
  }
}
