package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.Stream;
import io.metaplast.bayes.UncertaintyOptions;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Tests one set of weight samples on permuted images. Instead of permuting images, which are many, the columns of the first layer are
 * permuted. All samples of the first layer are one matrix product: [images][inputs] x [samples * hidden][inputs]^T.
 */
final class Evaluator implements AutoCloseable {
  private static final int BLOCK = 1024;

  private final Backend backend;
  private final Network network;
  private final int samples;
  private final int threads;
  private final int testImages;
  private final int[] labels;
  private final FloatPointer test;
  private final int otherImages;
  private final FloatPointer other;
  private final int[] identity;
  private final float[] first;
  private final float[] second;
  private final float[] permuted;
  private final FloatBuffer firstMemory;
  private final FloatBuffer secondMemory;
  private final FloatPointer firstPointer;
  private final FloatPointer secondPointer;
  private final FloatBuffer activity;
  private final FloatPointer activityPointer;
  private final FloatBuffer logits;
  private final FloatPointer logitsPointer;
  private final float[] logitsOut;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Stream stream;
  private final F32Buffer logitsBuffer;
  private final F32Buffer predictive;
  private final F32Buffer aleatoric;
  private final F32Buffer epistemic;

  /**
   * Prepares for networks of one shape and number of samples.
   *
   * @param testImages how many of the test set to use
   * @param other out-of-distribution set, or null
   * @param threads threads of the matrix products
   */
  Evaluator(Backend backend, Network network, int samples, ImageSet testSet, int testImages, ImageSet other, int threads) {
    this.backend = backend;
    this.network = network;
    this.samples = samples;
    this.threads = threads;
    this.testImages = testImages;
    identity = Randomness.identity(network.inputs());
    labels = testSet.labels();
    test = Blas.pointer(standardised(testSet, testImages));
    otherImages = other == null ? 0 : other.count();
    this.other = other == null ? null : Blas.pointer(standardised(other, otherImages));
    first = new float[samples * network.weights(0)];
    permuted = new float[first.length];
    second = new float[samples * network.weights(1)];
    firstMemory = Blas.floats(first.length);
    firstPointer = Blas.pointer(firstMemory);
    secondMemory = Blas.floats(second.length);
    secondPointer = Blas.pointer(secondMemory);
    activity = Blas.floats(BLOCK * samples * network.hidden());
    activityPointer = Blas.pointer(activity);
    int most = Math.max(testImages, otherImages);
    logitsOut = new float[Math.multiplyExact(samples * network.outputs(), most)];
    logits = Blas.floats(logitsOut.length);
    logitsPointer = Blas.pointer(logits);
    stream = own(backend.newStream());
    logitsBuffer = own(backend.allocate(logitsOut.length));
    predictive = own(backend.allocate(most));
    aleatoric = own(backend.allocate(most));
    epistemic = own(backend.allocate(most));
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  private FloatBuffer standardised(ImageSet set, int count) {
    FloatBuffer all = Blas.floats(Math.multiplyExact(count, network.inputs()));
    float[] image = new float[network.inputs()];
    for (int i = 0; i < count; i++) {
      set.copy(i, identity, image, 0);
      all.put(i * image.length, image);
    }
    return all;
  }

  /** Takes the weights of the tests that follow. */
  void weights(Learner learner, int finished) {
    learner.draw(finished, first, second);
    secondMemory.put(0, second);
  }

  /** Share of test images under a permutation that are classified right: largest mean over samples of log-softmax. */
  double accuracy(int[] order) {
    forward(test, testImages, order);
    return score(logitsOut, samples, network.outputs(), labels, testImages);
  }

  /**
   * As the class of an image the largest sum of logits over samples is taken. That is the largest mean of log-softmax too, because the
   * normaliser of a sample is the same for all classes.
   *
   * @param logits [samples][images][outputs]
   */
  static double score(float[] logits, int samples, int outputs, int[] labels, int images) {
    int right = 0;
    for (int i = 0; i < images; i++) {
      int best = 0;
      float bestSum = Float.NEGATIVE_INFINITY;
      for (int c = 0; c < outputs; c++) {
        float sum = 0;
        for (int k = 0; k < samples; k++) {
          sum += logits[(k * images + i) * outputs + c];
        }
        if (sum > bestSum) {
          bestSum = sum;
          best = c;
        }
      }
      if (best == labels[i] && bestSum > Float.NEGATIVE_INFINITY) {
        right++;
      }
    }
    return (double) right / images;
  }

  /** AUC of the test images under {@code order} against the unpermuted out-of-distribution set; null without one. */
  TaskResult.Auc againstOther(int[] order) {
    return other == null ? null : auc(order, other, otherImages, identity);
  }

  /** AUC of the test images under {@code order} against the same under another permutation. */
  TaskResult.Auc againstPermuted(int[] order, int[] heldOut) {
    return auc(order, test, testImages, heldOut);
  }

  private TaskResult.Auc auc(int[] order, FloatPointer otherSet, int otherCount, int[] otherOrder) {
    try (F32Buffer in = backend.allocate(testImages); F32Buffer out = backend.allocate(otherCount)) {
      uncertainty(test, testImages, order, in);
      uncertainty(otherSet, otherCount, otherOrder, out);
      return new TaskResult.Auc(backend.bayes().rocAucThresholds(in, out, stream), backend.bayes().rocAuc(in, out, stream));
    }
  }

  /** Epistemic uncertainty per image in bits; for a single sample, where it is zero, the predictive entropy. */
  private void uncertainty(FloatPointer set, int count, int[] order, F32Buffer scores) {
    forward(set, count, order);
    int n = samples * count * network.outputs();
    logitsBuffer.upload(0, logitsOut, 0, n);
    UncertaintyOptions options = new UncertaintyOptions(true, true, false);
    F32Buffer unused = epistemic.slice(0, count);
    F32Buffer all = predictive.slice(0, count);
    backend.bayes().uncertainty(
        samples, count, network.outputs(), logitsBuffer.slice(0, n), options, samples == 1 ? scores : all, aleatoric.slice(0, count),
        samples == 1 ? unused : scores, stream);
  }

  /** logitsOut = logits [samples][count][outputs]. */
  private void forward(FloatPointer set, int count, int[] order) {
    Blas.threads(threads);
    int inputs = network.inputs();
    int hidden = network.hidden();
    int outputs = network.outputs();
    for (int row = 0; row < samples * hidden; row++) {
      // x'[j] = x[order[j]] meets w[j], so column order[j] of the matrix that meets x itself is w[j].
      for (int j = 0; j < inputs; j++) {
        permuted[row * inputs + order[j]] = first[row * inputs + j];
      }
    }
    firstMemory.put(0, permuted);
    int width = samples * hidden;
    for (int from = 0; from < count; from += BLOCK) {
      int n = Math.min(BLOCK, count - from);
      FloatPointer block = set.getPointer((long) from * inputs);
      Blas.productTransposed(n, width, inputs, block, inputs, firstPointer, activityPointer, width);
      for (int e = 0; e < n * width; e++) {
        float v = activity.get(e);
        activity.put(e, v > 0 ? v : 0f);
      }
      for (int k = 0; k < samples; k++) {
        Blas.productTransposed(
            n, outputs, hidden, activityPointer.getPointer((long) k * hidden), width, secondPointer.getPointer((long) k * outputs * hidden),
            logitsPointer.getPointer(((long) k * count + from) * outputs), outputs);
      }
    }
    logits.get(0, logitsOut, 0, samples * count * outputs);
  }

  @Override
  public void close() {
    Resources.closeAll(resources);
  }
}
