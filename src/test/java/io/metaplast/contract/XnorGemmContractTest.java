package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Matrix;
import io.metaplast.binary.Thresholds;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;

/** Random shapes; {@link XnorShapesTest} has all K up to 1,030 and the shape lists. */
class XnorGemmContractTest extends BinaryContract {
  XnorGemmContractTest() {
    super("xnorGemm");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        integers(), real("xnorGemm, fp32", false, false), real("xnorGemm, scale", true, false), real("xnorGemm, bias", false, true),
        real("xnorGemm, scale and bias", true, true), bits());
  }

  private static Mode integers() {
    return new Mode(
        "xnorGemm, int32",
        r -> {
          int[] d = Dims.product(r);
          BitMatrix a = r.inBits("a", r.randomBits(d[0], d[2]));
          BitMatrix b = r.inBits("b", r.randomBits(d[1], d[2]));
          I32Matrix y = r.outIntMatrix("y", d[0], d[1]);
          r.pieces(d[0], (from, rows) -> r.backend().binary().xnorGemm(a.rows(from, rows), b, y.rows(from, rows), r.stream()));
        },
        r -> assertThat(r.afterBits("y")).isEqualTo(dots(r)));
  }

  /** Exact dot products of the operands a and b of a run. */
  private static int[] dots(Run r) {
    return r.bitsBefore("a").dots(r.bitsBefore("b"));
  }

  private static Mode real(String name, boolean scaled, boolean shifted) {
    return new Mode(
        name,
        r -> {
          int[] d = Dims.product(r);
          BitMatrix a = r.inBits("a", r.randomBits(d[0], d[2]));
          BitMatrix b = r.inBits("b", r.randomBits(d[1], d[2]));
          F32Buffer scale = scaled ? r.in("scale", r.signed(d[1])) : null;
          F32Buffer bias = shifted ? r.in("bias", r.signed(d[1])) : null;
          F32Matrix y = r.outMatrix("y", d[0], d[1]);
          r.pieces(d[0], (from, rows) -> r.backend().binary().xnorGemm(a.rows(from, rows), b, scale, bias, y.rows(from, rows), r.stream()));
        },
        r -> {
          int[] dots = dots(r);
          int n = Dims.product(r)[1];
          for (int i = 0; i < dots.length; i++) {
            Bounded y = Bounded.of(dots[i]);
            y = scaled ? y.times(r.before("scale")[i % n]) : y;
            y = shifted ? y.plus(r.before("bias")[i % n]) : y;
            Check.near("y", i, r.after("y")[i], y.value(), y.error());
          }
        });
  }

  private static Mode bits() {
    return new Mode(
        "xnorGemm, bits",
        r -> {
          int[] d = Dims.product(r);
          BitMatrix a = r.inBits("a", r.randomBits(d[0], d[2]));
          BitMatrix b = r.inBits("b", r.randomBits(d[1], d[2]));
          int[] limit = new int[d[1]];
          int[] invert = new int[d[1]];
          for (int j = 0; j < d[1]; j++) {
            int k = d[2];
            limit[j] = r.random().nextInt(8) == 0 ? r.random().nextInt(-1, k + 1) : Math.min(k, k / 2 + r.random().nextInt(-3, 4));
            invert[j] = r.random().nextInt(2);
          }
          r.inInts("limit", limit);
          r.inInts("invert", invert);
          Thresholds thresholds = r.keep(Thresholds.of(r.backend(), limit, invert));
          BitMatrix y = r.outBits("y", d[0], d[1]);
          r.pieces(d[0], (from, rows) -> r.backend().binary().xnorGemm(a.rows(from, rows), b, thresholds, y.rows(from, rows), r.stream()));
        },
        r -> {
          int[] d = Dims.product(r);
          int[] dots = dots(r);
          BitOracle y = r.bitsAfter("y");
          int[] limit = r.beforeBits("limit");
          int[] invert = r.beforeBits("invert");
          for (int i = 0; i < dots.length; i++) {
            int p = (d[2] - dots[i]) / 2;
            int j = i % d[1];
            assertThat(y.bit(i / d[1], j)).as("y[%d], p = %d, limit %d, invert %d", i, p, limit[j], invert[j]).isEqualTo(p <= limit[j] ^ invert[j] == 1);
          }
        });
  }
}
