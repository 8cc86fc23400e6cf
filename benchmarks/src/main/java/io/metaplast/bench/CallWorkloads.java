package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UncertaintyOptions;

/** Workloads of kernels that are one plain call. */
public final class CallWorkloads {
  private static final long SEED = 1000;
  private static final MesuParams MESU = MesuParams.builder().build();
  private static final int CLASSES = 10;

  private CallWorkloads() {}

  private static Workload.Factory of(double items, double bytes, OneCall.Preparation<BayesKernels> preparation) {
    return OneCall.of(items, bytes, false, Backend::bayes, preparation);
  }

  /** Random words. */
  public static Workload.Factory philox(long n) {
    return of(
        n,
        4.0 * n,
        (workload, bayes) -> {
          I32Buffer out = workload.own(workload.backend.allocateI32(n));
          return new OneCall.Prepared(() -> bayes.philox(SEED, 0, 0, 0, out, workload.stream), outputs -> outputs.add("words", out));
        });
  }

  /** Uniforms. */
  public static Workload.Factory uniform(long n) {
    return of(
        n,
        4.0 * n,
        (workload, bayes) -> {
          F32Buffer out = workload.own(workload.backend.allocate(n));
          return new OneCall.Prepared(() -> bayes.uniform(SEED, 0, 0, 0, out, workload.stream), outputs -> outputs.add("u", out));
        });
  }

  /** epsilon of K samples. */
  public static Workload.Factory epsilon(long n, int samples) {
    return of(
        (double) n * samples,
        4.0 * n * samples,
        (workload, bayes) -> {
          TensorGroup<F32Buffer> out = workload.group(Workloads.layout(n), samples);
          return new OneCall.Prepared(() -> bayes.epsilon(SEED, 0, out, workload.stream), outputs -> outputs.add("epsilon", out));
        });
  }

  /** Update behind a gate that is open: gradients are read twice. */
  public static Workload.Factory stepGated(long n) {
    return of(
        n,
        32.0 * n,
        (workload, bayes) -> {
          HostData data = new HostData(1);
          TensorLayout layout = Workloads.layout(n);
          GaussianWeights weights = workload.weights(layout, data);
          TensorGroup<F32Buffer> gradMean = workload.group(layout, 1, Workload.gradients(data));
          TensorGroup<F32Buffer> gradSigma = workload.group(layout, 1, Workload.sigmaGradients(data));
          StepReport report = workload.own(StepReport.allocate(workload.backend));
          return new OneCall.Prepared(
              () -> bayes.stepGated(weights, gradMean, gradSigma, MESU, report, workload.stream),
              outputs -> {
                outputs.add("mu", weights.mean());
                outputs.add("sigma", weights.sigma());
              });
        });
  }

  /** Forward pass of the first layer of the paper's network, K = 10. */
  public static Workload.Factory linearForward(boolean storedEpsilon) {
    LinearShape shape = new LinearShape(784, 50, Workloads.SAMPLES, true, true);
    double normals = (double) shape.weights() * Workloads.SAMPLES;
    return of(
        normals,
        8.0 * shape.weights() + (storedEpsilon ? 4 * normals : 0),
        (workload, bayes) -> {
          HostData data = new HostData(7);
          GaussianWeights weights = workload.weights(TensorLayout.of(shape.weights()), data);
          F32Buffer x = workload.buffer(data.normal(784, 1), 784);
          F32Buffer y = workload.own(workload.backend.allocate(50 * Workloads.SAMPLES));
          F32Buffer epsilon = storedEpsilon ? workload.own(workload.backend.allocate((long) normals)) : null;
          return new OneCall.Prepared(
              () -> bayes.linearForward(weights, 0, shape, x, SEED, 0, epsilon, y, workload.stream), outputs -> outputs.add("y", y));
        });
  }

  /** Backward pass and update of the first layer of the paper's network, K = 10. */
  public static Workload.Factory linearStep(boolean storedEpsilon) {
    LinearShape shape = new LinearShape(784, 50, Workloads.SAMPLES, true, false);
    double normals = (double) shape.weights() * Workloads.SAMPLES;
    return of(
        normals,
        16.0 * shape.weights() + (storedEpsilon ? 4 * normals : 0),
        (workload, bayes) -> {
          HostData data = new HostData(8);
          GaussianWeights weights = workload.weights(TensorLayout.of(shape.weights()), data);
          F32Buffer x = workload.buffer(data.normal(784, 1), 784);
          F32Buffer delta = workload.buffer(data.normal(50 * Workloads.SAMPLES, 1e-3), 50 * Workloads.SAMPLES);
          F32Buffer y = workload.own(workload.backend.allocate(50 * Workloads.SAMPLES));
          F32Buffer epsilon = storedEpsilon ? workload.own(workload.backend.allocate((long) normals)) : null;
          bayes.linearForward(weights, 0, shape, x, SEED, 0, epsilon, y, workload.stream);
          return new OneCall.Prepared(
              () -> bayes.linearStep(weights, 0, shape, x, delta, null, epsilon, SEED, 0, MESU, null, null, workload.stream),
              outputs -> {
                outputs.add("mu", weights.mean());
                outputs.add("sigma", weights.sigma());
              });
        });
  }

