package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.F32Matrix;
import io.metaplast.binary.Thresholds;
import io.metaplast.oracle.BitOracle;
import java.util.List;

/** Random shapes; {@link SignPackXnorGemmSizesTest} has those from which the CPU packs beside the product. */
class SignPackXnorGemmContractTest extends BinaryContract {
  SignPackXnorGemmContractTest() {
    super("signPackXnorGemm");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "signPackXnorGemm",
            r -> {
              int[] d = Dims.product(r);
              F32Matrix x = r.inMatrix("x", d[0], d[2], r.signed(d[0] * d[2]));
              BitMatrix a = r.outBits("a", d[0], d[2]);
              BitMatrix b = r.inBits("b", r.randomBits(d[1], d[2]));
              int[] limit = new int[d[1]];
              int[] invert = new int[d[1]];
              for (int j = 0; j < d[1]; j++) {
                limit[j] = Math.min(d[2], d[2] / 2 + r.random().nextInt(-3, 4));
                invert[j] = r.random().nextInt(2);
              }
              r.inInts("limit", limit);
              r.inInts("invert", invert);
              Thresholds thresholds = r.keep(Thresholds.of(r.backend(), limit, invert));
              BitMatrix y = r.outBits("y", d[0], d[1]);
              r.pieces(
                  d[0],
                  (from, rows) ->
                      r.backend().binary().signPackXnorGemm(x.rows(from, rows), a.rows(from, rows), b, thresholds, y.rows(from, rows), r.stream()));
            },
            r -> {
              int[] d = Dims.product(r);
              BitOracle signs = BitOracle.signs(d[0], d[2], r.before("x"));
              assertThat(r.bitsAfter("a")).isEqualTo(signs);
              int[] dots = signs.dots(r.bitsBefore("b"));
              BitOracle y = r.bitsAfter("y");
              int[] limit = r.beforeBits("limit");
              int[] invert = r.beforeBits("invert");
              for (int i = 0; i < dots.length; i++) {
                int p = (d[2] - dots[i]) / 2;
                int j = i % d[1];
                assertThat(y.bit(i / d[1], j)).as("y[%d], p = %d, limit %d, invert %d", i, p, limit[j], invert[j]).isEqualTo(p <= limit[j] ^ invert[j] == 1);
              }
            }));
  }
}
