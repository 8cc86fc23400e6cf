package io.metaplast.bench;

import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.binary.AdamParams;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * PyTorch's CPU library as a baseline: what users of tensor code run today. Only touched when its native library is on the class path
 * ({@code METAPLAST_PYTORCH=1 ./benchmarks/run ...}). Gradients are off; every call frees its temporaries.
 */
final class EagerPyTorch {
  private static final String NATIVE = "org/bytedeco/pytorch/" + Loader.getPlatform() + "/libjnitorch.so";

  private EagerPyTorch() {}

  /** Whether the native library is on the class path. */
  static boolean available() {
    return EagerPyTorch.class.getClassLoader().getResource(NATIVE) != null;
  }

  /** What to do to have it. */
  static String hint() {
    return "PyTorch baseline skipped: set METAPLAST_PYTORCH=1 once to fetch it (90 MB)";
  }

  /** Version, instruction set it dispatched to and threads. */
  static String describe() {
    try (PointerScope scope = new PointerScope()) {
      String config = torch.show_config().getString();
      String capability = config.lines().filter(line -> line.contains("CPU capability")).findFirst().orElse("").replaceAll(".*: ", "")
          .trim();
      Matcher version = Pattern.compile("TORCH_VERSION=([0-9.]+)").matcher(config);
      return "PyTorch " + (version.find() ? version.group(1) : "of unknown version") + " eager, " + capability + ", "
          + torch.get_num_threads() + " threads";
    }
  }

  /** Threads of every later call. */
  static void threads(int threads) {
    torch.set_num_threads(threads);
  }

  /** A tensor body with its own state. */
  abstract static class Body implements Contest.Body, AutoCloseable {
    private final PointerScope owned = new PointerScope();

    /** The tensors made here live until {@link #close()}. */
    final Tensor tensor(float[] values) {
      try (FloatPointer pointer = new FloatPointer(values); Tensor view = torch.from_blob(pointer, new long[] {values.length})) {
        Tensor copy = view.clone();
        owned.attach(copy);
        return copy;
      }
    }

    abstract void step();

    @Override
    public final void run() {
      try (PointerScope temporaries = new PointerScope(); NoGradGuard noGradients = new NoGradGuard()) {
        step();
      }
    }

    static float[] read(Tensor tensor) {
      try (PointerScope scope = new PointerScope()) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        tensor.contiguous().data_ptr_float().get(values);
        return values;
      }
    }

