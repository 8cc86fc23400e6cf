package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class UniformContractTest extends KernelContract {
  UniformContractTest() {
    super("uniform");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "uniform",
            r -> {
              long stream = r.random().nextLong(1L << 32);
              long first = PhiloxContractTest.first(r);
              F32Buffer out = r.out("out", r.n());
              r.pieces(
                  r.n(),
                  (from, length) -> r.backend().bayes().uniform(r.seed(), stream, r.step(), first + from, out.slice(from, length), r.stream()));
              r.number("stream", stream);
              r.number("first", first);
            },
            r -> {
              float[] u = r.after("out");
              for (int i = 0; i < u.length; i++) {
                int word = RandomOracle.word(r.seed(), (int) (long) r.number("stream"), (int) r.step(), (long) r.number("first") + i);
                Check.near("out", i, u[i], RandomOracle.uniform(word), 0);
              }
            }));
  }
}
