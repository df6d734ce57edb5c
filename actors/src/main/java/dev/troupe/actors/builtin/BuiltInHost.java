package dev.troupe.actors.builtin;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.ConnectionId;
import dev.troupe.actors.host.ConnectionInfo;
import dev.troupe.actors.host.Direction;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostListener;
import dev.troupe.actors.host.Identification;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.host.StreamHandler;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.actors.link.LinkListener;
import dev.troupe.actors.link.LinkTransport;
import dev.troupe.actors.link.RawLink;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.connection.ConnectionMachine;
import dev.troupe.protocol.connection.ConnectionSettings;
import dev.troupe.protocol.connection.Role;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.identify.IdentifyMessage;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PeerRecord;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multiaddr.Component;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.NoiseKey;
import dev.troupe.protocol.yamux.YamuxSettings;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host of the house: any {@link LinkTransport} below, the connection machine in between,
 * identify on top.
 *
 * <p>Each connection lives on the event loop of its link; what connections share is in sorted
 * concurrent maps, so that nothing waits for a lock and iteration has one order. Its limits are
 * {@link HostSettings}'.
 *
 * <p>Source: libp2p connection specification; identify specification.
 */
public final class BuiltInHost implements Host {

  private static final Logger LOG = LoggerFactory.getLogger(BuiltInHost.class);

  private static final String PROTOCOL_VERSION = "ipfs/0.1.0";

  /**
   * How many connections one peer may have; a further one is refused. Two or three come of dials
   * that meet; more would let one peer take the places of all others.
   */
  static final int MAX_CONNECTIONS_PER_PEER = 8;

  /** How long changes of protocols and addresses are gathered before they are pushed: 100 ms. */
  private static final long PUSH_DELAY_NANOS = 100_000_000L;

  /**
   * How many pushes of identify one peer may send at once, and one more every {@link
   * #PUSH_INTERVAL_NANOS}; a further one is reset unread. Each costs us the check of a signature.
   * For those reset, and those that came to nothing, the peer is asked once, when there is one
   * again, which that takes.
   */
  static final int MAX_PUSHES = 5;

  /** Five a minute. */
  static final long PUSH_INTERVAL_NANOS = 12_000_000_000L;

  /**
   * How many pushes we send at once, and one more every {@link #OWN_PUSH_INTERVAL_NANOS}: less than
   * we allow others, so that the last one is never the one too many. Later changes go together.
   */
  static final int MAX_OWN_PUSHES = 4;

  /** Four a minute. */
  static final long OWN_PUSH_INTERVAL_NANOS = 15_000_000_000L;

  /** After how long identify is asked for a second and last time when it came to nothing: 5 s. */
  static final long IDENTIFY_RETRY_NANOS = 5_000_000_000L;

  /** The most bytes of addresses in the signed record, so that it fits one part of identify. */
  static final int MAX_RECORD_ADDRESS_BYTES = 3072;

  private final PrivateKey identity;
  private final NoiseKey noiseKey;
  private final PeerId peerId;
  private final HostSettings settings;
  private final Crypto crypto;
  private final RandomSource random;
  private final InstantSource clock;
  private final List<LinkTransport> transports;
  private final EventLoop timers;
  private final Function<EventLoop, ByteBuffer> scratch;

  private final AtomicReference<@Nullable HostListener> listener = new AtomicReference<>();
  private final AtomicReference<@Nullable CertifiedAddresses> certified = new AtomicReference<>();
  private final AtomicLong ids = new AtomicLong();
  private final AtomicInteger upgrading = new AtomicInteger();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicBoolean pushScheduled = new AtomicBoolean();
  private final Allowance ownPushes;

  /** What each connected peer may push; gone with its last connection. */
  private final ConcurrentSkipListMap<PeerId, Allowance> pushes = new ConcurrentSkipListMap<>();

