package io.metaplast.contract;

import static io.metaplast.contract.Check.U;
import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.TestBackends.Target;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NllMeanLogSoftmaxContractTest extends KernelContract {
  NllMeanLogSoftmaxContractTest() {
    super("nllMeanLogSoftmax");
  }

  @Override
  boolean splits() {
    return false; // the loss is one sum over the batch
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 100_003};
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("nll", 1), mode("nll, in place", 2), mode("nll, no gradient", 0));
  }

  private static Mode mode(String name, int gradient) {
    return new Mode(name, r -> call(r, gradient), r -> verify(r, gradient));
  }

  private static double scale(Run r, Logits s) {
    return r.theCase().index() % 2 == 0 ? 1 : 1.0 / Math.max(1, s.batch);
  }

  private static void call(Run r, int gradient) {
    Logits s = new Logits(r);
    r.remember(s);
    float[] values = r.signed(s.items());
    F32Buffer logits = gradient == 2 ? r.inOut("logits", values) : r.in("logits", values);
    int[] classes = new int[s.batch];
    for (int b = 0; b < s.batch; b++) {
      classes[b] = b == 0 ? s.classes - 1 : r.random().nextInt(s.classes);
    }
    I32Buffer labels = r.inInts("labels", classes);
    F32Buffer itemLoss = r.out("itemLoss", s.batch);
    F32Buffer loss = s.batch == 0 ? r.in("loss", new float[1]) : r.out("loss", 1);
    F32Buffer grad = gradient == 0 ? null : gradient == 2 ? logits : r.out("grad", s.items());
    r.backend().bayes().nllMeanLogSoftmax(s.samples, s.batch, s.classes, logits, labels, scale(r, s), itemLoss, loss, grad, r.stream());
  }

  private static void verify(Run r, int gradient) {
    Logits s = r.remembered(Logits.class);
    double[] logits = Check.doubles(r.before("logits"));
    int[] labels = r.beforeBits("labels");
    float[] itemLoss = r.after("itemLoss");
    float[] grad = gradient == 0 ? null : r.after(gradient == 2 ? "logits" : "grad");
    double scale = scale(r, s);
    double sum = 0;
    double sumBound = 0;
    for (int b = 0; b < s.batch; b++) {
      double expected = ReadoutOracle.nll(logits, s.samples, s.batch, s.classes, b, labels[b]);
      double error = 0;
      double terms = 0;
      for (int k = 0; k < s.samples; k++) {
        int from = s.at(k, b);
        double[] lp = ReadoutOracle.logSoftmax(logits, from, s.classes);
        double spread = s.spread(logits, from);
        error += 1.01 * (U * (spread + Math.abs(lp[labels[b]])) + s.sumError(logits, from) + 2 * U * (Math.abs(lp[labels[b]]) + spread));
        terms += Math.abs(lp[labels[b]]);
        if (gradient != 0) {
          double[] g = ReadoutOracle.nllGradient(logits, s.samples, s.batch, s.classes, k, b, labels[b], scale);
          for (int c = 0; c < s.classes; c++) {
            double p = Math.exp(lp[c]);
            double bound = (p * s.probabilityError(logits, from) + 3 * U * Math.abs(p - (c == labels[b] ? 1 : 0))) * scale / s.samples + Check.TINY;
            Check.near("grad", from + c, grad[from + c], g[c], bound);
          }
        }
      }
      double bound = error / s.samples + (s.samples + 2) * U * terms / s.samples;
      Check.near("itemLoss", b, itemLoss[b], expected, bound);
      sum += expected;
      sumBound += bound + (ReadoutOracle.r16Depth(s.batch) + 1) * U * Math.abs(expected);
    }
    if (s.batch > 0) {
      Check.near("loss", 0, r.after("loss")[0], sum, sumBound);
    }
  }

  /** A NaN logit of another class than the label must not leave a finite loss behind. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void nanLogitGivesNanLoss(Target target) {
    for (int classes : new int[] {2, 10, 17, 33}) {
      for (int bad = 0; bad < classes; bad++) {
        int position = bad;
        for (int payload : new int[] {0x7fc00000, 0xffc00000, 0x7fc12345, 0xffffffff}) {
          Mode mode =
              new Mode(
                  "nll of NaN",
                  r -> {
                    float[] logits = r.signed(classes);
                    logits[position] = Float.intBitsToFloat(payload);
                    F32Buffer in = r.in("logits", logits);
                    I32Buffer labels = r.inInts("labels", new int[] {(position + 1) % classes});
                    r.backend().bayes().nllMeanLogSoftmax(
                        1, 1, classes, in, labels, 1, r.out("itemLoss", 1), r.out("loss", 1), r.out("grad", classes), r.stream());
                  },
                  r -> {});
          try (Run r = Run.of(mode, new Case(bad, classes, 0, Profile.TAME, false), target.backend())) {
            assertThat(r.after("loss")[0]).as("loss with NaN at %d of %d, bits %08x", bad, classes, payload).isNaN();
            for (float g : r.after("grad")) {
              assertThat(g).isNaN();
            }
          }
        }
      }
    }
  }
}
