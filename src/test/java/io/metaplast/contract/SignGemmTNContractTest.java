package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.BitMatrix;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SignGemmTNContractTest extends BinaryContract {
  SignGemmTNContractTest() {
    super("signGemmTN");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "signGemmTN",
            r -> {
              int[] d = Dims.product(r); // out, in, batch
              F32Matrix dy = r.inMatrix("dy", d[2], d[0], r.terms(d[2], d[0]));
              BitMatrix x = r.inBits("x", r.randomBits(d[2], d[1]));
              F32Matrix dw = r.outMatrix("dw", d[0], d[1]);
              r.pieces(
                  d[0],
                  (from, rows) ->
                      r.backend().binary().signGemmTN(SignPackTransposedContractTest.columns(dy, from, rows), x, dw.rows(from, rows), r.stream()));
            },
            r -> {
              int[] d = Dims.product(r);
              float[] dy = r.before("dy");
              BitOracle x = r.bitsBefore("x");
              for (int i = 0; i < d[0] * d[1]; i++) {
                int row = i / d[1];
                int col = i % d[1];
                double[] s = BinaryOracle.product(d[2], k -> dy[k * d[0] + row], k -> x.sign(k, col));
                Check.near("dw", i, r.after("dw")[i], s[0], d[2] * U * s[1]);
              }
            }));
  }
}
