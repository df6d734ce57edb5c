package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

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
   * The choice of a namespace whose values have a version: the greatest, and of two that are as
   * great, so that all choose the same, the one with the greater bytes. Each value is read once.
   *
   * @param values at least one
   * @param read what is compared of a value; throws where a value is not valid
   * @return the index of the best
   */
  static <R> int greatest(List<Bytes> values, Function<Bytes, R> read, Comparator<R> order) {
    int best = 0;
    R ofBest = read.apply(values.get(0));
    for (int i = 1; i < values.size(); i++) {
      R record = read.apply(values.get(i));
      int difference = order.compare(record, ofBest);
      if (difference > 0 || (difference == 0 && values.get(i).compareTo(values.get(best)) > 0)) {
        best = i;
        ofBest = record;
      }
    }
    return best;
  }

  /**
   * A namespace that takes any value and prefers the earlier of two: the newcomer where one is
   * stored, the one that more peers hold where one is fetched. Its values are not ordered.
   */
  static Namespace open() {
    return new OpenNamespace();
  }
}