  /** Loss over the mean of K = 10 log-softmaxes of ten classes, and its gradient. */
  public static Workload.Factory nll(int batch) {
    int n = Workloads.SAMPLES * batch * CLASSES;
    return of(
        n,
        8.0 * n,
        (workload, bayes) -> {
          HostData data = new HostData(6);
          F32Buffer logits = workload.buffer(data.normal(n, 3), n);
          I32Buffer labels = workload.own(workload.backend.allocateI32(batch));
          labels.upload(data.integers(batch, CLASSES));
          F32Buffer itemLoss = workload.own(workload.backend.allocate(batch));
          F32Buffer loss = workload.own(workload.backend.allocate(1));
          F32Buffer gradient = workload.own(workload.backend.allocate(n));
          return new OneCall.Prepared(
              () -> bayes.nllMeanLogSoftmax(Workloads.SAMPLES, batch, CLASSES, logits, labels, 1, itemLoss, loss, gradient,
                  workload.stream),
              outputs -> {
                outputs.add("loss", loss);
                outputs.add("gradient", gradient);
              });
        });
  }

  /** Uncertainty of ten classes by K = 10 samples. */
  public static Workload.Factory uncertainty(int batch) {
    int n = Workloads.SAMPLES * batch * CLASSES;
    UncertaintyOptions options = new UncertaintyOptions(true, true, true);
    return of(
        n,
        4.0 * n,
        (workload, bayes) -> {
          F32Buffer logits = workload.buffer(new HostData(6).normal(n, 3), n);
          F32Buffer predictive = workload.own(workload.backend.allocate(batch));
          F32Buffer aleatoric = workload.own(workload.backend.allocate(batch));
          F32Buffer epistemic = workload.own(workload.backend.allocate(batch));
          return new OneCall.Prepared(
              () -> bayes.uncertainty(Workloads.SAMPLES, batch, CLASSES, logits, options, predictive, aleatoric, epistemic,
                  workload.stream),
              outputs -> outputs.add("epistemic", epistemic));
        });
  }

  /** Exact AUC of two sets of n scores. */
  public static Workload.Factory rocAuc(int n) {
    return of(
        2.0 * n,
        8.0 * n,
        (workload, bayes) -> {
          HostData data = new HostData(9);
          F32Buffer in = workload.buffer(data.between(n, 0, 1), n);
          F32Buffer ood = workload.buffer(data.between(n, 0.2, 1.2), n);
          double[] auc = new double[1];
          return new OneCall.Prepared(
              () -> auc[0] = bayes.rocAuc(in, ood, workload.stream), outputs -> outputs.addCount("auc", Double.doubleToLongBits(auc[0])));
        });
  }

  /** Fixed-order sum. */
  public static Workload.Factory sum(long n) {
    return of(
        n,
        4.0 * n,
        (workload, bayes) -> {
          F32Buffer x = workload.buffer(new HostData(10).normal(1 << 16, 1), n);
          F32Buffer out = workload.own(workload.backend.allocate(1));
          Workspace workspace = workload.own(workload.backend.workspace(bayes.sumWorkspaceBytes(n)));
          return new OneCall.Prepared(() -> bayes.sum(x, out, workspace, workload.stream), outputs -> outputs.add("sum", out));
        });
  }

  /** Diagonal Hessian from sigma. */
  public static Workload.Factory diagHessian(long n) {
    return of(
        n,
        8.0 * n,
        (workload, bayes) -> {
          F32Buffer sigma = workload.buffer(new HostData(11).between(1 << 16, 0.02, 0.2), n);
          F32Buffer h = workload.own(workload.backend.allocate(n));
          return new OneCall.Prepared(() -> bayes.diagHessianFromSigma(sigma, 1, 300_000, h, workload.stream), outputs -> outputs.add("h", h));
        });
  }

  /**
   * A kernel of the point-network methods.
   *
   * @param kernel method of BayesKernels: sgdStep, fisherAccumulate, fisherMerge, ewcPenaltyGradient, siPath, siConsolidate or
   *     siPenaltyGradient
   */
  public static Workload.Factory pointMethod(String kernel, long n) {
    int words =
        switch (kernel) {
          case "sgdStep", "fisherAccumulate" -> 3;
          case "fisherMerge" -> 4;
          case "ewcPenaltyGradient", "siPath", "siPenaltyGradient" -> 5;
          case "siConsolidate" -> 7;
          default -> throw new IllegalArgumentException("kernel '" + kernel + "' is unknown");
        };
    return of(
        n,
        4.0 * words * n,
        (workload, bayes) -> {
          HostData data = new HostData(12);
          F32Buffer a = workload.buffer(data.normal(1 << 16, 0.1), n);
          F32Buffer b = workload.buffer(data.normal(1 << 16, 0.1), n);
          F32Buffer c = workload.buffer(data.between(1 << 16, 0, 1), n);
          F32Buffer d = workload.buffer(data.normal(1 << 16, 1e-6), n);
          Runnable call =
              switch (kernel) {
                case "sgdStep" -> () -> bayes.sgdStep(a, d, 0.002, workload.stream);
                case "fisherAccumulate" -> () -> bayes.fisherAccumulate(d, c, workload.stream);
                case "fisherMerge" -> () -> bayes.fisherMerge(c, 60_000, 0.2, a, workload.stream);
                case "ewcPenaltyGradient" -> () -> bayes.ewcPenaltyGradient(a, b, c, 1e-6, d, workload.stream);
                case "siPath" -> () -> bayes.siPath(a, b, c, d, workload.stream);
                case "siConsolidate" -> () -> bayes.siConsolidate(a, 1, d, b, c, workload.stream);
                default -> () -> bayes.siPenaltyGradient(a, b, c, 1e-6, d, workload.stream);
              };
          return new OneCall.Prepared(
              call,
              outputs -> {
                outputs.add("a", a);
                outputs.add("b", b);
                outputs.add("c", c);
                outputs.add("d", d);
              });
        });
  }
}