  /** Connections that had not been identified when there was something to push. */
  private final ConcurrentSkipListSet<ConnectionId> unpushed = new ConcurrentSkipListSet<>();

  /** Connections that are to be asked, because a push on them has not been heard. */
  private final ConcurrentSkipListSet<ConnectionId> unheard = new ConcurrentSkipListSet<>();

  /** Inbound connections that are not yet secured, by the network they come from. */
  private final ConcurrentSkipListMap<String, Integer> upgradingFrom =
      new ConcurrentSkipListMap<>();

  private final ConcurrentSkipListMap<Long, LinkListener> listeners = new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<Long, Dialling> dials = new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<ConnectionId, HostConnection> connections =
      new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<PeerId, ConcurrentSkipListMap<ConnectionId, HostConnection>>
      byPeer = new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<ConnectionId, Identification> identified =
      new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<ProtocolId, StreamHandler> handlers =
      new ConcurrentSkipListMap<>();

  /** Every link that this host has, secured or not, and what to do with it when the host closes. */
  private final ConcurrentSkipListMap<Long, LinkDriverHandle> links = new ConcurrentSkipListMap<>();

  private final AtomicReference<@Nullable Runnable> closing = new AtomicReference<>();

  private record LinkDriverHandle(EventLoop loop, LinkDriver driver) {}

  /**
   * A host that has not been started.
   *
   * @param clock for the sequence number of the record of its own addresses
   * @param timers where the host's own deadlines run
   * @param scratch a buffer of a full Noise record for each event loop, shared by its connections
   */
  public BuiltInHost(
      PrivateKey identity,
      HostSettings settings,
      Crypto crypto,
      RandomSource random,
      InstantSource clock,
      List<LinkTransport> transports,
      EventLoop timers,
      Function<EventLoop, ByteBuffer> scratch) {
    this.identity = identity;
    this.peerId = identity.peerId();
    this.settings = settings;
    this.crypto = crypto;
    this.random = random;
    this.noiseKey = NoiseKey.generate(crypto, random, identity);
    this.clock = clock;
    this.transports = List.copyOf(transports);
    this.timers = timers;
    this.scratch = scratch;
    this.ownPushes = new Allowance(MAX_OWN_PUSHES, OWN_PUSH_INTERVAL_NANOS, timers.nanos());
    handlers.put(IdentifyMessage.PROTOCOL, this::writeIdentify);
    handlers.put(IdentifyMessage.PUSH, this::hearPush);
  }

  @Override
  public PeerId peerId() {
    return peerId;
  }

  @Override
  public void start(HostListener newListener) {
    if (!listener.compareAndSet(null, newListener)) {
      throw new IllegalStateException("the host has been started before");
    }
  }

  // ---- listening

  @Override
  public void listen(Multiaddr address, Completion<List<Multiaddr>> completion) {
    LinkTransport transport = transportFor(address);
    if (closed.get() || transport == null) {
      completion.failed(closed.get() ? closedFailure() : unsupported(address));
      return;
    }
    transport.listen(
        address,
        this::onInbound,
        new Completion<>() {
          @Override
          public void succeeded(LinkListener made) {
            long number = ids.incrementAndGet();
            listeners.put(number, made);
            if (closed.get()) {
              made.close(
                  () -> {
                    listeners.remove(number);
                    finishClosing();
                  });
              completion.failed(closedFailure());
              return;
            }
            completion.succeeded(made.addresses());
            emit(new HostEvent.ListenAddressesChanged(listenAddresses()));
            schedulePush();
          }

          @Override
          public void failed(HostFailure failure) {
            completion.failed(failure);
          }
        });
  }

  @Override
  public List<Multiaddr> listenAddresses() {
    Set<Multiaddr> all = new LinkedHashSet<>();
    listeners.values().forEach(each -> all.addAll(each.addresses()));
    return List.copyOf(all);
  }

