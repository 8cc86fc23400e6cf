package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.MesuParams;

/** A PyTorch body together with the check that it does the work of one of our kernels. */
public final class PyTorchPeer implements AutoCloseable {
  private static final double TOLERANCE = 1e-3;
  /** Standard errors that a sample's moments may be off. */
  private static final double STANDARD_ERRORS = 5;

  private final EagerPyTorch.Body body;
  private final double bytes;
  private final String checked;

  private PyTorchPeer(EagerPyTorch.Body body, double bytes, String checked) {
    this.body = body;
    this.bytes = bytes;
    this.checked = checked;
  }

  /**
   * Prepares a peer and verifies its first call.
   *
   * @param work ratioChain, carefulStep, randnSample or metaAdamChain
   * @throws IllegalStateException if PyTorch is not on the class path, or computes something else
   */
  public static PyTorchPeer open(String work, int n, int threads) {
    if (!EagerPyTorch.available()) {
      throw new IllegalStateException(EagerPyTorch.hint());
    }
    EagerPyTorch.threads(threads);
    return switch (work) {
      case "ratioChain" -> ratioChain(n);
      case "carefulStep" -> carefulStep(n);
      case "randnSample" -> randnSample(n);
      case "metaAdamChain" -> metaAdamChain(n);
      default -> throw new IllegalArgumentException("work '" + work + "' is unknown; valid: ratioChain, carefulStep, randnSample, metaAdamChain");
    };
  }

  /** One call. */
  public void run() {
    body.run();
  }

  /** Bytes that the same work needs at least: the figure of our kernel. */
  public double bytes() {
    return bytes;
  }

  /** How the first call was checked. */
  String checked() {
    return checked;
  }

  @Override
  public void close() {
    body.close();
  }

  private static PyTorchPeer ratioChain(int n) {
    Operands operands = Operands.ofStep(n);
    EagerPyTorch.RatioChain chain =
        new EagerPyTorch.RatioChain(operands.mu, operands.sigma, operands.gradMean, operands.gradSigma, Workloads.ratioRule());
    chain.run();
    return new PyTorchPeer(chain, 24.0 * n, checkStep(Workloads.ratioStep(n), chain.mu(), chain.sigma()));
  }

  private static PyTorchPeer carefulStep(int n) {
    Operands operands = Operands.ofStep(n);
    double window = MesuParams.builder().build().memoryWindow();
    EagerPyTorch.CarefulStep step = new EagerPyTorch.CarefulStep(operands.mu, operands.sigma, operands.gradMean, operands.gradSigma,
        window);
    step.run();
    return new PyTorchPeer(step, 24.0 * n, checkStep(Workloads.mesuStep(n), step.mu(), step.sigma()));
  }

  private static PyTorchPeer randnSample(int n) {
    Operands operands = Operands.ofSample(n);
    EagerPyTorch.RandnSample sample = new EagerPyTorch.RandnSample(operands.mu, operands.sigma);
    sample.run();
    return new PyTorchPeer(sample, 12.0 * n, checkMoments(sample.w(), operands));
  }

  private static PyTorchPeer metaAdamChain(int n) {
    HostData data = new HostData(18);
    float[] w = repeat(data.normal(1 << 18, 0.5), n);
    float[] gradient = repeat(Workload.gradients(data), n);
    EagerPyTorch.MetaAdamChain chain = new EagerPyTorch.MetaAdamChain(w, gradient, BinaryWorkloads.ADAM);
    chain.run();
    try (Backend java = Lane.JAVA.open(1); Workload ours = BinaryWorkloads.metaAdam(n).make(java)) {
      ours.run();
      double worst = worstDifference(ours.outputs().floats("W"), chain.w());
      if (!(worst <= TOLERANCE)) {
        throw new IllegalStateException("PyTorch differs from the kernel by " + worst + ": not the same work, so it is not timed");
      }
      return new PyTorchPeer(chain, 28.125 * n, "within " + Texts.number(worst));
    }
  }

  private static float[] repeat(float[] values, int n) {
    float[] all = new float[n];
    for (int i = 0; i < n; i++) {
      all[i] = values[i % values.length];
    }
    return all;
  }

  /** One step of the peer against one step of the Java backend: other roundings, same formula. */
  private static String checkStep(Workload.Factory factory, float[] mu, float[] sigma) {
    try (Backend java = Lane.JAVA.open(1); Workload ours = factory.make(java)) {
      ours.run();
      Outputs outputs = ours.outputs();
      double worst = Math.max(worstDifference(outputs.floats("mu"), mu), worstDifference(outputs.floats("sigma"), sigma));
      if (!(worst <= TOLERANCE)) {
        throw new IllegalStateException("PyTorch differs from the kernel by " + worst + ": not the same work, so it is not timed");
      }
      return "within " + Texts.number(worst);
    }
  }

  private static double worstDifference(float[] expected, float[] actual) {
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      worst = Math.max(worst, Math.abs(expected[i] - actual[i]) / Math.max(1e-3, Math.abs(expected[i])));
    }
    return worst;
  }

  private static String checkMoments(float[] w, Operands operands) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < w.length; i++) {
      double z = (w[i] - operands.mu[i]) / operands.sigma[i];
      sum += z;
      squares += z * z;
    }
    double mean = sum / w.length;
    double variance = squares / w.length - mean * mean;
    double limit = STANDARD_ERRORS / Math.sqrt(w.length);
    if (!(Math.abs(mean) < limit && Math.abs(variance - 1) < limit * Math.sqrt(2))) {
      throw new IllegalStateException("PyTorch samples have mean " + mean + " and variance " + variance + ", so they are not timed");
    }
    return "moments";
  }

  /** Host copies of what our workloads use: a tensor of ours starts the repetition of the same values anew. */
  private record Operands(float[] mu, float[] sigma, float[] gradMean, float[] gradSigma) {
    static Operands ofStep(int n) {
      HostData data = new HostData(1);
      float[] mu = tiled(Workload.means(data), n);
      float[] sigma = tiled(Workload.sigmas(data), n);
      float[] gradMean = tiled(Workload.gradients(data), n);
      return new Operands(mu, sigma, gradMean, tiled(Workload.sigmaGradients(data), n));
    }

    static Operands ofSample(int n) {
      HostData data = new HostData(2);
      return new Operands(tiled(Workload.means(data), n), tiled(Workload.sigmas(data), n), null, null);
    }

    private static float[] tiled(float[] values, int n) {
      TensorLayout layout = Workloads.layout(n);
      float[] all = new float[n];
      int at = 0;
      for (int t = 0; t < layout.tensors(); t++) {
        int count = Math.toIntExact(layout.count(t));
        for (int i = 0; i < count; i++) {
          all[at++] = values[i % values.length];
        }
      }
      return all;
    }
  }
}
