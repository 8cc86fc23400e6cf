package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.UpdateRule;

/** The workloads that are timed. Bytes per parameter: bayes.h, "bytes a parameter". */
public final class Workloads {
  /** The permuted-MNIST network of the paper, 784-50-10 without bias. */
  public static final TensorLayout NETWORK = TensorLayout.of(784 * 50, 50 * 10);

  /** Monte-Carlo samples of the paper's experiment. */
  public static final int SAMPLES = 10;

  private static final long SEED = 1000;
  private static final MesuParams MESU = MesuParams.builder().build();

  private Workloads() {}

  /** 39,700 parameters are the paper's network; any other size is one tensor. */
  static TensorLayout layout(long n) {
    return n == NETWORK.totalCount() ? NETWORK : TensorLayout.of(n);
  }

  /** Update of the published rule. */
  public static Workload.Factory mesuStep(long n) {
    return backend -> new Step(backend, n, MESU, false);
  }

  /** Update of the published rule with bf16 gradients. */
  public static Workload.Factory mesuStepBf16(long n) {
    return backend -> new Step(backend, n, MESU, true);
  }

  /** Update of the ratio-limited rule, the settings of the authors' CIFAR runs. */
  public static Workload.Factory ratioStep(long n) {
    return backend -> new Step(backend, n, ratioRule(), false);
  }

  /** Update of BGD. */
  public static Workload.Factory bgdStep(long n) {
    return backend -> new Step(backend, n, new BgdParams(1), false);
  }

  /** The ratio-limited rule that the eager baseline restates. */
  static MesuRatioParams ratioRule() {
    return new MesuRatioParams(1e6, false, 0, 1, 5, 66, 0.02, 1, 1e-6, 1, 0, 0);
  }

  /** K weight samples. */
  public static Workload.Factory sample(long n, int samples) {
    return backend -> new Sample(backend, n, samples);
  }

  /** Normals alone. */
  public static Workload.Factory gaussian(long n) {
    return backend -> new Gaussian(backend, n);
  }

  /** Gradients of K samples to gMu and gSigma; epsilon stored or regenerated. */
  public static Workload.Factory gradAccumulate(long n, int samples, boolean stored) {
    return backend -> new GradAccumulate(backend, n, samples, stored);
  }

  /** Everything between two passes of the network in one pass over memory: update from K = 1 gradients, next sample. */
  public static Workload.Factory fused(long n) {
    return backend -> new Fused(backend, n, true);
  }

  /** Update from the gradients of K = 1 samples with regenerated epsilon. */
  public static Workload.Factory stepFromSamples(long n) {
    return backend -> new Fused(backend, n, false);
  }

  /** The same work as {@link #fused} as four calls with epsilon stored. */
  public static Workload.Factory unfused(long n) {
    return backend -> new Unfused(backend, n);
  }

  /** One training step of the paper's experiment: 784-50-10, batch 1, K = 10. */
  public static Workload.Factory trainingStep(boolean storedEpsilon) {
    return backend -> new TrainingStep(backend, storedEpsilon);
  }

  private static final class Step extends Workload {
    private final GaussianWeights weights;
    private final TensorGroup<F32Buffer> gradMean;
    private final TensorGroup<F32Buffer> gradSigma;
    private final TensorGroup<Bf16Buffer> halfMean;
    private final TensorGroup<Bf16Buffer> halfSigma;
    private final UpdateRule rule;

    Step(Backend backend, long n, UpdateRule rule, boolean bf16) {
      super(backend);
      HostData data = new HostData(1);
      TensorLayout layout = layout(n);
      this.rule = rule;
      weights = weights(layout, data);
      gradMean = bf16 ? null : group(layout, 1, gradients(data));
      gradSigma = bf16 ? null : group(layout, 1, sigmaGradients(data));
      halfMean = bf16 ? half(layout, gradients(data)) : null;
      halfSigma = bf16 ? half(layout, sigmaGradients(data)) : null;
    }

    private TensorGroup<Bf16Buffer> half(TensorLayout layout, float[] values) {
      TensorGroup<Bf16Buffer> group = own(backend.allocateBf16Group(layout, 1));
      for (int t = 0; t < layout.tensors(); t++) {
        Bf16Buffer buffer = group.get(t);
        for (long at = 0; at < buffer.length(); at += values.length) {
          buffer.upload(at, values, 0, (int) Math.min(values.length, buffer.length() - at));
        }
      }
      return group;
    }

    @Override
    public double items() {
      return weights.layout().totalCount();
    }

