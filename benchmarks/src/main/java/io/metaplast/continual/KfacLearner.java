package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Trains a network with batch norm on one task after the other, held back by the curvature of the tasks before.
 *
 * <p>The loss of a task plus sum over earlier tasks of Q, a quadratic form around the weights that they ended with, plus weight decay
 * towards the last of them. Q is a Kronecker pair a matrix and one number for each scale and shift of batch norm, or one number for every
 * parameter. Numbers are kept as sum F and sum F theta*, which is exact for any number of tasks.
 */
final class KfacLearner implements AutoCloseable {
  private static final int PROGRESS_STEPS = 16;
  private static final int STATISTICS_IMAGES = 10_000;
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double ADAM_EPSILON = 1e-8;
  private static final double MOMENTUM = 0.9;

  private final Backend backend;
  private final KfacMethod method;
  private final KfacSettings settings;
  private final ImageSet train;
  private final BayesKernels bayes;
  private final KfacKernels kfac;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Stream stream;
  private final KfacNetwork network;
  private final KfacNetwork.Pass pass;
  private final I32Buffer labels;
  private final int[] batchLabels;
  private final F32Buffer itemLoss;
  private final F32Buffer loss;
  private final float[] gradient;
  private final float[] firstMoment;
  private final float[] secondMoment;
  private final float[] decay;
  private final float[] anchor;
  private final float[] stiffness;
  private final float[] pull;
  private final KroneckerMemory memory;
  private final List<F32Matrix> matrices = new ArrayList<>();
  private final List<F32Matrix> gradients = new ArrayList<>();
  private final Merged merged;
  private float[] pixels = new float[0];
  private long steps;
  private int tasks;
  private boolean pulled;

  /** Draws the initial weights. */
  KfacLearner(Backend backend, KfacMethod method, KfacSettings settings, ImageSet train) {
    this.backend = backend;
    this.method = method;
    this.settings = settings;
    this.train = train;
    bayes = backend.bayes();
    kfac = backend.kfac();
    stream = own(backend.newStream());
    network = new KfacNetwork(backend, settings.seed(), train.imageSize(), settings.hidden(), ImageSet.CLASSES);
    int batch = settings.batch();
    pass = network.pass(batch);
    labels = own(backend.allocateI32(batch));
    batchLabels = new int[batch];
    itemLoss = own(backend.allocate(batch));
    loss = own(backend.allocate(1));
    int size = network.size();
    gradient = new float[size];
    firstMoment = new float[size];
    secondMoment = new float[size];
    decay = new float[size];
    for (int l = 0; l < KfacNetwork.LAYERS; l++) {
      for (int r = 0; r < network.outputs(l); r++) {
        int row = network.weights(l) + r * network.pitch(l);
        Arrays.fill(decay, row, row + network.inputs(l), (float) settings.weightDecay());
      }
      matrices.add(network.matrix(network.theta(), l));
      gradients.add(network.matrix(network.gradientBuffer(), l));
    }
    anchor = new float[size];
    stiffness = new float[size];
    pull = new float[size];
    merged = method == KfacMethod.MERGED ? new Merged() : null;
    memory = method.kronecker() ? own(memory()) : null;
  }

