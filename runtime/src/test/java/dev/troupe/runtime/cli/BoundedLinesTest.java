package dev.troupe.runtime.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.troupe.runtime.cli.BoundedLines.Line;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BoundedLinesTest {

  private static List<Line> read(String text) throws IOException {
    BoundedLines lines = new BoundedLines(new StringReader(text), 5);
    List<Line> all = new ArrayList<>();
    for (Line line = lines.next(); line != null; line = lines.next()) {
      all.add(line);
    }
    assertNull(lines.next());
    return all;
  }

  private static Line whole(String text) {
    return new Line(text, false);
  }

  @Test
  void linesEndInAnyOfTheThreeWays() throws IOException {
    assertEquals(
        List.of(whole("a"), whole("b"), whole("c"), whole(""), whole("d")), read("a\nb\r\nc\r\rd"));
    assertEquals(List.of(), read(""));
    assertEquals(List.of(whole("")), read("\n"));
  }

  @Test
  void theRestOfALongLineIsSkippedAndTheNextIsWhole() throws IOException {
    assertEquals(
        List.of(whole("12345"), new Line("12345", true), whole("next")),
        read("12345\n123456789\nnext"));
  }
}
