package dev.troupe.protocol.ipns;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.ipns.InvalidIpnsRecordException.Fault;
import dev.troupe.protocol.ipns.proto.IpnsEntry;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multibase.Multibase;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an IPNS name points at, until when. The name is the peer id of the key that signs it.
 *
 * <p>What comes from outside is read with {@link #open}, which leaves no way round the checks.
 *
 * <p>Ordered as the DHT prefers them: a higher sequence is more, and of one sequence the longer
 * validity. The order says nothing of what is pointed at, and so is not that of equality.
 *
 * @param value what the name points at: a path such as {@code /ipfs/…} or {@code /ipns/…} by
 *     convention, any bytes here
 * @param sequence the version, without a sign
 * @param validity valid before that
 * @param ttlNanos for how long whoever resolves it may go without asking again, in nanoseconds,
 *     without a sign
 */
public record IpnsRecord(Bytes value, long sequence, Instant validity, long ttlNanos) {

  /** The longest encoded record that is read or made, in bytes: 10 KiB. */
  public static final int MAX_ENCODED = 10 * 1024;

  /** What the specification suggests: five minutes. */
  public static final Duration DEFAULT_TTL = Duration.ofMinutes(5);

  /** For how long a record is valid where nobody says otherwise: as long as the DHT keeps it. */
  public static final Duration DEFAULT_LIFETIME = Duration.ofHours(48);

  /** What the DHT prefers. */
  public static final Comparator<IpnsRecord> ORDER =
      Comparator.<IpnsRecord, Long>comparing(IpnsRecord::sequence, Long::compareUnsigned)
          .thenComparing(IpnsRecord::validity);

  static final String PREFIX = "/ipns/";

  private static final Bytes DOMAIN = Bytes.utf8("ipns-signature:");

  private static final String VALUE = "Value";
  private static final String SEQUENCE = "Sequence";
  private static final String VALIDITY = "Validity";
  private static final String VALIDITY_TYPE = "ValidityType";
  private static final String TTL = "TTL";

  /** The only type there is: valid until a point in time. */
  private static final long END_OF_LIFE = 0;

  private static final Instant YEAR_ZERO = Instant.parse("0000-01-01T00:00:00Z");
  private static final Instant YEAR_TEN_THOUSAND = Instant.parse("+10000-01-01T00:00:00Z");

  /** RFC 3339 with seconds, and with nanoseconds at the most. */
  private static final Pattern RFC_3339 =
      Pattern.compile(
          "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})");

  private static final DateTimeFormatter NANOSECONDS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z'").withZone(ZoneOffset.UTC);

  /**
   * A record that is not signed yet.
   *
   * @throws IllegalArgumentException if the validity is of no year from 0 to 9999
   */
  public IpnsRecord {
    if (!isWritable(validity)) {
      throw new IllegalArgumentException("RFC 3339 cannot say " + validity);
    }
  }

  private static boolean isWritable(Instant validity) {
    return !validity.isBefore(YEAR_ZERO) && validity.isBefore(YEAR_TEN_THOUSAND);
  }

  /** The key of a name in the DHT: {@code /ipns/} and the bytes of the peer id. */
  public static Bytes keyOf(PeerId name) {
    return Bytes.utf8(PREFIX).concat(name.bytes());
  }

  /** How a name is written: {@code /ipns/k51…}, a CID in base 36. */
  public static String textOf(PeerId name) {
    return PREFIX + Multibase.BASE36.encode(name.toCid().encoded().toArray());
  }

  /**
   * Reads a name as people write it, with or without {@code /ipns/}.
   *
   * @throws MalformedException if it is none; a domain name is none
   */
  public static PeerId parseName(String text) throws MalformedException {
    return PeerId.parse(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text);
  }

  /**
   * The name in a key of the DHT.
   *
   * @throws InvalidIpnsRecordException {@link Fault#BAD_NAME}
   */
  static PeerId nameIn(Bytes key) throws InvalidIpnsRecordException {
    Bytes prefix = Bytes.utf8(PREFIX);
    try {
      if (key.size() > prefix.size() && key.slice(0, prefix.size()).equals(prefix)) {
        return PeerId.decode(key.slice(prefix.size(), key.size()).toArray());
      }
    } catch (MalformedException e) {
      throw new InvalidIpnsRecordException(Fault.BAD_NAME, "not an IPNS name: " + e.getMessage());
    }
    throw new InvalidIpnsRecordException(Fault.BAD_NAME, "not the key of an IPNS name: " + key);
  }

  /**
   * Signs it, as version 2 alone: what the specification's section "Record Creation" says.
   *
   * @return encoded
   * @throws IllegalArgumentException if it is longer than {@link #MAX_ENCODED}
   */
  public Bytes seal(Crypto crypto, PrivateKey key) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put(VALUE, value);
    fields.put(SEQUENCE, sequence);
    fields.put(VALIDITY, Bytes.utf8(NANOSECONDS.format(validity)));
    fields.put(VALIDITY_TYPE, END_OF_LIFE);
    fields.put(TTL, ttlNanos);
    Bytes data = DagCborMap.encode(fields);
    // No key: each of ours is short enough to be in the name.
    IpnsEntry entry =
        IpnsEntry.newBuilder()
            .setSignatureV2(ByteString.copyFrom(key.sign(crypto, signed(data))))
            .setData(ByteString.copyFrom(data.asReadOnlyBuffer()))
            .build();
    if (entry.getSerializedSize() > MAX_ENCODED) {
      throw new IllegalArgumentException(tooLarge(entry.getSerializedSize()));
    }
    return Bytes.wrap(entry.toByteArray());
  }

  /**
   * Reads and checks a record of a name, as the section "Record Verification" says.
   *
   * @param now on the wall clock
   * @throws InvalidIpnsRecordException with the first thing that is wrong
   */
  public static IpnsRecord open(Crypto crypto, PeerId name, Bytes encoded, Instant now)
      throws InvalidIpnsRecordException {
    IpnsEntry entry = parse(encoded);
    PublicKey key = keyIn(entry, name);
    DagCborMap data = dataIn(entry);
    Fields fields = fieldsIn(data);
    byte[] signature = entry.getSignatureV2().toByteArray();
    if (!key.verify(crypto, signed(own(entry.getData())), signature)) {
      throw new InvalidIpnsRecordException(
          Fault.BAD_SIGNATURE, "an IPNS record that was not signed by " + name);
    }
    checkCopies(entry, fields);
    IpnsRecord record = of(fields);
    if (!record.validity.isAfter(now)) {
      throw new InvalidIpnsRecordException(
          Fault.EXPIRED, "an IPNS record that expired at " + record.validity + "; it is " + now);
    }
    return record;
  }

  /**
   * Reads a record that has been opened before.
   *
   * @throws InvalidIpnsRecordException if it is none; nobody has checked whose it is
   */
  static IpnsRecord peek(Bytes encoded) throws InvalidIpnsRecordException {
    return of(fieldsIn(dataIn(parse(encoded))));
  }

  private static IpnsEntry parse(Bytes encoded) throws InvalidIpnsRecordException {
    if (encoded.size() > MAX_ENCODED) {
      throw new InvalidIpnsRecordException(Fault.TOO_LARGE, tooLarge(encoded.size()));
    }
    IpnsEntry entry;
    try {
      entry = IpnsEntry.parseFrom(encoded.asReadOnlyBuffer());
    } catch (InvalidProtocolBufferException e) {
      throw malformed(e.getMessage());
    }
    if (entry.getSignatureV2().isEmpty() || entry.getData().isEmpty()) {
      throw new InvalidIpnsRecordException(
          Fault.UNSIGNED,
          entry.getSignatureV1().isEmpty()
              ? "an IPNS record without a signature, or without what it signs"
              : "an IPNS record signed as version 1 alone");
    }
    return entry;
  }

  private static String tooLarge(int size) {
    return "an IPNS record of " + size + " bytes, more than " + MAX_ENCODED;
  }

  private static PublicKey keyIn(IpnsEntry entry, PeerId name) throws InvalidIpnsRecordException {
    if (entry.getPubKey().isEmpty()) {
      PublicKey inline = name.inlineKey();
      if (inline == null) {
        throw new InvalidIpnsRecordException(
            Fault.NO_KEY, "an IPNS record without the public key, which is not in its name either");
      }
      return inline;
    }
    PublicKey key;
    try {
      key = PublicKey.decode(entry.getPubKey().toByteArray());
    } catch (MalformedException e) {
      throw new InvalidIpnsRecordException(
          Fault.OTHER_KEY, "an IPNS record with a key that cannot be read: " + e.getMessage());
    }
    if (!name.matches(key)) {
      throw new InvalidIpnsRecordException(
          Fault.OTHER_KEY, "an IPNS record with the key of " + PeerId.of(key) + ", not of " + name);
    }
    return key;
  }

  private static DagCborMap dataIn(IpnsEntry entry) throws InvalidIpnsRecordException {
    try {
      return DagCborMap.decode(own(entry.getData()));
    } catch (MalformedException e) {
      throw malformed(e.getMessage());
    }
  }

  /** What is signed, not understood yet. */
  private record Fields(
      Bytes value, long sequence, Bytes validity, long validityType, long ttlNanos) {}

  private static Fields fieldsIn(DagCborMap data) throws InvalidIpnsRecordException {
    try {
      return new Fields(
          data.bytes(VALUE),
          data.unsigned(SEQUENCE),
          data.bytes(VALIDITY),
          data.unsigned(VALIDITY_TYPE),
          data.unsigned(TTL));
    } catch (MalformedException e) {
      throw malformed(e.getMessage());
    }
  }

  private static InvalidIpnsRecordException malformed(@Nullable String why) {
    return new InvalidIpnsRecordException(Fault.MALFORMED, "not an IPNS record: " + why);
  }

  /**
   * The copies of version 1, which nobody signs. Where that is there, which a value or a signature
   * tells, all of them must be right, and what is missing is empty or zero. Elsewhere nobody looks
   * at them: what is signed counts, and others accept such a record, so anybody could spoil one for
   * us alone by a stray copy.
   */
  private static void checkCopies(IpnsEntry entry, Fields fields)
      throws InvalidIpnsRecordException {
    if (entry.getSignatureV1().isEmpty() && entry.getValue().isEmpty()) {
      return;
    }
    check(VALUE, own(entry.getValue()), fields.value);
    check(VALIDITY, own(entry.getValidity()), fields.validity);
    check(VALIDITY_TYPE, entry.getValidityType(), fields.validityType);
    check(SEQUENCE, entry.getSequence(), fields.sequence);
    check(TTL, entry.getTtl(), fields.ttlNanos);
  }

  private static void check(String field, Object copy, Object signed)
      throws InvalidIpnsRecordException {
    if (!Objects.equals(copy, signed)) {
      throw new InvalidIpnsRecordException(
          Fault.CONTRADICTORY, "an IPNS record whose " + field + " is not the one that is signed");
    }
  }

  private static IpnsRecord of(Fields fields) throws InvalidIpnsRecordException {
    if (fields.validityType != END_OF_LIFE) {
      throw new InvalidIpnsRecordException(
          Fault.UNKNOWN_VALIDITY_TYPE,
          "an IPNS record of the validity type " + Long.toUnsignedString(fields.validityType));
    }
    return new IpnsRecord(fields.value, fields.sequence, instant(fields.validity), fields.ttlNanos);
  }

  private static Instant instant(Bytes validity) throws InvalidIpnsRecordException {
    String text = validity.utf8();
    if (RFC_3339.matcher(text).matches()) {
      try {
        Instant instant = OffsetDateTime.parse(text).toInstant();
        if (isWritable(instant)) {
          return instant;
        }
      } catch (DateTimeParseException e) {
        // It has the form of a time, and is in no calendar.
      }
    }
    throw new InvalidIpnsRecordException(
        Fault.BAD_VALIDITY,
        "an IPNS record that is valid until \""
            + (text.length() > 40 ? text.substring(0, 40) + "…" : text)
            + "\", which is no time of RFC 3339");
  }

  private static byte[] signed(Bytes data) {
    return DOMAIN.concat(data).toArray();
  }

  private static Bytes own(ByteString bytes) {
    return Bytes.wrap(bytes.toByteArray());
  }
}
