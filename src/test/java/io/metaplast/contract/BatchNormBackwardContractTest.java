package io.metaplast.contract;

import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;

class BatchNormBackwardContractTest extends BinaryContract {
  BatchNormBackwardContractTest() {
    super("batchNormBackward");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("batchNormBackward, int32, mask", true, true, true, false), mode("batchNormBackward, int32, in place", true, false, true, true),
        mode("batchNormBackward, fp32", false, false, true, false), mode("batchNormBackward, fp32, no scale, mask, in place", false, true, false, true));
  }

  private static Mode mode(String name, boolean integers, boolean masked, boolean affine, boolean inPlace) {
    return new Mode(name, r -> call(r, integers, masked, affine, inPlace), r -> verify(r, integers, masked, affine, inPlace));
  }

  private static void call(Run r, boolean integers, boolean masked, boolean affine, boolean inPlace) {
    BatchNormShape s = Channels.shape(r);
    int n = (int) s.elements();
    int c = s.channels();
    DeviceBuffer y = Channels.y(r, s, integers);
    F32Buffer gamma = affine ? r.in("gamma", r.signed(c)) : null;
    F32Buffer mean = r.in("mean", r.signed(c));
    F32Buffer inv = r.in("inv", r.positive(c));
    float[] gradient = r.terms(Math.max(1, s.batch()), n / Math.max(1, s.batch()));
    F32Buffer dout = inPlace ? r.inOut("dout", gradient) : r.in("dout", gradient);
    BitMatrix mask = masked ? r.inBits("mask", r.randomBits(s.batch(), c * s.spatial())) : null;
    F32Buffer dx = inPlace ? dout : r.out("dx", n);
    int wanted = r.theCase().index() % 4;
    F32Buffer dgamma = wanted != 1 ? r.out("dgamma", c) : null;
    F32Buffer dbeta = wanted != 2 ? r.out("dbeta", c) : null;
    r.backend().binary().batchNormBackward(s, y, gamma, mean, inv, dout, mask, dx, dgamma, dbeta, r.stream());
  }

  private static void verify(Run r, boolean integers, boolean masked, boolean affine, boolean inPlace) {
    BatchNormShape s = Channels.shape(r);
    int wanted = r.theCase().index() % 4;
    BitOracle mask = masked ? r.bitsBefore("mask") : null;
    float[] dout = r.before("dout");
    int cols = s.channels() * s.spatial();
    for (int c = 0; c < s.channels(); c++) {
      double[] y = Channels.channel(s, c, Channels.values(r, integers));
      double[] d = Channels.channel(s, c, i -> masked && !mask.bit(i / cols, i % cols) ? 0 : dout[i]);
      double gamma = affine ? r.before("gamma")[c] : 1;
      double mean = r.before("mean")[c];
      double inv = r.before("inv")[c];
      BinaryOracle.ChannelGradients exact = BinaryOracle.backward(y, d, mean, inv, gamma);
      int n = y.length;
      Bounded[] xh = new Bounded[n];
      Bounded[] first = new Bounded[n];
      Bounded[] second = new Bounded[n];
      for (int i = 0; i < n; i++) {
        xh[i] = Bounded.of(y[i]).times(1).minus(mean).times(inv);
        first[i] = Bounded.of(d[i]);
        second[i] = xh[i].times(d[i]);
      }
      Bounded dbeta = Bounded.sum(first, BinaryOracle.sumDepth(n));
      Bounded dgamma = Bounded.sum(second, BinaryOracle.sumDepth(n));
      if (wanted != 1) {
        Check.near("dgamma", c, r.after("dgamma")[c], exact.dgamma(), dgamma.error());
      }
      if (wanted != 2) {
        Check.near("dbeta", c, r.after("dbeta")[c], exact.dbeta(), dbeta.error());
      }
      Bounded share = Bounded.of(1.0 / Math.max(1, n)).times(1); // one rounding, as fp32 1/B has
      Bounded t1 = dbeta.times(share);
      Bounded t2 = dgamma.times(share);
      for (int i = 0; i < n; i++) {
        int at = Channels.index(s, c, i);
        Bounded dx = Bounded.of(gamma).times(inv).times(Bounded.of(d[i]).minus(t1).minus(xh[i].times(t2)));
        Check.near("dx", at, r.after(inPlace ? "dout" : "dx")[at], exact.dx()[i], dx.error());
      }
    }
  }
}
