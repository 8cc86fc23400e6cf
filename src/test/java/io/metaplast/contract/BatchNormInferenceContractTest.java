package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.oracle.Bounded;
import java.util.List;

class BatchNormInferenceContractTest extends BinaryContract {
  BatchNormInferenceContractTest() {
    super("batchNormInference");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("batchNormInference, int32", true, true), mode("batchNormInference, fp32", false, true),
        mode("batchNormInference, fp32, no scale", false, false));
  }

  private static Mode mode(String name, boolean integers, boolean affine) {
    return new Mode(
        name,
        r -> {
          BatchNormShape s = Channels.shape(r);
          int c = s.channels();
          DeviceBuffer y = Channels.y(r, s, integers);
          F32Buffer gamma = affine ? r.in("gamma", r.signed(c)) : null;
          F32Buffer beta = affine ? r.in("beta", r.signed(c)) : null;
          int wanted = 1 + r.theCase().index() % 3;
          BatchNormOutput output =
              new BatchNormOutput(
                  (wanted & 1) != 0 ? r.out("values", (int) s.elements()) : null,
                  (wanted & 2) != 0 ? r.outBits("signs", s.batch(), c * s.spatial()) : null, null);
          r.backend().binary().batchNormInference(
              s, y, gamma, beta, Channels.EPS, r.in("mean", r.signed(c)), r.in("variance", r.positive(c)), output, r.stream());
        },
        r -> {
          BatchNormShape s = Channels.shape(r);
          int wanted = 1 + r.theCase().index() % 3;
          for (int c = 0; c < s.channels(); c++) {
            double[] y = Channels.channel(s, c, Channels.values(r, integers));
            double exact = 1 / Math.sqrt(r.before("variance")[c] + Channels.EPS);
            Bounded inv = new Bounded(exact, U * exact);
            for (int i = 0; i < y.length; i++) {
              Bounded out = Bounded.of(y[i]).times(1).minus(r.before("mean")[c]).times(inv);
              out = affine ? out.times(r.before("gamma")[c]).plus(r.before("beta")[c]) : out;
              int at = Channels.index(s, c, i);
              if ((wanted & 1) != 0) {
                Check.near("values", at, r.after("values")[at], out.value(), out.error());
              }
              BatchNormForwardContractTest.check(r, "signs", (wanted & 2) != 0, at, out.value() >= 0, Math.abs(out.value()) > out.error());
            }
          }
        });
  }
}
