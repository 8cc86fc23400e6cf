package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import java.util.Arrays;

/** Shape of a read-out case, [K][B][C], and what rounding does to a softmax. */
final class Logits {
  final int samples;
  final int batch;
  final int classes;

  Logits(Run r) {
    int n = r.n();
    samples = n % 50 == 7 ? 35 : 1 + r.theCase().index() % 4;
    classes = n <= 4000 ? 1 + n % 71 : n % 3 == 0 ? 4500 : 10; // 4500: more than a chunk of a row
    batch = n / classes;
  }

  int items() {
    return samples * batch * classes;
  }

  int at(int k, int b) {
    return (k * batch + b) * classes;
  }

  /** Largest distance of a logit from the maximum of its item. */
  double spread(double[] logits, int from) {
    double max = Arrays.stream(logits, from, from + classes).max().orElseThrow();
    return max - Arrays.stream(logits, from, from + classes).min().orElseThrow();
  }

  /** Relative error of the sum of exponentials: rounding of the differences, exp32 (1 ulp) and the additions. */
  double sumError(double[] logits, int from) {
    return 1.01 * U * (spread(logits, from) + 2 + classes);
  }

  /** Relative error of a probability. */
  double probabilityError(double[] logits, int from) {
    return 1.01 * U * (spread(logits, from) + 3) + sumError(logits, from);
  }
}
