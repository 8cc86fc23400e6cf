package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import java.util.List;

/** Shape and weights of a batch-1 layer for a case: wide, tall, square and with many samples in turn; one tensor of a network, with an arbitrary number. */
final class Layer {
  final LinearShape shape;
  final int tensorNumber;

  Layer(Run r) {
    int n = r.n();
    int turn = r.theCase().index() % 4;
    int in;
    int out;
    if (n > 1100) {
      in = n % 3 == 0 ? 5003 : turn % 2 == 0 ? 173 : 1000; // 5003: more than a chunk of R16
      out = n / in;
    } else {
      in = turn == 3 ? 1 + n % 7 : n;
      out = turn == 3 ? n : 1 + n % 3;
    }
    int samples = n % 50 == 0 ? 11 : 1 + n % 4;
    shape = new LinearShape(in, out, samples, r.random().nextBoolean(), r.random().nextBoolean());
    tensorNumber = r.random().nextInt(TensorLayout.MAX_TENSOR_NUMBER);
  }

  int inputs() {
    return shape.sharedInput() ? shape.in() : shape.samples() * shape.in();
  }

  int outputs() {
    return shape.samples() * shape.out();
  }

  /** Index of x[k][i]. */
  int x(int k, int i) {
    return shape.sharedInput() ? i : k * shape.in() + i;
  }

  GaussianWeights weights(Run r, F32Buffer mu, F32Buffer sigma, F32Buffer low) {
    TensorLayout layout = TensorLayout.of(shape.weights()).withTensorNumbers(tensorNumber);
    return GaussianWeights.of(
        r.backend().group(layout, 1, List.of(mu)), r.backend().group(layout, 1, List.of(sigma)),
        low == null ? null : r.backend().group(layout, 1, List.of(low)));
  }
}
