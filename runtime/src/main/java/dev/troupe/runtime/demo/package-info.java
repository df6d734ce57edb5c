/**
 * Five peers that find each other and talk, with a narrator. Read {@link
 * dev.troupe.runtime.demo.Demo}.
 */
@NullMarked
package dev.troupe.runtime.demo;

import org.jspecify.annotations.NullMarked;
