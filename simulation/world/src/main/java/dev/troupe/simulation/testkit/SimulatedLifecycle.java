package dev.troupe.simulation.testkit;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.opentest4j.TestAbortedException;

/**
 * One run of a test, as JUnit goes through it: makes its world, has the methods of its {@link
 * Twins} called, and says how to replay it when it fails.
 */
final class SimulatedLifecycle
    implements InvocationInterceptor, ParameterResolver, AfterEachCallback {

  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(SimulatedLifecycle.class);

  private final SimulatedRun run;
  private final boolean ofClass;

  /**
   * @param ofClass whether the class is annotated, not the method
   */
  SimulatedLifecycle(SimulatedRun run, boolean ofClass) {
    this.run = run;
    this.ofClass = ofClass;
  }

  /** Says how to replay, behind the trace of what failed. */
  private static final class Replay extends Throwable {
    private static final long serialVersionUID = 1;

    Replay(String line) {
      super(line, null, false, false);
    }

    @Override
    public String toString() {
      return String.valueOf(getMessage());
    }
  }

  // --- the world of one test
  // ------------------------------------------------------------------------

  /** What one test of one seed has; closed by JUnit at the latest. */
  private static final class State implements AutoCloseable {
    private final Simulation simulation;
    private final Twins twins;

    State(SimulatedRun run, Class<?> test) {
      this.simulation = Simulation.create(run.seed(), run.order(), run.fidelity());
      this.twins = new Twins(new GuardingClassLoader(outermost(test), run.guard()), simulation);
    }

    @Override
    public void close() throws Exception {
      twins.within(
          () -> {
            simulation.close();
            return null;
          });
    }
  }

  private static Class<?> outermost(Class<?> type) {
    Class<?> enclosing = type.getEnclosingClass();
    return enclosing == null ? type : outermost(enclosing);
  }

  private State state(ExtensionContext context) {
    return context
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent(
            State.class, key -> new State(run, context.getRequiredTestClass()), State.class);
  }

  /** A method with an annotation of its own follows that one, not the one of its class. */
  private boolean isOurs(ExtensionContext context) {
    return !ofClass
        || context
            .getTestMethod()
            .map(method -> !method.isAnnotationPresent(Simulated.class))
            .orElse(false);
  }

  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Simulation.class && isOurs(context);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    if (parameter.getDeclaringExecutable() instanceof Constructor<?>) {
      throw new ParameterResolutionException(
          "a Simulation is a parameter of test methods, @BeforeEach and @AfterEach; a constructor"
              + " runs outside of the simulation as well");
    }
    return state(context).simulation;
  }

  // --- calls
  // ----------------------------------------------------------------------------------------

  @Override
  public <T> T interceptTestClassConstructor(
      Invocation<T> invocation,
      ReflectiveInvocationContext<Constructor<T>> call,
      ExtensionContext context)
      throws Throwable {
    T original = invocation.proceed();
    if (isOurs(context)) {
      try {
        state(context).twins.construct(call.getExecutable(), call.getArguments(), original);
      } catch (Throwable failed) {
        throw noted(failed, context);
      }
    }
    return original;
  }

  @Override
  public void interceptBeforeEachMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    invoke(invocation, call, context);
  }

  @Override
  public void interceptTestMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    invoke(invocation, call, context);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    invoke(invocation, call, context);
  }

  @Override
  public void interceptAfterEachMethod(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    invoke(invocation, call, context);
  }

  private void invoke(
      Invocation<@Nullable Void> invocation,
      ReflectiveInvocationContext<Method> call,
      ExtensionContext context)
      throws Throwable {
    Object target = call.getTarget().orElse(null);
    Twins twins = isOurs(context) ? state(context).twins : null;
    if (twins == null || target == null || !twins.has(target)) {
      invocation.proceed();
      return;
    }
    invocation.skip();
    twins.invoke(call.getExecutable(), call.getArguments(), target);
  }

  // --- the end
  // --------------------------------------------------------------------------------------

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    State state =
        isOurs(context) ? context.getStore(NAMESPACE).get(State.class, State.class) : null;
    if (state == null) {
      return;
    }
    Throwable failed = context.getExecutionException().orElse(null);
    if (failed != null) {
      noted(failed, context);
    }
    try {
      state.close();
    } catch (AssertionError | RuntimeException atTheEnd) {
      if (failed == null) {
        noted(atTheEnd, context);
        throw atTheEnd;
      }
      if (failed != atTheEnd) {
        failed.addSuppressed(atTheEnd);
      }
    }
  }

  private Throwable noted(Throwable failed, ExtensionContext context) {
    if (!(failed instanceof TestAbortedException)) {
      String line =
          "replay: -Dtest='"
              + context.getRequiredTestClass().getName()
              + context.getTestMethod().map(method -> "#" + method.getName()).orElse("")
              + "' -D"
              + SimulatedRun.PROPERTY
              + "="
              + run.token();
      failed.addSuppressed(new Replay(line));
      System.err.println(line);
    }
    return failed;
  }
}
