/**
 * What is known of remote peers' addresses. Read {@link dev.troupe.actors.addressbook.AddressBook}.
 */
@NullMarked
package dev.troupe.actors.addressbook;

import org.jspecify.annotations.NullMarked;
