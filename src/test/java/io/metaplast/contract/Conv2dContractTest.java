package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.I32Buffer;
import io.metaplast.Workspace;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class Conv2dContractTest extends BinaryContract {
  Conv2dContractTest() {
    super("conv2d");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "conv2d",
            r -> {
              Conv2dShape s = ConvShapes.of(r);
              Workspace workspace = r.keep(r.backend().workspace(r.backend().binary().conv2dWorkspaceBytes(s)));
              BitMatrix x = r.inBits("x", r.randomBits(s.batch(), s.inputs()));
              BitMatrix w = r.inBits("w", r.randomBits(s.outChannels(), s.patch()));
              I32Buffer y = r.outInts("y", (int) s.outputs());
              r.backend().binary().conv2d(s, x, w, y, workspace, r.stream());
            },
            r -> {
              Conv2dShape s = ConvShapes.of(r);
              BitOracle bits = r.bitsBefore("x");
              BitOracle weights = r.bitsBefore("w");
              int[] expected = new int[(int) s.outputs()];
              BinaryOracle.links(s, (n, o, y, c, x, w) -> expected[y] += bits.sign(n, x) * weights.sign(o, w));
              assertThat(r.afterBits("y")).isEqualTo(expected);
            }));
  }
}
