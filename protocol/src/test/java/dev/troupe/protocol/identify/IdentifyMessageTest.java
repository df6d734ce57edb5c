package dev.troupe.protocol.identify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.protocol.Bytes;
import dev.troupe.protocol.crypto.PortableCrypto;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.keys.PublicKey;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multistream.ProtocolId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IdentifyMessageTest {

  private static final PublicKey KEY =
      PrivateKey.fromSeed(new PortableCrypto(), new byte[32]).publicKey();

  private static IdentifyMessage message(int addresses, int protocols, int record)
      throws Exception {
    List<Multiaddr> listen = new ArrayList<>();
    for (int i = 0; i < addresses; i++) {
      listen.add(Multiaddr.parse("/dns4/" + "a".repeat(60) + i + ".example/tcp/4001"));
    }
    List<ProtocolId> spoken = new ArrayList<>();
    for (int i = 0; i < protocols; i++) {
      spoken.add(ProtocolId.of("/protocol/" + "p".repeat(60) + "/" + i));
    }
    return new IdentifyMessage(
        KEY,
        listen,
        spoken,
        Multiaddr.parse("/ip4/1.2.3.4/tcp/5"),
        "ipfs/0.1.0",
        "test/1",
        record == 0 ? null : Bytes.wrap(new byte[record]));
  }

  private static Bytes joined(List<Bytes> parts) {
    Bytes all = Bytes.EMPTY;
    for (Bytes part : parts) {
      all = all.concat(part);
    }
    return all;
  }

  @Test
  void aSmallMessageIsOnePart() throws Exception {
    IdentifyMessage small = message(4, 10, 500);
    assertEquals(List.of(small.encoded()), small.parts());
    assertEquals(small, IdentifyMessage.decode(small.encoded()));
  }

  @Test
  void aLargeMessageIsSplitAndTheFirstPartSaysWhoItIs() throws Exception {
    IdentifyMessage large = message(60, 200, 4000);
    List<Bytes> parts = large.parts();
    assertTrue(
        parts.size() > 1 && parts.size() <= IdentifyMessage.MAX_PARTS_SENT, "" + parts.size());
    for (Bytes part : parts) {
      assertTrue(part.size() <= IdentifyMessage.MAX_PART, part.size() + " bytes");
    }
    assertEquals(large, IdentifyMessage.decode(joined(parts)));
    IdentifyMessage first = IdentifyMessage.decode(parts.get(0));
    assertEquals(KEY, first.publicKey());
    assertEquals("test/1", first.agentVersion());
    assertTrue(first.listenAddresses().size() > 10);
  }

  @Test
  void whatNeedsTooManyPartsIsLeftOut() throws Exception {
    List<Bytes> parts = message(60, 1000, 0).parts();
    // go-libp2p reads ten times, and must find the end among them.
    assertEquals(9, parts.size());
    assertEquals(IdentifyMessage.MAX_PARTS_SENT, parts.size());
    IdentifyMessage heard = IdentifyMessage.decode(joined(parts));
    assertEquals(60, heard.listenAddresses().size());
    assertTrue(heard.protocols().size() > 400);
  }
}
