package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class GaussianContractTest extends KernelContract {
  GaussianContractTest() {
    super("gaussian");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "gaussian",
            r -> {
              long stream = r.random().nextLong(1L << 32);
              long first = PhiloxContractTest.first(r);
              F32Buffer out = r.out("out", r.n());
              r.pieces(
                  r.n(),
                  (from, length) -> r.backend().bayes().gaussian(r.seed(), stream, r.step(), first + from, out.slice(from, length), r.stream()));
              r.number("stream", stream);
              r.number("first", first);
            },
            r -> {
              float[] z = r.after("out");
              for (int i = 0; i < z.length; i++) {
                double expected = RandomOracle.normal(r.seed(), (int) (long) r.number("stream"), (int) r.step(), (long) r.number("first") + i);
                Check.near("out", i, z[i], expected, RandomOracle.normalBound(expected));
              }
            }));
  }
}
