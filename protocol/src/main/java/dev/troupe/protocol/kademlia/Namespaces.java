package dev.troupe.protocol.kademlia;

import dev.troupe.protocol.Bytes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The namespaces that a peer knows. A key is {@code /namespace/rest}; a key of an unknown
 * namespace, or of none, is not valid: what cannot be checked is neither stored nor believed.
 *
 * <p>Immutable.
 */
public final class Namespaces {

  /** {@code pk}, the public keys of peers, and {@code test}, which takes anything. */
  public static final Namespaces BUILT_IN =
      new Namespaces(new TreeMap<>())
          .with("pk", new PublicKeyNamespace())
          .with("test", Namespace.open());

  private final SortedMap<String, Namespace> byName;

  private Namespaces(Map<String, Namespace> byName) {
    this.byName = new TreeMap<>(byName);
  }

  /**
   * These and one more, which replaces one of the same name.
   *
   * @param name without slashes
   * @throws IllegalArgumentException if the name is empty or has a slash
   */
  public Namespaces with(String name, Namespace namespace) {
    if (name.isEmpty() || name.contains("/")) {
      throw new IllegalArgumentException("not the name of a namespace: \"" + name + "\"");
    }
    Map<String, Namespace> more = new LinkedHashMap<>(byName);
    more.put(name, namespace);
    return new Namespaces(more);
  }

  /** Whether there is one of this name. */
  public boolean has(String name) {
    return byName.containsKey(name);
  }

  /**
   * Checks a value.
   *
   * @throws InvalidRecordException if the key is of no known namespace, too long, or the namespace
   *     refuses the value
   */
  public void validate(Bytes key, Bytes value) throws InvalidRecordException {
    validateKey(key);
    if (value.size() > ValueRecord.MAX_VALUE_SIZE) {
      throw new InvalidRecordException(
          "a value of " + value.size() + " bytes, more than " + ValueRecord.MAX_VALUE_SIZE);
    }
    of(key).validate(key, value);
  }

  /**
   * Checks a key of which the value is not known yet.
   *
   * @throws InvalidRecordException if the key is of no known namespace, or too long
   */
  public void validateKey(Bytes key) throws InvalidRecordException {
    if (key.size() > KademliaMessage.MAX_KEY_SIZE) {
      throw new InvalidRecordException(
          "a key of " + key.size() + " bytes, more than " + KademliaMessage.MAX_KEY_SIZE);
    }
    of(key);
  }

  /**
   * Chooses among valid values of one key.
   *
   * @param values at least one
   * @return the best
   * @throws InvalidRecordException if the key is of no known namespace
   */
  public Bytes select(Bytes key, List<Bytes> values) throws InvalidRecordException {
    return values.get(of(key).select(key, values));
  }

  /** Whether the values of a key are ordered ({@link Namespace#isOrdered}). */
  public boolean isOrdered(Bytes key) {
    try {
      return of(key).isOrdered();
    } catch (InvalidRecordException unknown) {
      return false;
    }
  }

  private Namespace of(Bytes key) throws InvalidRecordException {
    String name = nameIn(key);
    Namespace namespace = byName.get(name);
    if (namespace == null) {
      throw new InvalidRecordException(
          "no namespace \"" + name + "\" here; there are " + String.join(", ", byName.keySet()));
    }
    return namespace;
  }

  private static String nameIn(Bytes key) throws InvalidRecordException {
    if (key.size() > 0 && key.at(0) == '/') {
      for (int i = 1; i < key.size(); i++) {
        if (key.at(i) == '/') {
          Bytes name = key.slice(1, i);
          if (name.size() > 0 && name.isUtf8()) {
            return name.utf8();
          }
          break;
        }
      }
    }
    throw new InvalidRecordException("a key must have the form /namespace/rest");
  }
}
