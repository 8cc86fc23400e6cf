package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;

/**
 * Where the experiment's random numbers come from: one seed, and tensor numbers that keep the purposes apart (random stream = tensor number
 * * 256 + sample).
 *
 * <table>
 * <caption>Addresses</caption>
 * <tr><th>purpose</th><th>tensor number</th><th>step</th></tr>
 * <tr><td>training, layers 1 and 2</td><td>0, 1</td><td>step of the whole run, from 0</td></tr>
 * <tr><td>weight samples for tests</td><td>16, 17</td><td>tasks finished</td></tr>
 * <tr><td>initial weights of a layer</td><td>32 + layer</td><td>0</td></tr>
 * <tr><td>permutation of a task</td><td>64</td><td>task, from 0</td></tr>
 * <tr><td>held-out permutation</td><td>65</td><td>0</td></tr>
 * <tr><td>order of the images in an epoch</td><td>66</td><td>epoch of the run, from 0</td></tr>
 * <tr><td>order of the images in a stream</td><td>67</td><td>0</td></tr>
 * <tr><td>order of the images that curvature is estimated from</td><td>68</td><td>task, from 0</td></tr>
 * <tr><td>labels drawn from the model for it</td><td>69</td><td>task * 2^16 + batch, both from 0</td></tr>
 * <tr><td>shuffled importance of a layer's weights</td><td>80 + layer</td><td>task, from 0</td></tr>
 * <tr><td>the quadratic task</td><td>96 to 98</td><td>0</td></tr>
 * </table>
 */
final class Randomness {
  /** Tensor numbers of the layers while training. */
  static final int[] TRAINING = {0, 1};

  /** Tensor numbers of the layers when weights are drawn for a test. */
  static final int[] TESTING = {16, 17};

  private static final int INITIAL = 32;
  private static final int TASK_PERMUTATION = 64;
  private static final int HELD_OUT_PERMUTATION = 65;
  private static final int EPOCH_ORDER = 66;
  private static final int STREAM_ORDER = 67;
  private static final int CURVATURE_ORDER = 68;
  private static final int DRAWN_LABELS = 69;
  private static final int SHUFFLED_IMPORTANCE = 80;
  private static final int QUADRATIC = 96;
  private static final int STREAMS_PER_TENSOR = 256;

  private Randomness() {}

  /** Permutation of the pixels for a task, from 0. */
  static int[] permutation(Backend backend, long seed, int task, int n) {
    return permutation(backend, seed, TASK_PERMUTATION, task, n);
  }

  /** A permutation that no task has. */
  static int[] heldOutPermutation(Backend backend, long seed, int n) {
    return permutation(backend, seed, HELD_OUT_PERMUTATION, 0, n);
  }

  /** Order of n training images in an epoch of the run, from 0. */
  static int[] epochOrder(Backend backend, long seed, long epoch, int n) {
    return permutation(backend, seed, EPOCH_ORDER, epoch, n);
  }

  /** Order in which a stream shows n training images. */
  static int[] streamOrder(Backend backend, long seed, int n) {
    return permutation(backend, seed, STREAM_ORDER, 0, n);
  }

  /** Order of n training images when the curvature of a task is estimated. */
  static int[] curvatureOrder(Backend backend, long seed, int task, int n) {
    return permutation(backend, seed, CURVATURE_ORDER, task, n);
  }

  /** Uniform in (0, 1), one per image of a batch, to draw labels with. */
  static void labelUniforms(Backend backend, long seed, int task, int batch, F32Buffer out, Stream stream) {
    backend.bayes().uniform(seed, (long) DRAWN_LABELS * STREAMS_PER_TENSOR, ((long) task << 16) + batch, 0, out, stream);
  }

  /** Which weight of a layer gets whose importance in the control of EWC. */
  static int[] importanceOrder(Backend backend, long seed, int layer, int task, int n) {
    return permutation(backend, seed, SHUFFLED_IMPORTANCE + layer, task, n);
  }

  /** Uniform in (0, 1) for the quadratic task; {@code purpose} 0 to 2 tells its uses apart. */
  static float[] quadratic(Backend backend, long seed, int purpose, int n) {
    return uniform(backend, seed, QUADRATIC + purpose, n);
  }

  /** Initial weights of a layer (means of a Bayesian one): uniform in (-limit, limit). */
  static float[] initialMeans(Backend backend, long seed, int layer, int n, double limit) {
    float[] means = uniform(backend, seed, INITIAL + layer, n);
    for (int i = 0; i < n; i++) {
      means[i] = (float) ((2.0 * means[i] - 1) * limit);
    }
    return means;
  }

  /** Initial weights of a layer: normal with mean 0. */
  static float[] normalWeights(Backend backend, long seed, int layer, int n, double deviation) {
    try (F32Buffer normal = backend.allocate(n); Stream stream = backend.newStream()) {
      backend.bayes().gaussian(seed, (long) (INITIAL + layer) * STREAMS_PER_TENSOR, 0, 0, normal, stream);
      stream.synchronize();
      float[] weights = normal.toArray();
      for (int i = 0; i < n; i++) {
        weights[i] = (float) (weights[i] * deviation);
      }
      return weights;
    }
  }

  private static float[] uniform(Backend backend, long seed, int tensor, int n) {
    try (F32Buffer uniform = backend.allocate(n); Stream stream = backend.newStream()) {
      backend.bayes().uniform(seed, (long) tensor * STREAMS_PER_TENSOR, 0, 0, uniform, stream);
      stream.synchronize();
      return uniform.toArray();
    }
  }

  /** Fisher-Yates; the bias of scaling a 32-bit word to a range of n is below n / 2^32. */
  private static int[] permutation(Backend backend, long seed, int tensor, long step, int n) {
    try (I32Buffer random = backend.allocateI32(n); Stream stream = backend.newStream()) {
      backend.bayes().philox(seed, (long) tensor * STREAMS_PER_TENSOR, step, 0, random, stream);
      stream.synchronize();
      int[] words = random.toArray();
      int[] order = identity(n);
      for (int i = n - 1; i > 0; i--) {
        int j = (int) ((words[i] & 0xffffffffL) * (i + 1) >>> 32);
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
      }
      return order;
    }
  }

  /** 0, 1, 2, ... */
  static int[] identity(int n) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    return order;
  }
}
