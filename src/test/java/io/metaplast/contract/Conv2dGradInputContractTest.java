package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.Workspace;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class Conv2dGradInputContractTest extends BinaryContract {
  Conv2dGradInputContractTest() {
    super("conv2dGradInput");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "conv2dGradInput",
            r -> {
              Conv2dShape s = ConvShapes.of(r);
              Workspace workspace = r.keep(r.backend().workspace(r.backend().binary().conv2dWorkspaceBytes(s)));
              F32Buffer dy = r.in("dy", r.terms(1, (int) s.outputs()));
              BitMatrix w = r.inBits("w", r.randomBits(s.outChannels(), s.patch()));
              F32Buffer dx = r.out("dx", s.batch() * s.inputs());
              r.backend().binary().conv2dGradInput(s, dy, w, dx, workspace, r.stream());
            },
            r -> {
              Conv2dShape s = ConvShapes.of(r);
              float[] dy = r.before("dy");
              BitOracle weights = r.bitsBefore("w");
              int inputs = s.inputs();
              double[] sum = new double[s.batch() * inputs];
              double[] magnitude = new double[sum.length];
              int[] terms = new int[sum.length];
              BinaryOracle.links(
                  s,
                  (n, o, y, c, x, w) -> {
                    sum[n * inputs + x] += dy[y] * weights.sign(o, w);
                    magnitude[n * inputs + x] += Math.abs(dy[y]);
                    terms[n * inputs + x]++;
                  });
              for (int i = 0; i < sum.length; i++) {
                Check.near("dx", i, r.after("dx")[i], sum[i], terms[i] * U * magnitude[i]);
              }
            }));
  }
}
