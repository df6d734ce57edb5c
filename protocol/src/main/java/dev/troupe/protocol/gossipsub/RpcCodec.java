package dev.troupe.protocol.gossipsub;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.IHave;
import dev.troupe.protocol.gossipsub.Rpc.IWant;
import dev.troupe.protocol.gossipsub.Rpc.PeerInfo;
import dev.troupe.protocol.gossipsub.Rpc.Prune;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of an {@link Rpc}: the protobuf of the pubsub specification with the control messages
 * of GossipSub 1.1.
 *
 * <p>It is read field by field rather than by generated code, so that every limit holds while
 * reading: a frame of a million empty entries is refused at the first entry too many, not after a
 * million objects. {@code rpc.proto} beside the tests is the schema, and the tests hold the two
 * together.
 */
public final class RpcCodec {

  /**
   * Largest encoded RPC, in bytes, its length prefix not counted: 1 MiB, as go-libp2p has it, which
   * resets a stream over anything larger.
   */
  public static final int MAX_RPC_BYTES = 1 << 20;

  /** Largest encoded message, in bytes: with its tag and length it fills an RPC. */
  public static final int MAX_MESSAGE_BYTES = MAX_RPC_BYTES - 4;

  /** Longest topic name, in bytes of UTF-8. */
  public static final int MAX_TOPIC_BYTES = 1024;

  /** Longest message id, in bytes: js-libp2p puts whole RSA keys into them. */
  public static final int MAX_MESSAGE_ID_BYTES = 1024;

  /** Most subscriptions in one RPC. */
  public static final int MAX_SUBSCRIPTIONS = 5_000;

  /** Most messages in one RPC. */
  public static final int MAX_MESSAGES = 5_000;

  /** Most entries of one kind (IHAVE, IWANT, GRAFT, PRUNE) in one RPC. */
  public static final int MAX_CONTROL_ENTRIES = 1_000;

  /** Most message ids in all IHAVE, and in all IWANT, of one RPC. */
  public static final int MAX_MESSAGE_IDS = 10_000;

  /** Most peers in all PRUNE of one RPC. */
  public static final int MAX_PEER_INFOS = 1_000;

  // The message's own fields, and the tags of each level.
  private static final int LEN = WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int VARINT = WireFormat.WIRETYPE_VARINT;

  private RpcCodec() {}

  // ---- reading

  /**
   * Reads one RPC.
   *
   * @throws MalformedException when it is no such protobuf, or exceeds one of the limits above
   */
  public static Rpc decode(Bytes encoded) throws MalformedException {
    if (encoded.size() > MAX_RPC_BYTES) {
      throw new MalformedException(
          "an RPC of " + encoded.size() + " bytes exceeds the limit of " + MAX_RPC_BYTES);
    }
    try {
      return new Decoder().rpc(CodedInputStream.newInstance(encoded.toArray()));
    } catch (IOException e) {
      throw new MalformedException("the RPC is no protobuf: " + e.getMessage());
    }
  }

  /** Reads one message, as {@link #encode(Message)} wrote it. */
  static Message decodeMessage(Bytes encoded) throws MalformedException {
    try {
      return Decoder.message(encoded.toArray());
    } catch (IOException e) {
      throw new MalformedException("the message is no protobuf: " + e.getMessage());
    }
  }

  /** Reads one level after the other, and counts what must not be too many in all. */
  private static final class Decoder {
    private final List<Subscription> subscriptions = new ArrayList<>();
    private final List<Message> messages = new ArrayList<>();
    private final List<IHave> ihave = new ArrayList<>();
    private final List<IWant> iwant = new ArrayList<>();
    private final List<Graft> graft = new ArrayList<>();
    private final List<Prune> prune = new ArrayList<>();
    private int ihaveIds;
    private int iwantIds;
    private int peerInfos;

