package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.I32Matrix;
import io.metaplast.Workspace;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class XnorSyrkContractTest extends BinaryContract {
  XnorSyrkContractTest() {
    super("xnorSyrk");
  }

  @Override
  int largest() {
    return 10_000;
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("xnorSyrk", false), mode("xnorSyrk, accumulating", true));
  }

  private static int[] dims(Run r) {
    int index = r.theCase().index();
    if (index >= 300_000 && index < 400_000 && r.n() > 100) {
      return new int[] {r.n() > 1030 ? 700 : 100, 150};
    }
    boolean wide = index % 8 == 5 && r.n() <= 300;
    return wide ? new int[] {1 + index % 70, r.n()} : new int[] {r.n(), 1 + index % 37};
  }

  private static Mode mode(String name, boolean accumulate) {
    return new Mode(
        name,
        r -> {
          int[] d = dims(r);
          BitMatrix x = r.inBits("x", r.randomBits(d[0], d[1]));
          int[] old = new int[d[1] * d[1]];
          for (int i = 0; i < d[1]; i++) {
            for (int j = 0; j <= i; j++) { // symmetric, as earlier calls leave it
              old[i * d[1] + j] = accumulate ? r.random().nextInt(-1000, 1000) : 0x77777777;
              old[j * d[1] + i] = old[i * d[1] + j];
            }
          }
          I32Matrix s = r.intMatrix("s", true, d[1], d[1], old);
          Workspace workspace = r.keep(r.backend().workspace(r.backend().binary().xnorSyrkWorkspaceBytes(d[0], d[1])));
          boolean[] later = {accumulate};
          r.pieces(
              d[0],
              (from, rows) -> {
                r.backend().binary().xnorSyrk(x.rows(from, rows), later[0], s, workspace, r.stream());
                later[0] = true; // sums of integers: pieces of the batch add up exactly
              });
        },
        r -> {
          int[] d = dims(r);
          BitOracle x = r.bitsBefore("x");
          int[] expected = x.transposed().dots(x.transposed());
          int[] old = r.beforeBits("s");
          for (int i = 0; i < expected.length; i++) {
            expected[i] += accumulate ? old[i] : 0;
          }
          assertThat(r.afterBits("s")).isEqualTo(expected);
        });
  }
}