    @Override
    public double bytes() {
      return items() * (halfMean == null ? 24 : 20);
    }

    @Override
    public void call() {
      if (halfMean == null) {
        backend.bayes().step(weights, gradMean, gradSigma, rule, null, stream);
      } else {
        backend.bayes().step(weights, halfMean, halfSigma, rule, null, stream);
      }
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("mu", weights.mean());
      outputs.add("sigma", weights.sigma());
      return outputs;
    }
  }

  private static final class Sample extends Workload {
    private final GaussianWeights weights;
    private final TensorGroup<F32Buffer> samples;
    private long step;

    Sample(Backend backend, long n, int copies) {
      super(backend);
      TensorLayout layout = layout(n);
      weights = weights(layout, new HostData(2));
      samples = group(layout, copies);
    }

    @Override
    public double items() {
      return (double) weights.layout().totalCount() * samples.copies();
    }

    @Override
    public double bytes() {
      return weights.layout().totalCount() * (8 + 4.0 * samples.copies());
    }

    @Override
    public void call() {
      backend.bayes().sample(weights, SEED, step++, samples, stream);
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("w", samples);
      return outputs;
    }
  }

  private static final class Gaussian extends Workload {
    private final F32Buffer values;
    private long step;

    Gaussian(Backend backend, long n) {
      super(backend);
      values = own(backend.allocate(n));
    }

    @Override
    public double items() {
      return values.length();
    }

    @Override
    public double bytes() {
      return 4.0 * values.length();
    }

    @Override
    public void call() {
      backend.bayes().gaussian(SEED, 0, step++, 0, values, stream);
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("z", values);
      return outputs;
    }
  }

  private static final class GradAccumulate extends Workload {
    private final TensorGroup<F32Buffer> gradients;
    private final TensorGroup<F32Buffer> epsilon;
    private final TensorGroup<F32Buffer> gradMean;
    private final TensorGroup<F32Buffer> gradSigma;
    private long step;

    GradAccumulate(Backend backend, long n, int samples, boolean stored) {
      super(backend);
      TensorLayout layout = layout(n);
      gradients = group(layout, samples, gradients(new HostData(3)));
      gradMean = group(layout, 1);
      gradSigma = group(layout, 1);
      epsilon = stored ? group(layout, samples) : null;
      if (stored) {
        backend.bayes().epsilon(SEED, 0, epsilon, stream);
      }
    }

    @Override
    public double items() {
      return (double) gradients.layout().totalCount() * gradients.copies();
    }

    @Override
    public double bytes() {
      return gradients.layout().totalCount() * (8 + gradients.copies() * (epsilon == null ? 4.0 : 8.0));
    }

    @Override
    public void call() {
      double scale = 1.0 / gradients.copies();
      if (epsilon == null) {
        backend.bayes().gradAccumulate(gradients, SEED, step++, scale, gradMean, gradSigma, stream);
      } else {
        backend.bayes().gradAccumulate(gradients, epsilon, scale, gradMean, gradSigma, stream);
      }
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("gMu", gradMean);
      outputs.add("gSigma", gradSigma);
      return outputs;
    }
  }

  private static final class Fused extends Workload {
    private final GaussianWeights weights;
    private final TensorGroup<F32Buffer> gradients;
    private final TensorGroup<F32Buffer> next;
    private long step;

    Fused(Backend backend, long n, boolean sampleNext) {
      super(backend);
      HostData data = new HostData(4);
      TensorLayout layout = layout(n);
      weights = weights(layout, data);
      gradients = group(layout, 1, gradients(data));
      next = sampleNext ? group(layout, 1) : null;
    }

    @Override
    public double items() {
      return weights.layout().totalCount();
    }

    @Override
    public double bytes() {
      return items() * (next == null ? 20 : 24);
    }

    @Override
    public void call() {
      if (next == null) {
        backend.bayes().stepFromSamples(weights, gradients, SEED, step, 1, MESU, null, stream);
      } else {
        backend.bayes().stepFromSamplesAndSample(weights, gradients, SEED, step, 1, MESU, step + 1, next, null, stream);
      }
      step++;
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("mu", weights.mean());
      outputs.add("sigma", weights.sigma());
      if (next != null) {
        outputs.add("next", next);
      }
      return outputs;
    }
  }

  private static final class Unfused extends Workload {
    private final GaussianWeights weights;
    private final TensorGroup<F32Buffer> gradients;
    private final TensorGroup<F32Buffer> epsilon;
    private final TensorGroup<F32Buffer> gradMean;
    private final TensorGroup<F32Buffer> gradSigma;
    private final TensorGroup<F32Buffer> next;
    private long step;

