package dev.troupe.protocol.ipns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.ipns.InvalidIpnsRecordException.Fault;
import dev.troupe.protocol.ipns.proto.IpnsEntry;
import dev.troupe.protocol.kademlia.InvalidRecordException;
import dev.troupe.protocol.kademlia.Namespaces;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpnsRecordTest {

  private static final Crypto CRYPTO = new PortableCrypto();
  private static final PrivateKey KEY = seeded(1);
  private static final PeerId NAME = KEY.peerId();
  private static final Instant NOW = Instant.parse("2026-05-06T07:08:09Z");
  private static final String TOMORROW = "2026-05-07T07:08:09Z";
  private static final Bytes VALUE =
      Bytes.utf8("/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");

  /**
   * What boxo v0.41.0 makes of the key of seed 01: of versions 1 and 2, the 300th, valid until
   * 2120-01-02T03:04:05Z, with an entry of its own, "_note".
   */
  private static final Bytes BOXO_BOTH_VERSIONS =
      Bytes.fromHex(
          "0a412f697066732f6261666b7265696864776463656667683464716b6a763637757a636d77376f6a"
              + "6565367865647a6465746f6a757a6a657674656e78717576796b751240f93ce196d73078cb6d0e67"
              + "ac868c84cd1f9dfaa3f70ea88d3f74c2579a83455ab981847c083dbae645f95c805be3e7b32dc3b8"
              + "d793538edec8deb4702c1ef60918002214323132302d30312d30325430333a30343a30355a28ac02"
              + "3080f092cbdd0842400ac6278547ffebc779dc982b49729d167a684691293f5830bdae9342ca604d"
              + "f7df87cb0163b54def645591f9022cd30d77a9da42fbd815c62f20a542a90745034a9b01a6635454"
              + "4c1b00000045d964b8006556616c756558412f697066732f6261666b726569686477646365666768"
              + "3464716b6a763637757a636d77376f6a6565367865647a6465746f6a757a6a657674656e78717576"
              + "796b75655f6e6f74656568656c6c6f6853657175656e636519012c6856616c696469747954323132"
              + "302d30312d30325430333a30343a30355a6c56616c69646974795479706500");

  private static PrivateKey seeded(int seed) {
    byte[] bytes = new byte[32];
    Arrays.fill(bytes, (byte) seed);
    return PrivateKey.fromSeed(CRYPTO, bytes);
  }

  private static IpnsRecord open(Bytes encoded) throws InvalidIpnsRecordException {
    return IpnsRecord.open(CRYPTO, NAME, encoded, NOW);
  }

  private static void assertFault(Fault fault, String words, Bytes encoded) {
    InvalidIpnsRecordException thrown =
        assertThrows(InvalidIpnsRecordException.class, () -> open(encoded));
    assertEquals(fault, thrown.fault());
    assertTrue(String.valueOf(thrown.getMessage()).contains(words), thrown::getMessage);
  }

  private static Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("Value", VALUE);
    fields.put("Sequence", 7L);
    fields.put("Validity", Bytes.utf8(TOMORROW));
    fields.put("ValidityType", 0L);
    fields.put("TTL", 60_000_000_000L);
    return fields;
  }

  private static ByteString foreign(Bytes bytes) {
    return ByteString.copyFrom(bytes.toArray());
  }

  /** Signed by the key, whatever it holds. */
  private static IpnsEntry.Builder signed(Map<String, Object> fields) {
    return signed(DagCborMap.encode(fields));
  }

  private static IpnsEntry.Builder signed(Bytes data) {
    byte[] signature = KEY.sign(CRYPTO, Bytes.utf8("ipns-signature:").concat(data).toArray());
    return IpnsEntry.newBuilder()
        .setData(foreign(data))
        .setSignatureV2(ByteString.copyFrom(signature));
  }

  private static Bytes encoded(IpnsEntry.Builder entry) {
    return Bytes.wrap(entry.build().toByteArray());
  }

  private static Bytes changed(Consumer<Map<String, Object>> change) {
    Map<String, Object> fields = fields();
    change.accept(fields);
    return encoded(signed(fields));
  }

  private static IpnsRecord record(long sequence, String validity) {
    return new IpnsRecord(VALUE, sequence, Instant.parse(validity), 0);
  }

  // Names

  @Test
  void aNameIsAPeerId() throws Exception {
    assertEquals(
        "/ipns/k51qzi5uqu5djmw2yvf8kk5cdjc1ddc00o4d5sjwi6f79xzcay9j3gkddw5uu4",
        IpnsRecord.textOf(NAME));
    assertEquals(NAME, IpnsRecord.parseName(IpnsRecord.textOf(NAME)));
    assertEquals(NAME, IpnsRecord.parseName(NAME.toString()));
    assertEquals(NAME, IpnsRecord.nameIn(IpnsRecord.keyOf(NAME)));
    assertThrows(MalformedException.class, () -> IpnsRecord.parseName("/ipns/example.org"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/ipns/", "/ipns", "/ipfs/x", "/ipns/name", "/pk/name"})
  void anotherKeyIsNoName(String key) {
    InvalidIpnsRecordException thrown =
        assertThrows(InvalidIpnsRecordException.class, () -> IpnsRecord.nameIn(Bytes.utf8(key)));
    assertEquals(Fault.BAD_NAME, thrown.fault());
  }

  // What others make

  private static List<Map<String, String>> jsVectors() throws IOException {
    try (InputStream in = IpnsRecordTest.class.getResourceAsStream("/js-vectors/ipns.json")) {
      String json = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      List<Map<String, String>> objects = new ArrayList<>();
      for (Matcher object = Pattern.compile("\\{([^{}]*)}").matcher(json); object.find(); ) {
        Map<String, String> members = new LinkedHashMap<>();
        Matcher member = Pattern.compile("\"(\\w+)\":\\s*\"([^\"]*)\"").matcher(object.group(1));
        while (member.find()) {
          members.put(member.group(1), member.group(2));
        }
        objects.add(members);
      }
      return objects;
    }
  }

  @Test
  void recordsOfJsIpnsAreValidUnderTheirNames() throws Exception {
    List<Map<String, String>> vectors = jsVectors();
    assertEquals(6, vectors.size());
    for (Map<String, String> vector : vectors) {
      PeerId name = IpnsRecord.parseName(text(vector, "name"));
      assertEquals(vector.get("peerId"), name.toString());
      assertEquals(vector.get("key"), IpnsRecord.keyOf(name).hex());
      IpnsRecord record = IpnsRecord.open(CRYPTO, name, Bytes.fromHex(text(vector, "record")), NOW);
      assertEquals(
          new IpnsRecord(
              Bytes.utf8(text(vector, "value")),
              Long.parseLong(text(vector, "sequence")),
              Instant.parse(text(vector, "validity")),
              Long.parseLong(text(vector, "ttlNanos"))),
          record);
    }
  }

  private static String text(Map<String, String> vector, String member) {
    return Objects.requireNonNull(vector.get(member));
  }

  /** Ed25519 signatures repeat, and boxo makes the same bytes of the same fields. */
  @Test
  void oursIsWhatJsIpnsAndBoxoMakeToTheByte() throws Exception {
    Map<String, String> vector = jsVectors().get(0);
    assertEquals("2", vector.get("versions"));
    IpnsRecord record =
        new IpnsRecord(
            VALUE,
            7,
            Instant.parse("2120-01-02T03:04:05.123456789Z"),
            IpnsRecord.DEFAULT_TTL.toNanos());
    assertEquals(vector.get("record"), record.seal(CRYPTO, KEY).hex());
    assertEquals(record, open(record.seal(CRYPTO, KEY)));
  }

  @Test
  void aRecordOfBoxoWithAnEntryOfItsOwnIsValid() throws Exception {
    assertEquals(
        new IpnsRecord(VALUE, 300, Instant.parse("2120-01-02T03:04:05Z"), 300_000_000_000L),
        open(BOXO_BOTH_VERSIONS));
  }

  // What is wrong

  @Test
  void aRecordIsValidForWhoeverNamesItsKey() throws Exception {
    assertEquals(7, open(encoded(signed(fields()))).sequence());
    InvalidIpnsRecordException thrown =
        assertThrows(
            InvalidIpnsRecordException.class,
            () -> IpnsRecord.open(CRYPTO, seeded(2).peerId(), encoded(signed(fields())), NOW));
    assertEquals(Fault.BAD_SIGNATURE, thrown.fault());
  }

  @Test
  void theLimitIsTenKibibytes() throws Exception {
    int rest = changed(fields -> fields.put("Value", Bytes.wrap(new byte[9000]))).size() - 9000;
    Bytes most =
        changed(fields -> fields.put("Value", Bytes.wrap(new byte[IpnsRecord.MAX_ENCODED - rest])));
    assertEquals(10_240, most.size());
    open(most);
    assertFault(
        Fault.TOO_LARGE,
        "10241 bytes, more than 10240",
        changed(
            fields ->
                fields.put("Value", Bytes.wrap(new byte[IpnsRecord.MAX_ENCODED - rest + 1]))));
    IpnsRecord tooLong =
        new IpnsRecord(Bytes.wrap(new byte[10_240]), 0, Instant.parse(TOMORROW), 0);
    assertThrows(IllegalArgumentException.class, () -> tooLong.seal(CRYPTO, KEY));
  }

  @Test
  void whatIsNotSignedIsRefused() {
    assertFault(
        Fault.UNSIGNED, "without a signature", encoded(signed(fields()).clearSignatureV2()));
    assertFault(Fault.UNSIGNED, "without a signature", encoded(signed(fields()).clearData()));
    assertFault(Fault.UNSIGNED, "without a signature", Bytes.EMPTY);
    ByteString old =
        ByteString.copyFrom(KEY.sign(CRYPTO, VALUE.concat(Bytes.utf8(TOMORROW + "EOL")).toArray()));
    assertFault(
        Fault.UNSIGNED,
        "version 1 alone",
        encoded(
            IpnsEntry.newBuilder()
                .setValue(foreign(VALUE))
                .setValidity(foreign(Bytes.utf8(TOMORROW)))
                .setValidityType(0)
                .setSequence(7)
                .setSignatureV1(old)));
  }

  @Test
  void aBrokenSignatureIsRefused() throws Exception {
    byte[] signature = signed(fields()).getSignatureV2().toByteArray();
    signature[5] ^= 1;
    assertFault(
        Fault.BAD_SIGNATURE,
        "not signed by " + NAME,
        encoded(signed(fields()).setSignatureV2(ByteString.copyFrom(signature))));
    // The old one is not looked at.
    open(
        encoded(
            signed(fields())
                .setSignatureV1(ByteString.copyFrom(signature))
                .setValue(foreign(VALUE))
                .setValidity(foreign(Bytes.utf8(TOMORROW)))
                .setSequence(7)
                .setTtl(60_000_000_000L)));
  }

  @Test
  void theKeyInARecordMustBeThatOfTheName() throws Exception {
    open(encoded(signed(fields()).setPubKey(foreign(KEY.publicKey().encoded()))));
    assertFault(
        Fault.OTHER_KEY,
        "the key of " + seeded(2).peerId(),
        encoded(signed(fields()).setPubKey(foreign(seeded(2).publicKey().encoded()))));
    assertFault(
        Fault.OTHER_KEY,
        "cannot be read",
        encoded(signed(fields()).setPubKey(ByteString.copyFrom(new byte[] {1, 2}))));
  }

  @Test
  void aNameThatIsAHashNeedsTheKeyInTheRecord() throws Exception {
    Map<String, String> vector =
        jsVectors().stream()
            .filter(each -> "RSA".equals(each.get("type")))
            .findFirst()
            .orElseThrow();
    PeerId name = IpnsRecord.parseName(text(vector, "name"));
    IpnsEntry entry = IpnsEntry.parseFrom(Bytes.fromHex(text(vector, "record")).toArray());
    InvalidIpnsRecordException thrown =
        assertThrows(
            InvalidIpnsRecordException.class,
            () -> IpnsRecord.open(CRYPTO, name, encoded(entry.toBuilder().clearPubKey()), NOW));
    assertEquals(Fault.NO_KEY, thrown.fault());
  }

  @Test
  void eachFieldIsNeededAndOfItsKind() {
    for (String field : List.of("Value", "Sequence", "Validity", "ValidityType", "TTL")) {
      assertFault(Fault.MALFORMED, "without " + field, changed(fields -> fields.remove(field)));
      assertFault(
          Fault.MALFORMED,
          field + " is not",
          changed(
              fields ->
                  fields.computeIfPresent(
                      field, (name, value) -> value instanceof Bytes ? 1L : Bytes.EMPTY)));
    }
    assertFault(Fault.MALFORMED, "no map", encoded(signed(Bytes.fromHex("80"))));
    assertFault(Fault.MALFORMED, "not an IPNS record", Bytes.fromHex("ff"));
  }

  @Test
  void whatIsUnsignedMustBeACopyOfWhatIsSigned() throws Exception {
    Consumer<IpnsEntry.Builder> copies =
        entry ->
            entry
                .setValue(foreign(VALUE))
                .setValidity(foreign(Bytes.utf8(TOMORROW)))
                .setValidityType(0)
                .setSequence(7)
                .setTtl(60_000_000_000L);
    IpnsEntry.Builder right = signed(fields());
    copies.accept(right);
    open(encoded(right));
    Map<String, Consumer<IpnsEntry.Builder>> wrongs = new LinkedHashMap<>();
    wrongs.put("Value", entry -> entry.setValue(ByteString.copyFromUtf8("/ipfs/other")));
    wrongs.put("Validity", entry -> entry.setValidity(ByteString.copyFromUtf8("2027")));
    wrongs.put("ValidityType", entry -> entry.setValidityType(1));
    wrongs.put("Sequence", entry -> entry.setSequence(8));
    wrongs.put("TTL", entry -> entry.setTtl(1));
    wrongs.forEach(
        (field, wrong) -> {
          IpnsEntry.Builder all = signed(fields());
          copies.accept(all);
          wrong.accept(all);
          assertFault(Fault.CONTRADICTORY, "whose " + field + " is not", encoded(all));
        });
    // With version 1, what is missing counts as empty or zero.
    assertFault(
        Fault.CONTRADICTORY, "whose Sequence is not", encoded(right.clone().clearSequence()));
    IpnsEntry.Builder value = signed(fields()).setValue(foreign(VALUE));
    assertFault(Fault.CONTRADICTORY, "whose Validity is not", encoded(value));
    IpnsEntry.Builder signature =
        signed(fields()).setSignatureV1(ByteString.copyFrom(new byte[] {1}));
    assertFault(Fault.CONTRADICTORY, "whose Value is not", encoded(signature));
  }

  /**
   * Without a value and a signature of version 1 there is no version 1: {@code 30 01} is a TTL of
   * 1, {@code 12 00} an empty signature, {@code 0a 00} an empty value.
   */
  @ParameterizedTest
  @ValueSource(strings = {"3001", "1200", "0a00", "2801", "1801", "220432303237", "12000a003001"})
  void nobodyMakesARecordInvalidByWhatHeAppendsToIt(String suffix) throws Exception {
    IpnsRecord record = record(7, TOMORROW);
    assertEquals(record, open(record.seal(CRYPTO, KEY).concat(Bytes.fromHex(suffix))));
  }

  @Test
  void aValidityOfAnotherTypeIsNotGuessedAt() {
    assertFault(
        Fault.UNKNOWN_VALIDITY_TYPE,
        "the validity type 1",
        changed(fields -> fields.put("ValidityType", 1L)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "tomorrow",
        "2026-05-07",
        "2026-05-07T07:08Z",
        "2026-05-07 07:08:09Z",
        "2026-05-07T07:08:09",
        "2026-02-30T07:08:09Z",
        "2026-05-07T24:08:09Z",
        "2026-05-07T07:08:60Z",
        "2026-05-07T07:08:09.Z",
        "2026-05-07T07:08:09.1234567890Z",
        "+12026-05-07T07:08:09Z",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-05-07T07:08:09+99:00",
        "٢٠٢٦-05-07T07:08:09Z"
      })
  void aValidityThatIsNoTimeIsRefused(String validity) {
    assertFault(
        Fault.BAD_VALIDITY,
        "valid until \"" + validity + "\"",
        changed(fields -> fields.put("Validity", Bytes.utf8(validity))));
  }

  @ParameterizedTest
  @CsvSource({
    "2026-05-07T07:08:09Z, 2026-05-07T07:08:09Z",
    "2026-05-07T07:08:09.5Z, 2026-05-07T07:08:09.500Z",
    "2026-05-07T07:08:09.000000001Z, 2026-05-07T07:08:09.000000001Z",
    "2026-05-07T09:08:09+02:00, 2026-05-07T07:08:09Z",
    "9999-12-31T23:59:59.999999999Z, 9999-12-31T23:59:59.999999999Z"
  })
  void everyTimeOfRfc3339IsUnderstood(String validity, String instant) throws Exception {
    Bytes record = changed(fields -> fields.put("Validity", Bytes.utf8(validity)));
    assertEquals(Instant.parse(instant), open(record).validity());
  }

  @Test
  void aRecordEndsWhenItSays() throws Exception {
    Bytes record = record(1, "2026-05-06T07:08:09.000000001Z").seal(CRYPTO, KEY);
    open(record);
    assertFault(
        Fault.EXPIRED,
        "expired at 2026-05-06T07:08:09Z",
        record(1, "2026-05-06T07:08:09Z").seal(CRYPTO, KEY));
  }

  @Test
  void whatRfc3339CannotSayIsNotMade() {
    for (String validity : List.of("-0001-12-31T23:59:59Z", "+10000-01-01T00:00:00Z")) {
      assertThrows(IllegalArgumentException.class, () -> record(1, validity));
    }
  }

  // The namespace

  private static Bytes best(IpnsRecord... records) throws InvalidRecordException {
    List<Bytes> values = new ArrayList<>();
    for (IpnsRecord record : records) {
      values.add(record.seal(CRYPTO, KEY));
    }
    Namespaces namespaces =
        Namespaces.BUILT_IN.with(IpnsNamespace.NAME, new IpnsNamespace(CRYPTO, () -> NOW));
    Bytes key = IpnsRecord.keyOf(NAME);
    for (Bytes value : values) {
      namespaces.validate(key, value);
    }
    assertTrue(namespaces.isOrdered(key));
    Bytes best = namespaces.select(key, values);
    // Whoever comes first, the same one is chosen.
    List<Bytes> backwards = new ArrayList<>(values);
    Collections.reverse(backwards);
    assertEquals(best, namespaces.select(key, backwards));
    return best;
  }

  @Test
  void theHigherSequenceIsBetterThenTheLongerValidityThenTheGreaterBytes() throws Exception {
    IpnsRecord old = record(7, "2030-01-01T00:00:00Z");
    IpnsRecord newer = record(8, "2029-01-01T00:00:00Z");
    IpnsRecord longer = record(8, "2029-01-01T00:00:00.000000001Z");
    IpnsRecord newest = record(-1, "2028-01-01T00:00:00Z"); // 2^64 - 1
    assertEquals(newer.seal(CRYPTO, KEY), best(old, newer));
    assertEquals(longer.seal(CRYPTO, KEY), best(newer, old, longer));
    assertEquals(newest.seal(CRYPTO, KEY), best(newer, newest, longer));

    IpnsRecord other =
        new IpnsRecord(Bytes.utf8("/ipfs/other"), 8, newer.validity(), newer.ttlNanos());
    Bytes one = newer.seal(CRYPTO, KEY);
    Bytes another = other.seal(CRYPTO, KEY);
    assertNotEquals(one, another);
    assertEquals(one.compareTo(another) > 0 ? one : another, best(newer, other));
  }

  @Test
  void theDhtIsToldWhatIsWrong() {
    IpnsNamespace namespace =
        new IpnsNamespace(CRYPTO, () -> Instant.parse("2031-01-01T00:00:00Z"));
    InvalidRecordException thrown =
        assertThrows(
            InvalidRecordException.class,
            () ->
                namespace.validate(
                    IpnsRecord.keyOf(NAME), record(7, "2030-01-01T00:00:00Z").seal(CRYPTO, KEY)));
    assertEquals(
        "an IPNS record that expired at 2030-01-01T00:00:00Z; it is 2031-01-01T00:00:00Z",
        thrown.getMessage());
    assertEquals(
        Fault.EXPIRED,
        ((InvalidIpnsRecordException) Objects.requireNonNull(thrown.getCause())).fault());
  }
}
