package dev.troupe.runtime.cli;

import java.io.IOException;
import java.io.Reader;
import org.jspecify.annotations.Nullable;

/** The lines of an input, each of bounded length; the rest of a longer one is skipped. */
final class BoundedLines {

  /** The most characters of a line: a message of 1 MiB, and what comes before it. */
  static final int MAX_LINE = 1024 * 1024 + 64 * 1024;

  private final Reader in;
  private final int most;
  private boolean afterReturn;

  BoundedLines(Reader in, int most) {
    this.in = in;
    this.most = most;
  }

  /**
   * One line.
   *
   * @param text without its end, and no more than the most of it
   * @param cut whether there was more
   */
  record Line(String text, boolean cut) {}

  /** The next line, or null at the end of the input. */
  @Nullable Line next() throws IOException {
    StringBuilder text = new StringBuilder();
    boolean any = false;
    boolean cut = false;
    for (int each = in.read(); each >= 0; each = in.read()) {
      if (each == '\n' && afterReturn) {
        afterReturn = false;
        continue;
      }
      afterReturn = each == '\r';
      if (each == '\n' || each == '\r') {
        return new Line(text.toString(), cut);
      }
      any = true;
      if (text.length() < most) {
        text.append((char) each);
      } else {
        cut = true;
      }
    }
    return any ? new Line(text.toString(), cut) : null;
  }
}
