package io.metaplast.continual;

/**
 * Everything a result depends on, beside method and number of tasks. Stored as JSON beside the results; a run is only ever continued under the
 * very same settings.
 *
 * @param numericsVersion of the library
 * @param train SHA-256 of the training set
 * @param test SHA-256 of the test set
 * @param experiment what is learned
 * @param scenario what a test is told
 * @param seed of all random numbers
 * @param hidden units of each of the two hidden layers
 * @param epochs per task
 * @param batch training images per step
 * @param testBatch test images that share their batch statistics
 * @param images permuted: training images of every task; stream: images of the whole stream
 * @param taskImages images of a task; the same as {@code images} unless a stream is cut into tasks
 * @param testImages images per test, whole batches
 * @param testEvery epochs between tests within a task
 * @param learningRate of Adam
 * @param weightDecay of Adam
 * @param ewcStrength EWC: lambda
 * @param fisherImages EWC: images per task for the Fisher information
 */
public record BnnSettings(
    int numericsVersion,
    String train,
    String test,
    Experiment experiment,
    Scenario scenario,
    long seed,
    int hidden,
    int epochs,
    int batch,
    int testBatch,
    int images,
    int taskImages,
    int testImages,
    int testEvery,
    double learningRate,
    double weightDecay,
    double ewcStrength,
    int fisherImages) {
  /** What is learned. */
  public enum Experiment {
    /** One pixel permutation after the other. */
    PERMUTED,
    /** Parts of one data set after the other, each seen once. */
    STREAM
  }

  /** What a test is told. */
  public enum Scenario {
    /** The task: scale and shift of its batch norm are put back. */
    TASK,
    /** Nothing: one network serves all tasks. */
    DOMAIN
  }

  /** Validates. */
  public BnnSettings {
    atLeast("hidden", hidden, 1, 1 << 16);
    atLeast("epochs", epochs, 1, 1 << 20);
    atLeast("batch", batch, 2, 1 << 16);
    atLeast("test-batch", testBatch, 2, 1 << 16);
    atLeast("images per task", taskImages, batch, Integer.MAX_VALUE);
    atLeast("images", images, taskImages, Integer.MAX_VALUE);
    atLeast("test images", testImages, testBatch, Integer.MAX_VALUE);
    atLeast("test-every", testEvery, 1, Integer.MAX_VALUE);
    atLeast("fisher-images", fisherImages, 1, Integer.MAX_VALUE);
  }

  private static void atLeast(String name, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(name + " = " + value + " must be in " + low + ".." + high);
    }
  }

  /** Training steps of an epoch over {@code count} images: whole batches, as batch norm needs them. */
  int steps(int count) {
    return count / batch;
  }
}
