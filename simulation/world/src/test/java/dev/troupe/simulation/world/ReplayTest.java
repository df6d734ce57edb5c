package dev.troupe.simulation.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.troupe.actors.host.Host;
import dev.troupe.actors.host.HostEvent;
import dev.troupe.actors.host.Stream;
import dev.troupe.actors.world.HostSettings;
import dev.troupe.protocol.keys.PrivateKey;
import dev.troupe.protocol.multistream.ProtocolId;
import dev.troupe.simulation.kernel.Order;
import dev.troupe.simulation.kernel.SimulatedSystem;
import dev.troupe.simulation.world.Recorder.Heard;
import dev.troupe.simulation.world.Recorder.Outcome;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Twenty hosts under faults give the same trace from the same seed. */
final class ReplayTest {

  private static final ProtocolId ECHO = ProtocolId.of("/echo/1");

  @Test
  void oneSeedGivesOneTrace() {
    for (Order order : Order.values()) {
      long expected = run(7, order);
      for (int i = 0; i < 3; i++) {
        assertEquals(expected, run(7, order));
      }
    }
    Set<Long> distinct = new LinkedHashSet<>();
    for (int seed = 0; seed < 5; seed++) {
      distinct.add(run(seed, Order.RANDOM));
    }
    assertEquals(5, distinct.size());
  }

  private static long run(long seed, Order order) {
    try (SimulatedSystem system = SimulatedSystem.create(seed, order)) {
      SimulatedNetwork network = new SimulatedNetwork(system);
      List<SimulatedWorld> machines = new ArrayList<>();
      List<Host> hosts = new ArrayList<>();
      List<HostEvent> events = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        SimulatedWorld machine = network.machine("machine-" + i);
        Host host =
            machine.createHost(
                PrivateKey.generate(machine.crypto(), machine.keyMaterial()), HostSettings.DEFAULT);
        host.start(events::add);
        host.handle(ECHO, ReplayTest::echo);
        host.listen(machine.address(4001), new Outcome<>());
        machines.add(machine);
        hosts.add(host);
      }
      for (int i = 0; i < 20; i++) {
        for (int j = 1; j <= 3; j++) {
          hosts.get(i).dial(machines.get((i + j * j) % 20).address(4001), null, new Outcome<>());
        }
      }
      system.advance(Duration.ofSeconds(1));
      List<Heard> heard = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Outcome<Stream> opened = new Outcome<>();
        hosts.get(i).openStream(hosts.get((i + 1) % 20).peerId(), List.of(ECHO), opened);
        system.runUntil(() -> !opened.told.isEmpty(), Duration.ofSeconds(10));
        Stream stream = opened.value();
        heard.add(Heard.of(stream));
        stream.request(Long.MAX_VALUE);
        stream.write(ByteBuffer.allocate(100_000));
        stream.closeWrite();
      }
      network.partition(machines.subList(0, 10), machines.subList(10, 20));
      network.crash(machines.get(5));
      system.advance(Duration.ofSeconds(20));
      network.repair();
      system.advance(Duration.ofMinutes(2));
      assertEquals(100_000, heard.get(0).bytes.size());
      assertTrue(events.stream().anyMatch(HostEvent.Disconnected.class::isInstance));
      return system.traceHash();
    }
  }

  private static void echo(Stream stream) {
    stream.start(
        new dev.troupe.actors.host.StreamListener() {
          @Override
          public void onData(ByteBuffer data) {
            stream.write(data);
          }

          @Override
          public void onWritable() {}

          @Override
          public void onRemoteClosed() {
            stream.closeWrite();
          }

          @Override
          public void onClosed(
              dev.troupe.actors.host.@org.jspecify.annotations.Nullable HostFailure failure) {}
        });
    stream.request(Long.MAX_VALUE);
  }
}
