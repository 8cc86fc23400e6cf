package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network of Gaussian weights trained at batch 1 with K weight samples: five kernel calls a step, none of which forms a weight sample or
 * a weight gradient in memory. Nothing is allocated once a task has begun.
 */
final class BayesLearner implements Learner {
  private static final int LAYERS = 2;
  private static final int UPLOAD_IMAGES = 1024;
  private static final int PROGRESS_STEPS = 256;
  private static final int PROFILE_REPEATS = 1000;
  private static final String[] PHASES = {
    "forward, layer 1", "forward, layer 2", "loss", "backward + update, layer 2", "backward + update, layer 1"
  };

  private final Backend backend;
  private final BayesKernels bayes;
  private final LearnSettings settings;
  private final Network network;
  private final UpdateRule rule;
  private final ImageSet train;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Stream stream;
  private final GaussianWeights weights;
  private final GaussianWeights testWeights;
  private final TensorGroup<F32Buffer> testSamples;
  private final StepReport report;
  private final LinearShape shape1;
  private final LinearShape shape2;
  private final F32Buffer images;
  private final F32Buffer[] inputs;
  private final I32Buffer[] labels;
  private final F32Buffer epsilon1;
  private final F32Buffer epsilon2;
  private final F32Buffer activity;
  private final F32Buffer logits;
  private final F32Buffer delta;
  private final F32Buffer deltaActivity;
  private final F32Buffer itemLoss;
  private final F32Buffer loss;
  private final long[] phaseNanos;
  private long profiledSteps;