  private void onInbound(RawLink link) {
    if (closed.get()) {
      link.abort();
      return;
    }
    if (upgrading.incrementAndGet() > settings.maxUpgrading()) {
      upgrading.decrementAndGet();
      link.abort();
      return;
    }
    String from = networkOf(link.remoteAddress());
    if (upgradingFrom.merge(from, 1, Integer::sum) > settings.maxUpgradingPerAddress()) {
      upgraded(from);
      link.abort();
      return;
    }
    new Upgrade(link, Role.LISTENER, null, null, from).start();
  }

  private void upgraded(String from) {
    upgrading.decrementAndGet();
    upgradingFrom.computeIfPresent(from, (same, count) -> count == 1 ? null : count - 1);
  }

  /**
   * What one stranger is taken to have: an IPv4 address, an IPv6 network of 64 bits, or, where
   * there is neither, the whole address.
   */
  static String networkOf(Multiaddr address) {
    Component ip4 = address.find(Protocol.IP4);
    Component ip6 = address.find(Protocol.IP6);
    if (ip4 != null) {
      return ip4.text();
    }
    return ip6 != null ? ip6.value().slice(0, 8).hex() : address.toString();
  }

  // ---- dialling

  @Override
  public Cancellable dial(
      Multiaddr address, @Nullable PeerId expected, Completion<ConnectionInfo> completion) {
    LinkTransport transport = transportFor(address);
    if (closed.get() || transport == null) {
      completion.failed(closed.get() ? closedFailure() : unsupported(address));
      return () -> {};
    }
    Dialling dial = new Dialling(ids.incrementAndGet(), address, expected, completion);
    dials.put(dial.number, dial);
    dial.start(transport);
    return () ->
        dial.fail(
            new HostFailure(
                HostFailure.Kind.CANCELLED, "the dial of " + address + " was called off"));
  }

  /**
   * One dial: whatever comes first, a connection, a failure or the deadline, takes the completion.
   */
  private final class Dialling implements Completion<RawLink> {
    private final long number;
    private final Multiaddr address;
    private final @Nullable PeerId expected;
    private final AtomicReference<@Nullable Completion<ConnectionInfo>> completion;
    private final AtomicReference<@Nullable Cancellable> attempt = new AtomicReference<>();
    private final AtomicReference<@Nullable RawLink> link = new AtomicReference<>();
    private final Cancellable deadline;
    private volatile boolean failed;

    Dialling(
        long number,
        Multiaddr address,
        @Nullable PeerId expected,
        Completion<ConnectionInfo> completion) {
      this.number = number;
      this.address = address;
      this.expected = expected;
      this.completion = new AtomicReference<>(completion);
      this.deadline =
          timers.schedule(
              settings.dialTimeout().toNanos(),
              () ->
                  fail(
                      new HostFailure(
                          HostFailure.Kind.TIMED_OUT,
                          address
                              + " did not answer within "
                              + settings.dialTimeout().toMillis()
                              + " ms")));
    }

    void start(LinkTransport transport) {
      attempt.set(transport.dial(address, this));
      // A dial may have succeeded by now, on its loop: only one that failed is released.
      if (failed) {
        release();
      }
    }

    @Override
    public void succeeded(RawLink made) {
      link.set(made);
      if (completion.get() == null) {
        made.abort();
        return;
      }
      new Upgrade(made, Role.DIALER, expected, this, null).start();
    }

    @Override
    public void failed(HostFailure failure) {
      fail(failure);
    }

    /** Takes the right to say how the dial ended; null if it has ended. */
    @Nullable Completion<ConnectionInfo> take() {
      Completion<ConnectionInfo> taken = completion.getAndSet(null);
      if (taken != null) {
        deadline.cancel();
        dials.remove(number);
      }
      return taken;
    }

    void fail(HostFailure failure) {
      Completion<ConnectionInfo> taken = take();
      if (taken != null) {
        failed = true;
        release();
        taken.failed(failure);
      }
    }

