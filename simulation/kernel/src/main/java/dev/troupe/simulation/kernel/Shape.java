package dev.troupe.simulation.kernel;

import java.lang.invoke.LambdaMetafactory;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import scala.Product;

/**
 * How the trace describes values of one class.
 *
 * @param name of the class, without what numbers lambda classes
 * @param parts of a record: what reads its components, in their order
 */
record Shape(Kind kind, String name, List<Function<Object, @Nullable Object>> parts) {

  /** What of a value differs only where the run does. */
  enum Kind {
    WHOLE,
    FLOATING,
    ENUM,
    ARRAY,
    BUFFER,
    BYTE_STRING,
    REF,
    TYPED_REF,
    RECORD,
    FLAG,
    /** Comparable, and its hash code is one of values, the same in every run. */
    HASHED,
    COMPARABLE,
    OPTIONAL,
    LIST,
    COLLECTION,
    MAP,
    PRODUCT,
    OTHER
  }

  static Shape of(Class<?> type) {
    String full = type.getName();
    int lambda = full.indexOf("$$Lambda");
    String name = lambda < 0 ? full : full.substring(0, lambda) + "$$Lambda";
    Kind kind = kindOf(type, name);
    return new Shape(kind, name, kind == Kind.RECORD ? partsOf(type) : List.of());
  }

  private static Kind kindOf(Class<?> type, String name) {
    if (Number.class.isAssignableFrom(type) && name.startsWith("java.lang.")) {
      return type == Double.class || type == Float.class ? Kind.FLOATING : Kind.WHOLE;
    } else if (Enum.class.isAssignableFrom(type)) {
      return Kind.ENUM;
    } else if (type == byte[].class) {
      return Kind.ARRAY;
    } else if (ByteBuffer.class.isAssignableFrom(type)) {
      return Kind.BUFFER;
    } else if (ByteString.class.isAssignableFrom(type)) {
      return Kind.BYTE_STRING;
    } else if (ActorRef.class.isAssignableFrom(type)) {
      return Kind.REF;
    } else if (org.apache.pekko.actor.typed.ActorRef.class.isAssignableFrom(type)) {
      return Kind.TYPED_REF;
    } else if (type.isRecord()) {
      return Kind.RECORD;
    } else if (type == Boolean.class) {
      return Kind.FLAG;
    } else if (Comparable.class.isAssignableFrom(type)) {
      return hashesByValue(type) ? Kind.HASHED : Kind.COMPARABLE;
    } else if (type == Optional.class) {
      return Kind.OPTIONAL;
    } else if (List.class.isAssignableFrom(type)) {
      return Kind.LIST;
    } else if (Collection.class.isAssignableFrom(type)) {
      return Kind.COLLECTION;
    } else if (Map.class.isAssignableFrom(type)) {
      return Kind.MAP;
    } else if (Product.class.isAssignableFrom(type)
        && name.startsWith("org.apache.pekko.actor.typed.internal.")) {
      return Kind.PRODUCT;
    }
    return Kind.OTHER;
  }

  private static boolean hashesByValue(Class<?> type) {
    try {
      return type.getMethod("hashCode").getDeclaringClass() != Object.class;
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException("every class has a hash code", e);
    }
  }

  private static List<Function<Object, @Nullable Object>> partsOf(Class<?> type) {
    List<Function<Object, @Nullable Object>> parts = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents()) {
      parts.add(part(type, component.getAccessor()));
    }
    return List.copyOf(parts);
  }

  private static Function<Object, @Nullable Object> part(Class<?> type, Method accessor) {
    try {
      MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
      MethodHandle handle = lookup.unreflect(accessor);
      // Classes of another loader are in another module: there nothing can be compiled for us.
      return lookup.hasFullPrivilegeAccess() ? compiled(lookup, handle) : called(handle);
    } catch (Throwable e) {
      throw new IllegalStateException("cannot read " + accessor, e);
    }
  }

  /** A class of its own for each accessor: a method handle that is no constant is slow to call. */
  @SuppressWarnings("unchecked")
  private static Function<Object, @Nullable Object> compiled(
      MethodHandles.Lookup lookup, MethodHandle handle) throws Throwable {
    return (Function<Object, @Nullable Object>)
        LambdaMetafactory.metafactory(
                lookup,
                "apply",
                MethodType.methodType(Function.class),
                MethodType.methodType(Object.class, Object.class),
                handle,
                handle.type().wrap())
            .getTarget()
            .invoke();
  }

  private static Function<Object, @Nullable Object> called(MethodHandle handle) {
    MethodHandle general = handle.asType(MethodType.methodType(Object.class, Object.class));
    return value -> {
      try {
        return (Object) general.invokeExact(value);
      } catch (Throwable e) {
        throw new IllegalStateException("an accessor of " + value.getClass() + " threw", e);
      }
    };
  }
}
