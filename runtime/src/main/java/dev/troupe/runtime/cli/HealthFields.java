package dev.troupe.runtime.cli;

import dev.troupe.actors.health.BootstrapHealth;
import dev.troupe.actors.health.Health;
import dev.troupe.actors.health.HealthReport;
import dev.troupe.protocol.keys.PeerId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reports of health as the fields of replies and events. */
final class HealthFields {

  private HealthFields() {}

  /** A report; what is not known is null. */
  static Map<String, Object> of(HealthReport report) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("state", Session.code(report.state()));
    fields.put("bootstraps", report.bootstraps().stream().map(each -> of(each, report)).toList());
    fields.put("dht", Session.code(report.dht()));
    fields.put("tableSize", report.tableSize());
    fields.put("connected", report.connected());
    fields.put("noOtherPeersYet", report.alone());
    fields.put("warnings", report.warnings());
    return fields;
  }

  private static Map<String, @Nullable Object> of(BootstrapHealth health, HealthReport report) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    Duration latency = health.latency();
    Duration unreachable = health.bootstrap().unreachableFor();
    fields.put("addr", health.bootstrap().address().toString());
    fields.put("reachable", health.reachable());
    fields.put("latencyMillis", latency == null ? null : latency.toNanos() / 1e6);
    fields.put("peers", health.peers());
    fields.put("tableSize", report.tableSize());
    fields.put("backup", health.bootstrap().backup());
    fields.put("status", Session.code(health.bootstrap().status()));
    if (health.grade() != null) {
      fields.put("latency", Session.code(health.grade()));
    }
    if (unreachable != null) {
      fields.put("unreachableSeconds", unreachable.toSeconds());
      fields.put("reason", health.bootstrap().reason());
    }
    return fields;
  }

  /** A verification. */
  static Map<String, Object> of(Health.Verified verified) {
    Map<String, Object> fields = new LinkedHashMap<>();
    PeerId partner = verified.partner();
    fields.put("verdict", Session.code(verified.verdict()));
    if (partner != null) {
      fields.put("partner", partner.toString());
    }
    fields.put("steps", verified.steps().stream().map(HealthFields::of).toList());
    return fields;
  }

  private static Map<String, Object> of(Health.Step step) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", step.name());
    fields.put("ok", step.ok());
    fields.put("millis", step.took().toMillis());
    fields.put("detail", step.detail());
    return fields;
  }
}
