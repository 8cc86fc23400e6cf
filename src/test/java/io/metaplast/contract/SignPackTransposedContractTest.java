package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SignPackTransposedContractTest extends BinaryContract {
  SignPackTransposedContractTest() {
    super("signPackTransposed");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "signPackTransposed",
            r -> {
              int[] d = Dims.matrix(r);
              F32Matrix x = r.inMatrix("x", d[0], d[1], r.signed(d[0] * d[1]));
              BitMatrix bits = r.outBits("bits", d[1], d[0]);
              r.pieces(
                  d[1],
                  (from, cols) -> {
                    F32Matrix part = columns(x, from, cols);
                    r.backend().binary().signPackTransposed(part, bits.rows(from, cols), r.stream());
                  });
            },
            r -> {
              int[] d = Dims.matrix(r);
              assertThat(r.bitsAfter("bits")).isEqualTo(BitOracle.signs(d[0], d[1], r.before("x")).transposed());
            }));
  }

  /** Columns {@code from} .. {@code from + cols} of a matrix. */
  static F32Matrix columns(F32Matrix x, int from, int cols) {
    long start = Math.min(from, x.data().length());
    return new F32Matrix(x.data().slice(start, x.data().length() - start), x.rows(), cols, x.ld());
  }
}
