package dev.troupe.simulation.testkit;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContext;
import org.junit.jupiter.api.extension.ClassTemplateInvocationContextProvider;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;

/** Runs a {@link Simulated} method or class once for each of its seeds. */
final class SimulatedExtension
    implements TestTemplateInvocationContextProvider, ClassTemplateInvocationContextProvider {

  @Override
  public boolean supportsTestTemplate(ExtensionContext context) {
    return context.getRequiredTestMethod().isAnnotationPresent(Simulated.class);
  }

  @Override
  public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(
      ExtensionContext context) {
    return runs(context, context.getRequiredTestMethod()).map(MethodRun::new);
  }

  @Override
  public boolean supportsClassTemplate(ExtensionContext context) {
    return context.getRequiredTestClass().isAnnotationPresent(Simulated.class);
  }

  @Override
  public Stream<ClassTemplateInvocationContext> provideClassTemplateInvocationContexts(
      ExtensionContext context) {
    return runs(context, context.getRequiredTestClass()).map(ClassRun::new);
  }

  private static Stream<SimulatedRun> runs(ExtensionContext context, AnnotatedElement element) {
    refuseWhatOutlivesARun(context);
    try {
      return SimulatedRun.of(
          element.getAnnotation(Simulated.class),
          context.getConfigurationParameter(SimulatedRun.PROPERTY).orElse(null))
          .stream();
    } catch (IllegalArgumentException e) {
      throw new ExtensionConfigurationException("@Simulated of " + element + ": " + e.getMessage());
    }
  }

  private static void refuseWhatOutlivesARun(ExtensionContext context) {
    Class<?> test = context.getRequiredTestClass();
    boolean shared =
        context.getTestInstanceLifecycle().orElse(Lifecycle.PER_METHOD) == Lifecycle.PER_CLASS;
    for (Class<? extends Annotation> each : List.of(BeforeAll.class, AfterAll.class)) {
      shared |=
          !AnnotationSupport.findAnnotatedMethods(test, each, HierarchyTraversalMode.TOP_DOWN)
              .isEmpty();
    }
    if (shared) {
      throw new ExtensionConfigurationException(
          test.getName()
              + " has @BeforeAll, @AfterAll or one instance for all its tests: what one simulated run"
              + " leaves to the next cannot be replayed; use @BeforeEach and @AfterEach");
    }
  }

  private record MethodRun(SimulatedRun run) implements TestTemplateInvocationContext {
    @Override
    public String getDisplayName(int index) {
      return run.displayName();
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
      return List.of(new SimulatedLifecycle(run, false));
    }
  }

  private record ClassRun(SimulatedRun run) implements ClassTemplateInvocationContext {
    @Override
    public String getDisplayName(int index) {
      return run.displayName();
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
      return List.of(new SimulatedLifecycle(run, true));
    }
  }
}
