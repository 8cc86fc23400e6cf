package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.Coverage;
import io.metaplast.Data.Profile;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every kernel is held to on every backend and tier: the same bits as the Java backend over more than 1,000 sizes and offsets, the oracle's value
 * within the published bound, and bits that depend neither on splits, nor on threads, nor on repetition.
 */
public abstract class KernelContract {
  private static final Map<String, long[]> JAVA_HASHES = new ConcurrentHashMap<>();

  private final String kernel;

  KernelContract(String kernel) {
    this.kernel = kernel;
  }

  /** Name of the method of BayesKernels, or with a prefix of BinaryKernels. */
  public final String kernel() {
    return kernel;
  }

  /** The forms of the kernel. */
  public abstract List<Mode> modes();

  /** Largest n of the size sweep; kernels whose work grows faster than n set it lower. */
  int largest() {
    return 1 << 30;
  }

  /** Cases of the comparison with Java. */
  List<Case> cases() {
    return Case.sweep(largest());
  }

  /** Sizes for the comparison of thread counts; large enough that the work is divided. */
  int[] threadSizes() {
    return new int[] {3, 1000, 200_003};
  }

  /** Whether a range (or a set of tensors) computed in pieces must give the bits of the whole. */
  boolean splits() {
    return true;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void sameBitsAsJava(Target target) {
    List<Case> cases = cases();
    assertThat(cases).hasSizeGreaterThanOrEqualTo(500);
    for (Mode mode : modes()) {
      long[] expected = JAVA_HASHES.computeIfAbsent(kernel + " " + mode, k -> javaHashes(mode, cases));
      for (int i = 0; i < cases.size(); i++) {
        try (Run run = Run.of(mode, cases.get(i), target.backend())) {
          if (run.hash() != expected[i]) {
            try (Run java = Run.of(mode, cases.get(i).at(0), TestBackends.java().backend())) {
              run.assertSameBits(java, target.name() + " against java");
              throw new AssertionError(mode + ", " + cases.get(i) + ": java gave other bits when it was called again; seed " + Seeds.base());
            }
          }
        }
      }
      Coverage.checked(kernel, target.name(), cases.size());
    }
  }

  private long[] javaHashes(Mode mode, List<Case> cases) {
    long[] hashes = new long[cases.size()];
    long written = 0;
    long substantial = 0;
    for (int i = 0; i < hashes.length; i++) {
      try (Run run = Run.of(mode, cases.get(i).at(0), TestBackends.java().backend())) {
        hashes[i] = run.hash();
        long[] s = run.substance();
        written += s[0];
        substantial += s[1];
      }
    }
    assertThat(substantial).as("finite nonzero outputs of %d in mode %s", written, mode).isGreaterThan(written / 10);
    return hashes;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void withinBoundsOfOracle(Target target) {
    for (Mode mode : modes()) {
      for (Case c : Case.tame()) {
        if (c.n() <= largest()) {
          try (Run run = Run.of(mode, c, target.backend())) {
            mode.verify().accept(run);
            Coverage.checked(kernel, target.name(), 1);
          } catch (AssertionError e) {
            throw new AssertionError(mode + ", " + c + " on " + target + ", seed " + Seeds.base() + ": " + e.getMessage(), e);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void piecesGiveTheBitsOfTheWhole(Target target) {
    if (!splits()) {
      return;
    }
    for (Mode mode : modes()) {
      for (int i = 0; i < 60; i++) {
        Case whole = new Case(200_000 + i, i < 30 ? i : 37 * i, i % 16, Profile.values()[i % 4], false);
        compare(mode, whole.withSplit(true), target.backend(), whole, target.backend(), target.name() + " in pieces");
        Coverage.checked(kernel, target.name(), 1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void threadsDoNotChangeBits(Target target) {
    for (Mode mode : modes()) {
      for (int n : threadSizes()) {
        Case c = new Case(300_000 + n, n, n % 16, Profile.FINITE, false);
        try (Run one = Run.of(mode, c, TestBackends.withThreads(target, 1))) {
          for (int threads = 2; threads <= 4; threads++) {
            try (Run many = Run.of(mode, c, TestBackends.withThreads(target, threads))) {
              many.assertSameBits(one, target.name() + " with " + threads + " threads");
            }
            Coverage.checked(kernel, target.name(), 1);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void repetitionDoesNotChangeBits(Target target) {
    List<Case> cases = new ArrayList<>();
    for (int n : new int[] {17, 700, 5003}) {
      cases.add(new Case(400_000 + n, n, 5, Profile.MIXED, false));
    }
    for (Mode mode : modes()) {
      for (Case c : cases) {
        try (Run first = Run.of(mode, c, target.backend())) {
          for (int i = 0; i < Seeds.rounds(10, 1000); i++) {
            try (Run again = Run.of(mode, c, target.backend())) {
              again.assertSameBits(first, target.name() + ", repeated");
            }
            Coverage.checked(kernel, target.name(), 1);
          }
        }
      }
    }
  }

  private static void compare(Mode mode, Case c, Backend backend, Case reference, Backend referenceBackend, String where) {
    try (Run run = Run.of(mode, c, backend);
        Run expected = Run.of(mode, reference, referenceBackend)) {
      run.assertSameBits(expected, where);
    }
  }
}
