package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BinaryKernels;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a binarized network (Laborieux et al., Nature Communications 2021, DOI 10.1038/s41467-021-22768-y): straight-through gradients at the
 * signs go to the hidden weights, which metaplastic Adam updates. Nothing is allocated in a step.
 */
final class BnnLearner implements AutoCloseable {
  private static final int PROGRESS_STEPS = 16;

  private final BnnMethod method;
  private final BnnSettings settings;
  private final ImageSet train;
  private final Backend backend;
  private final BinaryKernels binary;
  private final BayesKernels bayes;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Stream stream;
  private final BinarizedNetwork network;
  private final BinarizedNetwork.Pass pass;
  private final F32Matrix[] delta;
  private final float[] pixels;
  private final int[] batchLabels;
  private final I32Buffer labels;
  private final F32Buffer itemLoss;
  private final F32Buffer loss;
  private final AdamParams hiddenParams;
  private final List<AdamParams> allHiddenParams;
  private final List<AdamParams> affineParams;
  private final TensorGroup<F32Buffer> affineGradients;
  private final TensorGroup<F32Buffer> gradients;
  private final TensorGroup<F32Buffer> importance;
  private final TensorGroup<F32Buffer> target;
  private final F32Matrix[] gradientMatrices;
  private final F32Matrix deltaSquares;
  private final F32Matrix inputSquares;
  private int consolidated;
  private long step;
  private long steps;
  private int epochs;

