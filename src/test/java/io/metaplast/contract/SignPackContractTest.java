package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SignPackContractTest extends BinaryContract {
  SignPackContractTest() {
    super("signPack");
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("signPack", false), mode("signPack, mask", true));
  }

  private static Mode mode(String name, boolean masked) {
    return new Mode(
        name,
        r -> {
          int[] d = Dims.matrix(r);
          F32Matrix x = r.inMatrix("x", d[0], d[1], aroundOne(r, d[0] * d[1]));
          BitMatrix bits = r.outBits("bits", d[0], d[1]);
          BitMatrix mask = masked ? r.outBits("mask", d[0], d[1]) : null;
          r.pieces(
              d[0],
              (from, rows) -> {
                if (masked) {
                  r.backend().binary().signPack(x.rows(from, rows), bits.rows(from, rows), mask.rows(from, rows), r.stream());
                } else {
                  r.backend().binary().signPack(x.rows(from, rows), bits.rows(from, rows), r.stream());
                }
              });
        },
        r -> {
          int[] d = Dims.matrix(r);
          float[] x = r.before("x");
          assertThat(r.bitsAfter("bits")).isEqualTo(BitOracle.signs(d[0], d[1], x));
          if (masked) {
            BitOracle mask = r.bitsAfter("mask");
            for (int i = 0; i < x.length; i++) {
              assertThat(mask.bit(i / d[1], i % d[1])).as("mask of %s", x[i]).isEqualTo(!(Math.abs(x[i]) > 1));
            }
          }
        });
  }

  /** Values of the profile with the neighbours of -1 and 1 among them. */
  static float[] aroundOne(Run r, int n) {
    float[] x = r.signed(n);
    for (int i = 0; i < n; i++) {
      if (r.random().nextInt(8) == 0) {
        float one = r.random().nextBoolean() ? 1f : -1f;
        x[i] = Float.intBitsToFloat(Float.floatToRawIntBits(one) + r.random().nextInt(-1, 2));
      }
    }
    return x;
  }
}
