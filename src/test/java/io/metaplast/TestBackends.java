package io.metaplast;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** Every backend and tier that this machine has, opened once per test run; what is missing is recorded with its reason. */
public final class TestBackends {
  /**
   * A backend at one tier.
   *
   * @param name as printed in the table: java, cpu/scalar, cpu/avx2, cpu/avx512, cuda
   * @param options how it was opened
   * @param backend the open backend
   */
  public record Target(String name, BackendOptions options, Backend backend) {
    /** Whether this is the Java backend, to which the others are compared. */
    public boolean isJava() {
      return options.kind() == BackendKind.JAVA;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final List<Target> TARGETS = open();
  private static final Map<String, Backend> BY_THREADS = new ConcurrentHashMap<>();

  private TestBackends() {}

  /** The targets present, or the one that the property metaplast.test.target names; the source of parameterised tests. */
  public static Stream<Target> all() {
    String only = System.getProperty("metaplast.test.target");
    return TARGETS.stream().filter(t -> only == null || t.name().equals(only));
  }

  /** The targets present, without Java. */
  public static Stream<Target> others() {
    return TARGETS.stream().filter(t -> !t.isJava());
  }

  /** The Java backend. */
  public static Target java() {
    return TARGETS.get(0);
  }

  /** One target per backend kind: Java, the highest CPU tier, CUDA. */
  public static Stream<Target> kinds() {
    return Stream.of(BackendKind.values()).flatMap(kind -> TARGETS.stream().filter(t -> t.options().kind() == kind).reduce((a, b) -> b).stream());
  }

  /** The same backend and tier with another number of threads. */
  public static Backend withThreads(Target target, int threads) {
    return BY_THREADS.computeIfAbsent(target.name() + "/" + threads, name -> Metaplast.open(target.options().withThreads(threads)));
  }

  private static List<Target> open() {
    List<Target> targets = new ArrayList<>();
    BackendOptions base = new BackendOptions(BackendKind.JAVA, IsaTier.AVX512, null, 2, 0, false);
    targets.add(new Target("java", base, Metaplast.open(base)));
    for (IsaTier tier : IsaTier.values()) {
      add(targets, "cpu/" + tier.name().toLowerCase(Locale.ROOT), base.withKind(BackendKind.CPU).withMaxIsa(tier).withRequireIsa(tier));
    }
    add(targets, "cuda", base.withKind(BackendKind.CUDA));
    for (String required : System.getProperty("metaplast.test.require", "").split(",")) {
      if (!required.isBlank() && targets.stream().noneMatch(t -> t.name().equals(required.strip()))) {
        throw new IllegalStateException("metaplast.test.require names " + required.strip() + ", which is not here: " + Coverage.reason(required.strip()));
      }
    }
    return List.copyOf(targets);
  }

  private static void add(List<Target> targets, String name, BackendOptions options) {
    try {
      targets.add(new Target(name, options, Metaplast.open(options)));
    } catch (BackendUnavailableException e) {
      Coverage.skip(name, e.getMessage());
    }
  }
}
