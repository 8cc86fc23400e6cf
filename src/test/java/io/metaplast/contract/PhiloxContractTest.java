package io.metaplast.contract;

import io.metaplast.I32Buffer;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class PhiloxContractTest extends KernelContract {
  PhiloxContractTest() {
    super("philox");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "philox",
            r -> {
              long stream = r.random().nextLong(1L << 32);
              long first = first(r);
              I32Buffer out = r.outInts("out", r.n());
              r.pieces(
                  r.n(),
                  (from, length) -> r.backend().bayes().philox(r.seed(), stream, r.step(), first + from, out.slice(from, length), r.stream()));
              r.number("stream", stream);
              r.number("first", first);
            },
            r -> {
              int[] words = r.afterBits("out");
              for (int i = 0; i < words.length; i++) {
                int expected = RandomOracle.word(r.seed(), (int) (long) r.number("stream"), (int) r.step(), (long) r.number("first") + i);
                Check.equal("out", i, words[i], expected);
              }
            }));
  }

  /** Element numbers: small, across the 32-bit block boundary, and far out; exactly representable as a double. */
  static long first(Run r) {
    return switch (r.theCase().index() % 3) {
      case 0 -> r.random().nextLong(64);
      case 1 -> (1L << 34) - r.random().nextLong(2000);
      default -> r.random().nextLong(1L << 52);
    };
  }
}