    Unfused(Backend backend, long n) {
      super(backend);
      HostData data = new HostData(4);
      TensorLayout layout = layout(n);
      weights = weights(layout, data);
      gradients = group(layout, 1, gradients(data));
      epsilon = group(layout, 1);
      gradMean = group(layout, 1);
      gradSigma = group(layout, 1);
      next = group(layout, 1);
    }

    @Override
    public double items() {
      return weights.layout().totalCount();
    }

    /** epsilon 4, accumulate 16, step 24, sample 12: 56 (the specification's 52 counts a sampler that keeps its own epsilon). */
    @Override
    public double bytes() {
      return items() * 56;
    }

    @Override
    public void call() {
      backend.bayes().epsilon(SEED, step, epsilon, stream);
      backend.bayes().gradAccumulate(gradients, epsilon, 1, gradMean, gradSigma, stream);
      backend.bayes().step(weights, gradMean, gradSigma, MESU, null, stream);
      backend.bayes().sample(weights, SEED, step + 1, next, stream);
      step++;
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("mu", weights.mean());
      outputs.add("sigma", weights.sigma());
      outputs.add("next", next);
      return outputs;
    }
  }

  /** The five calls of one training step; {@link #call(int)} runs one of them. */
  static final class TrainingStep extends Workload {
    static final String[] PHASES = {"forward 1 (784-50)", "forward 2 (50-10)", "loss", "backward + update 2", "backward + update 1"};

    private static final LinearShape FIRST = new LinearShape(784, 50, SAMPLES, true, true);
    private static final LinearShape SECOND = new LinearShape(50, 10, SAMPLES, false, false);

    private final GaussianWeights weights;
    private final F32Buffer x;
    private final I32Buffer label;
    private final F32Buffer hidden;
    private final F32Buffer logits;
    private final F32Buffer itemLoss;
    private final F32Buffer loss;
    private final F32Buffer gradLogits;
    private final F32Buffer gradHidden;
    private final F32Buffer epsilon1;
    private final F32Buffer epsilon2;
    private long step;

    TrainingStep(Backend backend, boolean storedEpsilon) {
      super(backend);
      HostData data = new HostData(5);
      weights = weights(NETWORK, data);
      // A digit: four pixels of five are background, the rest ink.
      float[] pixels = data.between(784, 0, 1);
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = i % 5 == 0 ? (pixels[i] - 0.1307f) / 0.3081f : -0.4242f;
      }
      x = buffer(pixels, pixels.length);
      label = own(backend.allocateI32(1));
      label.upload(new int[] {3});
      hidden = own(backend.allocate(SAMPLES * 50));
      logits = own(backend.allocate(SAMPLES * 10));
      itemLoss = own(backend.allocate(1));
      loss = own(backend.allocate(1));
      gradLogits = own(backend.allocate(SAMPLES * 10));
      gradHidden = own(backend.allocate(SAMPLES * 50));
      epsilon1 = storedEpsilon ? own(backend.allocate(SAMPLES * FIRST.weights())) : null;
      epsilon2 = storedEpsilon ? own(backend.allocate(SAMPLES * SECOND.weights())) : null;
    }

    @Override
    public double items() {
      return NETWORK.totalCount();
    }

    @Override
    public double bytes() {
      return items() * (8 + 16);
    }

    @Override
    public void call() {
      for (int phase = 0; phase < PHASES.length; phase++) {
        call(phase);
      }
    }

    void call(int phase) {
      switch (phase) {
        case 0 -> backend.bayes().linearForward(weights, 0, FIRST, x, SEED, step, epsilon1, hidden, stream);
        case 1 -> backend.bayes().linearForward(weights, 1, SECOND, hidden, SEED, step, epsilon2, logits, stream);
        case 2 -> backend.bayes().nllMeanLogSoftmax(SAMPLES, 1, 10, logits, label, 1, itemLoss, loss, gradLogits, stream);
        case 3 ->
            backend.bayes().linearStep(weights, 1, SECOND, hidden, gradLogits, null, epsilon2, SEED, step, MESU, gradHidden, null, stream);
        default -> {
          backend.bayes().linearStep(weights, 0, FIRST, x, gradHidden, hidden, epsilon1, SEED, step, MESU, null, null, stream);
          step++;
        }
      }
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("loss", loss);
      outputs.add("mu", weights.mean());
      outputs.add("sigma", weights.sigma());
      return outputs;
    }
  }
}
