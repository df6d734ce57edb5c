package dev.troupe.runtime.cli;

import dev.troupe.actors.bootstrap.BootstrapPool;
import dev.troupe.actors.connections.Connections;
import dev.troupe.actors.connections.ConnectionsEvent;
import dev.troupe.actors.dht.Dht;
import dev.troupe.actors.gossip.Gossip;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.peer.Peer;
import dev.troupe.actors.presence.Presence;
import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.cid.Cid;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.ipns.IpnsRecord;
import dev.troupe.protocol.kademlia.Key;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.presence.InvalidPresenceException;
import dev.troupe.protocol.presence.PresenceRecord;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The commands of one peer: each line is answered exactly once, by {@link Output#ok} or {@link
 * Output#failed}, not necessarily in order. At most {@value #MAX_OPEN} are open at once; reading
 * waits for a place.
 */
final class Session {

  static final int MAX_OPEN = 256;

  /** How many providers {@code providers} looks for. */
  private static final int MAX_PROVIDERS = 20;

  private static final Map<String, String> USAGE = new LinkedHashMap<>();

  static {
    USAGE.put("id", "id");
    USAGE.put("connect", "connect ADDR");
    USAGE.put("disconnect", "disconnect PEER");
    USAGE.put("peers", "peers");
    USAGE.put("network", "network");
    USAGE.put("dht", "dht");
    USAGE.put("health", "health");
    USAGE.put("verify", "verify [PEER]");
    USAGE.put("ready", "ready");
    USAGE.put("retry", "retry");
    USAGE.put("use-backup", "use-backup [ADDR]");
    USAGE.put("subscribe", "subscribe TOPIC");
    USAGE.put("unsubscribe", "unsubscribe TOPIC");
    USAGE.put("publish", "publish TOPIC TEXT");
    USAGE.put("topic-peers", "topic-peers TOPIC");
    USAGE.put("put", "put KEY VALUE");
    USAGE.put("get", "get KEY [QUORUM]");
    USAGE.put("name-publish", "name-publish VALUE");
    USAGE.put("name-resolve", "name-resolve NAME");
    USAGE.put("provide", "provide CID-OR-TEXT");
    USAGE.put("unprovide", "unprovide CID-OR-TEXT");
    USAGE.put("providers", "providers CID-OR-TEXT");
    USAGE.put("find", "find PEER");
    USAGE.put("announce", "announce IDENTITY [NAME]");
    USAGE.put("withdraw", "withdraw IDENTITY");
    USAGE.put("presence", "presence");
    USAGE.put("find-presence", "find-presence IDENTITY");
    USAGE.put("ping", "ping PEER [N]");
    USAGE.put("start", "start PROTOCOL");
    USAGE.put("send", "send PEER PROTOCOL TEXT");
    USAGE.put("perf", "perf PEER UPLOAD-BYTES DOWNLOAD-BYTES");
    USAGE.put("help", "help");
    USAGE.put("quit", "quit");
  }

  private final EmbeddedPeer peer;
  private final PrivateKey identity;
  private final Output output;
  private final RecentWalks walks;
  private final Runnable quit;
  private final Semaphore places = new Semaphore(MAX_OPEN);
  private volatile boolean over;

  /**
   * The session of a peer.
   *
   * @param identity that of the peer, under which it publishes
   * @param walks the last ones of the DHT
   */
  Session(EmbeddedPeer peer, PrivateKey identity, Output output, RecentWalks walks, Runnable quit) {
    this.peer = peer;
    this.identity = identity;
    this.output = output;
    this.walks = walks;
    this.quit = quit;
  }

  boolean isOver() {
    return over;
  }

  /** Says where the peer listens, and reports how it and its DHT are. */
  void announce() {
    output.event(
        "listening", fields("peer", peer.id().toString(), "addrs", texts(peer.addresses())));
    peer.onDht(this::onDht);
    peer.onHealth(this::onHealth);
  }

  /** Announces, reports who comes and goes as well, and subscribes. */
  void start(List<String> topics) {
    announce();
    peer.onConnections(this::onConnection);
    topics.forEach(
        topic ->
            peer.subscribe(topic, this::onTopic)
                .thenAccept(
                    reply -> {
                      if (reply instanceof Gossip.SubscribeRefused refused) {
                        output.failed("subscribe", 0, "refused", refused.message());
                      }
                    }));
  }

  /** Answers a line of which only the start was read. */
  void refuseLong(int line, String start, int most) {
    String command = start.strip().split("\\s+", 2)[0];
    output.failed(
        command.length() > 32 ? command.substring(0, 32) : command,
        line,
        "line-too-long",
        "a line has " + most + " characters at most");
  }

  /** Runs one line; waits while too many are open. */
  void run(int line, String text) {
    String trimmed = text.strip();
    if (trimmed.isEmpty() || over) {
      return;
    }
    String[] words = trimmed.split("\\s+", 2);
    String command = words[0];
    String usage = USAGE.get(command);
    if (usage == null) {
      output.failed(command, line, "unknown-command", "no command '" + command + "'; try help");
      return;
    }
    Request request = new Request(command, line, words.length > 1 ? words[1] : "", usage);
    places.acquireUninterruptibly();
    CompletionStage<?> reply;
    try {
      reply = dispatch(request);
    } catch (MalformedException | IllegalArgumentException e) {
      output.failed(command, line, "bad-argument", String.valueOf(e.getMessage()));
      places.release();
      return;
    }
    reply.whenComplete(
        (done, error) -> {
          if (error != null) {
            output.failed(command, line, "no-reply", String.valueOf(error.getMessage()));
          }
          places.release();
        });
  }

  /** Waits until everything that was run has been answered. */
  void awaitReplies() {
    places.acquireUninterruptibly(MAX_OPEN);
    places.release(MAX_OPEN);
  }

  /** One line, and how its arguments are read. */
  private record Request(String command, int line, String rest, String usage) {

    /** So many words; the last one takes the rest of the line. */
    String[] words(int least, int most) throws MalformedException {
      String[] words = rest.isEmpty() ? new String[0] : rest.split("\\s+", most);
      if (words.length < least || (most == 0 && words.length > 0)) {
        throw new MalformedException("usage: " + usage);
      }
      return words;
    }

    long number(String word) throws MalformedException {
      if (!word.matches("[0-9]{1,18}")) {
        throw new MalformedException("'" + word + "' is no number; usage: " + usage);
      }
      return Long.parseLong(word);
    }

    int count(String word) throws MalformedException {
      return (int) Math.min(number(word), Integer.MAX_VALUE);
    }
  }

  private CompletionStage<?> dispatch(Request request) throws MalformedException {
    return switch (request.command()) {
      case "id" -> {
        request.words(0, 0);
        yield now(request, fields("peer", peer.id().toString(), "addrs", texts(peer.addresses())));
      }
      case "connect" -> {
        Multiaddr address = Multiaddr.parse(request.words(1, 1)[0]);
        yield answer(request, peer.connectTo(address), this::connected);
      }
      case "disconnect" -> {
        PeerId id = PeerId.parse(request.words(1, 1)[0]);
        yield answer(
            request,
            peer.disconnect(id),
            reply ->
                reply.wasConnected()
                    ? Answer.ok(fields())
                    : Answer.failed("not-connected", "not connected to " + id));
      }
      case "peers" -> {
        request.words(0, 0);
        yield answer(
            request,
            peer.connected(),
            reply ->
                Answer.ok(
                    fields(
                        "peers", reply.peers().stream().map(p -> p.peer().toString()).toList())));
      }
      case "network" -> {
        request.words(0, 0);
        yield network(request);
      }
      case "dht" -> {
        request.words(0, 0);
        yield dht(request);
      }
      case "health" -> {
        request.words(0, 0);
        yield answer(request, peer.health(), report -> Answer.ok(HealthFields.of(report)));
      }
      case "verify" -> {
        String[] words = request.words(0, 1);
        PeerId partner = words.length > 0 ? PeerId.parse(words[0]) : null;
        yield answer(
            request,
            peer.verify(partner),
            reply ->
                reply instanceof Health.Verified verified
                    ? Answer.ok(HealthFields.of(verified))
                    : Answer.failed("refused", ((Health.VerifyRefused) reply).reason()));
      }
      case "ready" -> {
        request.words(0, 0);
        yield answer(
            request,
            peer.probeReadiness(),
            reply ->
                reply instanceof Health.Ready ready
                    ? Answer.ok(
                        fields("attempts", ready.attempts(), "millis", ready.took().toMillis()))
                    : Answer.failed("not-ready", ((Health.NotReady) reply).reason()));
      }
      case "retry" -> {
        request.words(0, 0);
        yield answer(request, peer.retry(), Session::offered);
      }
      case "use-backup" -> {
        String[] words = request.words(0, 1);
        Multiaddr address = words.length > 0 ? Multiaddr.parse(words[0]) : null;
        yield answer(request, peer.useBackup(address), Session::offered);
      }
      case "subscribe" -> {
        String topic = request.words(1, 1)[0];
        yield answer(
            request,
            peer.subscribe(topic, this::onTopic),
            reply ->
                reply instanceof Gossip.SubscribeRefused refused
                    ? Answer.failed("refused", refused.message())
                    : Answer.ok(fields("topic", topic)));
      }
      case "unsubscribe" -> {
        String topic = request.words(1, 1)[0];
        yield answer(
            request,
            peer.unsubscribe(topic),
            reply ->
                reply.wasSubscribed()
                    ? Answer.ok(fields("topic", topic))
                    : Answer.failed("not-subscribed", "not subscribed to " + topic));
      }
      case "publish" -> {
        String[] words = request.words(2, 2);
        yield answer(
            request,
            peer.publish(words[0], Bytes.utf8(words[1])),
            reply ->
                reply instanceof Gossip.PublishRefused refused
                    ? Answer.failed(code(refused.refusal()), refused.message())
                    : Answer.ok(fields("recipients", ((Gossip.Published) reply).recipients())));
      }
      case "topic-peers" -> {
        String topic = request.words(1, 1)[0];
        yield answer(
            request,
            peer.topicPeers(topic),
            reply -> Answer.ok(fields("peers", texts(reply.peers()), "mesh", texts(reply.mesh()))));
      }
      case "put" -> {
        String[] words = request.words(2, 2);
        yield answer(
            request,
            peer.putValue(Bytes.utf8(words[0]), Bytes.utf8(words[1])),
            reply ->
                reply instanceof Dht.ValuePut put
                    ? Answer.ok(fields("key", words[0], "peers", put.peers()))
                    : failed((Dht.OperationFailed) reply));
      }
      case "get" -> {
        String[] words = request.words(1, 2);
        Bytes key = Bytes.utf8(words[0]);
        yield answer(
            request,
            words.length == 1 ? peer.getValue(key) : peer.getValue(key, request.count(words[1])),
            reply ->
                reply instanceof Dht.ValueGot got
                    ? Answer.ok(
                        fields(
                            "key",
                            words[0],
                            "value",
                            got.value().utf8(),
                            "data",
                            base64(got.value()),
                            "peers",
                            got.peers()))
                    : failed((Dht.OperationFailed) reply));
      }
      case "name-publish" -> {
        String value = request.words(1, 1)[0];
        yield answer(request, peer.publishName(identity, Bytes.utf8(value)), Session::name);
      }
      case "name-resolve" -> {
        PeerId name = IpnsRecord.parseName(request.words(1, 1)[0]);
        yield answer(request, peer.resolveName(name), Session::name);
      }
      case "provide" -> {
        Cid cid = cid(request);
        yield answer(
            request,
            peer.provide(cid.multihash()),
            reply ->
                reply instanceof Dht.Provided provided
                    ? Answer.ok(fields("cid", cid.toString(), "peers", provided.peers()))
                    : failed((Dht.OperationFailed) reply));
      }
      case "unprovide" -> {
        Cid cid = cid(request);
        yield answer(
            request,
            peer.stopProviding(cid.multihash()),
            reply ->
                reply instanceof Dht.ProvidingStopped
                    ? Answer.ok(fields("cid", cid.toString()))
                    : failed((Dht.OperationFailed) reply));
      }
      case "providers" -> {
        Cid cid = cid(request);
        yield answer(
            request,
            peer.findProviders(cid.multihash(), MAX_PROVIDERS),
            reply ->
                reply instanceof Dht.ProvidersFound found
                    ? Answer.ok(
                        fields(
                            "cid",
                            cid.toString(),
                            "peers",
                            found.providers().stream().map(p -> p.peer().toString()).toList()))
                    : failed((Dht.OperationFailed) reply));
      }
      case "find" -> {
        PeerId id = PeerId.parse(request.words(1, 1)[0]);
        yield answer(
            request,
            peer.findPeer(id),
            reply ->
                reply instanceof Dht.PeerFound found
                    ? Answer.ok(
                        fields("peer", id.toString(), "addrs", texts(found.peer().addresses())))
                    : failed((Dht.OperationFailed) reply));
      }
      case "announce" -> {
        String[] words = request.words(1, 2);
        yield answer(
            request,
            peer.announcePresence(words[0], "", words.length > 1 ? words[1] : ""),
            reply ->
                reply instanceof Presence.Announced announced
                    ? Answer.ok(
                        fields("identity", announced.identity(), "peers", announced.peers()))
                    : failed((Presence.AnnounceFailed) reply));
      }
      case "withdraw" -> {
        String identity = request.words(1, 1)[0];
        yield answer(
            request,
            peer.withdrawPresence(identity),
            reply ->
                reply.wasAnnounced()
                    ? Answer.ok(fields("identity", identity))
                    : Answer.failed("not-announced", identity + " is not announced"));
      }
      case "presence" -> {
        request.words(0, 0);
        yield answer(
            request,
            peer.presence(),
            reply ->
                Answer.ok(
                    fields("presences", reply.presences().stream().map(Session::own).toList())));
      }
      case "find-presence" -> {
        String identity = request.words(1, 1)[0];
        yield answer(
            request,
            peer.findPresence(identity),
            reply ->
                reply instanceof Presence.Found found
                    ? Answer.ok(
                        fields(
                            "identity",
                            identity,
                            "present",
                            found.present().stream().map(Session::present).toList(),
                            "refused",
                            found.refused().stream().map(Session::refused).toList()))
                    : Answer.failed(
                        code(((Presence.FindFailed) reply).reason()),
                        ((Presence.FindFailed) reply).message()));
      }
      case "ping" -> {
        String[] words = request.words(1, 2);
        PeerId id = PeerId.parse(words[0]);
        int count = words.length > 1 ? request.count(words[1]) : 1;
        yield answer(
            request,
            peer.ping(id, count),
            reply ->
                reply instanceof Peer.Pinged pinged
                    ? Answer.ok(
                        fields(
                            "peer",
                            id.toString(),
                            "rttMicros",
                            pinged.roundTripNanos().stream().map(nanos -> nanos / 1000).toList()))
                    : failed((Peer.ErrandFailed) reply));
      }
      case "start" -> {
        ProtocolId protocol = ProtocolId.of(request.words(1, 1)[0]);
        yield answer(
            request,
            peer.startProtocol(protocol, this::onData),
            reply ->
                reply instanceof VirtualConnections.StartRefused refused
                    ? Answer.failed("refused", refused.message())
                    : Answer.ok(fields("protocol", protocol.value())));
      }
      case "send" -> {
        String[] words = request.words(3, 3);
        yield answer(
            request,
            peer.send(PeerId.parse(words[0]), ProtocolId.of(words[1]), Bytes.utf8(words[2])),
            reply ->
                reply instanceof VirtualConnections.Delivered delivered
                    ? Answer.ok(fields("delivered", true, "attempts", delivered.attempts()))
                    : failed((VirtualConnections.SendFailed) reply));
      }
      case "perf" -> {
        String[] words = request.words(3, 3);
        yield answer(
            request,
            peer.perf(PeerId.parse(words[0]), request.number(words[1]), request.number(words[2])),
            reply ->
                reply instanceof Peer.Measured measured
                    ? Answer.ok(
                        fields(
                            "uploadSeconds",
                            measured.timing().uploadNanos() / 1e9,
                            "downloadSeconds",
                            measured.timing().downloadNanos() / 1e9))
                    : failed((Peer.ErrandFailed) reply));
      }
      case "help" -> now(request, fields("commands", List.copyOf(USAGE.values())));
      default -> {
        over = true;
        CompletionStage<?> answered = now(request, fields());
        quit.run();
        yield answered;
      }
    };
  }

  private static Answer offered(BootstrapPool.OfferReply reply) {
    return reply instanceof BootstrapPool.Trying trying
        ? Answer.ok(fields("addrs", texts(trying.addresses())))
        : Answer.failed("declined", ((BootstrapPool.Declined) reply).reason());
  }

  private CompletionStage<?> dht(Request request) {
    return peer.dhtState()
        .thenCombine(
            peer.dhtTable(),
            (state, table) -> {
              Map<String, Object> fields = dht(state);
              fields.put("table", texts(table.peers()));
              fields.put("buckets", buckets(table));
              fields.put("refused", table.refused());
              fields.put(
                  "lookups",
                  walks.latest().stream()
                      .map(
                          each ->
                              fields(
                                  "agoSeconds", each.ago().toSeconds(),
                                  "asked", each.asked(),
                                  "hops", each.hops(),
                                  "millis", each.took().toMillis()))
                      .toList());
              output.ok(request.command(), request.line(), fields);
              return state;
            });
  }

  /**
   * How many of the table, and of those that wait for a place in it, share so many bits with this
   * peer's key; buckets with nobody are left out.
   */
  private List<Map<String, Object>> buckets(Dht.Table table) {
    Map<Integer, Integer> members = byBucket(table.peers());
    Map<Integer, Integer> waiting = byBucket(table.waiting());
    Set<Integer> all = new TreeSet<>(members.keySet());
    all.addAll(waiting.keySet());
    return all.stream()
        .map(
            bucket ->
                fields(
                    "bucket", bucket,
                    "peers", members.getOrDefault(bucket, 0),
                    "waiting", waiting.getOrDefault(bucket, 0)))
        .toList();
  }

  private Map<Integer, Integer> byBucket(List<PeerId> peers) {
    Key self = Key.of(peer.id());
    Map<Integer, Integer> sizes = new TreeMap<>();
    peers.forEach(each -> sizes.merge(self.commonPrefixLength(Key.of(each)), 1, Integer::sum));
    return sizes;
  }

  private CompletionStage<?> network(Request request) {
    return peer.connected()
        .thenCombine(
            peer.dhtState(),
            (connected, dht) -> {
              output.ok(
                  request.command(),
                  request.line(),
                  fields(
                      "peer",
                      peer.id().toString(),
                      "addrs",
                      texts(peer.addresses()),
                      "connected",
                      connected.peers().stream()
                          .map(
                              each ->
                                  fields(
                                      "peer",
                                      each.peer().toString(),
                                      "addr",
                                      each.address().toString(),
                                      "direction",
                                      direction(each.direction())))
                          .toList(),
                      "dht",
                      dht(dht)));
              return connected;
            });
  }

  /** What a reply record comes to. */
  private record Answer(@Nullable Map<String, Object> fields, String code, String message) {
    static Answer ok(Map<String, Object> fields) {
      return new Answer(fields, "", "");
    }

    static Answer failed(String code, String message) {
      return new Answer(null, code, message);
    }
  }

  private <T> CompletionStage<?> answer(
      Request request, CompletionStage<T> reply, Function<T, Answer> meaning) {
    return reply.thenApply(
        value -> {
          Answer answer = meaning.apply(value);
          Map<String, Object> fields = answer.fields();
          if (fields != null) {
            output.ok(request.command(), request.line(), fields);
          } else {
            output.failed(request.command(), request.line(), answer.code(), answer.message());
          }
          return value;
        });
  }

  private CompletionStage<?> now(Request request, Map<String, Object> fields) {
    output.ok(request.command(), request.line(), fields);
    return java.util.concurrent.CompletableFuture.completedFuture(fields);
  }

  private Answer connected(Connections.ConnectReply reply) {
    return reply instanceof Connections.Connected connected
        ? Answer.ok(
            fields("peer", connected.peer().toString(), "addr", connected.address().toString()))
        : Answer.failed(
            code(((Connections.ConnectFailed) reply).failure().kind()),
            ((Connections.ConnectFailed) reply).failure().message());
  }

  private static Answer failed(Dht.OperationFailed failed) {
    return Answer.failed(code(failed.reason()), failed.message());
  }

  private static Answer name(EmbeddedPeer.NameReply reply) {
    if (reply instanceof EmbeddedPeer.NameFailed failed) {
      return Answer.failed(code(failed.reason()), failed.message());
    }
    EmbeddedPeer.NameFound found = (EmbeddedPeer.NameFound) reply;
    IpnsRecord record = found.record();
    return Answer.ok(
        fields(
            "name",
            IpnsRecord.textOf(found.name()),
            "value",
            record.value().utf8(),
            "sequence",
            Long.toUnsignedString(record.sequence()),
            "validity",
            record.validity().toString()));
  }

  private static Answer failed(Peer.ErrandFailed failed) {
    return Answer.failed(code(failed.failure().kind()), failed.failure().message());
  }

  private static Answer failed(Presence.AnnounceFailed failed) {
    return Answer.failed(code(failed.reason()), failed.message());
  }

  /** A presence of this peer; with a failure, where it could not be published the last time. */
  private static Map<String, Object> own(Presence.Own own) {
    Map<String, Object> fields = fields("identity", own.identity(), "peers", own.peers());
    if (own.failure() != null) {
      fields.put("failure", own.failure());
    }
    return fields;
  }

  private static Map<String, Object> present(PresenceRecord record) {
    return fields(
        "peer",
        record.peer().toString(),
        "id",
        record.agentId(),
        "name",
        record.agentName(),
        "published",
        record.published().toString(),
        "until",
        record.published().plus(record.lifetime()).toString(),
        "addrs",
        texts(record.addresses()));
  }

  private static Map<String, Object> refused(Presence.Refused refused) {
    InvalidPresenceException.Fault fault = refused.fault();
    return fields(
        "peer",
        refused.peer().toString(),
        "fault",
        fault == null ? "no-record" : code(fault),
        "message",
        refused.message());
  }

  private static Answer failed(VirtualConnections.SendFailed failed) {
    return Answer.failed(code(failed.reason()), failed.message());
  }

  /** {@code NOT_READY} is {@code not-ready}. */
  static String code(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Cid cid(Request request) throws MalformedException {
    String text = request.words(1, 1)[0];
    try {
      return Cid.parse(text);
    } catch (MalformedException e) {
      // Any other text stands for the CID of itself.
      return Cid.raw(new PortableCrypto(), Bytes.utf8(text));
    }
  }

  // ---- events

  private void onDht(Dht.StateChanged changed) {
    output.event("dht", dht(changed));
  }

  private static Map<String, Object> dht(Dht.StateChanged changed) {
    return fields(
        "state", code(changed.state()), "peers", changed.peers(), "stashed", changed.stashed());
  }

  private void onHealth(Health.Event event) {
    if (event instanceof Health.Changed changed) {
      output.event("health", HealthFields.of(changed.report()));
    } else if (event instanceof Health.BootstrapFailed failed) {
      output.event(
          "bootstrap-failed",
          fields(
              "addr",
              failed.address().toString(),
              "reason",
              failed.reason(),
              "offers",
              failed.offers().stream().map(Session::code).toList()));
    } else if (event instanceof Health.Alert alert) {
      output.event(
          "alert",
          fields(
              "addr",
              alert.address().toString(),
              "unreachableSeconds",
              alert.unreachable().toSeconds(),
              "reason",
              alert.reason()));
    } else if (event instanceof Health.VerifiedOnConnect verified) {
      output.event("verified", HealthFields.of(verified.result()));
    }
  }

  private void onConnection(ConnectionsEvent event) {
    if (event instanceof ConnectionsEvent.PeerConnected connected) {
      output.event(
          "connected",
          fields(
              "peer",
              event.peer().toString(),
              "addr",
              connected.address().toString(),
              "direction",
              direction(connected.direction())));
    } else if (event instanceof ConnectionsEvent.PeerDisconnected disconnected) {
      output.event(
          "disconnected",
          fields(
              "peer",
              event.peer().toString(),
              "addr",
              disconnected.address().toString(),
              "direction",
              direction(disconnected.direction())));
    } else if (event instanceof ConnectionsEvent.PeerIdentified identified) {
      output.event(
          "identified",
          fields(
              "peer",
              event.peer().toString(),
              "agent",
              identified.identification().agentVersion(),
              "protocols",
              texts(identified.identification().protocols())));
    }
  }

  private void onTopic(Gossip.TopicEvent event) {
    if (event instanceof Gossip.Message message) {
      output.event(
          "message",
          withData(
              fields("topic", message.topic(), "from", message.from().toString()), message.data()));
    } else if (event instanceof Gossip.PeerJoined joined) {
      output.event(
          "topic-peer",
          fields("topic", joined.topic(), "peer", joined.peer().toString(), "joined", true));
    } else if (event instanceof Gossip.PeerLeft left) {
      output.event(
          "topic-peer",
          fields("topic", left.topic(), "peer", left.peer().toString(), "joined", false));
    }
  }

  private void onData(VirtualConnections.Received received) {
    output.event(
        "data",
        withData(
            fields("peer", received.peer().toString(), "protocol", received.protocol().value()),
            received.data()));
  }

  private static Map<String, Object> withData(Map<String, Object> fields, Bytes data) {
    fields.put("data", base64(data));
    if (data.isUtf8()) {
      fields.put("text", data.utf8());
    }
    return fields;
  }

  private static String direction(Direction direction) {
    return direction == Direction.INBOUND ? "in" : "out";
  }

  private static String base64(Bytes data) {
    return Base64.getEncoder().encodeToString(data.toArray());
  }

  private static List<String> texts(List<?> values) {
    return values.stream().map(Object::toString).toList();
  }

  private static Map<String, Object> fields(Object... namesAndValues) {
    Map<String, Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return fields;
  }
}