  private KroneckerMemory memory() {
    int[] rows = new int[KfacNetwork.LAYERS];
    int[] cols = new int[KfacNetwork.LAYERS];
    double[] weights = new double[KfacNetwork.LAYERS];
    int n = settings.batch();
    for (int l = 0; l < rows.length; l++) {
      boolean hidden = l < KfacNetwork.HIDDEN;
      rows[l] = network.outputs(l);
      cols[l] = network.pitch(l) + (hidden && merged != null ? 1 : 0);
      weights[l] = hidden && method == KfacMethod.EXTENDED ? (double) n / (n - 1) : 1;
    }
    return new KroneckerMemory(backend, stream, rows, cols, weights, settings.memory() == KfacSettings.Memory.LIST);
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  KfacNetwork network() {
    return network;
  }

  /** Training steps so far. */
  long steps() {
    return steps;
  }

  /** Sum over earlier tasks of the curvature that is one number a parameter. */
  float[] stiffness() {
    return stiffness;
  }

  /** The Kronecker pairs, or null. */
  KroneckerMemory kronecker() {
    return memory;
  }

  /** Prepares the images of a task: permuted, with the offset. */
  void stage(int[] order) {
    int inputs = network.inputs(0);
    if (pixels.length == 0) {
      pixels = new float[Math.multiplyExact(settings.images(), inputs)];
    }
    for (int i = 0; i < settings.images(); i++) {
      train.copyUnit(i, order, pixels, i * inputs);
    }
    shift(pixels, (float) settings.offset());
  }

  /** Adds the offset to pixels. */
  static void shift(float[] pixels, float offset) {
    if (offset != 0) {
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] += offset;
      }
    }
  }

  /** All epochs of a task, whose images are staged. */
  void learn(Learner.Progress progress) {
    Arrays.fill(firstMoment, 0);
    Arrays.fill(secondMoment, 0);
    int batches = settings.images() / settings.batch();
    int step = 0;
    for (int epoch = 0; epoch < settings.epochs(); epoch++) {
      int[] order = Randomness.epochOrder(backend, settings.seed(), (long) tasks * settings.epochs() + epoch, settings.images());
      for (int b = 0; b < batches; b++) {
        load(order, b * settings.batch());
        lossGradient(1.0 / settings.batch());
        holdBack();
        update(step++);
        if (step % PROGRESS_STEPS == 0) {
          progress.steps(PROGRESS_STEPS);
        }
      }
    }
    progress.steps(step % PROGRESS_STEPS);
  }

  /** Puts images order[from], ..., with their labels into the pass. */
  private void load(int[] order, int from) {
    int inputs = network.inputs(0);
    for (int i = 0; i < settings.batch(); i++) {
      int image = order[from + i];
      pass.input().put(i * inputs, pixels, image * inputs, inputs);
      batchLabels[i] = train.label(image);
    }
  }

  /** Gradient of the loss of the loaded batch, times {@code scale}. */
  private void lossGradient(double scale) {
    labels.upload(batchLabels);
    pass.forward();
    logitsGradient(scale);
    pass.backward(true);
  }

  private void logitsGradient(double scale) {
    bayes.nllMeanLogSoftmax(
        1, settings.batch(), ImageSet.CLASSES, pass.logitsBuffer(), labels, scale, itemLoss, loss, pass.delta(KfacNetwork.HIDDEN).data(), stream);
  }

  /** Adds the gradient of the Kronecker penalty. */
  private void holdBack() {
    if (memory != null && !memory.isEmpty()) {
      if (merged != null) {
        merged.holdBack();
      } else {
        memory.penalty(matrices, gradients);
      }
    }
    network.gradient(gradient);
    if (merged != null && !memory.isEmpty()) {
      merged.addGradient();
    }
    if (pulled) {
      pull(gradient, network.parameters(), stiffness, pull);
    }
    decay(gradient, network.parameters(), decay, anchor);
  }

  /** Gradient of everything that a step follows, for the images order[0], ..., in the layout of the parameters. */
  float[] stepGradient(int[] order) {
    load(order, 0);
    lossGradient(1.0 / settings.batch());
    holdBack();
    return gradient;
  }

  // Loops of their own: C2 turns them into vector code.

  private static void pull(float[] g, float[] theta, float[] stiffness, float[] pull) {
    for (int i = 0; i < g.length; i++) {
      g[i] += stiffness[i] * theta[i] - pull[i];
    }
  }

  private static void decay(float[] g, float[] theta, float[] decay, float[] anchor) {
    for (int i = 0; i < g.length; i++) {
      g[i] += decay[i] * (theta[i] - anchor[i]);
    }
  }

  private void update(int step) {
    steps++;
    double rate = settings.rate() * 0.5 * (1 + Math.cos(Math.PI * step / settings.steps()));
    if (settings.optimizer() == KfacSettings.Optimizer.ADAM) {
      double t = step + 1;
      float scale = (float) (rate / (1 - Math.pow(BETA1, t)));
      float root = (float) (1 / Math.sqrt(1 - Math.pow(BETA2, t)));
      adam(network.parameters(), gradient, firstMoment, secondMoment, scale, root);
    } else {
      momentum(network.parameters(), gradient, firstMoment, (float) rate);
    }
    network.publish();
  }

  private static void adam(float[] theta, float[] g, float[] first, float[] second, float scale, float root) {
    float keep1 = (float) BETA1;
    float add1 = (float) (1 - BETA1);
    float keep2 = (float) BETA2;
    float add2 = (float) (1 - BETA2);
    float epsilon = (float) ADAM_EPSILON;
    for (int i = 0; i < theta.length; i++) {
      float m = keep1 * first[i] + add1 * g[i];
      float v = keep2 * second[i] + add2 * (g[i] * g[i]);
      first[i] = m;
      second[i] = v;
      theta[i] -= scale * m / ((float) Math.sqrt(v) * root + epsilon);
    }
  }

  private static void momentum(float[] theta, float[] g, float[] velocity, float rate) {
    float keep = (float) MOMENTUM;
    for (int i = 0; i < theta.length; i++) {
      float v = keep * velocity[i] + g[i];
      velocity[i] = v;
      theta[i] -= rate * v;
    }
  }

  /** End of the task whose images are staged: its curvature is taken in, its weights become the anchor. */
  void endTask() {
    int[] order = Randomness.curvatureOrder(backend, settings.seed(), tasks, settings.images());
    if (merged != null && tasks == 0) {
      fixStatistics(order);
    }
    if (method != KfacMethod.NONE) {
      estimate(order);
    }
    System.arraycopy(network.parameters(), 0, anchor, 0, anchor.length);
    tasks++;
  }

  /** Statistics of many images as one batch, for all time. */
  private void fixStatistics(int[] order) {
    int inputs = network.inputs(0);
    KfacNetwork.Pass all = network.pass(Math.min(STATISTICS_IMAGES, settings.images()));
    for (int i = 0; i < all.batch(); i++) {
      all.input().put(i * inputs, pixels, order[i] * inputs, inputs);
    }
    all.forward();
    float[][] mean = new float[KfacNetwork.HIDDEN][];
    float[][] variance = new float[KfacNetwork.HIDDEN][];
    for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
      mean[l] = all.mean(l).clone();
      variance[l] = all.variance(l).clone();
    }
    network.fixStatistics(mean, variance);
    merged.uploadStatistics();
  }

  /** Curvature of the mean loss at the current weights, labels drawn from the model, every batch with the same weight. */
  private void estimate(int[] order) {
    int batches = settings.curvatureBatches();
    boolean everywhere = method == KfacMethod.EWC;
    Squares squares = merged != null ? null : new Squares(everywhere);
    List<KroneckerPair> fresh = memory == null ? null : memory.pairsOfTask();
    float[] uniform = new float[settings.batch()];
    try (F32Buffer random = backend.allocate(settings.batch()); Factors factors = fresh == null ? null : new Factors(fresh)) {
      for (int b = 0; b < batches; b++) {
        load(order, b * settings.batch());
        pass.forward();
        Randomness.labelUniforms(backend, settings.seed(), tasks, b, random, stream);
        stream.synchronize();
        random.download(uniform);
        drawLabels(uniform);
        labels.upload(batchLabels);
        logitsGradient(1);
        pass.backward(false);
        if (squares != null) {
          squares.add();
        }
        if (factors != null) {
          factors.add(b, batches);
        }
      }
    }
    stream.synchronize();
    if (squares != null) {
      squares.remember((double) batches * settings.batch());
      pulled = true;
    }
    if (memory != null) {
      memory.remember(fresh, merged != null ? merged.weights() : matrices);
    }
  }

  /** Draws a label for each image of the pass from the softmax of its logits. */
  private void drawLabels(float[] uniform) {
    int classes = ImageSet.CLASSES;
    double[] p = new double[classes];
    for (int i = 0; i < uniform.length; i++) {
      double most = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < classes; c++) {
        most = Math.max(most, pass.logits().get(i * classes + c));
      }
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        p[c] = Math.exp(pass.logits().get(i * classes + c) - most);
        sum += p[c];
      }
      double left = uniform[i] * sum;
      int label = 0;
      while (label < classes - 1 && left >= p[label]) {
        left -= p[label];
        label++;
      }
      batchLabels[i] = label;
    }
  }

  /** Sums of squared gradients of single examples. */
  private final class Squares {
    private final boolean everywhere;
    private final double[] sums = new double[network.size()];
    private final FloatBuffer left;
    private final FloatBuffer right;
    private final FloatBuffer product;
    private final FloatPointer leftPointer;
    private final FloatPointer rightPointer;
    private final FloatPointer productPointer;

    Squares(boolean everywhere) {
      this.everywhere = everywhere;
      int widest = 0;
      int largest = 0;
      int units = 0;
      for (int l = 0; l < KfacNetwork.LAYERS; l++) {
        widest = Math.max(widest, network.pitch(l));
        largest = Math.max(largest, network.outputs(l) * network.pitch(l));
        units = Math.max(units, network.outputs(l));
      }
      left = Blas.floats(settings.batch() * units);
      right = Blas.floats(settings.batch() * widest);
      product = Blas.floats(largest);
      leftPointer = Blas.pointer(left);
      rightPointer = Blas.pointer(right);
      productPointer = Blas.pointer(product);
    }

    void add() {
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        float[] d = pass.outputGradient(l);
        float[] norm = pass.normalised(l);
        int units = network.outputs(l);
        for (int i = 0; i < d.length; i++) {
          double shift = d[i];
          double scale = shift * norm[i];
          sums[network.beta(l) + i % units] += shift * shift;
          sums[network.gamma(l) + i % units] += scale * scale;
        }
      }
      // The gradient of one example is an outer product, so the sum of squares is a product of squares.
      for (int l = 0; everywhere && l < KfacNetwork.LAYERS; l++) {
        int rows = network.outputs(l);
        int cols = network.pitch(l);
        square(pass.delta(l), rows, left);
        square(pass.layerInput(l), cols, right);
        Blas.productTN(rows, cols, settings.batch(), leftPointer, rows, rightPointer, cols, productPointer, cols);
        for (int i = 0; i < rows * cols; i++) {
          sums[network.weights(l) + i] += product.get(i);
        }
      }
    }

    private void square(F32Matrix from, int cols, FloatBuffer to) {
      float[] x = new float[settings.batch() * cols];
      from.data().download(0, x, 0, Math.min(x.length, (int) from.data().length()));
      for (int i = 0; i < x.length; i++) {
        x[i] *= x[i];
      }
      for (int i = from.cols(); i < cols * settings.batch() && from.cols() < cols; i += cols) {
        x[i] = 1; // the input of the bias
      }
      to.put(0, x);
    }

    void remember(double examples) {
      float[] theta = network.parameters();
      boolean list = settings.memory() == KfacSettings.Memory.LIST;
      for (int i = 0; i < sums.length; i++) {
        float fresh = (float) (sums[i] / examples);
        stiffness[i] += fresh;
        pull[i] = list ? pull[i] + fresh * theta[i] : stiffness[i] * theta[i];
      }
    }
  }

  /** Adds batches to the pairs of a task. */
  private final class Factors implements AutoCloseable {
    private final List<KroneckerPair> pairs;
    private final Workspace workspace;

    Factors(List<KroneckerPair> pairs) {
      this.pairs = pairs;
      long bytes = 0;
      for (int l = 0; l < KfacNetwork.LAYERS; l++) {
        bytes = Math.max(bytes, kfac.kroneckerFactorWorkspaceBytes(settings.batch(), network.inputs(l), true));
        bytes = Math.max(bytes, kfac.kroneckerFactorWorkspaceBytes(settings.batch(), network.inputs(l), false));
        bytes = Math.max(bytes, kfac.kroneckerFactorWorkspaceBytes(settings.batch(), network.outputs(l), false));
      }
      workspace = backend.workspace(bytes);
    }

    void add(int batch, int batches) {
      double beta = batch == 0 ? 0 : 1;
      double perExample = 1.0 / ((double) batches * settings.batch());
      for (int l = 0; l < KfacNetwork.LAYERS; l++) {
        boolean hidden = l < KfacNetwork.HIDDEN;
        F32Matrix d = hidden && merged != null ? merged.outputGradient(l) : pass.delta(l);
        kfac.kroneckerFactorUpdate(d, false, perExample, beta, pairs.get(l).g(), workspace, stream);
        F32Matrix a = pairs.get(l).a();
        if (hidden && method == KfacMethod.EXTENDED) {
          kfac.kroneckerFactorCentered(pass.layerInput(l), 1.0 / batches, beta, a, workspace, stream);
        } else {
          kfac.kroneckerFactorUpdate(pass.layerInput(l), !hidden || merged != null, perExample, beta, a, workspace, stream);
        }
      }
    }

    @Override
    public void close() {
      workspace.close();
    }
  }

  /**
   * The network with batch norm merged into its hidden layers, statistics held fixed: matrices [out][in + 1] whose last column is the
   * bias.
   */
  private final class Merged {
    private final FloatBuffer[] weightFloats = new FloatBuffer[KfacNetwork.HIDDEN];
    private final FloatBuffer[] gradientFloats = new FloatBuffer[KfacNetwork.HIDDEN];
    private final F32Buffer[] bias = new F32Buffer[KfacNetwork.HIDDEN];
    private final F32Buffer[] biasGradient = new F32Buffer[KfacNetwork.HIDDEN];
    private final F32Matrix[] linear = new F32Matrix[KfacNetwork.HIDDEN];
    private final F32Matrix[] linearGradient = new F32Matrix[KfacNetwork.HIDDEN];
    private final F32Buffer[] mean = new F32Buffer[KfacNetwork.HIDDEN];
    private final F32Buffer[] variance = new F32Buffer[KfacNetwork.HIDDEN];
    private final BatchNormMerge[] layers = new BatchNormMerge[KfacNetwork.HIDDEN];
    private final BatchNormMergeGradients[] parts = new BatchNormMergeGradients[KfacNetwork.HIDDEN];
    private final F32Matrix[] outputGradients = new F32Matrix[KfacNetwork.HIDDEN];
    private final List<F32Matrix> weights = new ArrayList<>();
    private final List<F32Matrix> weightGradients = new ArrayList<>();
    private final F32Buffer partsBuffer;
    private final float[] partsGradient;
    private final float[] column;

    Merged() {
      int units = settings.hidden();
      column = new float[units];
      partsGradient = new float[network.size()];
      partsBuffer = own(backend.allocate(network.size()));
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        int pitch = network.inputs(l) + 1;
        weightFloats[l] = Blas.floats(units * pitch);
        gradientFloats[l] = Blas.floats(units * pitch);
        F32Buffer weight = backend.wrap(weightFloats[l]);
        F32Buffer weightGradient = backend.wrap(gradientFloats[l]);
        weights.add(F32Matrix.of(weight, units, pitch));
        weightGradients.add(F32Matrix.of(weightGradient, units, pitch));
        linear[l] = new F32Matrix(weight, units, network.inputs(l), pitch);
        linearGradient[l] = new F32Matrix(weightGradient, units, network.inputs(l), pitch);
        bias[l] = own(backend.allocate(units));
        biasGradient[l] = own(backend.allocate(units));
        mean[l] = own(backend.allocate(units));
        variance[l] = own(backend.allocate(units));
        variance[l].fill(1);
        layers[l] =
            new BatchNormMerge(
                network.matrix(network.theta(), l), null, network.theta().slice(network.gamma(l), units),
                network.theta().slice(network.beta(l), units), mean[l], variance[l], KfacNetwork.EPSILON);
        parts[l] =
            new BatchNormMergeGradients(
                network.matrix(partsBuffer, l), null, partsBuffer.slice(network.gamma(l), units), partsBuffer.slice(network.beta(l), units), null,
                null);
        outputGradients[l] = F32Matrix.of(own(backend.allocate((long) settings.batch() * units)), settings.batch(), units);
      }
      weights.add(network.matrix(network.theta(), KfacNetwork.HIDDEN));
      weightGradients.add(network.matrix(network.gradientBuffer(), KfacNetwork.HIDDEN));
    }

    void uploadStatistics() {
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        mean[l].upload(network.fixedMean()[l]);
        variance[l].upload(network.fixedVariance()[l]);
      }
    }

    /** Gradient at the output of a merged layer. */
    F32Matrix outputGradient(int l) {
      outputGradients[l].data().upload(pass.outputGradient(l));
      return outputGradients[l];
    }

    /** The merged matrices as they now are, and the output layer's own. */
    List<F32Matrix> weights() {
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        kfac.mergeBatchNorm(layers[l], linear[l], bias[l], stream);
        stream.synchronize();
        bias[l].download(column);
        int pitch = network.inputs(l) + 1;
        for (int r = 0; r < column.length; r++) {
          weightFloats[l].put(r * pitch + pitch - 1, column[r]);
        }
      }
      return weights;
    }

    /** Gradient of the penalty: that of the output layer is added in place, that of the others is left in {@link #partsBuffer}. */
    void holdBack() {
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        weightGradients.get(l).data().fill(0);
      }
      memory.penalty(weights(), weightGradients);
      stream.synchronize();
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        int pitch = network.inputs(l) + 1;
        for (int r = 0; r < column.length; r++) {
          column[r] = gradientFloats[l].get(r * pitch + pitch - 1);
        }
        biasGradient[l].upload(column);
        kfac.mergeBatchNormBackward(layers[l], linearGradient[l], biasGradient[l], parts[l], stream);
      }
      stream.synchronize();
    }

    void addGradient() {
      partsBuffer.download(partsGradient);
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] += partsGradient[i];
      }
    }
  }

  /** Everything that later tasks depend on, by name. */
  Map<String, float[]> state() {
    Map<String, float[]> state = new LinkedHashMap<>();
    state.put("parameters", network.parameters().clone());
    state.put("anchor", anchor.clone());
    state.put("stiffness", stiffness.clone());
    state.put("pull", pull.clone());
    for (int l = 0; network.fixedMean() != null && l < KfacNetwork.HIDDEN; l++) {
      state.put("fixed mean " + l, network.fixedMean()[l]);
      state.put("fixed variance " + l, network.fixedVariance()[l]);
    }
    if (memory != null) {
      state.putAll(memory.state());
    }
    return state;
  }

  /**
   * Puts back what {@link #state} gave.
   *
   * @param tasksDone tasks that were finished
   * @param stepsDone training steps that were done
   */
  void restore(Map<String, float[]> state, int tasksDone, long stepsDone) {
    System.arraycopy(state.get("parameters"), 0, network.parameters(), 0, network.size());
    System.arraycopy(state.get("anchor"), 0, anchor, 0, anchor.length);
    System.arraycopy(state.get("stiffness"), 0, stiffness, 0, stiffness.length);
    System.arraycopy(state.get("pull"), 0, pull, 0, pull.length);
    network.publish();
    if (state.containsKey("fixed mean 0")) {
      float[][] mean = new float[KfacNetwork.HIDDEN][];
      float[][] variance = new float[KfacNetwork.HIDDEN][];
      for (int l = 0; l < KfacNetwork.HIDDEN; l++) {
        mean[l] = state.get("fixed mean " + l);
        variance[l] = state.get("fixed variance " + l);
      }
      network.fixStatistics(mean, variance);
      merged.uploadStatistics();
    }
    if (memory != null) {
      memory.restore(state);
    }
    tasks = tasksDone;
    steps = stepsDone;
    pulled = method != KfacMethod.NONE && merged == null && tasksDone > 0;
  }

  @Override
  public void close() {
    Resources.closeAll(resources);
  }
}
