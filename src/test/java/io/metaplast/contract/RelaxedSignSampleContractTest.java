package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.Bounded;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class RelaxedSignSampleContractTest extends BinaryContract {
  RelaxedSignSampleContractTest() {
    super("relaxedSignSample");
  }

  @Override
  boolean splits() {
    return false; // elements are numbered from the start of the tensor
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "relaxedSignSample",
            r -> {
              long stream = r.random().nextLong(1L << 32);
              double temperature = r.random().nextBoolean() ? 1 : 0.01;
              F32Buffer lambda = r.in("lambda", r.signed(r.n()));
              F32Buffer w = r.out("w", r.n());
              r.backend().binary().relaxedSignSample(lambda, temperature, r.seed(), stream, r.step(), w, r.stream());
              r.number("stream", stream);
              r.number("temperature", temperature);
            },
            r -> {
              float[] lambda = r.before("lambda");
              for (int i = 0; i < lambda.length; i++) {
                double u = RandomOracle.uniform(RandomOracle.word(r.seed(), (int) (long) r.number("stream"), (int) r.step(), i));
                Bounded w = BinaryOracle.relaxed(lambda[i], u, (float) (1 / r.number("temperature")));
                Check.near("w", i, r.after("w")[i], w.value(), w.error());
              }
            }));
  }
}
