package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.Workspace;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class Conv2dGradWeightContractTest extends BinaryContract {
  Conv2dGradWeightContractTest() {
    super("conv2dGradWeight");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "conv2dGradWeight",
            r -> {
              Conv2dShape s = ConvShapes.of(r);
              Workspace workspace = r.keep(r.backend().workspace(r.backend().binary().conv2dWorkspaceBytes(s)));
              F32Buffer dy = r.in("dy", r.terms(1, (int) s.outputs()));
              BitMatrix x = r.inBits("x", r.randomBits(s.batch(), s.inputs()));
              F32Buffer dw = r.out("dw", s.outChannels() * s.patch());
              r.backend().binary().conv2dGradWeight(s, dy, x, dw, workspace, r.stream());
            },
            r -> {
              Conv2dShape s = ConvShapes.of(r);
              float[] dy = r.before("dy");
              BitOracle bits = r.bitsBefore("x");
              int patch = s.patch();
              double[] sum = new double[s.outChannels() * patch];
              double[] magnitude = new double[sum.length];
              int[] terms = new int[sum.length];
              BinaryOracle.links(
                  s,
                  (n, o, y, c, x, w) -> {
                    sum[o * patch + w] += dy[y] * bits.sign(n, x);
                    magnitude[o * patch + w] += Math.abs(dy[y]);
                    terms[o * patch + w]++;
                  });
              for (int i = 0; i < sum.length; i++) {
                Check.near("dw", i, r.after("dw")[i], sum[i], terms[i] * U * magnitude[i]);
              }
            }));
  }
}
