package dev.troupe.protocol.presence;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.cid.Cid;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.SignedEnvelope;
import dev.troupe.protocol.keys.proto.Envelope;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multihash.Multihash;
import dev.troupe.protocol.presence.InvalidPresenceException.Fault;
import dev.troupe.protocol.presence.proto.Presence;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A peer says that it is to be found under an identity of an application, for a while; signed with
 * the key of the peer (libp2p RFC 0002).
 *
 * <p>What comes from outside is read with {@link #open}, which leaves no way round the checks. They
 * show that the peer itself said it, and lately. Whether the identity is rightly the peer's, and
 * not only claimed, they cannot show: several peers may have one identity, and the application must
 * tell them apart by what it knows of it, such as a signature of the Ethereum key.
 *
 * <p>It lives in the DHT twice: the record under a {@linkplain #keyOf key} that holds the peer id,
 * so that nobody else can overwrite it; and the peer is a provider of {@linkplain #placeOf what the
 * identity hashes to}, so that who knows the identity only finds the peer.
 *
 * @param identity such as {@code /eth/0x…}; compared byte by byte, so that the application should
 *     choose one spelling
 * @param published on the wall clock, to the millisecond
 * @param lifetime valid for so long from then, to the millisecond
 * @param agentId a name that the application understands; may be empty
 * @param agentName a name for people; may be empty
 * @param addresses where the peer listens, without {@code /p2p}
 */
public record PresenceRecord(
    String identity,
    PeerId peer,
    Instant published,
    Duration lifetime,
    String agentId,
    String agentName,
    List<Multiaddr> addresses) {

  /** The longest encoded record that is read or made, in bytes: 4 KiB. */
  public static final int MAX_ENCODED = 4 * 1024;

  /** The longest identity, in bytes. */
  public static final int MAX_IDENTITY = 256;

  /** How many addresses a record has at most; more of them are left out. */
  public static final int MAX_ADDRESSES = 16;

  /** For no longer is a record valid: a day. */
  public static final Duration MAX_LIFETIME = Duration.ofDays(1);

  /** By so much the clock of another may be ahead of ours: two minutes. */
  public static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(2);

  /** What the DHT prefers: the later one. */
  static final Comparator<PresenceRecord> ORDER = Comparator.comparing(PresenceRecord::published);

  private static final String PREFIX = "/presence/";

  /** The purpose that they are signed for. */
  private static final String DOMAIN = "troupe-presence";

  private static final Bytes PAYLOAD_TYPE = Bytes.utf8("/troupe/presence");

  /**
   * A record that is not signed yet.
   *
   * @throws IllegalArgumentException if the identity is none, or a time is out of range
   */
  public PresenceRecord {
    if (!isIdentity(identity)) {
      throw new IllegalArgumentException(
          "an identity is / and something behind it, "
              + MAX_IDENTITY
              + " bytes at most, not \""
              + (identity.length() > 40 ? identity.substring(0, 40) + "…" : identity)
              + "\"");
    }
    published = Instant.ofEpochMilli(published.toEpochMilli());
    lifetime = Duration.ofMillis(lifetime.toMillis());
    if (published.toEpochMilli() < 0 || lifetime.isZero() || lifetime.isNegative()) {
      throw new IllegalArgumentException(
          "a presence of " + published + " for " + lifetime + " is none");
    }
    addresses = addresses.stream().map(Multiaddr::withoutPeer).limit(MAX_ADDRESSES).toList();
  }

  /** Whether it may be the identity of somebody: a slash, and something behind it. */
  public static boolean isIdentity(String text) {
    return text.length() > 1
        && text.charAt(0) == '/'
        && text.length() <= MAX_IDENTITY
        && Bytes.utf8(text).size() <= MAX_IDENTITY
        && text.chars().noneMatch(Character::isISOControl);
  }

  /** The key of a peer's presence under an identity: {@code /presence/PEER/eth/0x…}. */
  public static Bytes keyOf(PeerId peer, String identity) {
    return Bytes.utf8(PREFIX + peer + identity);
  }

  /** What peers provide that are present under an identity. */
  public static Multihash placeOf(Crypto crypto, String identity) {
    return Cid.raw(crypto, Bytes.utf8(identity)).multihash();
  }

  /**
   * Signs it.
   *
   * @return encoded
   * @throws IllegalArgumentException if it is longer than {@link #MAX_ENCODED}, or the key is not
   *     the peer's
   */
  public Bytes seal(Crypto crypto, PrivateKey key) {
    if (!peer.matches(key.publicKey())) {
      throw new IllegalArgumentException("a presence of " + peer + " under the key of another");
    }
    Presence.Builder message =
        Presence.newBuilder()
            .setIdentity(identity)
            .setPeerId(foreign(peer.bytes()))
            .setPublishedMillis(published.toEpochMilli())
            .setLifetimeMillis(lifetime.toMillis())
            .setAgentId(agentId)
            .setAgentName(agentName);
    addresses.forEach(address -> message.addMultiaddrs(foreign(address.encoded())));
    Bytes payload = Bytes.wrap(message.build().toByteArray());
    Bytes encoded = SignedEnvelope.seal(crypto, key, DOMAIN, PAYLOAD_TYPE, payload).encoded();
    if (encoded.size() > MAX_ENCODED) {
      throw new IllegalArgumentException(tooLarge(encoded));
    }
    return encoded;
  }

  /**
   * Reads and checks the presence of a peer under an identity.
   *
   * @param now on the wall clock
   * @throws InvalidPresenceException with the first thing that is wrong
   */
  public static PresenceRecord open(
      Crypto crypto, PeerId peer, String identity, Bytes encoded, Instant now)
      throws InvalidPresenceException {
    return open(crypto, keyOf(peer, identity), encoded, now);
  }

  /** The same, where the key in the DHT says whose it must be. */
  static PresenceRecord open(Crypto crypto, Bytes key, Bytes encoded, Instant now)
      throws InvalidPresenceException {
    if (!isPlace(key)) {
      throw new InvalidPresenceException(Fault.BAD_KEY, "not the key of a presence");
    }
    if (encoded.size() > MAX_ENCODED) {
      throw new InvalidPresenceException(Fault.TOO_LARGE, tooLarge(encoded));
    }
    SignedEnvelope envelope;
    try {
      envelope = SignedEnvelope.open(crypto, DOMAIN, encoded);
    } catch (MalformedException e) {
      throw new InvalidPresenceException(
          Fault.NOT_SIGNED, "a presence that is not signed: " + e.getMessage());
    }
    if (!envelope.payloadType().equals(PAYLOAD_TYPE)) {
      throw new InvalidPresenceException(
          Fault.MALFORMED, "an envelope with something else than a presence in it");
    }
    PresenceRecord record = decode(envelope.payload());
    if (!record.peer.matches(envelope.publicKey())) {
      throw new InvalidPresenceException(
          Fault.OTHER_SIGNER,
          "a presence of " + record.peer + " signed by " + PeerId.of(envelope.publicKey()));
    }
    String place = key.utf8();
    if (!place.startsWith(PREFIX + record.peer + "/")) {
      throw new InvalidPresenceException(
          Fault.OTHER_SIGNER, "a presence of " + record.peer + " in the place of another");
    }
    if (!place.equals(PREFIX + record.peer + record.identity)) {
      throw new InvalidPresenceException(
          Fault.OTHER_IDENTITY, "a presence under " + record.identity + " in the place of another");
    }
    record.check(now);
    return record;
  }

  /**
   * Reads a record that has been opened before.
   *
   * @throws InvalidPresenceException if it is none; nobody has checked whose it is
   */
  static PresenceRecord peek(Bytes encoded) throws InvalidPresenceException {
    try {
      Envelope envelope = Envelope.parseFrom(encoded.asReadOnlyBuffer());
      return decode(Bytes.wrap(envelope.getPayload().toByteArray()));
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidPresenceException(Fault.NOT_SIGNED, String.valueOf(e.getMessage()));
    }
  }

  private void check(Instant now) throws InvalidPresenceException {
    if (lifetime.compareTo(MAX_LIFETIME) > 0) {
      throw new InvalidPresenceException(
          Fault.LIVES_TOO_LONG, "a presence for " + lifetime + ", longer than " + MAX_LIFETIME);
    }
    if (published.isAfter(now.plus(CLOCK_TOLERANCE))) {
      throw new InvalidPresenceException(
          Fault.FUTURE_DATED, "a presence of " + published + "; it is " + now);
    }
    if (!expires().isAfter(now)) {
      throw new InvalidPresenceException(
          Fault.EXPIRED, "a presence that expired at " + expires() + "; it is " + now);
    }
  }

  /** Valid before that. */
  public Instant expires() {
    return published.plus(lifetime);
  }

  private static boolean isPlace(Bytes key) {
    if (!key.isUtf8()) {
      return false;
    }
    String text = key.utf8();
    int end = text.indexOf('/', PREFIX.length());
    if (!text.startsWith(PREFIX) || end < 0 || !isIdentity(text.substring(end))) {
      return false;
    }
    try {
      PeerId.parse(text.substring(PREFIX.length(), end));
      return true;
    } catch (MalformedException e) {
      return false;
    }
  }

  private static PresenceRecord decode(Bytes payload) throws InvalidPresenceException {
    try {
      Presence message = Presence.parseFrom(payload.asReadOnlyBuffer());
      if (message.getMultiaddrsCount() > MAX_ADDRESSES) {
        throw malformed(message.getMultiaddrsCount() + " addresses");
      }
      List<Multiaddr> addresses = new ArrayList<>();
      for (ByteString bytes : message.getMultiaddrsList()) {
        addReadable(bytes, addresses);
      }
      return new PresenceRecord(
          message.getIdentity(),
          PeerId.decode(message.getPeerId().toByteArray()),
          Instant.ofEpochMilli(message.getPublishedMillis()),
          Duration.ofMillis(message.getLifetimeMillis()),
          message.getAgentId(),
          message.getAgentName(),
          addresses);
    } catch (InvalidProtocolBufferException | MalformedException | IllegalArgumentException e) {
      throw malformed(String.valueOf(e.getMessage()));
    }
  }

  /** A transport that is unknown here is no fault of the peer. */
  private static void addReadable(ByteString bytes, List<Multiaddr> addresses) {
    try {
      addresses.add(Multiaddr.decode(Bytes.wrap(bytes.toByteArray())));
    } catch (MalformedException unreadable) {
      // Left out, as said above.
    }
  }

  private static InvalidPresenceException malformed(String why) {
    return new InvalidPresenceException(Fault.MALFORMED, "no presence: " + why);
  }

  private static String tooLarge(Bytes encoded) {
    return "a presence of " + encoded.size() + " bytes, more than " + MAX_ENCODED;
  }

  private static ByteString foreign(Bytes bytes) {
    return ByteString.copyFrom(bytes.asReadOnlyBuffer());
  }
}
