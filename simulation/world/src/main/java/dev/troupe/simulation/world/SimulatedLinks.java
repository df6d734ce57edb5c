package dev.troupe.simulation.world;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.host.HostFailure.Kind;
import dev.troupe.actors.link.LinkAcceptor;
import dev.troupe.actors.link.LinkListener;
import dev.troupe.actors.link.LinkTransport;
import dev.troupe.actors.link.RawLink;
import dev.troupe.protocol.multiaddr.Multiaddr;
import java.util.List;

/**
 * Links between the machines of a simulated network: bytes in order, with a window, as TCP carries
 * them.
 */
final class SimulatedLinks implements LinkTransport {

  private final SimulatedNetwork network;
  private final SimulatedWorld machine;

  SimulatedLinks(SimulatedNetwork network, SimulatedWorld machine) {
    this.network = network;
    this.machine = machine;
  }

  @Override
  public String name() {
    return "simulated TCP";
  }

  @Override
  public boolean supports(Multiaddr address) {
    return Endpoint.of(address) != null;
  }

  // --- dialling
  // -------------------------------------------------------------------------------------

  @Override
  public Cancellable dial(Multiaddr address, Completion<RawLink> completion) {
    Dial dial = new Dial(address, completion);
    dial.begin();
    return dial;
  }

  private final class Dial implements Cancellable {
    private final Multiaddr address;
    private final Completion<RawLink> completion;
    private final SimulatedLoop loop = new SimulatedLoop(network, machine, "link");
    private boolean decided;

    Dial(Multiaddr address, Completion<RawLink> completion) {
      this.address = address;
      this.completion = completion;
    }

    void begin() {
      Endpoint named = Endpoint.of(address);
      if (named == null) {
        fail(Kind.UNREACHABLE, "no simulated link leads to " + address);
        return;
      }
      Endpoint target = named.isName() ? SimulatedWorld.resolve(network, named) : named;
      if (target == null) {
        fail(Kind.UNREACHABLE, address + " does not resolve");
        return;
      }
      SimulatedWorld there = machine.machineAt(target);
      if (there == null) {
        if (target.isMemory()) {
          fail(Kind.REFUSED, "nobody listens at " + address);
        }
        return; // nobody there: no answer, ever
      }
      if (network.losesDial(machine, there)) {
        return;
      }
      Multiaddr source = machine.source(target).address();
      Pipe out = new Pipe(network, machine, there);
      Pipe back = new Pipe(network, there, machine);
      out.send("dial", () -> arrive(there, target, source, out, back));
    }

    private void arrive(
        SimulatedWorld there, Endpoint target, Multiaddr source, Pipe out, Pipe back) {
      if (!(there.listener(target) instanceof Listener listener)) {
        back.send(
            "refuse", () -> loop.execute(() -> fail(Kind.REFUSED, "nobody listens at " + address)));
        return;
      }
      SimulatedLoop farLoop = new SimulatedLoop(network, there, "link");
      SimulatedLink far = new SimulatedLink(network, farLoop, back, target.address(), source);
      SimulatedLink near = new SimulatedLink(network, loop, out, source, target.address());
      far.join(near);
      near.join(far);
      back.send("accept", () -> loop.execute(() -> succeed(near)));
      farLoop.execute(() -> listener.accept(far));
    }

    private void succeed(SimulatedLink link) {
      if (decided) {
        link.abort();
      } else {
        decided = true;
        completion.succeeded(link);
      }
    }

    private void fail(Kind kind, String message) {
      if (!decided) {
        decided = true;
        loop.execute(() -> completion.failed(new HostFailure(kind, message)));
      }
    }

    @Override
    public void cancel() {
      fail(Kind.CANCELLED, "the dial of " + address + " was called off");
    }
  }

  // --- listening
  // ------------------------------------------------------------------------------------

  @Override
  public void listen(
      Multiaddr address, LinkAcceptor acceptor, Completion<LinkListener> completion) {
    SimulatedLoop loop = new SimulatedLoop(network, machine, "listener");
    Listener listener = new Listener(loop, acceptor);
    Endpoint asked = Endpoint.of(address);
    List<Endpoint> bound =
        asked == null || asked.isName() ? List.of() : machine.bind(asked, listener);
    loop.execute(
        () -> {
          if (bound.isEmpty()) {
            completion.failed(
                new HostFailure(
                    Kind.ADDRESS_UNAVAILABLE, address + " is in use, or not on this machine"));
          } else {
            listener.addresses = bound.stream().map(Endpoint::address).toList();
            completion.succeeded(listener);
          }
        });
  }

  private final class Listener implements LinkListener, Listening {
    private final SimulatedLoop loop;
    private final LinkAcceptor acceptor;
    private List<Multiaddr> addresses = List.of();

    Listener(SimulatedLoop loop, LinkAcceptor acceptor) {
      this.loop = loop;
      this.acceptor = acceptor;
    }

    void accept(SimulatedLink link) {
      acceptor.onLink(link);
    }

    @Override
    public SimulatedWorld machine() {
      return machine;
    }

    @Override
    public void moved(Endpoint before, Endpoint now) {
      addresses =
          addresses.stream()
              .map(each -> each.equals(before.address()) ? now.address() : each)
              .toList();
    }

    @Override
    public List<Multiaddr> addresses() {
      return addresses;
    }

    @Override
    public void close(Runnable done) {
      machine.unbind(this);
      loop.execute(done);
    }
  }
}
