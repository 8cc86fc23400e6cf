package io.metaplast.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.RealMatrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.DampingMode;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KlClip;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MergeReport;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.kfac.PairDamping;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.PenaltyValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bad arguments never reach a Kronecker kernel; what the layer above the kernels computes itself; the escalation of inverses over results that are made up. */
class CheckedKfacKernelsTest {
  private BackendImpl backend;
  private RecordingProvider provider;
  private KfacKernels kfac;
  private Stream stream;
  private Workspace space;

  @BeforeEach
  void open() {
    open(BackendOptions.of(BackendKind.JAVA).withFullChecks(false));
  }

  private void open(BackendOptions options) {
    backend = RecordingProvider.backend(options);
    provider = RecordingProvider.of(backend);
    kfac = backend.kfac();
    stream = backend.defaultStream();
    space = backend.workspace(1 << 20);
  }

  private F32Matrix matrix(int rows, int cols) {
    return F32Matrix.of(backend.allocate((long) rows * cols), rows, cols);
  }

  private KroneckerPair pair(int out, int in) {
    return new KroneckerPair(matrix(out, out), matrix(in, in));
  }

  private void refused(Class<? extends Throwable> type, ThrowingCallable call, String... words) {
    assertThatThrownBy(call).isInstanceOf(type).hasMessageContainingAll(words);
    assertThat(provider.calls).isEmpty();
    // Nothing is held any more: what is closed now is freed at once. No table keeps a matrix.
    int freed = provider.freed;
    backend.allocate(1).close();
    assertThat(provider.freed).isEqualTo(freed + 1);
    assertThat(SpdTable.OF_THREAD.get().count()).isZero();
    assertThat(KroneckerTable.OF_THREAD.get().count()).isZero();
  }

  private void illegal(ThrowingCallable call, String... words) {
    refused(IllegalArgumentException.class, call, words);
  }

  // ---- statistics

