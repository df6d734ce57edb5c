package dev.troupe.simulation.scenario;

import dev.troupe.actors.virtualconnections.VirtualConnections;
import dev.troupe.protocol.Bytes;
import java.util.ArrayList;
import java.util.List;

/** A message from one peer to another over a virtual connection, and what became of it. */
public final class Letter {

  /**
   * One time that it was heard.
   *
   * @param by whoever heard it, who may be another than it was meant for
   * @param incarnation of that peer
   * @param at in virtual nanoseconds
   */
  public record Hearing(Letter letter, Node by, int incarnation, long at) {}

  private final int number;
  private final Node from;
  private final Node to;
  private final int incarnation;
  private final Operation sending;
  private final List<Hearing> hearings = new ArrayList<>();

  Letter(int number, Node from, Node to, Operation sending) {
    this.number = number;
    this.from = from;
    this.to = to;
    this.incarnation = from.incarnation();
    this.sending = sending;
  }

  static Bytes text(int number) {
    return Bytes.utf8("letter " + number);
  }

  Hearing hear(Node by, long now) {
    Hearing hearing = new Hearing(this, by, by.incarnation(), now);
    hearings.add(hearing);
    return hearing;
  }

  /** Its place in the order in which all letters were sent. */
  public int number() {
    return number;
  }

  /** Who sent it. */
  public Node from() {
    return from;
  }

  /** Whom it is meant for. */
  public Node to() {
    return to;
  }

  /** Of its sender, when it was sent. */
  public int incarnation() {
    return incarnation;
  }

  /** What the sender's peer was asked. */
  public Operation sending() {
    return sending;
  }

  /** Whether somebody is there to be answered, and has not been. */
  public boolean isOpen() {
    return sending.answers() == 0 && !sending.isMoot();
  }

  /** Whether the sender was told that it was delivered. */
  public boolean isDelivered() {
    return sending.reply() instanceof VirtualConnections.Delivered;
  }

  /** All the times that it was heard. */
  public List<Hearing> hearings() {
    return hearings;
  }

  @Override
  public String toString() {
    return "letter " + number + " from " + from.name() + " to " + to.name();
  }
}
