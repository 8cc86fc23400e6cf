package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Matrix;
import io.metaplast.oracle.BinaryOracle;
import java.util.List;

class GemmTNContractTest extends BinaryContract {
  GemmTNContractTest() {
    super("gemmTN");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "gemmTN",
            r -> {
              int[] d = Dims.product(r); // out, in, batch
              F32Matrix dy = r.inMatrix("dy", d[2], d[0], r.terms(d[2], d[0]));
              F32Matrix x = r.inMatrix("x", d[2], d[1], r.terms(d[2], d[1]));
              F32Matrix dw = r.outMatrix("dw", d[0], d[1]);
              r.pieces(
                  d[0],
                  (from, rows) -> r.backend().binary().gemmTN(SignPackTransposedContractTest.columns(dy, from, rows), x, dw.rows(from, rows), r.stream()));
            },
            r -> {
              int[] d = Dims.product(r);
              float[] dy = r.before("dy");
              float[] x = r.before("x");
              for (int i = 0; i < d[0] * d[1]; i++) {
                int row = i / d[1];
                int col = i % d[1];
                double[] s = BinaryOracle.product(d[2], k -> dy[k * d[0] + row], k -> x[k * d[1] + col]);
                Check.near("dw", i, r.after("dw")[i], s[0], (d[2] + 1) * U * s[1] + TINY);
              }
            }));
  }
}
