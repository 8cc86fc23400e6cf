package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import java.util.List;

class TransposeContractTest extends BinaryContract {
  TransposeContractTest() {
    super("transpose");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "transpose",
            r -> {
              int[] d = dims(r);
              BitMatrix bits = r.inBits("bits", r.randomBits(d[0], d[1]));
              r.backend().binary().transpose(bits, r.outBits("out", d[1], d[0]), r.stream());
            },
            r -> {
              int[] d = dims(r);
              assertThat(r.bitsAfter("out")).isEqualTo(r.bitsBefore("bits").transposed());
            }));
  }

  @Override
  boolean splits() {
    return false; // columns of a bit matrix cannot be cut
  }

  /** Two dimensions that both leave whole blocks of 8, 64 and 512 behind. */
  private static int[] dims(Run r) {
    int[] d = Dims.matrix(r);
    return r.theCase().index() % 8 == 1 && r.n() <= 1030 ? new int[] {d[1], 1 + r.theCase().index() % 131} : d;
  }
}
