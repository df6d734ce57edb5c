/**
 * Links over TCP, by Netty: the native transport where there is one, otherwise the JDK's. Read
 * {@link dev.troupe.runtime.netty.TcpTransport}.
 */
@NullMarked
package dev.troupe.runtime.netty;

import org.jspecify.annotations.NullMarked;
