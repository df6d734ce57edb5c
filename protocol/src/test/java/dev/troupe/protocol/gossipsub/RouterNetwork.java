package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.gossipsub.Effect.Deliver;
import dev.troupe.protocol.gossipsub.Effect.Send;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiPredicate;

/** Routers that hear each other at once, in order, over encoded RPCs; time moves by heartbeats. */
final class RouterNetwork {

  static final Crypto CRYPTO = new PortableCrypto();

  final List<PeerId> ids = new ArrayList<>();
  final Map<PeerId, Router> routers = new LinkedHashMap<>();
  final Map<PeerId, List<String>> delivered = new LinkedHashMap<>();
  final List<Effect.Rejected> rejected = new ArrayList<>();
  final List<String> trace = new ArrayList<>();
  private final Deque<Runnable> queue = new ArrayDeque<>();
  private final GossipsubSettings settings;

  /** Whether an RPC is lost on its way. */
  BiPredicate<PeerId, Rpc> loss = (to, rpc) -> false;

  long now;

  RouterNetwork(int size, GossipsubSettings settings, long seed) {
    this.settings = settings;
    SplittableRandom seeds = new SplittableRandom(seed);
    for (int i = 0; i < size; i++) {
      PrivateKey key = key(i + 1);
      PeerId id = PeerId.of(key.publicKey());
      ids.add(id);
      routers.put(id, new Router(settings, key, CRYPTO, seeds.split(), 1));
      delivered.put(id, new ArrayList<>());
    }
  }

  static PrivateKey key(int number) {
    byte[] seed = new byte[32];
    seed[0] = (byte) number;
    seed[1] = (byte) (number >> 8);
    return PrivateKey.fromSeed(CRYPTO, seed);
  }

  Router router(int index) {
    return routers.get(ids.get(index));
  }

  /** Connects two; the first opened the connection. */
  void connect(int from, int to) {
    run(from, router(from).addPeer(ids.get(to), GossipsubVersion.V1_1, true, null));
    run(to, router(to).addPeer(ids.get(from), GossipsubVersion.V1_1, false, null));
    settle();
  }

  void connectAll() {
    for (int i = 0; i < ids.size(); i++) {
      for (int j = i + 1; j < ids.size(); j++) {
        connect(i, j);
      }
    }
  }

  void disconnect(int one, int other) {
    run(one, router(one).removePeer(ids.get(other)));
    run(other, router(other).removePeer(ids.get(one)));
    settle();
  }

  void subscribe(int index, String topic) {
    run(index, router(index).subscribe(topic, now));
    settle();
  }

  void subscribeAll(String topic) {
    for (int i = 0; i < ids.size(); i++) {
      subscribe(i, topic);
    }
  }

  void unsubscribe(int index, String topic) {
    run(index, router(index).unsubscribe(topic, now));
    settle();
  }

  int publish(int index, String topic, String text) {
    Publication publication = router(index).publish(topic, Bytes.utf8(text), now).orElseThrow();
    run(index, publication.effects());
    settle();
    return publication.recipients();
  }

  void heartbeat() {
    now += settings.heartbeatInterval().toNanos();
    for (int i = 0; i < ids.size(); i++) {
      run(i, router(i).heartbeat(now));
      settle();
    }
  }

  void heartbeats(int count) {
    for (int i = 0; i < count; i++) {
      heartbeat();
    }
  }

  List<String> delivered(int index) {
    return delivered.get(ids.get(index));
  }

  private void run(int index, List<Effect> effects) {
    carryOut(ids.get(index), effects);
  }

  private void carryOut(PeerId at, List<Effect> effects) {
    for (Effect effect : effects) {
      trace.add(at + " " + effect);
      if (effect instanceof Send send) {
        for (PeerId to : send.to()) {
          queue.add(() -> transmit(at, to, send.rpc()));
        }
      } else if (effect instanceof Deliver deliver) {
        delivered.get(at).add(deliver.message().payload().utf8());
      } else if (effect instanceof Effect.Rejected rejection) {
        rejected.add(rejection);
      }
    }
  }

  private void transmit(PeerId from, PeerId to, Rpc rpc) {
    if (loss.test(to, rpc)) {
      return;
    }
    try {
      carryOut(to, routers.get(to).onRpc(from, RpcCodec.decode(RpcCodec.encode(rpc)), now));
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private void settle() {
    for (Runnable next = queue.poll(); next != null; next = queue.poll()) {
      next.run();
    }
  }
}