    Rpc rpc(CodedInputStream in) throws IOException, MalformedException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          room(subscriptions.size(), MAX_SUBSCRIPTIONS, "subscriptions");
          subscriptions.add(subscription(nested(in, "subscription")));
        } else if (tag == tag(2, LEN)) {
          room(messages.size(), MAX_MESSAGES, "messages");
          messages.add(message(in.readByteArray()));
        } else if (tag == tag(3, LEN)) {
          control(nested(in, "control"));
        } else {
          skip(in, tag);
        }
      }
      return new Rpc(subscriptions, messages, ihave, iwant, graft, prune);
    }

    private static Subscription subscription(CodedInputStream in)
        throws IOException, MalformedException {
      boolean subscribe = false;
      String topic = null;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, VARINT)) {
          subscribe = in.readBool();
        } else if (tag == tag(2, LEN)) {
          topic = topic(in);
        } else {
          skip(in, tag);
        }
      }
      return new Subscription(subscribe, named(topic, "subscription"));
    }

    static Message message(byte[] encoded) throws IOException, MalformedException {
      CodedInputStream in = CodedInputStream.newInstance(encoded);
      Bytes from = null;
      Bytes data = null;
      Bytes seqno = null;
      String topic = null;
      Bytes signature = null;
      Bytes key = null;
      ByteArrayOutputStream unknown = new ByteArrayOutputStream(0);
      int start = 0;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          from = Bytes.wrap(in.readByteArray());
        } else if (tag == tag(2, LEN)) {
          data = Bytes.wrap(in.readByteArray());
        } else if (tag == tag(3, LEN)) {
          seqno = Bytes.wrap(in.readByteArray());
        } else if (tag == tag(4, LEN)) {
          topic = topic(in);
        } else if (tag == tag(5, LEN)) {
          signature = Bytes.wrap(in.readByteArray());
        } else if (tag == tag(6, LEN)) {
          key = Bytes.wrap(in.readByteArray());
        } else {
          skip(in, tag);
          unknown.write(encoded, start, in.getTotalBytesRead() - start);
        }
        start = in.getTotalBytesRead();
      }
      Bytes rest = Bytes.wrap(unknown.toByteArray());
      return new Message(from, data, seqno, named(topic, "message"), signature, key, rest);
    }

    private void control(CodedInputStream in) throws IOException, MalformedException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          room(ihave.size(), MAX_CONTROL_ENTRIES, "IHAVE");
          ihave.add(ihave(nested(in, "IHAVE")));
        } else if (tag == tag(2, LEN)) {
          room(iwant.size(), MAX_CONTROL_ENTRIES, "IWANT");
          iwant.add(iwant(nested(in, "IWANT")));
        } else if (tag == tag(3, LEN)) {
          room(graft.size(), MAX_CONTROL_ENTRIES, "GRAFT");
          graft.add(graft(nested(in, "GRAFT")));
        } else if (tag == tag(4, LEN)) {
          room(prune.size(), MAX_CONTROL_ENTRIES, "PRUNE");
          prune.add(prune(nested(in, "PRUNE")));
        } else {
          skip(in, tag);
        }
      }
    }

    private IHave ihave(CodedInputStream in) throws IOException, MalformedException {
      String topic = null;
      List<Bytes> ids = new ArrayList<>();
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          topic = topic(in);
        } else if (tag == tag(2, LEN)) {
          room(ihaveIds++, MAX_MESSAGE_IDS, "message ids in IHAVE");
          ids.add(messageId(in));
        } else {
          skip(in, tag);
        }
      }
      return new IHave(named(topic, "IHAVE"), ids);
    }

    private IWant iwant(CodedInputStream in) throws IOException, MalformedException {
      List<Bytes> ids = new ArrayList<>();
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          room(iwantIds++, MAX_MESSAGE_IDS, "message ids in IWANT");
          ids.add(messageId(in));
        } else {
          skip(in, tag);
        }
      }
      return new IWant(ids);
    }

    private static Graft graft(CodedInputStream in) throws IOException, MalformedException {
      String topic = null;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          topic = topic(in);
        } else {
          skip(in, tag);
        }
      }
      return new Graft(named(topic, "GRAFT"));
    }

    private Prune prune(CodedInputStream in) throws IOException, MalformedException {
      String topic = null;
      List<PeerInfo> peers = new ArrayList<>();
      long backoff = 0;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          topic = topic(in);
        } else if (tag == tag(2, LEN)) {
          room(peerInfos++, MAX_PEER_INFOS, "peers in PRUNE");
          peers.add(peerInfo(nested(in, "peer of a PRUNE")));
        } else if (tag == tag(3, VARINT)) {
          long unsigned = in.readUInt64();
          backoff = unsigned < 0 ? Long.MAX_VALUE : unsigned;
        } else {
          skip(in, tag);
        }
      }
      return new Prune(named(topic, "PRUNE"), peers, backoff);
    }

    private static PeerInfo peerInfo(CodedInputStream in) throws IOException, MalformedException {
      Bytes peerId = Bytes.EMPTY;
      Bytes signedPeerRecord = null;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == tag(1, LEN)) {
          peerId = Bytes.wrap(in.readByteArray());
        } else if (tag == tag(2, LEN)) {
          signedPeerRecord = Bytes.wrap(in.readByteArray());
        } else {
          skip(in, tag);
        }
      }
      return new PeerInfo(peerId, signedPeerRecord);
    }

    private static CodedInputStream nested(CodedInputStream in, String what)
        throws IOException, MalformedException {
      byte[] encoded = in.readByteArray();
      if (encoded.length > MAX_RPC_BYTES) {
        throw new MalformedException("the " + what + " is too large");
      }
      return CodedInputStream.newInstance(encoded);
    }

    private static String topic(CodedInputStream in) throws IOException, MalformedException {
      Bytes name = Bytes.wrap(in.readByteArray());
      if (name.size() > MAX_TOPIC_BYTES) {
        throw new MalformedException(
            "a topic name of " + name.size() + " bytes exceeds the limit of " + MAX_TOPIC_BYTES);
      }
      if (!name.isUtf8()) {
        throw new MalformedException("a topic name is not UTF-8");
      }
      return name.utf8();
    }

    private static Bytes messageId(CodedInputStream in) throws IOException, MalformedException {
      byte[] id = in.readByteArray();
      if (id.length > MAX_MESSAGE_ID_BYTES) {
        throw new MalformedException(
            "a message id of " + id.length + " bytes exceeds the limit of " + MAX_MESSAGE_ID_BYTES);
      }
      return Bytes.wrap(id);
    }

    private static String named(@Nullable String topic, String what) throws MalformedException {
      if (topic == null) {
        throw new MalformedException("a " + what + " names no topic");
      }
      return topic;
    }

    private static void room(int count, int limit, String what) throws MalformedException {
      if (count >= limit) {
        throw new MalformedException("more than " + limit + " " + what + " in one RPC");
      }
    }

    private static void skip(CodedInputStream in, int tag) throws IOException, MalformedException {
      if (!in.skipField(tag)) {
        throw new MalformedException("the RPC has a group that was never opened");
      }
    }
  }

  private static int tag(int field, int wireType) {
    return field << 3 | wireType;
  }

  // ---- writing

  /** Writes one RPC. The size is the caller's concern: see {@link RpcParts}. */
  public static Bytes encode(Rpc rpc) {
    return written(
        out -> {
          for (Subscription subscription : rpc.subscriptions()) {
            out.writeByteArray(1, encode(subscription));
          }
          for (Message message : rpc.messages()) {
            out.writeByteArray(2, encode(message).toArray());
          }
          byte[] control = encodeControl(rpc);
          if (control.length > 0) {
            out.writeByteArray(3, control);
          }
        });
  }

  private static byte[] encode(Subscription subscription) {
    return written(
            out -> {
              out.writeBool(1, subscription.subscribe());
              writeTopic(out, 2, subscription.topic());
            })
        .toArray();
  }

  /** Writes one message: the known fields in the order of their numbers, then the unknown ones. */
  static Bytes encode(Message message) {
    return written(
        out -> {
          writeBytes(out, 1, message.from());
          writeBytes(out, 2, message.data());
          writeBytes(out, 3, message.seqno());
          writeTopic(out, 4, message.topic());
          writeBytes(out, 5, message.signature());
          writeBytes(out, 6, message.key());
          out.writeRawBytes(message.unknown().toArray());
        });
  }

  static int size(Subscription subscription) {
    return 2 + 1 + CodedOutputStream.computeStringSizeNoTag(subscription.topic());
  }

  static int size(IHave ihave) {
    return 1
        + CodedOutputStream.computeStringSizeNoTag(ihave.topic())
        + sizeOfIds(ihave.messageIds());
  }

  static int size(IWant iwant) {
    return sizeOfIds(iwant.messageIds());
  }

  static int size(Graft graft) {
    return 1 + CodedOutputStream.computeStringSizeNoTag(graft.topic());
  }

  static int size(Prune prune) {
    return encode(prune).length;
  }

  private static int sizeOfIds(List<Bytes> ids) {
    int size = 0;
    for (Bytes id : ids) {
      size += sizeOfField(id.size());
    }
    return size;
  }

  /** Of a field with a one-byte tag and so many bytes of content. */
  static int sizeOfField(int content) {
    return 1 + CodedOutputStream.computeUInt32SizeNoTag(content) + content;
  }

  private static byte[] encodeControl(Rpc rpc) {
    return written(
            out -> {
              for (IHave ihave : rpc.ihave()) {
                out.writeByteArray(
                    1,
                    written(
                            entry -> {
                              writeTopic(entry, 1, ihave.topic());
                              writeIds(entry, 2, ihave.messageIds());
                            })
                        .toArray());
              }
              for (IWant iwant : rpc.iwant()) {
                out.writeByteArray(
                    2, written(entry -> writeIds(entry, 1, iwant.messageIds())).toArray());
              }
              for (Graft graft : rpc.graft()) {
                out.writeByteArray(
                    3, written(entry -> writeTopic(entry, 1, graft.topic())).toArray());
              }
              for (Prune prune : rpc.prune()) {
                out.writeByteArray(4, encode(prune));
              }
            })
        .toArray();
  }

  private static byte[] encode(Prune prune) {
    return written(
            out -> {
              writeTopic(out, 1, prune.topic());
              for (PeerInfo peer : prune.peers()) {
                out.writeByteArray(
                    2,
                    written(
                            entry -> {
                              writeBytes(entry, 1, peer.peerId());
                              writeBytes(entry, 2, peer.signedPeerRecord());
                            })
                        .toArray());
              }
              if (prune.backoffSeconds() > 0) {
                out.writeUInt64(3, prune.backoffSeconds());
              }
            })
        .toArray();
  }

  private static void writeIds(CodedOutputStream out, int field, List<Bytes> ids)
      throws IOException {
    for (Bytes id : ids) {
      writeBytes(out, field, id);
    }
  }

  private static void writeTopic(CodedOutputStream out, int field, String topic)
      throws IOException {
    out.writeByteArray(field, topic.getBytes(StandardCharsets.UTF_8));
  }

  private static void writeBytes(CodedOutputStream out, int field, @Nullable Bytes value)
      throws IOException {
    if (value != null) {
      out.writeByteArray(field, value.toArray());
    }
  }

  @FunctionalInterface
  private interface Writing {
    void to(CodedOutputStream out) throws IOException;
  }

  /**
   * In bytes: most of what is written is control of a few names; protobuf's own choice is 4 KiB.
   */
  private static final int WRITE_BUFFER = 128;

  private static Bytes written(Writing writing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes, WRITE_BUFFER);
    try {
      writing.to(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory cannot fail", e);
    }
    return Bytes.wrap(bytes.toByteArray());
  }
}
