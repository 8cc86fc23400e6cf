package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.BitMatrix;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SignGemmNNContractTest extends BinaryContract {
  SignGemmNNContractTest() {
    super("signGemmNN");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "signGemmNN",
            r -> {
              int[] d = Dims.product(r); // batch, in, out
              F32Matrix dy = r.inMatrix("dy", d[0], d[2], r.terms(d[0], d[2]));
              BitMatrix w = r.inBits("w", r.randomBits(d[2], d[1]));
              F32Matrix dx = r.outMatrix("dx", d[0], d[1]);
              r.pieces(d[0], (from, rows) -> r.backend().binary().signGemmNN(dy.rows(from, rows), w, dx.rows(from, rows), r.stream()));
            },
            r -> {
              int[] d = Dims.product(r);
              float[] dy = r.before("dy");
              BitOracle w = r.bitsBefore("w");
              for (int i = 0; i < d[0] * d[1]; i++) {
                int row = i / d[1];
                int col = i % d[1];
                double[] s = BinaryOracle.product(d[2], k -> dy[row * d[2] + k], k -> w.sign(k, col));
                Check.near("dx", i, r.after("dx")[i], s[0], d[2] * U * s[1]);
              }
            }));
  }
}
