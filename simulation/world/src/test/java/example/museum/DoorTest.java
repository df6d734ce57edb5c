package example.museum;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.troupe.simulation.testkit.EveryCommand;
import dev.troupe.simulation.testkit.Machine;
import dev.troupe.simulation.testkit.Service;
import dev.troupe.simulation.testkit.Simulated;
import dev.troupe.simulation.testkit.Simulation;
import java.time.Duration;

class DoorTest {

  private static Service<Door.Command> open(Machine machine, Machine... bootstrap) {
    return machine.start("door", () -> Door.create(machine.world(), machine.settings(bootstrap)));
  }

  @Simulated(seeds = "1..20")
  void doorsAgreeAgainAfterAPartition(Simulation sim) {
    Machine north = sim.machine("north");
    Machine south = sim.machine("south");
    Service<Door.Command> northDoor = open(north);
    Service<Door.Command> southDoor = open(south, north);

    northDoor.ask(Door.Enter::new);
    southDoor.askUntil(Door.GetTotal::new, total -> total == 1, Duration.ofMinutes(1));

    sim.partition(north, south);
    northDoor.ask(Door.Enter::new);
    southDoor.ask(Door.Enter::new);
    southDoor.ask(Door.Enter::new);
    sim.advance(Duration.ofMinutes(2));
    assertEquals(2, northDoor.<Integer>ask(Door.GetTotal::new));
    assertEquals(3, southDoor.<Integer>ask(Door.GetTotal::new));

    sim.repair();
    northDoor.askUntil(Door.GetTotal::new, total -> total == 4, Duration.ofMinutes(10));
    southDoor.askUntil(Door.GetTotal::new, total -> total == 4, Duration.ofMinutes(10));
  }

  @Simulated(seeds = "1..20")
  void aBugInThePeerLosesNoVisitor(Simulation sim) {
    Machine north = sim.machine("north");
    Service<Door.Command> northDoor = open(north);
    Service<Door.Command> southDoor = open(sim.machine("south"), north);
    northDoor.ask(Door.Enter::new);
    southDoor.askUntil(Door.GetTotal::new, total -> total == 1, Duration.ofMinutes(1));

    northDoor.crash("peers/peer-0/gossip");
    northDoor.ask(Door.Enter::new);
    southDoor.askUntil(Door.GetTotal::new, total -> total == 2, Duration.ofMinutes(1));
  }

  @Simulated
  void aDoorAnswersWhateverItIsAsked(Simulation sim) {
    Machine north = sim.machine("north");
    EveryCommand.<Door.Command>of()
        .with("enter", Door.Enter::new)
        .with("total", Door.GetTotal::new)
        .in("while its peer starts", () -> open(north).ref())
        .in("alone", () -> open(sim.machine("south"), north).ref())
        .assertAnswered(sim, Duration.ofSeconds(1));
  }
}
