package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.F32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.oracle.KroneckerOracle;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** G W A of lists of layers: the bound, in place, list = single, threads, NaN. */
class KroneckerProductsTest {
  private static final double U = 0x1p-24;
  private static final int[][] LAYERS = {
    {1, 1}, {2, 3}, {10, 101}, {100, 100}, {7, 1}, {1, 9}, {33, 65}, {64, 129}, {100, 785}, {16, 16}, {257, 20}, {3, 300}, {48, 49}
  };

  private static float[] normals(long index, int n) {
    SplittableRandom r = Seeds.random("products", index);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) r.nextGaussian();
    }
    return x;
  }

  private static float[] symmetric(long index, int n) {
    return KroneckerOracle.narrow(KroneckerOracle.symmetric(KroneckerOracle.widen(normals(index, n * n)), n));
  }

  private static List<float[]> run(Backend backend, int[][] layers, boolean inPlace, boolean precondition, float poison) {
    try (Operands o = new Operands(backend)) {
      KfacKernels k = backend.kfac();
      List<KroneckerPair> pairs = new ArrayList<>();
      List<F32Matrix> w = new ArrayList<>();
      List<F32Matrix> out = new ArrayList<>();
      for (int[] s : layers) {
        long id = s[0] * 10_000L + s[1];
        pairs.add(new KroneckerPair(o.in(symmetric(id + 1, s[0]), s[0], s[0]), o.in(symmetric(id + 2, s[1]), s[1], s[1])));
        float[] values = normals(id + 3, s[0] * s[1]);
        if (poison != 0) {
          values[0] = poison;
        }
        w.add(inPlace ? o.inOut(values, s[0], s[1]) : o.in(values, s[0], s[1]));
        out.add(inPlace ? w.get(w.size() - 1) : o.out(s[0], s[1]));
      }
      if (precondition) {
        k.kroneckerPrecondition(pairs, w, out, o.workspace(k.kroneckerPreconditionWorkspaceBytes(w)), o.stream());
      } else {
        k.kroneckerMatVec(pairs, w, out, o.workspace(k.kroneckerPreconditionWorkspaceBytes(w)), o.stream());
      }
      return out.stream().map(o::read).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void withinBoundsAndTheSameInEveryForm(Target target) {
    List<float[]> all = run(target.backend(), LAYERS, false, true, 0);
    for (int l = 0; l < LAYERS.length; l++) {
      int m = LAYERS[l][0];
      int k = LAYERS[l][1];
      long id = m * 10_000L + k;
      double[] g = KroneckerOracle.widen(symmetric(id + 1, m));
      double[] a = KroneckerOracle.widen(symmetric(id + 2, k));
      double[] w = KroneckerOracle.widen(normals(id + 3, m * k));
      double[] want = KroneckerOracle.sandwich(g, w, a, m, k);
      double[] size = KroneckerOracle.sandwich(KroneckerOracle.abs(g), KroneckerOracle.abs(w), KroneckerOracle.abs(a), m, k);
      for (int i = 0; i < want.length; i++) {
        assertThat(Math.abs(all.get(l)[i] - want[i])).as("%s %d x %d element %d", target, m, k, i).isLessThanOrEqualTo((m + k + 4) * U * size[i]);
      }
      KroneckerContracts.checked("kroneckerPrecondition", target, want.length);
      assertThat(run(target.backend(), new int[][] {LAYERS[l]}, false, true, 0).get(0)).as("%s alone", target).isEqualTo(all.get(l));
    }
    assertSame(target, all, run(target.backend(), LAYERS, true, true, 0));
    assertSame(target, all, run(target.backend(), LAYERS, false, false, 0));
    assertSame(target, all, run(target.backend(), LAYERS, true, false, 0));
    for (int threads = 1; threads <= 4; threads++) {
      assertSame(target, all, run(TestBackends.withThreads(target, threads), LAYERS, false, false, 0));
    }
  }

  private static void assertSame(Target target, List<float[]> want, List<float[]> got) {
    for (int l = 0; l < want.size(); l++) {
      assertThat(got.get(l)).as("%s layer %d", target, l).isEqualTo(want.get(l));
    }
    KroneckerContracts.checked("kroneckerMatVec", target, want.size());
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void largeLayersDoNotDependOnThreads(Target target) {
    int[][] layers = {{300, 520}, {64, 1030}};
    List<float[]> one = run(TestBackends.withThreads(target, 1), layers, false, true, 0);
    for (int threads = 2; threads <= 4; threads++) {
      assertSame(target, one, run(TestBackends.withThreads(target, threads), layers, false, true, 0));
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void notANumberSpreadsThroughItsLayer(Target target) {
    for (float v : run(target.backend(), new int[][] {{9, 20}}, false, true, Float.NaN).get(0)) {
      assertThat(v).isNaN();
    }
    assertThat(run(target.backend(), new int[0][], false, true, 0)).isEmpty();
    KroneckerContracts.checked("kroneckerPrecondition", target, 1);
  }
}