    private void release() {
      Cancellable started = attempt.get();
      if (started != null) {
        started.cancel();
      }
      RawLink made = link.get();
      if (made != null) {
        made.loop().execute(made::abort);
      }
    }
  }

  private @Nullable LinkTransport transportFor(Multiaddr address) {
    for (LinkTransport transport : transports) {
      if (transport.supports(address)) {
        return transport;
      }
    }
    return null;
  }

  private HostFailure unsupported(Multiaddr address) {
    List<String> names = transports.stream().map(LinkTransport::name).toList();
    return new HostFailure(
        HostFailure.Kind.UNSUPPORTED_ADDRESS,
        "no transport of this host speaks "
            + address
            + " (it has "
            + String.join(", ", names)
            + ")");
  }

  private static HostFailure closedFailure() {
    return new HostFailure(HostFailure.Kind.CLOSED, "this host is closed");
  }

  // ---- connections

  /** One link on its way to a connection, and then that connection; on the link's loop. */
  private final class Upgrade implements MuxedConnection.Listener {
    private final RawLink link;
    private final Role role;
    private final @Nullable Dialling dial;
    private final long number = ids.incrementAndGet();
    private final LinkDriver driver;

    /** The network that it is counted for while it is upgraded; null once it is not. */
    private @Nullable String countedFor;

    private @Nullable HostConnection connection;

    Upgrade(
        RawLink link,
        Role role,
        @Nullable PeerId expected,
        @Nullable Dialling dial,
        @Nullable String countedFor) {
      this.link = link;
      this.role = role;
      this.dial = dial;
      this.countedFor = countedFor;
      ConnectionSettings limits =
          new ConnectionSettings(
              settings.dialTimeout().toNanos(),
              new YamuxSettings(
                  settings.maxStreamsPerConnection(),
                  Math.max(YamuxSettings.DEFAULT.maxStreamWindow(), 256 * 1024),
                  settings.maxReceiveWindow(),
                  YamuxSettings.DEFAULT.maxSendBuffer(),
                  YamuxSettings.DEFAULT.keepAliveNanos(),
                  YamuxSettings.DEFAULT.pingTimeoutNanos()));
      this.driver =
          new LinkDriver(
              link,
              this,
              scratch.apply(link.loop()),
              events ->
                  new ConnectionMachine(
                      limits,
                      role,
                      noiseKey,
                      expected,
                      crypto,
                      random,
                      events,
                      link.loop().nanos()));
    }

    void start() {
      links.put(number, new LinkDriverHandle(link.loop(), driver));
      driver.start();
      if (closed.get()) {
        driver.close(0, "this host is closed");
      }
    }

    private void uncount() {
      String from = countedFor;
      if (from != null) {
        countedFor = null;
        upgraded(from);
      }
    }

    @Override
    public void onSecured(PeerId remote) {
      uncount();
      Completion<ConnectionInfo> completion = dial == null ? null : dial.take();
      if (dial != null && completion == null) {
        driver.close(0, "the dial was called off");
        return;
      }
      HostFailure refusal = refusalOf(remote);
      if (refusal != null) {
        driver.close(0, refusal.message());
        if (completion != null) {
          completion.failed(refusal);
        }
        return;
      }
      ConnectionInfo info =
          new ConnectionInfo(
              new ConnectionId(ids.incrementAndGet()),
              remote,
              dial != null ? dial.address : link.remoteAddress(),
              link.remoteAddress(),
              role == Role.DIALER ? Direction.OUTBOUND : Direction.INBOUND);
      HostConnection made =
          new HostConnection(
              info,
              driver,
              settings.streamTimeout().toNanos(),
              settings.linger().toNanos(),
              protocol ->
                  protocol.equals(IdentifyMessage.PROTOCOL)
                      || protocol.equals(IdentifyMessage.PUSH));
      connection = made;
      connections.put(info.id(), made);
      byPeer.compute(
          remote,
          (peer, all) -> {
            ConcurrentSkipListMap<ConnectionId, HostConnection> of =
                all == null ? new ConcurrentSkipListMap<>() : all;
            of.put(info.id(), made);
            return of;
          });
      emit(new HostEvent.Connected(info));
      if (completion != null) {
        completion.succeeded(info);
      }
      askIdentify(made, true);
    }