    @Override
    public void close() {
      owned.deallocate();
    }
  }

  /**
   * The ratio-limited MESU step as a chain of tensor operations, one kernel per operation, in the manner of the authors' PyTorch optimizer:
   * 34 kernels and 340 bytes a weight, its two momentum buffers included (momentum 0, as published).
   */
  static final class RatioChain extends Body {
    private final Tensor mu;
    private final Tensor sigma;
    private final Tensor gradMean;
    private final Tensor gradSigma;
    private final Tensor effectiveMean;
    private final Tensor effectiveSigma;
    private final MesuRatioParams rule;

    RatioChain(float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, MesuRatioParams rule) {
      this.mu = tensor(mu);
      this.sigma = tensor(sigma);
      this.gradMean = tensor(gradMean);
      this.gradSigma = tensor(gradSigma);
      this.effectiveMean = tensor(new float[mu.length]);
      this.effectiveSigma = tensor(new float[mu.length]);
      this.rule = rule;
    }

    @Override
    void step() {
      Scalar momentum = new Scalar(0.0);
      Scalar rest = new Scalar(1.0);
      Scalar pull = new Scalar(rule.memoryWindow() * rule.priorSigma() * rule.priorSigma());
      Scalar ratio = new Scalar(rule.ratioMax());
      Scalar minusRatio = new Scalar(-rule.ratioMax());
      Tensor variance = sigma.pow(new Scalar(2.0));
      effectiveSigma.mul_(momentum);
      effectiveSigma.add_(gradSigma.mul(rest));
      effectiveMean.mul_(momentum);
      effectiveMean.add_(gradMean.mul(rest));
      Tensor curvature = sigma.mul(new Scalar(rule.secondOrder())).mul(effectiveSigma.abs()).add(new Scalar(1.0));
      Tensor stepSigma =
          variance
              .mul(effectiveSigma)
              .add(sigma.mul(variance.sub(new Scalar(rule.priorSigma() * rule.priorSigma()))).div(pull))
              .mul(new Scalar(-rule.coefficientSigma()))
              .div(curvature);
      Tensor stepMean =
          variance
              .mul(effectiveMean)
              .add(variance.mul(mu.sub(new Scalar(rule.priorMean()))).div(pull))
              .mul(new Scalar(-rule.coefficientMean()))
              .div(curvature);
      stepSigma = stepSigma.clamp(new TensorOptional(sigma.mul(minusRatio)), new TensorOptional(sigma.mul(ratio)));
      stepMean = stepMean.clamp(new TensorOptional(sigma.mul(minusRatio)), new TensorOptional(sigma.mul(ratio)));
      sigma.add_(stepSigma);
      mu.add_(stepMean);
      sigma.clamp_(optional(rule.sigmaMin()), optional(rule.sigmaMax()));
    }

    private static ScalarOptional optional(double value) {
      return new ScalarOptional(new Scalar(value));
    }

    float[] mu() {
      return read(mu);
    }

    float[] sigma() {
      return read(sigma);
    }
  }

  /**
   * Metaplastic Adam as a chain of tensor operations in the manner of the authors' optimizer, with the binarization of the weights: 22 kernels and more.
   */
  static final class MetaAdamChain extends Body {
    private final Tensor w;
    private final Tensor gradient;
    private final Tensor firstMoment;
    private final Tensor secondMoment;
    private final AdamParams params;
    private Tensor signs;
    private long step;

    MetaAdamChain(float[] w, float[] gradient, AdamParams params) {
      this.w = tensor(w);
      this.gradient = tensor(gradient);
      this.firstMoment = tensor(new float[w.length]);
      this.secondMoment = tensor(new float[w.length]);
      this.signs = tensor(new float[w.length]);
      this.params = params;
    }

    @Override
    void step() {
      step++;
      Tensor g = gradient.add(w, new Scalar(params.weightDecay()));
      firstMoment.mul_(new Scalar(params.beta1())).add_(g, new Scalar(1 - params.beta1()));
      secondMoment.mul_(new Scalar(params.beta2())).addcmul_(g, g, new Scalar(1 - params.beta2()));
      Tensor denominator = secondMoment.sqrt().add_(new Scalar(params.epsilon()));
      double alpha = params.learningRate() * Math.sqrt(1 - Math.pow(params.beta2(), step)) / (1 - Math.pow(params.beta1(), step));
      Tensor binary = w.sign();
      Tensor same = firstMoment.mul(binary).gt(new Scalar(0.0));
      Tensor th = w.abs().mul_(new Scalar(params.meta())).tanh_();
      Tensor decay = th.mul(th).neg_().add_(new Scalar(1.0));
      Tensor moved = torch.where(same, firstMoment.mul(decay), firstMoment);
      w.addcdiv_(moved, denominator, new Scalar(-alpha));
      torch.sign_out(signs, w);
    }

    float[] w() {
      return read(w);
    }
  }

  /** The published MESU rule with in-place and fused multiply-add tensor operations: what a careful author of eager code would write. */
  static final class CarefulStep extends Body {
    private final Tensor mu;
    private final Tensor sigma;
    private final Tensor gradMean;
    private final Tensor gradSigma;
    private final Tensor a;
    private final Tensor q;
    private final double pull;

    CarefulStep(float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, double memoryWindow) {
      this.mu = tensor(mu);
      this.sigma = tensor(sigma);
      this.gradMean = tensor(gradMean);
      this.gradSigma = tensor(gradSigma);
      this.a = tensor(new float[mu.length]);
      this.q = tensor(new float[mu.length]);
      // prior N(0, 1)
      this.pull = 1 / memoryWindow;
    }

    @Override
    void step() {
      // a = s * (s * (-mu * pull) - s * gMu) = s^2 * (-mu * pull - gMu)
      torch.mul_out(a, mu, new Scalar(-pull));
      a.sub_(gradMean);
      a.mul_(sigma).mul_(sigma);
      mu.add_(a);
      // q = s/2 * ((1 - s^2) * pull - s * gS)
      torch.mul_out(q, sigma, sigma);
      q.mul_(new Scalar(-pull)).add_(new Scalar(pull));
      q.addcmul_(sigma, gradSigma, new Scalar(-1.0));
      sigma.addcmul_(sigma, q, new Scalar(0.5));
    }

    float[] mu() {
      return read(mu);
    }

    float[] sigma() {
      return read(sigma);
    }
  }

  /** A weight sample: randn, then mu + sigma * z. */
  static final class RandnSample extends Body {
    private final Tensor mu;
    private final Tensor sigma;
    private final Tensor z;
    private final Tensor w;

    RandnSample(float[] mu, float[] sigma) {
      this.mu = tensor(mu);
      this.sigma = tensor(sigma);
      this.z = tensor(new float[mu.length]);
      this.w = tensor(new float[mu.length]);
    }

    @Override
    void step() {
      z.normal_();
      torch.addcmul_out(w, mu, sigma, z);
    }

    float[] w() {
      return read(w);
    }
  }

  /** In-place additions: memory traffic of an update without its arithmetic. */
  static final class AddStream extends Body implements Roof.Candidate {
    private final Tensor[] tensors = new Tensor[4];

    AddStream(int n) {
      for (int i = 0; i < 4; i++) {
        tensors[i] = tensor(new float[n]);
      }
    }

    @Override
    public String name() {
      return "roof: PyTorch add_, twice";
    }

    @Override
    void step() {
      tensors[0].add_(tensors[2]);
      tensors[1].add_(tensors[3]);
    }
  }
}
