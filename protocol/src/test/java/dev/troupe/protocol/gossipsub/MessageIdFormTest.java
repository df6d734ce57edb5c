package dev.troupe.protocol.gossipsub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.PortableCrypto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageIdFormTest {

  private static final Crypto CRYPTO = new PortableCrypto();

  @ParameterizedTest
  @ValueSource(strings = {"full", "secp256k1", "rsa"})
  void bothFormsNameOneMessage(String vector) throws MalformedException {
    Message message = RpcCodec.decode(JsVectors.named(vector).rpc()).messages().get(0);
    // js-libp2p: the public key's protobuf and the sequence number.
    Bytes theirs = message.key().concat(message.seqno());
    assertEquals(MessageIdForm.PUBLIC_KEY, MessageIdForm.of(theirs));
    assertEquals(MessageIdForm.PEER_ID, MessageIdForm.of(message.id()));
    assertEquals(message.id(), MessageIdForm.specified(theirs, CRYPTO));
    assertEquals(message.id(), MessageIdForm.specified(message.id(), CRYPTO));
    assertEquals(theirs, MessageIdForm.PUBLIC_KEY.idOf(message));
    assertEquals(message.id(), MessageIdForm.PEER_ID.idOf(message));
  }

  @Test
  void theKeyIsTakenFromThePeerIdWhereItIsNotEnclosed() throws MalformedException {
    Message m = RpcCodec.decode(JsVectors.named("full").rpc()).messages().get(0);
    Message bare =
        new Message(m.from(), m.data(), m.seqno(), m.topic(), m.signature(), null, m.unknown());
    assertEquals(m.key().concat(m.seqno()), MessageIdForm.PUBLIC_KEY.idOf(bare));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8, 11, 12, 20, 32})
  void idsOfOtherMakingAreLeftAlone(int size) {
    byte[] id = new byte[size];
    java.util.Arrays.fill(id, (byte) 0x5a);
    assertNull(MessageIdForm.of(Bytes.wrap(id)));
    assertEquals(Bytes.wrap(id), MessageIdForm.specified(Bytes.wrap(id), CRYPTO));
  }
}
