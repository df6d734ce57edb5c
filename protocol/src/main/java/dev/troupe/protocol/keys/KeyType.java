package dev.troupe.protocol.keys;

import dev.troupe.protocol.MalformedException;

/** The types of keys that peers may have, with their numbers on the wire. */
public enum KeyType {
  /** RSA, as a DER SubjectPublicKeyInfo. */
  RSA(0),
  /** Ed25519, 32 bytes. */
  ED25519(1),
  /** Secp256k1, a compressed point of 33 bytes. */
  SECP256K1(2),
  /** ECDSA on P-256, P-384 or P-521, as a DER SubjectPublicKeyInfo. */
  ECDSA(3);

  private final int number;

  KeyType(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static KeyType ofNumber(long number) throws MalformedException {
    for (KeyType type : values()) {
      if (type.number == number) {
        return type;
      }
    }
    throw new MalformedException("an unknown type of key: " + number);
  }
}
