package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.bayes.UncertaintyOptions;
import io.metaplast.oracle.ReadoutOracle;
import java.util.Arrays;
import java.util.List;

class UncertaintyContractTest extends KernelContract {
  UncertaintyContractTest() {
    super("uncertainty");
  }

  @Override
  boolean splits() {
    return false; // items of several samples do not lie side by side
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 100_003};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("uncertainty, logits", new UncertaintyOptions(true, false, false)),
        mode("uncertainty, logits, bits, clamp", new UncertaintyOptions(true, true, true)),
        mode("uncertainty, probabilities", new UncertaintyOptions(false, false, false)),
        mode("uncertainty, probabilities, bits, clamp", new UncertaintyOptions(false, true, true)));
  }

  private static Mode mode(String name, UncertaintyOptions options) {
    return new Mode(name, r -> call(r, options), r -> verify(r, options));
  }

  private static void call(Run r, UncertaintyOptions options) {
    Logits s = new Logits(r);
    r.remember(s);
    float[] values = options.fromLogits() ? r.signed(s.items()) : r.positive(s.items());
    if (!options.fromLogits()) {
      for (int from = 0; from < values.length; from += s.classes) {
        float sum = 0;
        for (int c = 0; c < s.classes; c++) {
          sum += values[from + c];
        }
        for (int c = 0; sum > 0 && c < s.classes; c++) {
          values[from + c] = values[from + c] / sum;
        }
      }
    }
    F32Buffer input = r.in("input", values);
    r.backend().bayes().uncertainty(
        s.samples, s.batch, s.classes, input, options, r.out("predictive", s.batch), r.out("aleatoric", s.batch), r.out("epistemic", s.batch),
        r.stream());
  }

  private static void verify(Run r, UncertaintyOptions options) {
    Logits s = r.remembered(Logits.class);
    double[] input = Check.doubles(r.before("input"));
    for (int b = 0; b < s.batch; b++) {
      double[][] p = new double[s.samples][];
      double worst = 0;
      double aleatoricBound = 0;
      double[] mean = new double[s.classes];
      for (int k = 0; k < s.samples; k++) {
        int from = s.at(k, b);
        double relative = options.fromLogits() ? s.probabilityError(input, from) : 0;
        p[k] =
            options.fromLogits()
                ? Arrays.stream(ReadoutOracle.logSoftmax(input, from, s.classes)).map(Math::exp).toArray()
                : Arrays.copyOfRange(input, from, from + s.classes);
        aleatoricBound += entropyBound(p[k], relative) / s.samples;
        worst = Math.max(worst, relative);
        for (int c = 0; c < s.classes; c++) {
          mean[c] += p[k][c] / s.samples;
        }
      }
      double[] expected = ReadoutOracle.uncertainty(p, options.bits());
      double unit = options.bits() ? 1 / Math.log(2) : 1;
      double predictiveBound = (entropyBound(mean, worst + (s.samples + 1) * U) * unit + 3 * U * Math.abs(expected[0])) * 1.01;
      aleatoricBound = (aleatoricBound * unit + (s.samples + 4) * U * Math.abs(expected[1])) * 1.01;
      Check.near("predictive", b, r.after("predictive")[b], expected[0], predictiveBound);
      Check.near("aleatoric", b, r.after("aleatoric")[b], expected[1], aleatoricBound);
      double epistemic = options.clampEpistemic() ? Math.max(expected[2], 0) : expected[2];
      Check.near("epistemic", b, r.after("epistemic")[b], epistemic, predictiveBound + aleatoricBound + U * Math.abs(expected[2]));
    }
  }

  /** What relative errors of p, and the roundings of logarithm (1 ulp), products and the sum, do to -sum p ln(p + 1e-12). */
  private static double entropyBound(double[] p, double relative) {
    double bound = 0;
    for (double v : p) {
      double ln = Math.abs(Math.log(v + 1e-12));
      bound += v * ((ln + 1) * relative + 2 * U) + v * ln * (4 + p.length) * U;
    }
    return bound;
  }
}
