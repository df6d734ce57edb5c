package dev.troupe.simulation.kernel;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
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

  private static final ClassValue<String> NAMES =
      new ClassValue<>() {
        @Override
        protected String computeValue(Class<?> type) {
          String name = type.getName();
          int lambda = name.indexOf("$$Lambda");
          return lambda < 0 ? name : name.substring(0, lambda) + "$$Lambda";
        }
      };

  /** Of each record class: what reads its components, as {@code Object -> Object}. */
  private static final ClassValue<MethodHandle[]> ACCESSORS =
      new ClassValue<>() {
        @Override
        protected MethodHandle[] computeValue(Class<?> type) {
          RecordComponent[] components = type.getRecordComponents();
          MethodHandle[] accessors = new MethodHandle[components.length];
          for (int i = 0; i < components.length; i++) {
            Method accessor = components[i].getAccessor();
            accessor.setAccessible(true);
            try {
              accessors[i] =
                  MethodHandles.lookup()
                      .unreflect(accessor)
                      .asType(MethodType.methodType(Object.class, Object.class));
            } catch (IllegalAccessException e) {
              throw new IllegalStateException("cannot read " + accessor, e);
            }
          }
          return accessors;
        }
      };

  /** Whether the hash code of a class is one of values, the same in every run. */
  private static final ClassValue<Boolean> HASHES_BY_VALUE =
      new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
          try {
            return type.getMethod("hashCode").getDeclaringClass() != Object.class;
          } catch (NoSuchMethodException e) {
            throw new IllegalStateException("every class has a hash code", e);
          }
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
    text(NAMES.get(message.getClass()));
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
      text(task instanceof EventLoop.Named named ? named.name() : NAMES.get(task.getClass()));
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
    } else if (depth > MAX_DEPTH) {
      text("…");
    } else if (value instanceof Number number
        && value.getClass().getName().startsWith("java.lang.")) {
      number(
          number instanceof Double || number instanceof Float
              ? Double.doubleToLongBits(number.doubleValue())
              : number.longValue());
    } else if (value instanceof Enum<?> constant) {
      text(constant.name());
    } else if (value instanceof byte[] bytes) {
      number(bytes.length);
      number(Arrays.hashCode(bytes));
    } else if (value instanceof ByteBuffer buffer) {
      number(buffer.remaining());
      number(buffer.hashCode());
    } else if (value instanceof ByteString bytes) {
      number(bytes.length());
    } else if (value instanceof ActorRef ref) {
      path(ref.path());
    } else if (value instanceof org.apache.pekko.actor.typed.ActorRef<?> ref) {
      path(ref.path());
    } else if (value instanceof Record record) {
      describeRecord(record, depth);
    } else if (value instanceof Boolean flag) {
      number(flag ? 1 : 0);
    } else if (value instanceof Comparable<?>) {
      comparable(value);
    } else if (value instanceof Optional<?> optional) {
      describe(optional.orElse(null), depth + 1);
    } else if (value instanceof List<?> list) {
      number(list.size());
      int left = MAX_ELEMENTS;
      for (Object element : list) {
        if (left-- == 0) {
          break;
        }
        describe(element, depth + 1);
        text(",");
      }
    } else if (value instanceof Collection<?> collection) {
      number(collection.size());
    } else if (value instanceof Map<?, ?> map) {
      number(map.size());
    } else if (value instanceof Product product
        && NAMES.get(value.getClass()).startsWith("org.apache.pekko.actor.typed.internal.")) {
      text(NAMES.get(value.getClass()));
      for (int i = 0; i < product.productArity(); i++) {
        text(" ");
        describe(product.productElement(i), depth + 1);
      }
    } else {
      text(NAMES.get(value.getClass()));
    }
  }

  private void describeRecord(Record record, int depth) {
    text(NAMES.get(record.getClass()));
    text("[");
    for (MethodHandle accessor : ACCESSORS.get(record.getClass())) {
      describe(component(accessor, record), depth + 1);
      text(" ");
    }
    text("]");
  }

  private static @Nullable Object component(MethodHandle accessor, Object record) {
    try {
      return (Object) accessor.invokeExact(record);
    } catch (Throwable e) {
      throw new IllegalStateException("an accessor of " + record.getClass() + " threw", e);
    }
  }

  /** Its hash code decides where there is one of values: to write out a peer id costs far more. */
  private void comparable(Object value) {
    if (!HASHES_BY_VALUE.get(value.getClass())) {
      text(value.toString());
      return;
    }
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
