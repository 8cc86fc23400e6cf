package io.metaplast.contract;

import io.metaplast.BitMatrix;
import io.metaplast.Bits;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SteBackwardContractTest extends BinaryContract {
  SteBackwardContractTest() {
    super("steBackward");
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("steBackward", false), mode("steBackward, in place", true));
  }

  private static Mode mode(String name, boolean inPlace) {
    return new Mode(
        name,
        r -> {
          int[] d = Dims.matrix(r);
          BitMatrix mask = r.inBits("mask", r.randomBits(d[0], d[1]));
          float[] values = r.signed(d[0] * d[1]);
          F32Matrix gradient = inPlace ? r.inOutMatrix("gradient", d[0], d[1], values) : r.inMatrix("gradient", d[0], d[1], values);
          F32Matrix out = inPlace ? gradient : r.outMatrix("out", d[0], d[1]);
          r.pieces(
              d[0], (from, rows) -> r.backend().binary().steBackward(mask.rows(from, rows), gradient.rows(from, rows), out.rows(from, rows), r.stream()));
        },
        r -> {
          int[] d = Dims.matrix(r);
          BitOracle mask = r.bitsBefore("mask");
          float[] gradient = r.before("gradient");
          float[] out = r.after(inPlace ? "gradient" : "out");
          for (int i = 0; i < out.length; i++) {
            Check.equal("out", i, Bits.of(out[i]), mask.bit(i / d[1], i % d[1]) ? Bits.of(gradient[i]) : 0);
          }
        });
  }
}
