package dev.troupe.simulation.kernel;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.dispatch.Mailbox;
import org.apache.pekko.dispatch.sysmsg.SystemMessage;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import scala.Product;

/**
 * A 64-bit digest of everything that happened: each message with its receiver as it is sent, each
 * turn of a mailbox, each task, each timer with its instant. Values are described by structure
 * (class names, record components, numbers, text, bytes, actor paths) and never by what differs
 * between two runs of one seed: actor uids, identity hash codes, the numbers of lambda classes, the
 * order of hash sets.
 */
final class Trace {

  private static final int MAX_DEPTH = 8;
  private static final int MAX_ELEMENTS = 64;
  private static final String STREAM_SUPERVISOR = "StreamSupervisor-";

  private long hash;
  private @Nullable Consumer<String> listener;
  private final StringBuilder line = new StringBuilder();

  /** How values of each class are described, found out once. */
  private static final ClassValue<Shape> SHAPES =
      new ClassValue<>() {
        @Override
        protected Shape computeValue(Class<?> type) {
          return Shape.of(type);
        }
      };

  void reset() {
    hash = 0;
  }

  long hash() {
    return hash;
  }

  void listen(@Nullable Consumer<String> listener) {
    this.listener = listener;
  }

  void message(EventLoop loop, ActorRef receiver, Object message) {
    number(1);
    describe(message, 0);
    text(" -> ");
    path(receiver.path());
    end(loop);
  }

  void system(EventLoop loop, ActorRef receiver, SystemMessage message) {
    number(2);
    text(SHAPES.get(message.getClass()).name());
    text(" => ");
    path(receiver.path());
    end(loop);
  }

  void turn(EventLoop loop, Runnable task) {
    number(3);
    if (task instanceof Mailbox mailbox) {
      text("turn of ");
      path(mailbox.actor().self().path());
    } else {
      text("task ");
      text(
          task instanceof EventLoop.Named named
              ? named.name()
              : SHAPES.get(task.getClass()).name());
    }
    end(loop);
  }

  void timer(EventLoop loop, long nanos) {
    number(4);
    text("timer at ");
    number(nanos);
    end(loop);
  }

  void event(EventLoop loop, Record event) {
    number(5);
    describe(event, 0);
    end(loop);
  }

  private void end(EventLoop loop) {
    Consumer<String> consumer = listener;
    if (consumer != null) {
      String text = "#" + loop.events() + " @" + loop.now() + "ns " + line;
      line.setLength(0);
      consumer.accept(text);
    }
  }

  private void path(ActorPath path) {
    ActorPath parent = path.parent();
    if (parent == path) {
      return; // the root, whose name is the address of the system
    }
    path(parent);
    text("/");
    String name = path.name();
    // Numbered by a counter of the whole JVM.
    text(name.startsWith(STREAM_SUPERVISOR) ? STREAM_SUPERVISOR : name);
  }

  private void describe(@Nullable Object value, int depth) {
    if (value == null) {
      text("null");
      return;
    }
    if (depth > MAX_DEPTH) {
      text("…");
      return;
    }
    Shape shape = SHAPES.get(value.getClass());
    switch (shape.kind()) {
      case WHOLE -> number(((Number) value).longValue());
      case FLOATING -> number(Double.doubleToLongBits(((Number) value).doubleValue()));
      case ENUM -> text(((Enum<?>) value).name());
      case ARRAY -> {
        number(((byte[]) value).length);
        number(Arrays.hashCode((byte[]) value));
      }
      case BUFFER -> {
        number(((ByteBuffer) value).remaining());
        number(value.hashCode());
      }
      case BYTE_STRING -> {
        number(((ByteString) value).length());
        number(value.hashCode());
      }
      case REF -> path(((ActorRef) value).path());
      case TYPED_REF -> path(((org.apache.pekko.actor.typed.ActorRef<?>) value).path());
      case RECORD -> {
        text(shape.name());
        text("[");
        for (Function<Object, @Nullable Object> part : shape.parts()) {
          describe(part.apply(value), depth + 1);
          text(" ");
        }
        text("]");
      }
      case FLAG -> number((Boolean) value ? 1 : 0);
      case HASHED -> hashed(value);
      case COMPARABLE -> text(value.toString());
      case OPTIONAL -> describe(((Optional<?>) value).orElse(null), depth + 1);
      case LIST -> {
        List<?> list = (List<?>) value;
        number(list.size());
        int left = MAX_ELEMENTS;
        for (Object element : list) {
          if (left-- == 0) {
            break;
          }
          describe(element, depth + 1);
          text(",");
        }
      }
      case COLLECTION -> unordered((Collection<?>) value, element -> describe(element, depth + 1));
      case MAP ->
          unordered(
              ((Map<?, ?>) value).entrySet(),
              entry -> {
                describe(entry.getKey(), depth + 1);
                text("=");
                describe(entry.getValue(), depth + 1);
              });
      case PRODUCT -> {
        Product product = (Product) value;
        text(shape.name());
        for (int i = 0; i < product.productArity(); i++) {
          text(" ");
          describe(product.productElement(i), depth + 1);
        }
      }
      case OTHER -> text(shape.name());
    }
  }

  /** The sum of what the elements are: two runs may walk the same set in different orders. */
  private <E> void unordered(Collection<E> elements, Consumer<? super E> describe) {
    number(elements.size());
    if (elements.size() > MAX_ELEMENTS) {
      return;
    }
    long before = hash;
    long sum = 0;
    for (E element : elements) {
      hash = 0;
      describe.accept(element);
      text(",");
      sum += hash;
    }
    hash = before;
    mix(sum);
  }

  /** Its hash code is one of values, and decides: to write out a peer id costs far more. */
  private void hashed(Object value) {
    mix(value.hashCode());
    if (listener != null) {
      line.append(value).append(' ');
    }
  }

  private void text(String text) {
    hash = Seeds.mix(hash ^ (text.hashCode() + ((long) text.length() << 32)));
    if (listener != null) {
      line.append(text);
    }
  }

  private void mix(long number) {
    hash = Seeds.mix(hash + number + 0x9E3779B97F4A7C15L);
  }

  private void number(long number) {
    mix(number);
    if (listener != null) {
      line.append(number).append(' ');
    }
  }
}
