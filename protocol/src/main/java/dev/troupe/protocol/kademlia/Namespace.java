package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import java.util.List;

/**
 * What may be stored under the keys of one namespace, and which of several values is the best
 * (specification, "Entry validation").
 *
 * <p>Both are pure functions; implementations must be thread-safe.
 */
public interface Namespace {

  /**
   * Checks a value, when it is about to be stored and when it was fetched.
   *
   * @param key the whole key, {@code /namespace/rest}
   * @throws InvalidRecordException if the value must not be under this key
   */
  void validate(Bytes key, Bytes value) throws InvalidRecordException;

  /**
   * Chooses among valid values.
   *
   * @param values at least one; where nothing else speaks for one of them, the earlier is to be
   *     preferred
   * @return the index of the best
   */
  int select(Bytes key, List<Bytes> values);

  /**
   * Whether {@link #select} orders the values: of any two it chooses the same one, whichever comes
   * first, as where the values have a version. Only then are peers that hold another value than the
   * best sent that after a get; without an order, that could undo what was stored a moment ago.
   *
   * @return false, unless overridden
   */
  default boolean isOrdered() {
    return false;
  }

  /**
   * A namespace that takes any value and prefers the earlier of two: the newcomer where one is
   * stored, the one that more peers hold where one is fetched. Its values are not ordered.
   */
  static Namespace open() {
    return new OpenNamespace();
  }
}
