package dev.troupe.runtime.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.actors.world.Measurements;
import dev.troupe.runtime.embedding.EmbeddedPeer;
import dev.troupe.runtime.http.HttpEndpoint;
import dev.troupe.runtime.http.HttpEndpoint.Answer;
import dev.troupe.runtime.metrics.PeerMeters;
import dev.troupe.runtime.metrics.WorldMeters;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** {@code /health} and {@code /metrics} of one peer. */
final class StatusPages {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

  /** What measures the peers. */
  Measurements measurements() {
    return new WorldMeters(registry);
  }

  /** Serves the pages of one of them. */
  HttpEndpoint open(InetSocketAddress address, EmbeddedPeer peer) throws IOException {
    PeerMeters meters = new PeerMeters(peer, registry);
    return HttpEndpoint.open(
        address, Map.of("/health", () -> health(peer), "/metrics", () -> metrics(meters)));
  }

  private static CompletionStage<Answer> health(EmbeddedPeer peer) {
    return peer.health()
        .thenApply(
            report -> {
              Map<String, Object> fields = new LinkedHashMap<>();
              fields.put("reply", "health");
              fields.put("ok", true);
              fields.putAll(HealthFields.of(report));
              int status = report.state() == HealthReport.State.DOWN ? 503 : 200;
              return Answer.json(status, json(fields));
            });
  }

  private CompletionStage<Answer> metrics(PeerMeters meters) {
    return meters
        .refresh()
        .thenApply(
            shown ->
                new Answer(200, "text/plain; version=0.0.4; charset=utf-8", registry.scrape()));
  }

  private static String json(Map<String, Object> fields) {
    try {
      return MAPPER.writeValueAsString(fields);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts, numbers and lists are JSON", e);
    }
  }
}
