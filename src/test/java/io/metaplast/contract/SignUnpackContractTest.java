package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Bf16Buffer;
import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class SignUnpackContractTest extends BinaryContract {
  SignUnpackContractTest() {
    super("signUnpack");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "signUnpack, matrix",
            r -> {
              int[] d = Dims.matrix(r);
              BitMatrix bits = r.inBits("bits", r.randomBits(d[0], d[1]));
              F32Matrix x = r.outMatrix("x", d[0], d[1]);
              r.pieces(d[0], (from, rows) -> r.backend().binary().signUnpack(bits.rows(from, rows), x.rows(from, rows), r.stream()));
            },
            SignUnpackContractTest::verify),
        new Mode(
            "signUnpack, fp32",
            r -> {
              int[] d = Dims.matrix(r);
              BitMatrix bits = r.inBits("bits", r.randomBits(d[0], d[1]));
              F32Buffer x = r.out("x", d[0] * d[1]);
              r.pieces(
                  d[0],
                  (from, rows) -> r.backend().binary().signUnpack(bits.rows(from, rows), x.slice((long) from * d[1], (long) rows * d[1]), r.stream()));
            },
            SignUnpackContractTest::verify),
        new Mode(
            "signUnpack, bf16",
            r -> {
              int[] d = Dims.matrix(r);
              BitMatrix bits = r.inBits("bits", r.randomBits(d[0], d[1]));
              Bf16Buffer x = r.outBf16("x", d[0] * d[1]);
              r.pieces(
                  d[0],
                  (from, rows) -> r.backend().binary().signUnpack(bits.rows(from, rows), x.slice((long) from * d[1], (long) rows * d[1]), r.stream()));
            },
            SignUnpackContractTest::verify));
  }

  private static void verify(Run r) {
    int[] d = Dims.matrix(r);
    assertThat(r.after("x")).isEqualTo(r.bitsBefore("bits").values());
  }
}
