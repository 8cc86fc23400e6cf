package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.F32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

class MetaAdamStepContractTest extends BinaryContract {
  MetaAdamStepContractTest() {
    super("metaAdamStep");
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("metaAdamStep", false, true), mode("metaAdamStep, meta per tensor", true, true), mode("metaAdamStep, plain", false, false));
  }

  /** Constants; {@code meta} and weight decay are 0 in some. */
  static AdamParams params(SplittableRandom r, boolean meta) {
    double[] metas = {0.5, 1.35, 2.5, 13};
    return new AdamParams(
        r.nextBoolean() ? 0.005 : 1e-4, 0.9, 0.999, r.nextBoolean() ? 1e-8 : 1e-3, r.nextInt(3) == 0 ? 0 : 1e-3, meta ? metas[r.nextInt(metas.length)] : 0);
  }

  /** Rows and columns of a tensor of {@code n} elements; every fifth is real-valued. */
  private static HiddenWeights.Shape shape(int n, int turn) {
    if (turn % 5 == 4) {
      return HiddenWeights.Shape.real(n);
    }
    int rows = turn % 2 == 0 ? 1 : n % 7 == 0 ? 7 : n % 3 == 0 ? 3 : n % 2 == 0 ? 2 : 1;
    return HiddenWeights.Shape.binary(rows, n / rows);
  }

  private static Mode mode(String name, boolean perTensor, boolean meta) {
    return new Mode(
        name,
        r -> {
          List<HiddenWeights.Shape> shapes = new ArrayList<>();
          List<float[]> w = new ArrayList<>();
          List<float[]> m = new ArrayList<>();
          List<float[]> v = new ArrayList<>();
          List<F32Buffer> g = new ArrayList<>();
          List<AdamParams> params = new ArrayList<>();
          for (int t = 0; t < r.layout().tensors(); t++) {
            int n = r.count(t);
            shapes.add(shape(n, r.theCase().index() + t));
            w.add(r.signed(n));
            m.add(r.signed(n));
            v.add(r.positive(n));
            g.add(r.in("g." + t, r.signed(n)));
            params.add(t > 0 && !perTensor ? params.get(0) : params(r.random(), meta));
          }
          long step = 1 + r.random().nextInt(3000);
          for (int[] set : r.tensorSets()) {
            HiddenWeights weights = r.hidden(set, shapes, w, m, v);
            List<F32Buffer> own = new ArrayList<>();
            List<AdamParams> rows = new ArrayList<>();
            long[] counts = new long[set.length];
            for (int i = 0; i < set.length; i++) {
              own.add(g.get(set[i]));
              rows.add(params.get(set[i]));
              counts[i] = r.count(set[i]);
            }
            TensorGroup<F32Buffer> gradients = r.backend().group(TensorLayout.of(counts), 1, own);
            r.backend().binary().metaAdamStep(weights, gradients, perTensor ? rows : rows.subList(0, 1), step, r.stream());
          }
          r.number("step", step);
          r.remember(List.copyOf(params));
        },
        MetaAdamStepContractTest::verify);
  }

  private static void verify(Run r) {
    for (int t = 0; t < r.layout().tensors(); t++) {
      AdamParams p = (AdamParams) r.remembered(List.class).get(t);
      verifyTensor(r, t, p, (long) r.number("step"), r.before("g." + t));
      if ((r.theCase().index() + t) % 5 != 4) {
        BitOracle bits = r.bitsAfter("bits." + t);
        assertThat(bits).isEqualTo(BitOracle.signs(bits.rows(), bits.cols(), r.after("w." + t)));
      }
    }
  }

  private static void verifyTensor(Run r, int t, AdamParams p, long step, float[] g) {
    BinaryOracle.Adam c =
        BinaryOracle.Adam.exact(p.learningRate(), p.beta1(), p.beta2(), p.epsilon(), p.weightDecay(), p.meta(), step).rounded();
    float[] w = r.before("w." + t);
    for (int i = 0; i < w.length; i++) {
      BinaryOracle.AdamState s = BinaryOracle.adam(c, w[i], g[i], r.before("m." + t)[i], r.before("v." + t)[i]);
      Check.near("m." + t, i, r.after("m." + t)[i], s.m().value(), s.m().error());
      Check.near("v." + t, i, r.after("v." + t)[i], s.v().value(), s.v().error());
      Check.near("w." + t, i, r.after("w." + t)[i], s.w().value(), s.w().error());
    }
  }
}