    private @Nullable HostFailure refusalOf(PeerId remote) {
      if (remote.equals(peerId)) {
        return new HostFailure(HostFailure.Kind.WRONG_PEER, "this host has reached itself");
      }
      if (connections(remote).size() >= MAX_CONNECTIONS_PER_PEER) {
        return new HostFailure(
            HostFailure.Kind.LIMIT_EXCEEDED,
            "there are " + MAX_CONNECTIONS_PER_PEER + " connections to peer " + remote);
      }
      return connections.size() >= settings.maxConnections()
          ? new HostFailure(
              HostFailure.Kind.LIMIT_EXCEEDED,
              "this host has " + settings.maxConnections() + " connections")
          : null;
    }

    @Override
    public void onStream(MuxedStream stream) {
      HostConnection of = connection;
      if (of == null) {
        // Refused at once after it was secured: the streams go with the connection.
        stream.listen(new IgnoringListener());
        return;
      }
      of.accept(
          stream,
          handlers::containsKey,
          agreed -> {
            StreamHandler handler = handlers.get(agreed.protocol());
            if (handler == null) {
              agreed.start(new IgnoringListener());
              agreed.reset(0, "no handler any more for " + agreed.protocol());
            } else {
              handler.onStream(agreed);
            }
          });
    }

    @Override
    public void onEnded(HostFailure reason) {
      uncount();
      if (dial != null) {
        dial.fail(new HostFailure(reason.kind(), dial.address + ": " + reason.message()));
      }
      HostConnection of = connection;
      if (of != null) {
        connections.remove(of.info().id());
        identified.remove(of.info().id());
        unpushed.remove(of.info().id());
        unheard.remove(of.info().id());
        byPeer.computeIfPresent(
            of.info().peer(),
            (peer, all) -> {
              all.remove(of.info().id());
              if (all.isEmpty()) {
                pushes.remove(peer);
                return null;
              }
              return all;
            });
        emit(new HostEvent.Disconnected(of.info(), reason));
      }
    }

    @Override
    public void onReleased() {
      links.remove(number);
      finishClosing();
    }
  }

  @Override
  public List<ConnectionInfo> connections() {
    return connections.values().stream().map(HostConnection::info).toList();
  }

  @Override
  public List<ConnectionInfo> connections(PeerId peer) {
    ConcurrentSkipListMap<ConnectionId, HostConnection> all = byPeer.get(peer);
    return all == null ? List.of() : all.values().stream().map(HostConnection::info).toList();
  }

  @Override
  public int openStreams(ConnectionId connection) {
    HostConnection of = connections.get(connection);
    return of == null ? 0 : of.userStreams();
  }

  @Override
  public void disconnect(ConnectionId connection, String reason) {
    HostConnection of = connections.get(connection);
    if (of != null) {
      of.close(reason);
    }
  }

  // ---- streams

  @Override
  public Cancellable openStream(
      PeerId peer, List<ProtocolId> protocols, Completion<Stream> completion) {
    ConcurrentSkipListMap<ConnectionId, HostConnection> all = byPeer.get(peer);
    var oldest = all == null ? null : all.firstEntry();
    if (oldest == null) {
      completion.failed(
          closed.get()
              ? closedFailure()
              : new HostFailure(HostFailure.Kind.NOT_CONNECTED, "not connected to peer " + peer));
      return () -> {};
    }
    return oldest.getValue().open(protocols, completion);
  }

