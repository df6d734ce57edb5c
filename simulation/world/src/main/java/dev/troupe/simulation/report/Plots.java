package dev.troupe.simulation.report;

import dev.troupe.simulation.scenario.Measurements;
import java.awt.AWTError;
import java.awt.Color;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws figures as PNG images, without a display. */
final class Plots {

  static {
    // Before the first colour: AWT decides then, and would look for the display that DISPLAY names.
    System.setProperty("java.awt.headless", "true");
  }

  private static final int WIDTH = 900;
  private static final int HEIGHT = 380;

  /** Points of a line, bars of a histogram: as many as a reader can tell apart. */
  private static final int MAX_POINTS = 400;

  private static final int MAX_BARS = 40;
  private static final Color INK = new Color(0x1F5F8B);
  private static final Color PAPER = Color.WHITE;

  private Plots() {}

  /** The images of a figure, one after the other; none where there is nothing to draw. */
  static List<byte[]> draw(Figure.Content content) throws IOException {
    List<byte[]> images = new ArrayList<>();
    if (content.isEmpty()) {
      return images;
    }
    if (content instanceof Figure.Times times) {
      images.add(png(cumulative(times)));
    } else if (content instanceof Figure.Counts counts) {
      images.add(png(bars(counts)));
    } else if (content instanceof Figure.Shares shares) {
      images.add(png(bars(shares)));
    } else if (content instanceof Figure.Lookups lookups) {
      if (!lookups.hops().isEmpty()) {
        images.add(png(bars(lookups.hops())));
      }
      images.add(png(cumulative(lookups.took())));
    } else if (content instanceof Figure.Degrees degrees) {
      if (!degrees.atTheEnd().isEmpty()) {
        images.add(png(bars(degrees.atTheEnd())));
      }
      if (!degrees.looks().isEmpty()) {
        images.add(png(overTime(degrees.looks())));
      }
    }
    return images;
  }

  private static byte[] png(Chart<?, ?> chart) throws IOException {
    try {
      return BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG);
    } catch (AWTError | LinkageError | InternalError | RuntimeException e) {
      // A JVM without fonts or without java.desktop's native libraries; the data are there by now.
      throw new IOException("this JVM cannot draw plots: " + e, e);
    }
  }

  private static void style(AxesChartStyler styler) {
    styler.setChartBackgroundColor(PAPER);
    styler.setPlotBorderVisible(false);
    styler.setSeriesColors(new Color[] {INK, new Color(0x8B8B8B), new Color(0xB5542B)});
    styler.setLegendVisible(false);
    styler.setLocale(java.util.Locale.ROOT);
    styler.setYAxisMin(0.0);
  }

  private static XYChart lines(String x, String y) {
    XYChart chart =
        new XYChartBuilder().width(WIDTH).height(HEIGHT).xAxisTitle(x).yAxisTitle(y).build();
    style(chart.getStyler());
    return chart;
  }

  private static XYChart cumulative(Figure.Times times) {
    long[] sorted = times.nanos().clone();
    Arrays.sort(sorted);
    int points = Math.min(MAX_POINTS, sorted.length);
    // From (0, 0) along the axis to the shortest, and up from there.
    double[] x = new double[points + 2];
    double[] y = new double[points + 2];
    x[1] = sorted[0] / 1e6;
    for (int i = 1; i <= points; i++) {
      int rank = (int) ((long) i * sorted.length / points);
      x[i + 1] = sorted[rank - 1] / 1e6;
      y[i + 1] = 100.0 * rank / sorted.length;
    }
    y[1] = y[2] / 3; // Were they evenly spaced, XChart would put its ticks at them, however odd.
    XYChart chart = lines(times.axis(), "% of " + sorted.length);
    chart.getStyler().setXAxisMin(0.0);
    chart.getStyler().setYAxisMax(100.0);
    chart.getStyler().setYAxisDecimalPattern("0");
    chart.getStyler().setDefaultSeriesRenderStyle(XYSeriesRenderStyle.StepArea);
    chart.addSeries("all", x, y).setMarker(SeriesMarkers.NONE);
    return chart;
  }

  private static XYChart overTime(List<Measurements.MeshLook> looks) {
    XYChart chart = lines("virtual seconds", "peers in the mesh");
    chart.getStyler().setLegendVisible(true);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setXAxisMin(0.0);
    double[] at = column(looks, look -> look.at() / 1e9);
    Map<String, double[]> lines =
        new java.util.LinkedHashMap<>(); // In the order in which they are named beside the plot.
    lines.put("mean", column(looks, Measurements.MeshLook::mean));
    lines.put("smallest", column(looks, Measurements.MeshLook::min));
    lines.put("largest", column(looks, Measurements.MeshLook::max));
    lines.forEach(
        (name, values) -> chart.addSeries(name, at, values).setMarker(SeriesMarkers.NONE));
    return chart;
  }

  private static double[] column(
      List<Measurements.MeshLook> looks, ToDoubleFunction<Measurements.MeshLook> value) {
    return looks.stream().mapToDouble(value).toArray();
  }

  private static CategoryChart barChart(String x, String y) {
    CategoryChart chart =
        new CategoryChartBuilder().width(WIDTH).height(HEIGHT).xAxisTitle(x).yAxisTitle(y).build();
    style(chart.getStyler());
    chart.getStyler().setAvailableSpaceFill(0.9);
    return chart;
  }

  private static CategoryChart bars(Figure.Counts figure) {
    NavigableMap<Integer, Long> counts = figure.counts();
    int first = counts.firstKey();
    int width = (counts.lastKey() - first) / MAX_BARS + 1;
    List<String> names = new ArrayList<>();
    List<Long> values = new ArrayList<>();
    for (int from = first; from <= counts.lastKey(); from += width) {
      names.add(width == 1 ? Integer.toString(from) : from + "–" + (from + width - 1));
      values.add(
          counts.subMap(from, from + width).values().stream().mapToLong(Long::longValue).sum());
    }
    CategoryChart chart = barChart(figure.axis(), figure.unit());
    chart.getStyler().setXAxisLabelRotation(width == 1 ? 0 : 60);
    chart.addSeries("all", names, values);
    return chart;
  }

  private static CategoryChart bars(Figure.Shares figure) {
    CategoryChart chart = barChart("", figure.unit());
    chart.getStyler().setAvailableSpaceFill(0.5);
    chart.getStyler().setYAxisDecimalPattern("#,##0");
    chart.addSeries(
        "all", List.copyOf(figure.sums().keySet()), List.copyOf(figure.sums().values()));
    return chart;
  }
}
