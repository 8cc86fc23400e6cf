package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.bayes.BayesKernels;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;

/**
 * A network with plain weights, trained at batch 1 by gradient descent, alone or with the penalty of online EWC or SI. Products come from
 * OpenBLAS, penalties and updates from the library, both on the same memory: all weights lie in one array, the first layer in front.
 */
final class PointLearner implements Learner {
  private static final int PROGRESS_STEPS = 256;

  private final LearnMethod method;
  private final BayesKernels bayes;
  private final LearnSettings settings;
  private final Network network;
  private final ImageSet train;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Stream stream;
  private final I32Buffer[] labels;
  private final float[] pixels;
  private final FloatBuffer input;
  private final FloatBuffer activity;
  private final FloatBuffer deltaActivity;
  private final FloatPointer inputPointer;
  private final FloatPointer activityPointer;
  private final FloatPointer deltaActivityPointer;
  private final FloatPointer logitsPointer;
  private final FloatPointer deltaPointer;
  private final F32Buffer logits;
  private final F32Buffer delta;
  private final F32Buffer itemLoss;
  private final F32Buffer loss;
  private final FloatPointer[] weightPointers;
  private final FloatPointer[] gradientPointers;
  private final F32Buffer theta;
  private final F32Buffer gradient;
  private final Map<String, F32Buffer> memory = new LinkedHashMap<>();
  private final F32Buffer anchor;
  private final F32Buffer importance;
  private final F32Buffer path;
  private final F32Buffer before;

  /**
   * Draws the initial weights.
   *
   * @param backend a backend in host memory: JAVA or CPU
   */
  PointLearner(LearnMethod method, Backend backend, LearnSettings settings, Network network, ImageSet train) {
    this.method = method;
    this.bayes = backend.bayes();
    this.settings = settings;
    this.network = network;
    this.train = train;
    stream = own(backend.newStream());
    int steps = settings.stepsPerTask();
    I32Buffer allLabels = own(backend.allocateI32(steps));
    allLabels.upload(Arrays.copyOf(train.labels(), steps));
    labels = new I32Buffer[steps];
    for (int i = 0; i < steps; i++) {
      labels[i] = allLabels.slice(i, 1);
    }
    pixels = new float[network.inputs()];
    input = Blas.floats(network.inputs());
    inputPointer = Blas.pointer(input);
    activity = Blas.floats(network.hidden());
    activityPointer = Blas.pointer(activity);
    deltaActivity = Blas.floats(network.hidden());
    deltaActivityPointer = Blas.pointer(deltaActivity);
    FloatBuffer logitsMemory = Blas.floats(network.outputs());
    logitsPointer = Blas.pointer(logitsMemory);
    logits = own(backend.wrap(logitsMemory));
    FloatBuffer deltaMemory = Blas.floats(network.outputs());
    deltaPointer = Blas.pointer(deltaMemory);
    delta = own(backend.wrap(deltaMemory));
    itemLoss = own(backend.allocate(1));
    loss = own(backend.allocate(1));

    int n = network.weights(0) + network.weights(1);
    FloatBuffer thetaMemory = Blas.floats(n);
    FloatBuffer gradientMemory = Blas.floats(n);
    theta = own(backend.wrap(thetaMemory));
    gradient = own(backend.wrap(gradientMemory));
    weightPointers = layers(thetaMemory);
    gradientPointers = layers(gradientMemory);
    int offset = 0;
    for (int layer = 0; layer < 2; layer++) {
      int weights = network.weights(layer);
      theta.upload(offset, Randomness.initialMeans(backend, settings.seed(), layer, weights, network.limit(layer)), 0, weights);
      offset += weights;
    }
    memory.put("theta", theta);
    if (method.usesTaskBoundaries()) {
      anchor = own(backend.allocate(n));
      anchor.copyFrom(theta);
      importance = own(backend.allocate(n));
      path = own(backend.allocate(n));
      memory.put("anchor", anchor);
      memory.put("importance", importance);
    } else {
      anchor = null;
      importance = null;
      path = null;
    }
    before = method == LearnMethod.SI ? own(backend.allocate(n)) : null;
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  private FloatPointer[] layers(FloatBuffer all) {
    return new FloatPointer[] {
      Blas.pointer(all.slice(0, network.weights(0))), Blas.pointer(all.slice(network.weights(0), network.weights(1)))
    };
  }

  @Override
  public long learn(int task, int[] order, Progress progress) {
    Blas.threads(1);
    int steps = settings.stepsPerTask();
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      lossGradient(i, order);
      step();
      if ((i + 1) % PROGRESS_STEPS == 0) {
        progress.steps(PROGRESS_STEPS);
      }
    }
    endTask(order);
    long nanos = System.nanoTime() - start;
    progress.steps(steps % PROGRESS_STEPS);
    return nanos;
  }