  /**
   * Draws the initial weights.
   *
   * @param storedEpsilon whether the forward pass stores its random numbers for the backward pass, which else draws them again
   * @param profiled whether to time the phases of every step, which costs some time itself
   */
  BayesLearner(
      Backend backend, LearnSettings settings, Network network, UpdateRule rule, ImageSet train, boolean storedEpsilon, boolean profiled) {
    this.backend = backend;
    this.bayes = backend.bayes();
    this.settings = settings;
    this.network = network;
    this.rule = rule;
    this.train = train;
    int k = settings.samples();
    TensorLayout layout = TensorLayout.of(network.weights(0), network.weights(1)).withTensorNumbers(Randomness.TRAINING);
    TensorLayout testLayout = layout.withTensorNumbers(Randomness.TESTING);
    stream = own(backend.newStream());
    weights = own(GaussianWeights.allocate(backend, layout));
    // The same memory under other tensor numbers, so that tests never see the random numbers of a training step.
    testWeights =
        GaussianWeights.of(
            own(backend.group(testLayout, 1, List.of(weights.mean().get(0), weights.mean().get(1)))),
            own(backend.group(testLayout, 1, List.of(weights.sigma().get(0), weights.sigma().get(1)))), null);
    testSamples = own(backend.allocateGroup(testLayout, k));
    report = own(StepReport.allocate(backend));
    shape1 = new LinearShape(network.inputs(), network.hidden(), k, true, true);
    shape2 = new LinearShape(network.hidden(), network.outputs(), k, false, false);
    int steps = settings.stepsPerTask();
    images = own(backend.allocate((long) steps * network.inputs()));
    I32Buffer allLabels = own(backend.allocateI32(steps));
    allLabels.upload(Arrays.copyOf(train.labels(), steps));
    inputs = new F32Buffer[steps];
    labels = new I32Buffer[steps];
    for (int i = 0; i < steps; i++) {
      inputs[i] = images.slice((long) i * network.inputs(), network.inputs());
      labels[i] = allLabels.slice(i, 1);
    }
    epsilon1 = storedEpsilon ? own(backend.allocate((long) k * network.weights(0))) : null;
    epsilon2 = storedEpsilon ? own(backend.allocate((long) k * network.weights(1))) : null;
    activity = own(backend.allocate((long) k * network.hidden()));
    logits = own(backend.allocate((long) k * network.outputs()));
    delta = own(backend.allocate((long) k * network.outputs()));
    deltaActivity = own(backend.allocate((long) k * network.hidden()));
    itemLoss = own(backend.allocate(1));
    loss = own(backend.allocate(1));
    phaseNanos = profiled ? new long[PHASES.length] : null;
    for (int layer = 0; layer < LAYERS; layer++) {
      double limit = network.limit(layer);
      weights.mean().get(layer).upload(Randomness.initialMeans(backend, settings.seed(), layer, network.weights(layer), limit));
      weights.sigma().get(layer).fill((float) (limit / 2));
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  @Override
  public long learn(int task, int[] order, Progress progress) {
    upload(order);
    report.reset();
    int steps = settings.stepsPerTask();
    long first = (long) task * steps;
    long start = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      if (phaseNanos == null) {
        step(i, first + i);
      } else {
        profiledStep(i, first + i);
      }
      if ((i + 1) % PROGRESS_STEPS == 0) {
        progress.steps(PROGRESS_STEPS);
      }
    }
    stream.synchronize();
    long nanos = System.nanoTime() - start;
    progress.steps(steps % PROGRESS_STEPS);
    return nanos;
  }

  private void upload(int[] order) {
    int size = network.inputs();
    float[] block = new float[UPLOAD_IMAGES * size];
    for (int from = 0; from < settings.stepsPerTask(); from += UPLOAD_IMAGES) {
      int n = Math.min(UPLOAD_IMAGES, settings.stepsPerTask() - from);
      for (int i = 0; i < n; i++) {
        train.copy(from + i, order, block, i * size);
      }
      images.upload((long) from * size, block, 0, n * size);
    }
  }

  private void step(int i, long step) {
    forward1(i, step);
    forward2(step);
    loss(i);
    update2(step);
    update1(i, step);
  }

  private void profiledStep(int i, long step) {
    long t0 = System.nanoTime();
    forward1(i, step);
    long t1 = lap(0, t0);
    forward2(step);
    long t2 = lap(1, t1);
    loss(i);
    long t3 = lap(2, t2);
    update2(step);
    long t4 = lap(3, t3);
    update1(i, step);
    lap(4, t4);
    profiledSteps++;
  }

  private long lap(int phase, long since) {
    stream.synchronize();
    long now = System.nanoTime();
    phaseNanos[phase] += now - since;
    return now;
  }

  private void forward1(int i, long step) {
    bayes.linearForward(weights, 0, shape1, inputs[i], settings.seed(), step, epsilon1, activity, stream);
  }

  private void forward2(long step) {
    bayes.linearForward(weights, 1, shape2, activity, settings.seed(), step, epsilon2, logits, stream);
  }

  private void loss(int i) {
    bayes.nllMeanLogSoftmax(settings.samples(), 1, network.outputs(), logits, labels[i], 1, itemLoss, loss, delta, stream);
  }

  private void update2(long step) {
    bayes.linearStep(weights, 1, shape2, activity, delta, null, epsilon2, settings.seed(), step, rule, deltaActivity, report, stream);
  }

  private void update1(int i, long step) {
    bayes.linearStep(weights, 0, shape1, inputs[i], deltaActivity, activity, epsilon1, settings.seed(), step, rule, null, report, stream);
  }

  @Override
  public int samples() {
    return settings.samples();
  }

  @Override
  public void draw(int finished, float[] first, float[] second) {
    bayes.sample(testWeights, settings.seed(), finished, testSamples, stream);
    stream.synchronize();
    testSamples.get(0).download(first);
    testSamples.get(1).download(second);
  }

  @Override
  public TaskResult.Sigma sigma() {
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (float s : weights.sigma().get(0).toArray()) {
      least = Math.min(least, s);
      most = Math.max(most, s);
    }
    return new TaskResult.Sigma(least, most, report.read().sigmaNotPositive());
  }

  @Override
  public Map<String, float[]> state() {
    Map<String, float[]> state = new LinkedHashMap<>();
    for (int layer = 0; layer < LAYERS; layer++) {
      state.put("mean" + layer, weights.mean().get(layer).toArray());
      state.put("sigma" + layer, weights.sigma().get(layer).toArray());
    }
    return state;
  }

  @Override
  public void restore(Map<String, float[]> state) {
    for (int layer = 0; layer < LAYERS; layer++) {
      weights.mean().get(layer).upload(state.get("mean" + layer));
      weights.sigma().get(layer).upload(state.get("sigma" + layer));
    }
  }

  /** The phases of the step, then what random numbers and update cost as kernels of their own, which is part of the phases above. */
  @Override
  public Map<String, Double> profile() {
    if (phaseNanos == null || profiledSteps == 0) {
      return null;
    }
    Map<String, Double> profile = new LinkedHashMap<>();
    for (int p = 0; p < PHASES.length; p++) {
      profile.put(PHASES[p], phaseNanos[p] / 1e3 / profiledSteps);
    }
    TensorLayout layout = weights.layout();
    try (TensorGroup<F32Buffer> epsilon = backend.allocateGroup(layout, settings.samples());
        TensorGroup<F32Buffer> gradients = backend.allocateGroup(layout, 1);
        TensorGroup<F32Buffer> sigmaGradients = backend.allocateGroup(layout, 1);
        GaussianWeights copy = GaussianWeights.allocate(backend, layout)) {
      for (int layer = 0; layer < LAYERS; layer++) {
        copy.mean().get(layer).copyFrom(weights.mean().get(layer));
        copy.sigma().get(layer).copyFrom(weights.sigma().get(layer));
      }
      profile.put(
          "(" + settings.samples() * layout.totalCount() + " normal values alone)",
          microseconds(() -> bayes.epsilon(settings.seed(), 0, epsilon, stream)));
      profile.put("(update alone)", microseconds(() -> bayes.step(copy, gradients, sigmaGradients, rule, null, stream)));
    }
    return profile;
  }

  private double microseconds(Runnable call) {
    for (int i = 0; i < PROFILE_REPEATS; i++) {
      call.run();
    }
    stream.synchronize();
    long start = System.nanoTime();
    for (int i = 0; i < PROFILE_REPEATS; i++) {
      call.run();
    }
    stream.synchronize();
    return (System.nanoTime() - start) / 1e3 / PROFILE_REPEATS;
  }

  @Override
  public void close() {
    Resources.closeAll(resources);
  }
}
