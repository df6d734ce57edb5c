package dev.troupe.simulation.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;

/**
 * Defines the classes of the code under test anew, with each of the {@link ForbiddenCalls} replaced
 * by a {@linkplain GuardedCalls breach}. All others come from the loader that knew them before.
 */
final class GuardingClassLoader extends ClassLoader {

  /** What is never guarded: what the simulation itself and the test share with it. */
  private static final List<String> SHARED =
      List.of(
          "java.",
          "javax.",
          "jdk.",
          "sun.",
          "com.sun.",
          "scala.",
          "com.typesafe.config.",
          "dev.troupe.",
          "org.apache.pekko.",
          "org.apiguardian.",
          "org.jspecify.",
          "org.junit.",
          "org.opentest4j.",
          "org.slf4j.");

  private final ClassLoader known;
  private final List<String> guard;
  private final @Nullable String ownJar;
  private final Map<String, List<String>> types = new LinkedHashMap<>();

  /**
   * A loader for the classes that a test uses.
   *
   * @param guard prefixes of the names of further classes, in jars
   */
  GuardingClassLoader(Class<?> test, List<String> guard) {
    super(test.getClassLoader());
    this.known = test.getClassLoader();
    this.guard = guard;
    CodeSource source = test.getProtectionDomain().getCodeSource();
    this.ownJar = source == null ? null : "jar:" + source.getLocation() + "!";
  }

  /** Whether a class of the parent is defined anew here. */
  boolean isGuarded(Class<?> type) {
    return !type.isPrimitive() && !type.isArray() && isGuarded(type.getName());
  }

  private boolean isGuarded(String name) {
    if (SHARED.stream().anyMatch(name::startsWith)) {
      return false;
    }
    URL place = known.getResource(fileOf(name));
    return place != null
        && (place.getProtocol().equals("file")
            || (ownJar != null && place.toString().startsWith(ownJar))
            || guard.stream().anyMatch(name::startsWith));
  }

  private static String fileOf(String name) {
    return name.replace('.', '/') + ".class";
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded == null) {
        if (!isGuarded(name)) {
          return super.loadClass(name, resolve);
        }
        byte[] guarded = guarded(name);
        loaded = defineClass(name, guarded, 0, guarded.length);
      }
      if (resolve) {
        resolveClass(loaded);
      }
      return loaded;
    }
  }

  private byte[] guarded(String name) throws ClassNotFoundException {
    try (InputStream in = known.getResourceAsStream(fileOf(name))) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      ClassReader reader = new ClassReader(in);
      // Frames stay as they are: what is put in has no branches.
      ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
      reader.accept(new CallGuard(writer, this::typesOf), 0);
      return writer.toByteArray();
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  /** A type and all that it extends and implements, names with slashes. */
  private List<String> typesOf(String internalName) {
    List<String> cached = types.get(internalName);
    if (cached == null) {
      Set<String> found = new LinkedHashSet<>();
      found.add(internalName);
      try {
        collect(Class.forName(internalName.replace('/', '.'), false, known), found);
      } catch (ClassNotFoundException | LinkageError e) {
        found.add("java/lang/Object"); // the call itself will fail, where it is made
      }
      cached = new ArrayList<>(found);
      types.put(internalName, cached);
    }
    return cached;
  }

  private static void collect(@Nullable Class<?> type, Set<String> found) {
    if (type == null) {
      return;
    }
    found.add(type.getName().replace('.', '/'));
    collect(type.getSuperclass(), found);
    for (Class<?> each : type.getInterfaces()) {
      collect(each, found);
    }
    if (type.isInterface()) {
      found.add("java/lang/Object");
    }
  }
}
