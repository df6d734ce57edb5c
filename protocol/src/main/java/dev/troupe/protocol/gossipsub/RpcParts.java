package dev.troupe.protocol.gossipsub;

import dev.troupe.protocol.gossipsub.Rpc.Graft;
import dev.troupe.protocol.gossipsub.Rpc.IHave;
import dev.troupe.protocol.gossipsub.Rpc.IWant;
import dev.troupe.protocol.gossipsub.Rpc.Prune;
import dev.troupe.protocol.gossipsub.Rpc.Subscription;
import java.util.ArrayList;
import java.util.List;

/**
 * Divides what is to be told to a peer into RPCs that each stay within the limits of {@link
 * RpcCodec}. No entry is divided: each must fit by itself. Messages are sent one in an RPC, and are
 * not divided here.
 */
final class RpcParts {

  /** What the tag and the length of the control part leave. */
  private static final int MAX_BYTES = RpcCodec.MAX_RPC_BYTES - 4;

  private final int maxIds;
  private final List<Rpc> parts = new ArrayList<>();
  private final List<Subscription> subscriptions = new ArrayList<>();
  private final List<IHave> ihave = new ArrayList<>();
  private final List<IWant> iwant = new ArrayList<>();
  private final List<Graft> graft = new ArrayList<>();
  private final List<Prune> prune = new ArrayList<>();
  private int bytes;
  private int ids;

  private RpcParts(int maxIds) {
    this.maxIds = maxIds;
  }

  /**
   * The same in as many RPCs as it takes, in the same order; none when there is nothing to say.
   *
   * @param maxIds most message ids in all entries of one RPC
   */
  static List<Rpc> of(Rpc whole, int maxIds) {
    RpcParts parts = new RpcParts(maxIds);
    for (Subscription each : whole.subscriptions()) {
      parts.add(parts.subscriptions, RpcCodec.MAX_SUBSCRIPTIONS, each, RpcCodec.size(each), 0);
    }
    for (IHave each : whole.ihave()) {
      parts.addControl(parts.ihave, each, RpcCodec.size(each), each.messageIds().size());
    }
    for (IWant each : whole.iwant()) {
      parts.addControl(parts.iwant, each, RpcCodec.size(each), each.messageIds().size());
    }
    for (Graft each : whole.graft()) {
      parts.addControl(parts.graft, each, RpcCodec.size(each), 0);
    }
    for (Prune each : whole.prune()) {
      parts.addControl(parts.prune, each, RpcCodec.size(each), 0);
    }
    parts.complete();
    return parts.parts;
  }

  private <T> void addControl(List<T> list, T entry, int size, int entryIds) {
    add(list, RpcCodec.MAX_CONTROL_ENTRIES, entry, size, entryIds);
  }

  private <T> void add(List<T> list, int maxEntries, T entry, int size, int entryIds) {
    int more = RpcCodec.sizeOfField(size);
    if (bytes + more > MAX_BYTES || list.size() >= maxEntries || ids + entryIds > maxIds) {
      complete();
    }
    list.add(entry);
    bytes += more;
    ids += entryIds;
  }

  private void complete() {
    if (bytes > 0) {
      parts.add(new Rpc(subscriptions, List.of(), ihave, iwant, graft, prune));
      subscriptions.clear();
      ihave.clear();
      iwant.clear();
      graft.clear();
      prune.clear();
      bytes = 0;
      ids = 0;
    }
  }
}