  @Test
  void factorsFitTheirRows() {
    F32Matrix x = matrix(3, 4);
    illegal(() -> kfac.kroneckerFactorUpdate(x, true, 1, 0, matrix(4, 4), space, stream), "factor.rows 4 != x.cols 4 + 1 = 5");
    illegal(() -> kfac.kroneckerFactorUpdate(x, false, 1, 0, matrix(4, 5), space, stream), "factor.cols 5 != x.cols 4");
    for (double bad : new double[] {-0.1, 1.1, Double.NaN}) {
      illegal(() -> kfac.kroneckerFactorUpdate(x, false, 1, bad, matrix(4, 4), space, stream), "beta = " + bad);
    }
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, 1e39}) {
      illegal(() -> kfac.kroneckerFactorUpdate(x, false, bad, 0, matrix(4, 4), space, stream), "alpha = " + bad);
    }
    illegal(() -> kfac.kroneckerFactorCentered(matrix(1, 4), 1, 0, matrix(4, 4), space, stream), "x.rows = 1 must be >= 2");
    illegal(() -> kfac.kroneckerFactorBetween(matrix(1, 4), 1, 0, matrix(4, 4), space, stream), "x.rows = 1 must be >= 2");
    illegal(() -> kfac.kroneckerFactorMean(matrix(0, 4), 1, 0, matrix(4, 4), space, stream), "x.rows = 0 must be >= 1");
    illegal(() -> kfac.kroneckerFactorUpdate(x, false, 1, 0, matrix(4, 4), backend.workspace(63), stream), "workspace.length 63 < needed 64");
    RealMatrix foreign =
        new RealMatrix() {
          @Override
          public F32Buffer data() {
            return x.data();
          }

          @Override
          public int rows() {
            return 3;
          }

          @Override
          public int cols() {
            return 4;
          }

          @Override
          public int ld() {
            return 4;
          }
        };
    illegal(() -> kfac.kroneckerFactorUpdate(foreign, false, 1, 0, matrix(4, 4), space, stream), "x is a", "F32Matrix");
    kfac.kroneckerFactorUpdate(Bf16Matrix.of(backend.allocateBf16(12), 3, 4), true, 1, 0, matrix(5, 5), space, stream);
    kfac.kroneckerFactorUpdate(matrix(0, 4), false, 1, 0.5, matrix(4, 4), space, stream); // a sum over nothing
    assertThat(provider.calls).containsExactly("factorUpdate", "factorUpdate");
    kfac.kroneckerFactorUpdate(matrix(3, 0), false, 1, 0.5, matrix(0, 0), space, stream);
    assertThat(provider.calls).hasSize(2);
  }

  @Test
  void notFiniteElementsAreNamed() {
    F32Matrix x = new F32Matrix(backend.allocate(100), 3, 4, 7);
    x.data().upload(2 * 7 + 1, new float[] {Float.NEGATIVE_INFINITY}, 0, 1);
    provider.results.put("factorUpdate", 9L);
    NonFiniteMatrixException e =
        catchThrowableOfType(
            NonFiniteMatrixException.class, () -> kfac.kroneckerFactorUpdate(x, false, 1, 0, matrix(4, 4), space, stream));
    assertThat(e.row()).isEqualTo(2);
    assertThat(e.column()).isEqualTo(1);
    assertThat(e.value()).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(e).hasMessageContaining("x[0]: element (2, 1) is -Infinity");
  }

  @Test
  void movingFactorsKnowTheirWeight() {
    MovingFactor factor = new MovingFactor(matrix(4, 4));
    F32Matrix x = matrix(3, 4);
    List<Object> betas = new ArrayList<>();
    provider.onKfac = (name, arguments) -> betas.add(arguments[name.equals("combine") ? 0 : 4]);
    illegal(() -> kfac.kroneckerFactorValue(factor, matrix(4, 4), stream), "weight = 0.0");
    illegal(() -> kfac.kroneckerFactorUpdate(x, false, 1, 2, factor, space, stream), "beta = 2.0");
    kfac.kroneckerFactorUpdate(x, false, 1, 0.5, factor, space, stream);
    kfac.kroneckerFactorUpdate(x, false, 1, 0.5, factor, space, stream);
    assertThat(factor.weight()).isEqualTo(1.5);
    kfac.kroneckerFactorValue(factor, factor.raw(), stream); // in place
    assertThat(betas).containsExactly(0f, 0.5f, (float) (1 / 1.5));
    provider.results.put("factorUpdate", 0L);
    assertThatThrownBy(() -> kfac.kroneckerFactorUpdate(x, false, 1, 0.5, factor, space, stream)).isInstanceOf(NonFiniteMatrixException.class);
    assertThat(factor.weight()).isEqualTo(1.5);
  }

  // ---- damping

  @Test
  void dampingIsBalancedByTraces() {
    List<KroneckerPair> pairs = List.of(pair(2, 3), pair(0, 5), pair(4, 4), pair(4, 4), pair(4, 4));
    provider.onKfac =
        (name, arguments) -> System.arraycopy(new double[] {2, 12, 0, 1, -1, -1, 1e-300, 1e300}, 0, arguments[1], 0, 8);
    List<PairDamping> d = kfac.damping(DampingMode.PI, 0.25, pairs, stream);
    assertThat(d.get(0)).isEqualTo(new PairDamping(2, 0.25, 1, false));
    for (int i = 1; i < 5; i++) {
      assertThat(d.get(i)).as("pair %d", i).isEqualTo(new PairDamping(1, 0.5, 0.5, true));
    }
    assertThat(kfac.damping(DampingMode.SAME, 0.25, pairs, stream)).containsOnly(new PairDamping(1, 0.25, 0.25, false));
    assertThat(kfac.damping(DampingMode.SQRT, 0.25, pairs, stream)).containsOnly(new PairDamping(1, 0.5, 0.5, false));
    assertThat(provider.calls).containsExactly("traces");
    provider.calls.clear();
    illegal(() -> kfac.damping(DampingMode.PI, -1, pairs, stream), "lambda = -1.0");
    refused(NullPointerException.class, () -> kfac.damping(DampingMode.PI, 1, Arrays.asList(pairs.get(0), null), stream), "pairs[1]");
  }

  // ---- inverses

  @Test
  void singleInverseThrowsWhatTheStatusMeans() {
    F32Matrix m = matrix(4, 4);
    illegal(() -> kfac.dampedSpdInverse(matrix(3, 4), 1, matrix(3, 4), space, stream), "m is 3 x 4, must be square");
    illegal(() -> kfac.dampedSpdInverse(m, 1, matrix(3, 3), space, stream), "out.rows 3 != m.rows 4");
    for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      illegal(() -> kfac.dampedSpdInverse(m, bad, matrix(4, 4), space, stream), "damping = " + bad);
    }
    F32Matrix wide = new F32Matrix(m.data(), 3, 3, 4);
    illegal(() -> kfac.dampedSpdInverse(wide, 1, new F32Matrix(m.data(), 3, 3, 3), space, stream), "m and out overlap", "same range");
    kfac.dampedSpdInverse(wide, 1, wide, space, stream);
    kfac.dampedSpdInverse(matrix(0, 0), 1, matrix(0, 0), space, stream);
    assertThat(provider.calls).containsExactly("spdInverse");
    m.data().upload(3 * 4 + 2, new float[] {Float.NaN}, 0, 1);
    provider.onKfac = (name, arguments) -> ((SpdTable) arguments[0]).result(0, -2, 0, 0, 0, 0, 3 * 4 + 2);
    NonFiniteMatrixException nan =
        catchThrowableOfType(NonFiniteMatrixException.class, () -> kfac.dampedSpdInverse(m, 1, matrix(4, 4), space, stream));
    assertThat(nan.row()).isEqualTo(3);
    assertThat(nan.column()).isEqualTo(2);
    assertThat(nan.value()).isNaN();
    provider.onKfac = (name, arguments) -> ((SpdTable) arguments[0]).result(0, 3, 0, 0, 0, -2.5, 0);
    NotPositiveDefiniteException pivot =
        catchThrowableOfType(NotPositiveDefiniteException.class, () -> kfac.dampedSpdInverse(m, 0.5, matrix(4, 4), space, stream));
    assertThat(pivot.order()).isEqualTo(3);
    assertThat(pivot.pivot()).isEqualTo(-2.5);
    assertThat(pivot.damping()).isEqualTo(0.5);
    assertThat(pivot.status()).isEqualTo(3);
    provider.onKfac = (name, arguments) -> ((SpdTable) arguments[0]).result(0, -3, 0, 0.7, 1e8, 0, 0);
    NotPositiveDefiniteException probe =
        catchThrowableOfType(NotPositiveDefiniteException.class, () -> kfac.dampedSpdInverse(m, 0.5, matrix(4, 4), space, stream));
    assertThat(probe.order()).isZero();
    assertThat(probe.residual()).isEqualTo(0.7);
    assertThat(SpdTable.OF_THREAD.get().count()).isZero();
    provider.onKfac = (name, arguments) -> {};
    provider.results.put("dampedCholesky", new SpdStatus(2, -1, 0));
    assertThatThrownBy(() -> kfac.dampedCholesky(m, 0.5, matrix(4, 4), space, stream)).isInstanceOf(NotPositiveDefiniteException.class);
    provider.results.put("triangularInverse", 3);
    assertThatThrownBy(() -> kfac.triangularInverse(m, m, stream))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("diagonal element (2, 2) is 0.0");
  }

  @Test
  void batchesAreCheckedAsAWhole() {
    List<F32Matrix> m = List.of(matrix(2, 2), matrix(3, 3));
    List<F32Matrix> out = List.of(matrix(2, 2), matrix(3, 3));
    InverseReport report = new InverseReport();
    report.reset(1);
    report.set(0, 77, 0, 0, 0, 0, 0, 0, 0);
    double[] d = {1, 1};
    InverseOptions none = InverseOptions.NONE;
    illegal(() -> kfac.batchedDampedSpdInverse(m, new double[1], out, none, report, space, stream), "damping.length 1 != m.size 2");
    illegal(() -> kfac.batchedDampedSpdInverse(m, d, out.subList(0, 1), none, report, space, stream), "out.size 1 != m.size 2");
    illegal(() -> kfac.batchedDampedSpdInverse(m, new double[] {1, -1}, out, none, report, space, stream), "damping[1] = -1.0");
    illegal(() -> kfac.batchedDampedSpdInverse(m, d, List.of(matrix(2, 2), matrix(3, 4)), none, report, space, stream), "out[1].cols 4 != m[1].cols 3");
    refused(
        NullPointerException.class, () -> kfac.batchedDampedSpdInverse(Arrays.asList(m.get(0), null), d, out, none, report, space, stream), "m[1]");
    illegal(() -> kfac.batchedDampedSpdInverse(m, d, List.of(m.get(1).rows(0, 2), out.get(1)), none, report, space, stream), "out[0].cols 3");
    F32Buffer memory = backend.allocate(40);
    F32Matrix at0 = F32Matrix.of(memory, 3, 3);
    F32Matrix at8 = F32Matrix.of(memory.slice(8, 9), 3, 3);
    illegal(() -> kfac.batchedDampedSpdInverse(List.of(m.get(0), at0), d, List.of(out.get(0), at8), none, report, space, stream), "m[1] and out[1]", "32..36 of m[1]");
    illegal(() -> kfac.batchedDampedSpdInverse(List.of(at0, m.get(1)), d, List.of(out.get(1), at0), none, report, space, stream), "m[0] and out[1]");
    illegal(() -> kfac.batchedDampedSpdInverse(List.of(m.get(1), m.get(1)), d, List.of(at0, at0), none, report, space, stream), "out[0] and out[1]");
    F32Matrix closed = matrix(3, 3);
    closed.data().close();
    refused(
        IllegalStateException.class, () -> kfac.batchedDampedSpdInverse(List.of(m.get(0), closed), d, out, none, report, space, stream), "m[1] is closed");
    assertThat(report.status(0)).isEqualTo(77);
    kfac.batchedDampedSpdInverse(m, d, m, none, report, space, stream); // in place
    assertThat(report.size()).isEqualTo(2);
    kfac.batchedDampedSpdInverse(List.of(), new double[0], List.of(), none, report, space, stream);
    assertThat(report.size()).isZero();
    assertThat(provider.calls).containsExactly("spdInverse");
  }

  /** More operands than are compared pair by pair. */
  @Test
  void overlapIsFoundInLongLists() {
    int count = 108;
    List<F32Matrix> m = new ArrayList<>();
    List<F32Matrix> out = new ArrayList<>();
    F32Buffer memory = backend.allocate(4 * 2 * count);
    for (int b = 0; b < count; b++) {
      int place = b * 37 % count;
      m.add(F32Matrix.of(memory.slice(8 * place, 4), 2, 2));
      out.add(b % 2 == 0 ? m.get(b) : F32Matrix.of(memory.slice(8 * place + 4, 4), 2, 2));
    }
    double[] d = new double[count];
    kfac.batchedDampedSpdInverse(m, d, out, InverseOptions.NONE, new InverseReport(), space, stream);
    assertThat(provider.calls).containsExactly("spdInverse");
    provider.calls.clear();
    for (int b : new int[] {0, 1, 53, 107}) {
      for (int other : new int[] {(b + 1) % count, (b + 60) % count}) {
        List<F32Matrix> bad = new ArrayList<>(out);
        bad.set(b, m.get(other));
        illegal(() -> kfac.batchedDampedSpdInverse(m, d, bad, InverseOptions.NONE, new InverseReport(), space, stream), "out[" + b + "]", "overlap");
      }
    }
    // Inputs may be shared by all.
    List<F32Matrix> one = Collections.nCopies(count, matrix(2, 2));
    kfac.batchedDampedSpdInverse(one, d, m, InverseOptions.NONE, new InverseReport(), space, stream);
    assertThat(provider.calls).containsExactly("spdInverse");
  }

  /** Lists in the order of their addresses, inputs before outputs and behind them, with one matrix moved by one element onto its neighbour. */
  @Test
  void overlapIsFoundInListsThatAscend() {
    int count = 40;
    double[] d = new double[count];
    for (boolean outFirst : new boolean[] {false, true}) {
      F32Buffer memory = backend.allocate(8L * count);
      List<F32Matrix> low = new ArrayList<>();
      List<F32Matrix> high = new ArrayList<>();
      for (int b = 0; b < count; b++) {
        low.add(F32Matrix.of(memory.slice(4L * b, 4), 2, 2));
        high.add(F32Matrix.of(memory.slice(4L * (count + b), 4), 2, 2));
      }
      List<F32Matrix> m = outFirst ? high : low;
      List<F32Matrix> out = outFirst ? low : high;
      provider.calls.clear();
      kfac.batchedDampedSpdInverse(m, d, out, InverseOptions.NONE, new InverseReport(), space, stream);
      assertThat(provider.calls).containsExactly("spdInverse");
      provider.calls.clear();
      for (int b : new int[] {0, 1, 20, 39}) {
        for (int shift : new int[] {-1, 1}) {
          int start = 4 * (b + (outFirst ? 0 : count)) + shift;
          if (start < 0 || start + 4 > 8 * count) {
            continue;
          }
          List<F32Matrix> bad = new ArrayList<>(out);
          bad.set(b, F32Matrix.of(memory.slice(start, 4), 2, 2));
          illegal(() -> kfac.batchedDampedSpdInverse(m, d, bad, InverseOptions.NONE, new InverseReport(), space, stream), "out[", "overlap");
        }
      }
      memory.close();
    }
  }

  /** Random places, compared with the definition: an output shares bytes with nothing but the input of its own place, and with that all or none. */
  @Test
  void overlapIsWhatTheDefinitionSays() {
    SplittableRandom random = new SplittableRandom(3);
    int found = 0;
    for (int trial = 0; trial < 400; trial++) {
      int count = 2 + random.nextInt(40);
      F32Buffer memory = backend.allocate(count * 160L);
      List<F32Matrix> m = new ArrayList<>();
      List<F32Matrix> out = new ArrayList<>();
      List<long[]> ranges = new ArrayList<>(); // start, end, place, 1 for outputs
      for (int b = 0; b < count; b++) {
        int n = 1 + random.nextInt(3);
        long[] starts = {random.nextInt(count * 160 - 9), random.nextInt(count * 160 - 9)};
        starts[1] = random.nextInt(3) == 0 ? starts[0] : starts[1];
        m.add(F32Matrix.of(memory.slice(starts[0], n * n), n, n));
        out.add(F32Matrix.of(memory.slice(starts[1], n * n), n, n));
        ranges.add(new long[] {starts[0], starts[0] + n * n, b, 0});
        ranges.add(new long[] {starts[1], starts[1] + n * n, b, 1});
      }
      boolean overlap = false;
      for (long[] a : ranges) {
        for (long[] b : ranges) {
          boolean inPlace = a[2] == b[2] && a[0] == b[0];
          overlap |= a != b && a[3] + b[3] > 0 && a[0] < b[1] && b[0] < a[1] && !inPlace;
        }
      }
      provider.calls.clear();
      boolean refused = false;
      try {
        kfac.batchedDampedSpdInverse(m, new double[count], out, InverseOptions.NONE, new InverseReport(), space, stream);
      } catch (IllegalArgumentException e) {
        refused = true;
        assertThat(e).hasMessageContaining("overlap");
      }
      assertThat(refused).as("trial %d with %d pairs", trial, count).isEqualTo(overlap);
      assertThat(provider.calls).hasSize(overlap ? 0 : 1);
      found += overlap ? 1 : 0;
      memory.close();
    }
    assertThat(found).isBetween(80, 320);
  }

  /** Matrices of order 1 to 6 in a batch; the order says what each rung makes of it. */
  @Test
  void ladderClimbsForTheFailingOnly() {
    List<F32Matrix> m = new ArrayList<>();
    for (int n = 0; n <= 6; n++) {
      m.add(matrix(n, n));
    }
    double[] d = {0.5, 0.1, 0.2, 0.3, 0.4, 0, 0.6};
    List<String> rungs = new ArrayList<>();
    provider.onKfac =
        (name, arguments) -> {
          if (name.equals("traces")) {
            int n = ((F32Matrix) ((List<?>) arguments[0]).get(0)).rows();
            ((double[]) arguments[1])[0] = n == 5 ? 5e8 : 0; // mean 1e8: at least 1 is multiplied
            return;
          }
          SpdTable table = (SpdTable) arguments[0];
          boolean inDouble = (boolean) arguments[2];
          StringBuilder rung = new StringBuilder(inDouble ? "f64" : "f32");
          for (int i = 0; i < table.count(); i++) {
            int n = table.n(i);
            double damping = table.damping(i);
            rung.append(' ').append(n).append('@').append(String.format("%.1f", damping));
            if (n == 2 && !inDouble || n == 3 && damping < 30 || n == 6 || n == 5 && damping < 100) {
              table.result(i, n == 3 ? 2 : -3, 1, 0.9, 1e6, n == 3 ? -1 : 0, 0);
            } else if (n == 4) {
              table.result(i, -2, 0, 0, 0, 0, 13);
            } else {
              table.result(i, 0, 1, 1e-4, 2e5, 0, 0);
            }
          }
          rungs.add(rung.toString());
        };
    InverseReport report = new InverseReport();
    kfac.batchedDampedSpdInverse(m, d, m, new InverseOptions(0.03, true, true, false, true), report, space, stream);
    assertThat(rungs)
        .containsExactly("f32 1@0.1 2@0.2 3@0.3 4@0.4 5@0.0 6@0.6", "f64 2@0.2 3@0.3 5@0.0 6@0.6", "f64 3@3.0 5@10.0 6@6.0", "f64 3@30.0 5@100.0 6@60.0",
            "f64 6@600.0");
    assertThat(statuses(report)).containsExactly(0, 0, -5, -4, -2, -4, -6);
    assertThat(new int[] {report.rung(0), report.rung(1), report.rung(2), report.rung(3), report.rung(4), report.rung(5), report.rung(6)})
        .containsExactly(0, 2, 3, 4, 1, 4, 6);
    assertThat(report.dampingUsed(0)).isEqualTo(0.5);
    assertThat(report.dampingUsed(2)).isEqualTo(0.2);
    assertThat(report.dampingUsed(3)).isEqualTo(30, within(1e-12));
    assertThat(report.dampingUsed(5)).isEqualTo(100, within(1e-12));
    assertThat(report.dampingUsed(6)).isEqualTo(0.6);
    assertThat(report.index(4)).isEqualTo(13);
    assertThat(report.usable(6)).isTrue();
    assertThat(report.usable(4)).isFalse();
    assertThat(report.flags(1)).isEqualTo(1);
    rungs.clear();
    kfac.batchedDampedSpdInverse(m, d, m, InverseOptions.NONE, report, space, stream);
    assertThat(rungs).hasSize(1);
    assertThat(statuses(report)).containsExactly(0, 0, -3, 2, -2, -3, -3);
    assertThat(report.pivot(3)).isEqualTo(-1);
    assertThat(report.residual(2)).isEqualTo(0.9);
  }

  private static int[] statuses(InverseReport report) {
    int[] s = new int[report.size()];
    for (int b = 0; b < s.length; b++) {
      s[b] = report.status(b);
    }
    return s;
  }

  @Test
  void theFirstUnreliableInverseIsLogged() {
    F32Matrix m = matrix(2, 2);
    List<String> logged = new ArrayList<>();
    Logger logger = Logger.getLogger("io.metaplast");
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord entry) {
            if (entry.getMessage().contains("cond1")) { // leaks of other tests are logged too
              logged.add(entry.getLevel() + " " + entry.getMessage());
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try {
      provider.onKfac = (name, arguments) -> ((SpdTable) arguments[0]).result(0, 0, 1, 1e-4, 1e6, 0, 0);
      kfac.dampedSpdInverse(m, 1, m, space, stream);
      assertThat(logged).isEmpty();
      provider.onKfac = (name, arguments) -> ((SpdTable) arguments[0]).result(0, 0, 3, 1e-4, 2e6, 0, 0);
      for (int i = 0; i < 3; i++) {
        kfac.dampedSpdInverse(m, 1, m, space, stream);
        kfac.batchedDampedSpdInverse(List.of(m), new double[1], List.of(m), InverseOptions.NONE, new InverseReport(), space, stream);
      }
      assertThat(logged).singleElement().asString().contains("WARNING", "matrix [0] is unreliable, cond1 = 2000000.0");
    } finally {
      logger.removeHandler(handler);
    }
  }

  // ---- products and penalty

  @Test
  void layersAreCheckedOneByOne() {
    List<KroneckerPair> pairs = List.of(pair(2, 3), pair(4, 5));
    List<F32Matrix> v = List.of(matrix(2, 3), matrix(4, 5));
    List<F32Matrix> out = List.of(matrix(2, 3), matrix(4, 5));
    illegal(() -> kfac.kroneckerPrecondition(pairs, v, out.subList(0, 1), space, stream), "out.size 1 != gradients.size 2");
    illegal(() -> kfac.kroneckerPrecondition(pairs.subList(0, 1), v, out, space, stream), "inverses.size 1 != gradients.size 2");
    illegal(() -> kfac.kroneckerMatVec(List.of(pairs.get(0), pair(3, 5)), v, out, space, stream), "pairs[1].g.rows 3 != v[1].rows 4");
    illegal(() -> kfac.kroneckerMatVec(List.of(pairs.get(0), pair(4, 6)), v, out, space, stream), "pairs[1].a.rows 6 != v[1].cols 5");
    illegal(() -> kfac.kroneckerPrecondition(pairs, v, List.of(out.get(0), pairs.get(1).g()), space, stream), "out[1].cols 4 != gradients[1].cols 5");
    illegal(
        () -> kfac.kroneckerPrecondition(List.of(new KroneckerPair(matrix(1, 1), pairs.get(0).a()), pairs.get(1)), List.of(matrix(1, 3), v.get(1)),
            List.of(new F32Matrix(pairs.get(1).g().data(), 1, 3, 3), out.get(1)), space, stream),
        "out[0]", "inverses[1].g", "overlap");
    kfac.kroneckerPrecondition(pairs, v, v, space, stream);
    kfac.kroneckerMatVec(pairs, v, out, space, stream);
    kfac.kroneckerMatVec(List.of(pair(0, 3)), List.of(matrix(0, 3)), List.of(matrix(0, 3)), space, stream);
    assertThat(provider.calls).containsExactly("kroneckerProducts", "kroneckerProducts");
  }

  @Test
  void penaltyTakesLambdaIntoItsWeights() {
    List<F32Matrix> w = List.of(matrix(2, 3), matrix(4, 5));
    List<F32Matrix> g = List.of(matrix(2, 3), matrix(4, 5));
    PenaltyTerm a = new PenaltyTerm(pair(2, 3), 3);
    PenaltyTerm b = new PenaltyTerm(pair(2, 3), 5);
    PenaltyTerm none = new PenaltyTerm(pair(4, 5), 0);
    List<F32Matrix> anchors = List.of(matrix(2, 3), matrix(4, 5));
    PenaltyTask task = new PenaltyTask(0.5, anchors, List.of(List.of(a, b), List.of(none)));
    List<Double> weights = new ArrayList<>();
    provider.onKfac =
        (name, arguments) -> {
          KroneckerTable table = (KroneckerTable) arguments[0];
          for (int i = 0; i < table.count(); i++) {
            weights.add(table.weight(i));
            assertThat(table.w(i)).isSameAs(w.get(0));
            assertThat(table.anchor(i)).isSameAs(anchors.get(0));
          }
          ((double[]) arguments[1])[0] = -3e-5;
          ((double[]) arguments[1])[1] = 2;
        };
    PenaltyValue value = kfac.kroneckerQuadraticPenalty(List.of(task), w, g, space, stream);
    assertThat(weights).containsExactly(1.5, 2.5);
    assertThat(value).isEqualTo(new PenaltyValue(-3e-5, 2, true));
    kfac.kroneckerQuadraticPenalty(List.of(task), w, null, space, stream);
    assertThat(provider.calls).containsExactly("kroneckerPenalty", "kroneckerPenalty");
    provider.calls.clear();
    assertThat(kfac.kroneckerQuadraticPenalty(List.of(), w, g, space, stream)).isEqualTo(new PenaltyValue(0, 0, false));
    illegal(() -> kfac.kroneckerQuadraticPenalty(List.of(task), w.subList(0, 1), null, space, stream), "tasks[0].anchors.size 2 != weights.size 1");
    illegal(() -> kfac.kroneckerQuadraticPenalty(List.of(task), w, w, space, stream), "weights[0] and gradients[0] overlap");
    illegal(() -> kfac.kroneckerQuadraticPenalty(List.of(task, task), w, anchors, space, stream), "gradients[0]", "tasks[0].anchors[0]", "overlap");
    illegal(
        () -> kfac.kroneckerQuadraticPenalty(List.of(task), List.of(matrix(3, 3), w.get(1)), null, space, stream),
        "tasks[0].anchors[0].rows 2 != weights[0].rows 3");
    illegal(
        () -> kfac.kroneckerQuadraticPenalty(List.of(new PenaltyTask(1e30, anchors, List.of(List.of(new PenaltyTerm(pair(2, 3), 1e30)), List.of()))), w, g, space, stream),
        "tasks[0].lambda*terms[0][0].weight = 1.0");
    refused(NullPointerException.class, () -> kfac.kroneckerQuadraticPenalty(Arrays.asList(task, null), w, g, space, stream), "tasks[1]");
    refused(NullPointerException.class, () -> kfac.kroneckerQuadraticPenalty(List.of(task), Arrays.asList(w.get(0), null), g, space, stream), "weights[1]");
  }

  @Test
  void mergingBalancesTraces() {
    KroneckerPair first = pair(2, 3);
    KroneckerPair second = pair(2, 3);
    KroneckerPair out = pair(2, 3);
    double[] traces = {8, 1, 2, 4};
    List<List<Object>> sums = new ArrayList<>();
    provider.onKfac =
        (name, arguments) -> {
          if (name.equals("traces")) {
            System.arraycopy(traces, 0, arguments[1], 0, 4);
          } else {
            sums.add(Arrays.asList(arguments[0], arguments[1], arguments[2], arguments[3]));
          }
        };
    MergeReport report = kfac.mergeKroneckerFactors(first, second, FactorMerge.traceMinimising(0.25), out, stream);
    assertThat(report.pi()).isEqualTo(8, within(1e-14)); // sqrt(8*4 / (2*0.25))
    assertThat(report.zeroTrace()).isFalse();
    assertThat(sums).containsExactly(Arrays.asList(0.25f, first.a(), 0.125f, second.a()), Arrays.asList(1f, first.g(), 8f, second.g()));
    sums.clear();
    for (double bad : new double[] {0, -1, Double.NaN}) {
      traces[0] = bad;
      traces[2] = 2;
      assertThat(kfac.mergeKroneckerFactors(first, second, FactorMerge.traceMinimising(0.25), first, stream)).isEqualTo(new MergeReport(1, true));
      traces[0] = 8;
      traces[2] = bad;
      assertThat(kfac.mergeKroneckerFactors(first, second, FactorMerge.traceMinimising(0.25), second, stream)).isEqualTo(new MergeReport(1, true));
      assertThat(sums)
          .containsExactly(
              Arrays.asList(1f, second.a(), 0f, null), Arrays.asList(1f, second.g(), 0f, null), Arrays.asList(0.25f, first.a(), 0f, null),
              Arrays.asList(1f, first.g(), 0f, null));
      sums.clear();
    }
    assertThat(kfac.mergeKroneckerFactors(first, second, FactorMerge.sum(0.25, 0.75), out, stream)).isEqualTo(new MergeReport(1, false));
    assertThat(sums).containsExactly(Arrays.asList(1f, first.a(), 1f, second.a()), Arrays.asList(0.25f, first.g(), 0.75f, second.g()));
    provider.calls.clear();
    illegal(() -> kfac.mergeKroneckerFactors(first, pair(3, 3), FactorMerge.sum(1, 1), out, stream), "second.g.rows 3 != first.g.rows 2");
    illegal(() -> kfac.mergeKroneckerFactors(first, second, FactorMerge.sum(1, 1), new KroneckerPair(matrix(2, 2), matrix(4, 4)), stream), "out.a.rows 4");
    KroneckerPair crossed = pair(3, 3);
    KroneckerPair third = pair(3, 3);
    illegal(
        () -> kfac.mergeKroneckerFactors(crossed, third, FactorMerge.sum(1, 1), new KroneckerPair(crossed.a(), matrix(3, 3)), stream), "first.a and out.g");
  }

  @Test
  void klClip() {
    List<F32Matrix> v = List.of(matrix(2, 3), matrix(0, 3));
    assertThat(kfac.klClipCoefficient(v, v, 2, 1, stream)).isEqualTo(new KlClip(0.25, 16, false)); // sum <V, dW> = 4
    assertThat(kfac.klClipCoefficient(v, v, 0, 1, stream)).isEqualTo(new KlClip(1, 0, false));
    provider.results.put("innerProducts", Double.NaN);
    assertThat(kfac.klClipCoefficient(v, v, 1, 1, stream)).isEqualTo(new KlClip(1, Double.NaN, true));
    provider.results.put("innerProducts", -1e-9);
    assertThat(kfac.klClipCoefficient(v, v, 1, 1, stream)).isEqualTo(new KlClip(1, -1e-9, false));
    provider.calls.clear();
    illegal(() -> kfac.klClipCoefficient(v, v, Double.NaN, 1, stream), "learningRate = NaN");
    illegal(() -> kfac.klClipCoefficient(v, v, 1, 0, stream), "kappa = 0.0");
    illegal(() -> kfac.klClipCoefficient(v, List.of(matrix(3, 2), matrix(0, 3)), 1, 1, stream), "v[0].rows 2 != gradients[0].rows 3");
  }

  @Test
  void badVarianceIsNamed() {
    F32Buffer variance = backend.allocate(2);
    variance.upload(new float[] {1, -3});
    BatchNormMerge layer =
        new BatchNormMerge(matrix(2, 3), null, backend.allocate(2), backend.allocate(2), backend.allocate(2), variance, 0.5);
    illegal(() -> kfac.mergeBatchNorm(layer, layer.weight(), backend.allocate(3), stream), "mergedBias.length 3 != layer.weight.rows 2");
    illegal(() -> kfac.mergeBatchNorm(layer, layer.weight(), variance, stream), "layer.variance and mergedBias overlap");
    kfac.mergeBatchNorm(layer, layer.weight(), backend.allocate(2), stream);
    provider.results.put("mergeBatchNorm", 1L);
    assertThatThrownBy(() -> kfac.mergeBatchNorm(layer, layer.weight(), backend.allocate(2), stream))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("layer.variance[1] + eps = -3.0 + 0.5 must be positive and finite");
  }

  /** Nothing to write: no exception, and no kernel runs. Outputs with elements are written from inputs without. */
  @Test
  void dimensionsMayBe0() {
    F32Matrix none = matrix(0, 0);
    KroneckerPair empty = pair(0, 0);
    F32Buffer no = backend.allocate(0);
    PairDamping damping = new PairDamping(1, 1, 1, false);
    kfac.kroneckerFactorCentered(matrix(2, 0), 1, 0, none, space, stream);
    kfac.kroneckerFactorValue(movedOnce(none), none, stream);
    kfac.dampedCholesky(none, 1, none, space, stream);
    kfac.triangularInverse(none, none, stream);
    kfac.triangularSolve(matrix(3, 3), false, matrix(3, 0), stream);
    kfac.kroneckerPrecondition(List.of(), List.of(), List.of(), space, stream);
    kfac.kroneckerPrecondition(List.of(pair(3, 0)), List.of(matrix(3, 0)), List.of(matrix(3, 0)), backend.workspace(0), stream);
    kfac.mergeKroneckerFactors(empty, empty, FactorMerge.traceMinimising(1), empty, stream);
    assertThat(kfac.klClipCoefficient(List.of(none), List.of(none), 1, 1, stream)).isEqualTo(new KlClip(1, 0, false));
    kfac.symmetricEigen(none, no, none, stream);
    assertThat(kfac.inverseRootFromEigen(no, none, 0, 2, none, stream)).isFalse();
    kfac.kroneckerPreconditionEigen(no, none, backend.allocate(2), matrix(2, 2), matrix(0, 2), 0, matrix(0, 2), stream);
    kfac.ekfacPrecondition(none, matrix(2, 2), matrix(0, 2), matrix(0, 2), 0, matrix(0, 2), stream);
    kfac.ekfacSecondMoment(matrix(3, 0), none, matrix(3, 1), true, matrix(2, 2), matrix(0, 2), stream);
    kfac.woodburyInverse(matrix(3, 0), 1, 1, none, stream);
    kfac.kroneckerSumInverseApply(pair(0, 2), pair(0, 2), matrix(0, 2), matrix(0, 2), stream);
    assertThat(kfac.kroneckerLogDet(pair(0, 2), damping, stream)).isZero();
    kfac.matrixNormalSample(matrix(0, 2), pair(0, 2), damping, matrix(0, 2), matrix(0, 2), stream);
    assertThat(kfac.newtonSchulzInverse(none, 1, 1, none, stream)).isEmpty();
    assertThat(kfac.damping(DampingMode.PI, 1, List.of(empty), stream)).containsExactly(new PairDamping(1, 1, 1, true));
    assertThat(kfac.kroneckerQuadraticPenalty(List.of(), List.of(none), List.of(none), space, stream).value()).isZero();
    assertThat(kfac.spdInverseWorkspaceBytes()).isZero();
    assertThat(kfac.spdInverseWorkspaceBytes(0, 0)).isZero();
    BatchNormMerge layer = new BatchNormMerge(matrix(0, 3), null, no, no, no, no, 1);
    kfac.mergeBatchNorm(layer, matrix(0, 3), no, stream);
    assertThat(provider.calls).isEmpty();
    // Biases are there without inputs.
    BatchNormMerge bare =
        new BatchNormMerge(matrix(2, 0), null, backend.allocate(2), backend.allocate(2), backend.allocate(2), backend.allocate(2), 1);
    kfac.mergeBatchNorm(bare, matrix(2, 0), backend.allocate(2), stream);
    kfac.kroneckerFactorUpdate(matrix(3, 0), true, 1, 0, matrix(1, 1), space, stream);
    assertThat(provider.calls).containsExactly("mergeBatchNorm", "factorUpdate");
    provider.calls.clear();
    illegal(() -> kfac.ekfacSecondMoment(matrix(0, 2), matrix(2, 2), matrix(0, 3), false, matrix(3, 3), matrix(2, 3), stream), "d.rows = 0 must be >= 1");
    illegal(() -> kfac.spdInverseWorkspaceBytes(3, -1), "n[1] = -1");
    illegal(() -> kfac.choleskyWorkspaceBytes(-1), "n = -1");
    illegal(() -> kfac.kroneckerFactorWorkspaceBytes(-1, 2, false), "rows = -1");
  }

  private static MovingFactor movedOnce(F32Matrix raw) {
    MovingFactor factor = new MovingFactor(raw);
    factor.weight(1);
    return factor;
  }

  // ---- full checks

  @Test
  void asymmetryIsFoundWithFullChecks() {
    open(BackendOptions.of(BackendKind.JAVA).withFullChecks(true));
    int n = 300;
    F32Matrix m = new F32Matrix(backend.allocate((long) n * (n + 3)), n, n, n + 3);
    List<F32Matrix> list = List.of(matrix(1, 1), m);
    List<F32Matrix> out = List.of(matrix(1, 1), matrix(n, n));
    m.data().upload(280L * (n + 3) + 131, new float[] {0.5f}, 0, 1);
    illegal(
        () -> kfac.batchedDampedSpdInverse(list, new double[2], out, InverseOptions.NONE, new InverseReport(), space, stream),
        "m[1]", "batch index 1", "(280, 131) is 0.5", "(131, 280) is 0.0", "difference 0.5");
    illegal(() -> kfac.dampedSpdInverse(m, 0, matrix(n, n), space, stream), "m is not symmetric", "batch index 0");
    illegal(() -> kfac.kroneckerFactorUpdate(matrix(3, n), false, 1, 0.5, m, space, stream), "factor is not symmetric");
    kfac.kroneckerFactorUpdate(matrix(3, n), false, 1, 0, m, space, stream); // not read
    provider.calls.clear();
    m.data().upload(131L * (n + 3) + 280, new float[] {0.5f}, 0, 1);
    m.data().upload(17L * (n + 3) + 17, new float[] {Float.NaN}, 0, 1); // found by the scan
    kfac.batchedDampedSpdInverse(list, new double[2], out, InverseOptions.NONE, new InverseReport(), space, stream);
    assertThat(provider.calls).containsExactly("spdInverse");
  }
}
