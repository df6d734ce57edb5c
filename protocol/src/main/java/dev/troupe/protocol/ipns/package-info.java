/**
 * IPNS: names that are public keys, and the signed records that say what they point at now
 * (specs.ipfs.tech, "IPNS Record and Protocol").
 *
 * <p>Read {@link dev.troupe.protocol.ipns.IpnsRecord} first, then {@link
 * dev.troupe.protocol.ipns.IpnsNamespace}, which is what the DHT knows of it. Records of version 2
 * are made; those that hold version 1 as well are accepted, those of version 1 alone are not.
 */
@NullMarked
package dev.troupe.protocol.ipns;

import org.jspecify.annotations.NullMarked;
