package dev.troupe.simulation.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Puts a {@linkplain GuardedCalls#breach breach} before each forbidden call of a class. A reference
 * to a forbidden method ({@code System::nanoTime}) becomes one to a method that is a breach: only
 * calling it is forbidden, not having it.
 */
final class CallGuard extends ClassVisitor {

  private static final String GUARD = Type.getInternalName(GuardedCalls.class);
  private static final String BREACH = "(Ljava/lang/String;)Ljava/lang/AssertionError;";
  private static final String SYNTHETIC = "troupe$forbidden$";

  private record Reference(String name, String descriptor, String breach) {}

  private final Function<String, List<String>> typesOf;
  private final List<Reference> references = new ArrayList<>();
  private String className = "";
  private String file = "unknown source";
  private boolean isInterface;

  /**
   * @param typesOf a type and all that it extends and implements, names with slashes
   */
  CallGuard(ClassVisitor next, Function<String, List<String>> typesOf) {
    super(Opcodes.ASM9, next);
    this.typesOf = typesOf;
  }

  @Override
  public void visit(
      int version,
      int access,
      String name,
      @Nullable String signature,
      @Nullable String superName,
      String @Nullable [] interfaces) {
    className = name;
    isInterface = (access & Opcodes.ACC_INTERFACE) != 0;
    super.visit(version, access, name, signature, superName, interfaces);
  }

  @Override
  public void visitSource(@Nullable String source, @Nullable String debug) {
    if (source != null) {
      file = source;
    }
    super.visitSource(source, debug);
  }

  @Override
  public MethodVisitor visitMethod(
      int access,
      String name,
      String descriptor,
      @Nullable String signature,
      String @Nullable [] exceptions) {
    return new Calls(super.visitMethod(access, name, descriptor, signature, exceptions), name);
  }

  @Override
  public void visitEnd() {
    for (Reference reference : references) {
      MethodVisitor method =
          super.visitMethod(
              Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC | Opcodes.ACC_SYNTHETIC,
              reference.name(),
              reference.descriptor(),
              null,
              null);
      method.visitCode();
      method.visitLdcInsn(reference.breach());
      method.visitMethodInsn(Opcodes.INVOKESTATIC, GUARD, "breach", BREACH, false);
      method.visitInsn(Opcodes.ATHROW);
      method.visitMaxs(0, 0);
      method.visitEnd();
    }
    super.visitEnd();
  }

  private @Nullable String why(String owner, String name, String descriptor) {
    if (!ForbiddenCalls.isSuspect(name) || owner.startsWith("[")) {
      return null;
    }
    // A constructor belongs to one class only.
    for (String type : name.equals("<init>") ? List.of(owner) : typesOf.apply(owner)) {
      String why = ForbiddenCalls.why(type, name, descriptor);
      if (why != null) {
        return why;
      }
    }
    return null;
  }

  private final class Calls extends MethodVisitor {
    private final String caller;
    private int line;

    Calls(MethodVisitor next, String caller) {
      super(Opcodes.ASM9, next);
      this.caller = caller;
    }

    @Override
    public void visitLineNumber(int number, Label start) {
      line = number;
      super.visitLineNumber(number, start);
    }

    @Override
    public void visitMethodInsn(
        int opcode, String owner, String name, String descriptor, boolean ofInterface) {
      String why = why(owner, name, descriptor);
      if (why != null) {
        super.visitLdcInsn(breach(owner, name, why));
        super.visitMethodInsn(Opcodes.INVOKESTATIC, GUARD, "breach", BREACH, false);
        super.visitInsn(Opcodes.POP);
      }
      super.visitMethodInsn(opcode, owner, name, descriptor, ofInterface);
    }

    @Override
    public void visitInvokeDynamicInsn(
        String name, String descriptor, Handle bootstrap, Object... arguments) {
      Object[] guarded = arguments.clone();
      for (int i = 0; i < guarded.length; i++) {
        if (guarded[i] instanceof Handle handle) {
          guarded[i] = guarded(handle);
        }
      }
      super.visitInvokeDynamicInsn(name, descriptor, bootstrap, guarded);
    }

    private Handle guarded(Handle handle) {
      String why =
          handle.getDesc().startsWith("(")
              ? why(handle.getOwner(), handle.getName(), handle.getDesc())
              : null;
      if (why == null) {
        return handle;
      }
      Reference reference =
          new Reference(
              SYNTHETIC + references.size(),
              staticDescriptor(handle),
              breach(handle.getOwner(), handle.getName(), why));
      references.add(reference);
      return new Handle(
          Opcodes.H_INVOKESTATIC, className, reference.name(), reference.descriptor(), isInterface);
    }

    private String staticDescriptor(Handle handle) {
      String descriptor = handle.getDesc();
      String owner = "L" + handle.getOwner() + ";";
      return switch (handle.getTag()) {
        case Opcodes.H_INVOKESTATIC -> descriptor;
        case Opcodes.H_NEWINVOKESPECIAL ->
            descriptor.substring(0, descriptor.indexOf(')') + 1) + owner;
        default -> "(" + owner + descriptor.substring(1);
      };
    }

    private String breach(String owner, String name, String why) {
      String type = owner.replace('/', '.');
      String call = name.equals("<init>") ? "new " + type : type + "." + name;
      return className.replace('/', '.')
          + "."
          + caller
          + " ("
          + file
          + ":"
          + line
          + ") calls "
          + call
          + ": "
          + why;
    }
  }
}
