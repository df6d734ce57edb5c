package dev.troupe.protocol.noise;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Aead;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.crypto.X25519KeyPair;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.protocol.noise.proto.NoiseExtensions;
import dev.troupe.protocol.noise.proto.NoiseHandshakePayload;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The XX handshake: {@code -> e}, {@code <- e, ee, s, es}, {@code -> s, se}; the last two carry
 * each side's identity key, its signature of the Noise static key, and the muxers that it speaks.
 * The ephemeral key is made anew for each handshake. Sans I/O: whole messages in and out, without
 * their length prefix. Not thread-safe.
 */
public final class NoiseHandshake {

  /** The protocol's name in multistream-select. */
  public static final ProtocolId PROTOCOL = ProtocolId.of("/noise");

  /** How many muxers of a remote are read. */
  public static final int MAX_MUXERS = 32;

  private static final String NAME = "Noise_XX_25519_ChaChaPoly_SHA256";
  private static final int KEY_BYTES = 32;

  private final Crypto crypto;
  private final NoiseKey key;
  private final List<ProtocolId> muxers;
  private final boolean initiator;
  private final SymmetricState state;
  private final X25519KeyPair ephemeral;
  private byte @Nullable [] remoteEphemeral;
  private int step;
  private @Nullable PublicKey remoteKey;
  private List<ProtocolId> remoteMuxers = List.of();
  private boolean remoteNamedMuxers;

  /**
   * A handshake that has not begun.
   *
   * @param key of this host
   * @param muxers what to offer for early muxer negotiation, the preferred first
   */
  public NoiseHandshake(
      Crypto crypto,
      RandomSource random,
      NoiseKey key,
      List<ProtocolId> muxers,
      boolean initiator) {
    this.crypto = crypto;
    this.key = key;
    this.muxers = List.copyOf(muxers);
    this.initiator = initiator;
    this.state = new SymmetricState(crypto, NAME, new byte[0]);
    this.ephemeral = crypto.x25519(random);
  }

  /** Whether it is this side's turn to {@link #write}. */
  public boolean mustWrite() {
    return step < 3 && (step % 2 == 0) == initiator;
  }

  /** Whether all three messages are through. */
  public boolean isOver() {
    return step == 3;
  }

  /**
   * The next message.
   *
   * @throws IllegalStateException if it is not this side's turn
   * @throws MalformedException if the remote's key is of low order
   */
  public byte[] write() throws MalformedException {
    if (!mustWrite()) {
      throw new IllegalStateException("it is the remote's turn");
    }
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    switch (step++) {
      case 0 -> {
        state.mixHash(ephemeral.publicKey());
        message.writeBytes(ephemeral.publicKey());
        message.writeBytes(state.encryptAndHash(new byte[0]));
      }
      case 1 -> {
        state.mixHash(ephemeral.publicKey());
        message.writeBytes(ephemeral.publicKey());
        state.mixKey(crypto.x25519Agree(ephemeral.privateKey(), remoteEphemeral()));
        message.writeBytes(state.encryptAndHash(key.pair().publicKey()));
        state.mixKey(crypto.x25519Agree(key.pair().privateKey(), remoteEphemeral()));
        message.writeBytes(state.encryptAndHash(payload()));
      }
      default -> {
        message.writeBytes(state.encryptAndHash(key.pair().publicKey()));
        state.mixKey(crypto.x25519Agree(key.pair().privateKey(), remoteEphemeral()));
        message.writeBytes(state.encryptAndHash(payload()));
      }
    }
    return message.toByteArray();
  }

  /**
   * Takes the remote's next message.
   *
   * @throws IllegalStateException if it is this side's turn
   * @throws MalformedException naming what is wrong with it: cut short, wrong tag, no payload,
   *     wrong signature
   */
  public void read(byte[] message) throws MalformedException {
    if (mustWrite() || isOver()) {
      throw new IllegalStateException("it is not the remote's turn");
    }
    ByteBuffer in = ByteBuffer.wrap(message);
    switch (step++) {
      case 0 -> {
        readEphemeral(in);
        state.decryptAndHash(take(in, in.remaining()));
      }
      case 1 -> {
        readEphemeral(in);
        state.mixKey(crypto.x25519Agree(ephemeral.privateKey(), remoteEphemeral()));
        byte[] remoteStatic = state.decryptAndHash(take(in, KEY_BYTES + Aead.TAG_BYTES));
        state.mixKey(crypto.x25519Agree(ephemeral.privateKey(), remoteStatic));
        readPayload(state.decryptAndHash(take(in, in.remaining())), remoteStatic);
      }
      default -> {
        byte[] remoteStatic = state.decryptAndHash(take(in, KEY_BYTES + Aead.TAG_BYTES));
        state.mixKey(crypto.x25519Agree(ephemeral.privateKey(), remoteStatic));
        readPayload(state.decryptAndHash(take(in, in.remaining())), remoteStatic);
      }
    }
  }

