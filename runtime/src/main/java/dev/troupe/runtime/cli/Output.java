package dev.troupe.runtime.cli;

import java.util.Map;

/**
 * Where events and replies are written, a line at a time, in the end by a {@link LineWriter}; no
 * method blocks. Thread-safe.
 */
interface Output {

  /** Something happened. */
  void event(String name, Map<String, Object> fields);

  /** A command did what it was asked. */
  void ok(String command, int line, Map<String, Object> fields);

  /** A command did not. */
  void failed(String command, int line, String code, String message);
}
