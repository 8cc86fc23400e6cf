package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.RandomOracle;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;

class LinearForwardContractTest extends KernelContract {
  LinearForwardContractTest() {
    super("linearForward");
  }

  @Override
  int largest() {
    return 70_000;
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 70_001};
  }

  @Override
  boolean splits() {
    return false; // there is no sub-range of a layer in the API; rows are compared one by one with the oracle
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("linearForward", false), mode("linearForward, epsilon kept", true));
  }

  private static Mode mode(String name, boolean epsilon) {
    return new Mode(name, r -> call(r, epsilon), r -> verify(r, epsilon));
  }

  private static void call(Run r, boolean keep) {
    Layer layer = new Layer(r);
    int weights = (int) layer.shape.weights();
    F32Buffer mu = r.in("mu", r.signed(weights));
    F32Buffer sigma = r.in("sigma", r.positive(weights));
    F32Buffer x = r.in("x", r.signed(layer.inputs()));
    F32Buffer epsilon = keep ? r.out("epsilon", layer.shape.samples() * weights) : null;
    F32Buffer y = r.out("y", layer.outputs());
    r.remember(layer);
    r.backend().bayes().linearForward(layer.weights(r, mu, sigma, null), 0, layer.shape, x, r.seed(), r.step(), epsilon, y, r.stream());
  }

  private static void verify(Run r, boolean keep) {
    Layer layer = r.remembered(Layer.class);
    int in = layer.shape.in();
    int out = layer.shape.out();
    float[] mu = r.before("mu");
    float[] sigma = r.before("sigma");
    float[] x = r.before("x");
    float[] y = r.after("y");
    float[] epsilon = keep ? r.after("epsilon") : null;
    int depth = ReadoutOracle.r16Depth(in);
    for (int k = 0; k < layer.shape.samples(); k++) {
      for (int o = 0; o < out; o++) {
        double sum = 0;
        double bound = Check.TINY;
        for (int i = 0; i < in; i++) {
          int e = o * in + i;
          double z = RandomOracle.epsilon(r.seed(), layer.tensorNumber, k, r.step(), e);
          double w = mu[e] + sigma[e] * z;
          double wError = 1.001 * (U * (Math.abs(sigma[e] * z) + Math.abs(w)) + sigma[e] * RandomOracle.normalBound(z));
          double v = x[layer.x(k, i)];
          sum += w * v;
          bound += Math.abs(v) * wError + (depth + 2) * U * Math.abs(w * v);
          if (keep) {
            Check.near("epsilon", k * in * out + e, epsilon[k * in * out + e], z, RandomOracle.normalBound(z));
          }
        }
        Check.near("y", k * out + o, y[k * out + o], layer.shape.relu() ? Math.max(sum, 0) : sum, bound);
      }
    }
  }
}
