package dev.troupe.actors.world;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.store.Store;
import dev.troupe.actors.store.StoreCompletion;
import dev.troupe.actors.store.StoreFailure;
import dev.troupe.actors.store.StoreSettings;
import dev.troupe.protocol.crypto.Crypto;
import dev.troupe.protocol.crypto.RandomSource;
import dev.troupe.protocol.keys.PeerId;
import dev.troupe.protocol.keys.PrivateKey;
import java.time.InstantSource;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * All that actors need from outside: time, chance, cryptography, network, names and what outlives a
 * peer. {@code troupe-runtime} implements it over the real ones, {@code troupe-simulation} over
 * virtual time and one seed.
 *
 * <p>What happens in peers is told to it as {@link Measurements}.
 *
 * <p>Thread-safe, as are all the objects it gives except the generators.
 */
public interface World extends Measurements {

  /** The cryptography of this world. */
  Crypto crypto();

  /** Where key material and nonces come from. */
  RandomSource keyMaterial();

  /**
   * A new generator for decisions that need no secrecy (jitter, choice of mesh members).
   *
   * @param owner whose decisions
   * @param purpose what for, such as {@code "gossip"}: equal owners and purposes get equal
   *     sequences in a simulation, until a machine makes another host: a peer that starts anew
   *     draws other numbers
   * @return not thread-safe: for one actor
   */
  RandomGenerator random(PeerId owner, String purpose);

  /** Monotonic time, for deadlines and intervals. */
  Ticker ticker();

  /** Wall-clock time, for what is written into records. */
  InstantSource clock();

  /**
   * Makes the host of one identity.
   *
   * @return not started and not listening
   */
  Host createHost(PrivateKey identity, HostSettings settings);

  /**
   * Opens the store of one identity, made on first use. Nothing is left open where it fails: {@link
   * StoreFailure.Kind#DAMAGED}, {@link StoreFailure.Kind#NEWER_FORMAT}, {@link
   * StoreFailure.Kind#IN_USE}, {@link StoreFailure.Kind#OTHER_OWNER}, {@link
   * StoreFailure.Kind#FULL} or {@link StoreFailure.Kind#FAILED}. A world that keeps nothing fails
   * likewise.
   *
   * @param settings with a directory
   * @param owner whose it is
   * @param completion given the store, which is the caller's to close
   */
  default void openStore(StoreSettings settings, PeerId owner, StoreCompletion<Store> completion) {
    completion.failed(
        new StoreFailure(
            StoreFailure.Kind.FAILED,
            "there is no store at " + settings.directory() + ": this world keeps nothing"));
  }

  /**
   * Asks for the TXT records of a name, without blocking.
   *
   * @param name such as {@code _dnsaddr.example.org}
   * @param completion given the records, at least one; the strings of one are joined. Fails with
   *     {@code UNREACHABLE} (there are none, or a name server says why not), {@code TIMED_OUT} (no
   *     name server answers), {@code MALFORMED} (it is no name) or {@code CANCELLED}
   */
  default Cancellable findText(String name, Completion<List<String>> completion) {
    completion.failed(
        new HostFailure(HostFailure.Kind.UNREACHABLE, "this world has no name server"));
    return () -> {};
  }
}
