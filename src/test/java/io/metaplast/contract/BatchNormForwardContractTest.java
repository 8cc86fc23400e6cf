package io.metaplast.contract;

import static io.metaplast.contract.Check.U;
import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.RunningStatistics;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;

class BatchNormForwardContractTest extends BinaryContract {
  BatchNormForwardContractTest() {
    super("batchNormForward");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("batchNormForward, int32", true, true, true), mode("batchNormForward, int32, no scale", true, false, false),
        mode("batchNormForward, fp32", false, true, true), mode("batchNormForward, fp32, no scale", false, false, false));
  }

  private static Mode mode(String name, boolean integers, boolean affine, boolean moving) {
    return new Mode(name, r -> call(r, integers, affine, moving), r -> verify(r, integers, affine, moving));
  }

  private static boolean hasRunning(Run r, boolean moving) {
    return moving && Channels.shape(r).values() >= 2;
  }

  private static void call(Run r, boolean integers, boolean affine, boolean moving) {
    BatchNormShape s = Channels.shape(r);
    int c = s.channels();
    int cols = c * s.spatial();
    DeviceBuffer y = Channels.y(r, s, integers);
    F32Buffer gamma = affine ? r.in("gamma", r.signed(c)) : null;
    F32Buffer beta = affine ? r.in("beta", r.signed(c)) : null;
    RunningStatistics running =
        hasRunning(r, moving) ? new RunningStatistics(r.inOut("runningMean", r.signed(c)), r.inOut("runningVariance", r.positive(c)), 0.1) : null;
    int wanted = 1 + r.theCase().index() % 7; // every subset of the three outputs
    BatchNormOutput output =
        new BatchNormOutput(
            (wanted & 1) != 0 ? r.out("values", (int) s.elements()) : null, (wanted & 2) != 0 ? r.outBits("signs", s.batch(), cols) : null,
            (wanted & 4) != 0 ? r.outBits("mask", s.batch(), cols) : null);
    r.backend().binary().batchNormForward(s, y, gamma, beta, Channels.EPS, r.out("mean", c), r.out("inv", c), running, output, r.stream());
  }

  private static void verify(Run r, boolean integers, boolean affine, boolean moving) {
    BatchNormShape s = Channels.shape(r);
    if (s.elements() == 0) {
      return;
    }
    int wanted = 1 + r.theCase().index() % 7;
    int count = (int) s.values();
    for (int c = 0; c < s.channels(); c++) {
      double[] y = Channels.channel(s, c, Channels.values(r, integers));
      double[] exact = BinaryOracle.statistics(y, Channels.EPS);
      Bounded mean = mean(y, exact[0], integers);
      Bounded var = variance(y, exact, mean, integers);
      Bounded inv = integers ? new Bounded(exact[2], U * exact[2]) : Bounded.of(1).over(var.plus((float) Channels.EPS).sqrt());
      Check.near("mean", c, r.after("mean")[c], mean.value(), mean.error());
      Check.near("inv", c, r.after("inv")[c], inv.value(), inv.error());
      if (hasRunning(r, moving)) {
        Bounded m = Bounded.of((float) 0.9).times(r.before("runningMean")[c]).plus(mean.times((float) 0.1));
        Bounded unbiased = var.times((double) count / (count - 1)).widened(2 * U * exact[1]);
        Bounded v = Bounded.of((float) 0.9).times(r.before("runningVariance")[c]).plus(unbiased.times((float) 0.1));
        Check.near("runningMean", c, r.after("runningMean")[c], m.value(), m.error());
        Check.near("runningVariance", c, r.after("runningVariance")[c], v.value(), v.error());
      }
      for (int i = 0; i < count; i++) {
        Bounded out = Bounded.of(y[i]).times(1).minus(mean).times(inv);
        out = affine ? out.times(r.before("gamma")[c]).plus(r.before("beta")[c]) : out;
        int at = Channels.index(s, c, i);
        if ((wanted & 1) != 0) {
          Check.near("values", at, r.after("values")[at], out.value(), out.error());
        }
        check(r, "signs", (wanted & 2) != 0, at, out.value() >= 0, Math.abs(out.value()) > out.error());
        check(r, "mask", (wanted & 4) != 0, at, !(Math.abs(out.value()) > 1), Math.abs(Math.abs(out.value()) - 1) > out.error());
      }
    }
  }

  /** A bit of an output, where rounding cannot change it. */
  static void check(Run r, String name, boolean wanted, int at, boolean expected, boolean certain) {
    if (wanted && certain) {
      BitOracle bits = r.bitsAfter(name);
      assertThat(bits.bit(at / bits.cols(), at % bits.cols())).as("%s[%d]", name, at).isEqualTo(expected);
    }
  }

  private static Bounded mean(double[] y, double exact, boolean integers) {
    if (integers) {
      return new Bounded(exact, U * Math.abs(exact));
    }
    Bounded[] terms = new Bounded[y.length];
    for (int i = 0; i < y.length; i++) {
      terms[i] = Bounded.of(y[i]);
    }
    Bounded sum = Bounded.sum(terms, BinaryOracle.sumDepth(y.length)).times((float) (1.0 / y.length));
    return new Bounded(exact, sum.error() + U * Math.abs(exact));
  }

  private static Bounded variance(double[] y, double[] exact, Bounded mean, boolean integers) {
    if (integers) {
      return new Bounded(exact[1], U * exact[1]);
    }
    Bounded[] terms = new Bounded[y.length];
    for (int i = 0; i < y.length; i++) {
      Bounded d = Bounded.of(y[i]).minus(mean);
      terms[i] = d.times(d);
    }
    Bounded sum = Bounded.sum(terms, BinaryOracle.sumDepth(y.length)).times((float) (1.0 / y.length));
    return new Bounded(exact[1], sum.error() + U * exact[1]);
  }
}
