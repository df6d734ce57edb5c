package dev.troupe.simulation.testkit;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

/**
 * The twin of each test instance. JUnit keeps the test classes that it found; what they do is done
 * by instances of the same classes as the {@link GuardingClassLoader} defines them.
 */
final class Twins {

  private record Pair(Object original, Object twin) {}

  private final GuardingClassLoader loader;
  private final Simulation simulation;
  private final List<Pair> pairs = new ArrayList<>();

  Twins(GuardingClassLoader loader, Simulation simulation) {
    this.loader = loader;
    this.simulation = simulation;
  }

  /** Whether there is a twin; there is none of a class that is not guarded. */
  boolean has(Object original) {
    return twin(original) != null;
  }

  private @Nullable Object twin(Object original) {
    for (Pair pair : pairs) {
      if (pair.original() == original) {
        return pair.twin();
      }
    }
    return null;
  }

  /** Makes the twin of an instance in the same way as the instance was made. */
  void construct(Constructor<?> constructor, List<Object> arguments, Object original)
      throws Throwable {
    Class<?> type = twin(constructor.getDeclaringClass());
    if (type == constructor.getDeclaringClass()) {
      return;
    }
    Constructor<?> twin = type.getDeclaredConstructor(twins(constructor.getParameterTypes()));
    twin.setAccessible(true);
    pairs.add(new Pair(original, call(() -> twin.newInstance(twins(arguments)))));
  }

  /** Calls a method of the twin of an instance. */
  void invoke(Method method, List<Object> arguments, Object original) throws Throwable {
    Method twin =
        twin(method.getDeclaringClass())
            .getDeclaredMethod(method.getName(), twins(method.getParameterTypes()));
    twin.setAccessible(true);
    Object target = twin(original);
    call(() -> twin.invoke(target, twins(arguments)));
  }

  private <T> T call(Callable<T> body) throws Throwable {
    try {
      return within(body);
    } catch (InvocationTargetException e) {
      throw e.getTargetException();
    }
  }

  /**
   * Does something as code of the run: breaches are its own, and classes are found by its loader.
   */
  <T> T within(Callable<T> body) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return GuardedCalls.in(simulation, body);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private Class<?> twin(Class<?> type) throws ClassNotFoundException {
    return loader.isGuarded(type) ? Class.forName(type.getName(), true, loader) : type;
  }

  private Class<?>[] twins(Class<?>[] types) throws ClassNotFoundException {
    Class<?>[] twins = new Class<?>[types.length];
    for (int i = 0; i < types.length; i++) {
      twins[i] = twin(types[i]);
    }
    return twins;
  }

  private Object[] twins(List<Object> arguments) throws ClassNotFoundException {
    Object[] twins = new Object[arguments.size()];
    for (int i = 0; i < twins.length; i++) {
      twins[i] = argument(arguments.get(i));
    }
    return twins;
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // a constant of an enum that is not known here
  private @Nullable Object argument(@Nullable Object argument) throws ClassNotFoundException {
    if (argument == null) {
      return null;
    }
    Object twin = twin(argument);
    if (twin != null) {
      return twin;
    }
    if (argument instanceof Enum<?> constant) {
      return Enum.valueOf((Class) twin(constant.getDeclaringClass()), constant.name());
    }
    if (loader.isGuarded(argument.getClass())) {
      throw new ExtensionConfigurationException(
          "a simulated test takes no parameter of a class that is guarded, as "
              + argument.getClass().getName()
              + " is; it may be a constant of an enum");
    }
    return argument;
  }
}
