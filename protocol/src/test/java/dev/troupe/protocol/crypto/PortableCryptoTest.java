package dev.troupe.protocol.crypto;

class PortableCryptoTest extends CryptoContract {
  @Override
  protected Crypto crypto() {
    return new PortableCrypto();
  }
}