  /** Draws the initial weights. */
  BnnLearner(Backend backend, BnnMethod method, BnnSettings settings, ImageSet train) {
    this.backend = backend;
    this.method = method;
    this.settings = settings;
    this.train = train;
    binary = backend.binary();
    bayes = backend.bayes();
    stream = own(backend.newStream());
    BinarizedNetwork.Norm norm =
        settings.experiment() == BnnSettings.Experiment.STREAM ? BinarizedNetwork.Norm.RUNNING : BinarizedNetwork.Norm.AFFINE;
    network =
        own(new BinarizedNetwork(
            backend, stream, settings.seed(), norm, train.imageSize(), settings.hidden(), settings.hidden(), ImageSet.CLASSES));
    int batch = settings.batch();
    pass = own(network.pass(batch));
    delta = new F32Matrix[network.layers()];
    for (int l = 0; l < delta.length; l++) {
      delta[l] = F32Matrix.of(own(backend.allocate((long) batch * network.outputs(l))), batch, network.outputs(l));
    }
    pixels = new float[batch * train.imageSize()];
    batchLabels = new int[batch];
    labels = own(backend.allocateI32(batch));
    itemLoss = own(backend.allocate(batch));
    loss = own(backend.allocate(1));
    AdamParams plain = AdamParams.of(settings.learningRate()).withWeightDecay(settings.weightDecay());
    hiddenParams = plain.withMeta(method.meta());
    allHiddenParams = List.of(hiddenParams);
    affineParams = List.of(plain);
    affineGradients = network.affine() == null ? null : own(backend.allocateGroup(network.affine().layout(), 1));
    if (method.penalised()) {
      if (network.affine() == null) {
        throw new IllegalArgumentException(method.label() + " needs the ends of tasks, which a stream does not have");
      }
      gradients = own(backend.allocateGroup(network.weights().layout(), 1));
      importance = own(backend.allocateGroup(network.weights().layout(), 1));
      target = own(backend.allocateGroup(network.weights().layout(), 1));
      gradientMatrices = new F32Matrix[network.layers()];
      Arrays.setAll(gradientMatrices, l -> F32Matrix.of(gradients.get(l), network.outputs(l), network.inputs(l)));
      deltaSquares = F32Matrix.of(own(backend.allocate((long) batch * network.outputs(0))), batch, network.outputs(0));
      inputSquares = F32Matrix.of(own(backend.allocate((long) batch * network.inputs(0))), batch, network.inputs(0));
    } else {
      gradients = null;
      importance = null;
      target = null;
      gradientMatrices = null;
      deltaSquares = null;
      inputSquares = null;
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  BinarizedNetwork network() {
    return network;
  }

  /** Importance of the weights of layer {@code l}, summed over tasks. */
  F32Buffer importance(int l) {
    return importance.get(l);
  }

  Stream stream() {
    return stream;
  }

  /** Training steps so far. */
  long steps() {
    return steps;
  }

  /** Fresh moments, as at the start of a task. */
  void resetOptimizer() {
    network.weights().resetMoments();
    if (network.affine() != null) {
      network.affine().resetMoments();
    }
    step = 0;
  }

  /** One epoch over some images in a new order; images left over from whole batches are not seen. */
  void epoch(int[] images, int[] order, Learner.Progress progress) {
    int[] shuffled = Randomness.epochOrder(backend, settings.seed(), epochs, images.length);
    epochs++;
    int batches = settings.steps(images.length);
    for (int b = 0; b < batches; b++) {
      step(images, shuffled, b * settings.batch(), order);
      if ((b + 1) % PROGRESS_STEPS == 0) {
        progress.steps(PROGRESS_STEPS);
      }
    }
    stream.synchronize();
    progress.steps(batches % PROGRESS_STEPS);
  }

  /** One training step with the images numbered shuffled[from], ..., shuffled[from + batch - 1]. */
  void step(int[] images, int[] shuffled, int from, int[] order) {
    for (int i = 0; i < settings.batch(); i++) {
      stage(i, images[shuffled[from + i]], order);
    }
    upload();
    update();
  }

  private void stage(int item, int image, int[] order) {
    train.copyUnit(image, order, pixels, item * order.length);
    batchLabels[item] = train.label(image);
  }

  private void upload() {
    pass.input().data().upload(pixels);
    labels.upload(batchLabels);
  }

  private void update() {
    step++;
    steps++;
    pass.forward();
    lossGradient(1.0 / settings.batch());
    boolean pulled = consolidated > 0;
    for (int l = network.layers() - 1; l >= 0; l--) {
      F32Buffer d = delta[l].data();
      F32Buffer dGamma = affineGradients == null ? null : affineGradients.get(2 * l);
      F32Buffer dBeta = affineGradients == null ? null : affineGradients.get(2 * l + 1);
      binary.batchNormBackward(
          pass.shape(l), pass.product(l), network.gamma(l), pass.mean(l), pass.inverse(l), d, pass.mask(l), d, dGamma, dBeta, stream);
      if (l > 0) {
        binary.signGemmNN(delta[l], network.weights().signs(l), delta[l - 1], stream);
      }
      if (pulled) {
        pulledGradient(l);
      } else if (l > 0) {
        binary.metaAdamStepFromProduct(network.weights(), l, delta[l], pass.activity(l), hiddenParams, step, stream);
      } else {
        binary.metaAdamStepFromProduct(network.weights(), 0, delta[0], pass.input(), hiddenParams, step, stream);
      }
    }
    if (pulled) {
      binary.metaAdamStep(network.weights(), gradients, allHiddenParams, step, stream);
    }
    if (affineGradients != null) {
      binary.metaAdamStep(network.affine(), affineGradients, affineParams, step, stream);
    }
  }

  private void lossGradient(double scale) {
    F32Matrix last = delta[delta.length - 1];
    bayes.nllMeanLogSoftmax(1, settings.batch(), ImageSet.CLASSES, pass.logits(), labels, scale, itemLoss, loss, last.data(), stream);
  }

  /** Gradient of layer {@code l} with the pull towards the signs that earlier tasks ended with. */
  private void pulledGradient(int l) {
    if (l > 0) {
      binary.signGemmTN(delta[l], pass.activity(l), gradientMatrices[l], stream);
    } else {
      binary.gemmTN(delta[0], pass.input(), gradientMatrices[0], stream);
    }
    binary.ewcPenaltyGradient(
        network.weights().signs(l), importance.get(l), target.get(l), settings.ewcStrength(), gradients.get(l), stream);
  }

  /**
   * End of a task: estimates the importance of every weight from its first images, and remembers the signs.
   *
   * <p>Importance is the empirical Fisher information at the binary weights: the mean over images of the squared gradient of one image's loss. Batch
   * norm keeps the statistics of the batch the image came in, as those of a single image say nothing. The gradient of one image is an outer
   * product, so the sum of squares is a matrix product of squares; where the inputs are signs, whose squares are 1, it is one number a row.
   */
  void endTask(int task, int[] images, int[] order) {
    if (!method.penalised()) {
      return;
    }
    int batches = settings.steps(Math.min(settings.fisherImages(), images.length));
    double[][] sums = new double[network.layers()][];
    sums[0] = new double[network.outputs(0) * network.inputs(0)];
    for (int l = 1; l < sums.length; l++) {
      sums[l] = new double[network.outputs(l)];
    }
    for (int b = 0; b < batches; b++) {
      for (int i = 0; i < settings.batch(); i++) {
        stage(i, images[b * settings.batch() + i], order);
      }
      upload();
      addSquares(sums);
    }
    for (int l = 0; l < sums.length; l++) {
      float[] fisher = new float[network.outputs(l) * network.inputs(l)];
      int repeat = fisher.length / sums[l].length;
      for (int i = 0; i < fisher.length; i++) {
        fisher[i] = (float) (sums[l][i / repeat] / ((double) batches * settings.batch()));
      }
      if (method.kind() == BnnMethod.Kind.RANDOM) {
        int[] source = Randomness.importanceOrder(backend, settings.seed(), l, task, fisher.length);
        float[] ordered = fisher.clone();
        for (int i = 0; i < fisher.length; i++) {
          fisher[i] = ordered[source[i]];
        }
      }
      gradients.get(l).upload(fisher);
      binary.ewcConsolidate(network.weights().signs(l), gradients.get(l), importance.get(l), target.get(l), stream);
    }
    stream.synchronize();
    consolidated++;
  }

  private void addSquares(double[][] sums) {
    pass.forward();
    lossGradient(1);
    for (int l = network.layers() - 1; l >= 0; l--) {
      if (pass.mask(l) != null) {
        binary.steBackward(pass.mask(l), delta[l], delta[l], stream);
      }
      int units = network.outputs(l);
      float[] d = delta[l].data().toArray();
      float[] gamma = network.gamma(l).toArray();
      float[] inverse = pass.inverse(l).toArray();
      for (int i = 0; i < d.length; i++) {
        d[i] *= gamma[i % units] * inverse[i % units];
      }
      if (l > 0) {
        delta[l].data().upload(d);
        binary.signGemmNN(delta[l], network.weights().signs(l), delta[l - 1], stream);
        for (int i = 0; i < d.length; i++) {
          sums[l][i % units] += (double) d[i] * d[i];
        }
      } else {
        deltaSquares.data().upload(squares(d));
        inputSquares.data().upload(squares(pixels));
        binary.gemmTN(deltaSquares, inputSquares, gradientMatrices[0], stream);
        float[] products = gradients.get(0).toArray();
        for (int i = 0; i < products.length; i++) {
          sums[0][i] += products[i];
        }
      }
    }
  }

  private static float[] squares(float[] values) {
    float[] squares = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      squares[i] = values[i] * values[i];
    }
    return squares;
  }

  /** Everything that later tasks depend on, by name. */
  Map<String, float[]> state() {
    Map<String, float[]> state = new LinkedHashMap<>();
    memory().forEach((name, buffer) -> state.put(name, buffer.toArray()));
    return state;
  }

  /**
   * Puts back what {@link #state} gave.
   *
   * @param tasks tasks that were finished
   * @param stepsDone training steps that were done
   */
  void restore(Map<String, float[]> state, int tasks, long stepsDone) {
    memory().forEach((name, buffer) -> buffer.upload(state.get(name)));
    network.packSigns();
    epochs = tasks * settings.epochs();
    steps = stepsDone;
    step = stepsDone;
    consolidated = method.penalised() ? tasks : 0;
  }

  private Map<String, F32Buffer> memory() {
    Map<String, F32Buffer> memory = new LinkedHashMap<>();
    memory.put("weights", network.weights().hidden().arena());
    if (network.affine() != null) {
      memory.put("affine", network.affine().hidden().arena());
    } else {
      // One optimizer serves the whole stream; with tasks it starts anew, so that its moments need not be kept.
      memory.put("first moment", network.weights().firstMoment().arena());
      memory.put("second moment", network.weights().secondMoment().arena());
      for (int l = 0; l < network.layers(); l++) {
        memory.put("running mean " + l, network.running(l).mean());
        memory.put("running variance " + l, network.running(l).variance());
      }
    }
    if (method.penalised()) {
      memory.put("importance", importance.arena());
      memory.put("target", target.arena());
    }
    return memory;
  }

  @Override
  public void close() {
    Resources.closeAll(resources);
  }
}
