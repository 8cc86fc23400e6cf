package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.BitMatrix;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SignGemmNTContractTest extends BinaryContract {
  SignGemmNTContractTest() {
    super("signGemmNT");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "signGemmNT",
            r -> {
              int[] d = Dims.product(r); // batch, out, in
              F32Matrix x = r.inMatrix("x", d[0], d[2], r.terms(d[0], d[2]));
              BitMatrix w = r.inBits("w", r.randomBits(d[1], d[2]));
              F32Matrix y = r.outMatrix("y", d[0], d[1]);
              r.pieces(d[0], (from, rows) -> r.backend().binary().signGemmNT(x.rows(from, rows), w, y.rows(from, rows), r.stream()));
            },
            r -> {
              int[] d = Dims.product(r);
              float[] x = r.before("x");
              BitOracle w = r.bitsBefore("w");
              for (int i = 0; i < d[0] * d[1]; i++) {
                int row = i / d[1];
                int col = i % d[1];
                double[] s = BinaryOracle.product(d[2], k -> x[row * d[2] + k], k -> w.sign(col, k));
                Check.near("y", i, r.after("y")[i], s[0], d[2] * U * s[1]);
              }
            }));
  }
}