  @Override
  public void handle(ProtocolId protocol, StreamHandler handler) {
    if (handlers.putIfAbsent(protocol, handler) != null) {
      throw new IllegalStateException("there is a handler for " + protocol + " already");
    }
    schedulePush();
  }

  @Override
  public void unhandle(ProtocolId protocol) {
    if (handlers.remove(protocol) != null) {
      schedulePush();
    }
  }

  // ---- identify

  private void writeIdentify(Stream stream) {
    Identify.write(stream, describe(stream.connection().reached()), deadlineOf(stream));
  }

  private void hearPush(Stream stream) {
    long now = timers.nanos();
    Allowance allowance =
        pushes.computeIfAbsent(
            stream.remote(), peer -> new Allowance(MAX_PUSHES, PUSH_INTERVAL_NANOS, now));
    ConnectionId id = stream.connection().id();
    if (allowance.take(now)) {
      hearIdentify(stream, () -> askLater(id, allowance));
    } else {
      LOG.debug("too many pushes of identify peer={}", stream.remote());
      askLater(id, allowance);
      stream.start(new IgnoringListener());
      stream.reset(0, "more than " + MAX_PUSHES + " pushes of identify in a minute");
    }
  }

  /** What a push would have said is asked for; once, however many there were. */
  private void askLater(ConnectionId id, Allowance allowance) {
    if (connections.containsKey(id) && unheard.add(id)) {
      askWhenAllowed(id, allowance);
    }
  }

  private void askWhenAllowed(ConnectionId id, Allowance allowance) {
    timers.schedule(
        Math.max(PUSH_DELAY_NANOS, allowance.waitNanos(timers.nanos())),
        () -> {
          HostConnection connection = connections.get(id);
          if (connection == null) {
            unheard.remove(id);
          } else if (!allowance.take(timers.nanos())) {
            askWhenAllowed(id, allowance); // A push was sooner.
          } else if (unheard.remove(id)) {
            askIdentify(connection, false);
          }
        });
  }

  private void hearIdentify(Stream stream, Runnable missed) {
    Identify.read(
        stream, message -> onIdentified(stream.connection(), message), missed, deadlineOf(stream));
  }

  private Cancellable deadlineOf(Stream stream) {
    return timers.schedule(
        settings.identifyTimeout().toNanos(), () -> stream.reset(0, "identify took too long"));
  }

  private IdentifyMessage describe(Multiaddr observed) {
    List<Multiaddr> addresses = listenAddresses();
    return new IdentifyMessage(
        identity.publicKey(),
        addresses,
        new ArrayList<>(handlers.keySet()),
        observed,
        PROTOCOL_VERSION,
        settings.agentVersion(),
        certify(addresses));
  }

  /** The addresses as a record that others can pass on; signed anew only when they have changed. */
  private @Nullable Bytes certify(List<Multiaddr> addresses) {
    if (addresses.isEmpty()) {
      return null;
    }
    List<Multiaddr> told = new ArrayList<>();
    int bytes = 0;
    for (Multiaddr address : addresses) {
      bytes += address.encoded().size();
      if (bytes > MAX_RECORD_ADDRESS_BYTES || told.size() == PeerRecord.MAX_ADDRESSES) {
        break;
      }
      told.add(address);
    }
    CertifiedAddresses before = certified.get();
    if (before != null && before.record.addresses().equals(told)) {
      return before.envelope;
    }
    long now = clock.millis();
    PeerRecord record =
        new PeerRecord(peerId, before == null ? now : Math.max(now, before.record.seq() + 1), told);
    CertifiedAddresses made =
        new CertifiedAddresses(record, record.seal(crypto, identity).encoded());
    certified.set(made);
    return made.envelope;
  }

  private record CertifiedAddresses(PeerRecord record, Bytes envelope) {}