  /** Whether the remote has proven who it is. */
  public boolean knowsRemote() {
    return remoteKey != null;
  }

  /** Whether the remote offered muxers at all, known or not; false until it is known. */
  public boolean remoteNamedMuxers() {
    return remoteNamedMuxers;
  }

  /**
   * The remote's identity.
   *
   * @throws IllegalStateException if it is not known yet
   */
  public PublicKey remoteKey() {
    if (remoteKey == null) {
      throw new IllegalStateException("the remote's payload has not been read");
    }
    return remoteKey;
  }

  /**
   * What both sides offered as a muxer: the initiator's first that the responder speaks too; null
   * if there is none.
   *
   * @throws IllegalStateException if the handshake is not over
   */
  public @Nullable ProtocolId commonMuxer() {
    if (!isOver()) {
      throw new IllegalStateException("the handshake is not over");
    }
    List<ProtocolId> preferred = initiator ? muxers : remoteMuxers;
    List<ProtocolId> other = initiator ? remoteMuxers : muxers;
    for (ProtocolId muxer : preferred) {
      if (other.contains(muxer)) {
        return muxer;
      }
    }
    return null;
  }

  /**
   * The ciphers of the secured connection.
   *
   * @throws IllegalStateException if the handshake is not over
   */
  public NoiseTransport transport() {
    if (!isOver()) {
      throw new IllegalStateException("the handshake is not over");
    }
    byte[][] keys = state.split();
    return new NoiseTransport(
        crypto.chaCha20Poly1305(keys[initiator ? 0 : 1], true),
        crypto.chaCha20Poly1305(keys[initiator ? 1 : 0], false));
  }

  private byte[] remoteEphemeral() {
    if (remoteEphemeral == null) {
      throw new IllegalStateException("the remote's ephemeral key has not been read");
    }
    return remoteEphemeral;
  }

  private void readEphemeral(ByteBuffer in) throws MalformedException {
    remoteEphemeral = take(in, KEY_BYTES);
    state.mixHash(remoteEphemeral);
  }

  private static byte[] take(ByteBuffer in, int count) throws MalformedException {
    if (in.remaining() < count) {
      throw new MalformedException("a Noise handshake message is cut short");
    }
    byte[] bytes = new byte[count];
    in.get(bytes);
    return bytes;
  }

  private byte[] payload() {
    NoiseExtensions.Builder extensions = NoiseExtensions.newBuilder();
    muxers.forEach(muxer -> extensions.addStreamMuxers(muxer.value()));
    return NoiseHandshakePayload.newBuilder()
        .setIdentityKey(ByteString.copyFrom(key.identity().encoded().toArray()))
        .setIdentitySig(ByteString.copyFrom(key.signature()))
        .setExtensions(extensions)
        .build()
        .toByteArray();
  }

  private void readPayload(byte[] bytes, byte[] remoteStatic) throws MalformedException {
    NoiseHandshakePayload payload;
    try {
      payload = NoiseHandshakePayload.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new MalformedException("no Noise payload: " + e.getMessage(), e);
    }
    PublicKey key = PublicKey.decode(payload.getIdentityKey().toByteArray());
    if (!key.verify(
        crypto, NoiseKey.signedBytes(remoteStatic), payload.getIdentitySig().toByteArray())) {
      throw new MalformedException("the remote's identity key did not sign its Noise key");
    }
    List<ProtocolId> offered = new ArrayList<>();
    for (String muxer : payload.getExtensions().getStreamMuxersList()) {
      if (offered.size() < MAX_MUXERS
          && !muxer.isEmpty()
          && muxer.length() < 100
          && muxer.indexOf('\n') < 0) {
        offered.add(ProtocolId.of(muxer));
      }
    }
    remoteMuxers = List.copyOf(offered);
    remoteNamedMuxers = payload.getExtensions().getStreamMuxersCount() > 0;
    remoteKey = key;
  }
}