  /** gradient = gradient of the loss of image i. */
  private void lossGradient(int i, int[] order) {
    train.copy(i, order, pixels, 0);
    input.put(0, pixels);
    Blas.timesVector(network.hidden(), network.inputs(), weightPointers[0], inputPointer, activityPointer);
    for (int h = 0; h < network.hidden(); h++) {
      activity.put(h, activity.get(h) > 0 ? activity.get(h) : 0f);
    }
    Blas.timesVector(network.outputs(), network.hidden(), weightPointers[1], activityPointer, logitsPointer);
    bayes.nllMeanLogSoftmax(1, 1, network.outputs(), logits, labels[i], 1, itemLoss, loss, delta, stream);
    Blas.outerProduct(network.outputs(), network.hidden(), deltaPointer, activityPointer, gradientPointers[1]);
    Blas.transposedTimesVector(network.outputs(), network.hidden(), weightPointers[1], deltaPointer, deltaActivityPointer);
    for (int h = 0; h < network.hidden(); h++) {
      deltaActivity.put(h, activity.get(h) > 0 ? deltaActivity.get(h) : 0f);
    }
    Blas.outerProduct(network.hidden(), network.inputs(), deltaActivityPointer, inputPointer, gradientPointers[0]);
  }

  private void step() {
    switch (method) {
      case SGD -> bayes.sgdStep(theta, gradient, settings.pointRate(), stream);
      case EWC_ONLINE -> {
        bayes.ewcPenaltyGradient(theta, anchor, importance, settings.ewcStrength(), gradient, stream);
        bayes.sgdStep(theta, gradient, settings.pointRate(), stream);
      }
      case SI -> {
        bayes.siPenaltyGradient(theta, anchor, importance, settings.siStrength(), gradient, stream);
        before.copyFrom(theta);
        bayes.sgdStep(theta, gradient, settings.pointRate(), stream);
        bayes.siPath(gradient, theta, before, path, stream);
      }
      default -> throw new IllegalStateException(method + " is not a point network");
    }
  }

  /** EWC: Fisher information of the loss at batch 1 over the task's images, with their true labels; then the anchor moves. */
  private void endTask(int[] order) {
    if (method == LearnMethod.EWC_ONLINE) {
      for (int i = 0; i < settings.stepsPerTask(); i++) {
        lossGradient(i, order);
        bayes.fisherAccumulate(gradient, path, stream);
      }
      bayes.fisherMerge(path, settings.stepsPerTask(), settings.ewcDecay(), importance, stream);
      anchor.copyFrom(theta);
    } else if (method == LearnMethod.SI) {
      bayes.siConsolidate(theta, settings.siDamping(), path, anchor, importance, stream);
    }
    stream.synchronize();
  }

  @Override
  public int samples() {
    return 1;
  }

  @Override
  public void draw(int finished, float[] first, float[] second) {
    theta.download(0, first, 0, network.weights(0));
    theta.download(network.weights(0), second, 0, network.weights(1));
  }

  @Override
  public TaskResult.Sigma sigma() {
    return null;
  }

  @Override
  public Map<String, float[]> state() {
    Map<String, float[]> state = new LinkedHashMap<>();
    memory.forEach((name, buffer) -> state.put(name, buffer.toArray()));
    return state;
  }

  @Override
  public void restore(Map<String, float[]> state) {
    memory.forEach((name, buffer) -> buffer.upload(state.get(name)));
  }

  @Override
  public Map<String, Double> profile() {
    return null;
  }

  @Override
  public void close() {
    Resources.closeAll(resources);
  }
}