  /**
   * Asks a peer who it is.
   *
   * @param again whether to ask once more where that comes to nothing and the connection stands
   */
  private void askIdentify(HostConnection connection, boolean again) {
    Runnable retry =
        () -> {
          if (again) {
            timers.schedule(IDENTIFY_RETRY_NANOS, () -> askAgain(connection));
          }
        };
    connection.open(
        List.of(IdentifyMessage.PROTOCOL),
        new Completion<>() {
          @Override
          public void succeeded(Stream stream) {
            hearIdentify(stream, retry);
          }

          @Override
          public void failed(HostFailure failure) {
            // A peer that does not say who it is stays connected, and unidentified.
            LOG.debug(
                "not identified peer={} reason={}", connection.info().peer(), failure.message());
            if (failure.kind() != HostFailure.Kind.PROTOCOL_NOT_SUPPORTED) {
              retry.run();
            }
          }
        });
  }

  private void askAgain(HostConnection connection) {
    ConnectionId id = connection.info().id();
    if (connections.containsKey(id) && !identified.containsKey(id)) {
      askIdentify(connection, false);
    }
  }

  private void onIdentified(ConnectionInfo connection, IdentifyMessage message) {
    Identification heard =
        Identify.merge(crypto, connection.peer(), identified.get(connection.id()), message);
    if (heard == null) {
      LOG.debug("identify speaks for another peer={}", connection.peer());
    } else if (connections.containsKey(connection.id())) {
      identified.put(connection.id(), heard);
      emit(new HostEvent.Identified(connection, heard));
      HostConnection of = connections.get(connection.id());
      if (unpushed.remove(connection.id()) && of != null && heard.supports(IdentifyMessage.PUSH)) {
        pushTo(of);
      }
    }
  }

  private void schedulePush() {
    if (!connections.isEmpty() && pushScheduled.compareAndSet(false, true)) {
      timers.schedule(Math.max(PUSH_DELAY_NANOS, ownPushes.waitNanos(timers.nanos())), this::push);
    }
  }

  private void push() {
    pushScheduled.set(false);
    ownPushes.take(timers.nanos());
    connections
        .values()
        .forEach(
            connection -> {
              ConnectionId id = connection.info().id();
              // First marked, then looked at: it may be identified at this moment.
              unpushed.add(id);
              Identification known = identified.get(id);
              if (known != null && unpushed.remove(id) && known.supports(IdentifyMessage.PUSH)) {
                pushTo(connection);
              } else if (!connections.containsKey(id)) {
                unpushed.remove(id);
              }
            });
  }

  private void pushTo(HostConnection connection) {
    connection.open(
        List.of(IdentifyMessage.PUSH),
        new Completion<>() {
          @Override
          public void succeeded(Stream stream) {
            writeIdentify(stream);
          }

          @Override
          public void failed(HostFailure failure) {
            // The next push, or the next connection, says it anew.
          }
        });
  }

  // ---- the end

  @Override
  public void close(Runnable done) {
    if (!closed.compareAndSet(false, true)) {
      Runnable before = closing.get();
      if (before == null) {
        done.run();
      } else {
        closing.set(
            () -> {
              before.run();
              done.run();
            });
      }
      return;
    }
    closing.set(done);
    dials.values().forEach(dial -> dial.fail(closedFailure()));
    links
        .values()
        .forEach(
            handle -> handle.loop().execute(() -> handle.driver().close(0, "this host is closed")));
    List<Long> open = new ArrayList<>(listeners.keySet());
    open.forEach(
        number -> {
          LinkListener of = listeners.get(number);
          if (of != null) {
            of.close(
                () -> {
                  listeners.remove(number);
                  finishClosing();
                });
          }
        });
    finishClosing();
  }

  private void finishClosing() {
    if (closed.get() && links.isEmpty() && listeners.isEmpty()) {
      Runnable done = closing.getAndSet(null);
      if (done != null) {
        done.run();
      }
    }
  }

  private void emit(HostEvent event) {
    HostListener hears = listener.get();
    if (hears != null) {
      hears.onEvent(event);
    }
  }
}
