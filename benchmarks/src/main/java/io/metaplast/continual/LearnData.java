package io.metaplast.continual;

import java.io.IOException;
import java.nio.file.Path;

/** The image sets of a run, and what to say about them. */
public final class LearnData {
  private static final long SYNTHETIC_TRAIN_SEED = 28_1;
  private static final long SYNTHETIC_TEST_SEED = 28_2;

  private final ImageSet train;
  private final ImageSet test;
  private final ImageSet outOfDistribution;
  private final String description;

  private LearnData(ImageSet train, ImageSet test, ImageSet outOfDistribution, String description) throws DataException {
    check(test, train);
    if (outOfDistribution != null) {
      check(outOfDistribution, train);
    }
    this.train = train;
    this.test = test;
    this.outOfDistribution = outOfDistribution;
    this.description =
        outOfDistribution == null ? description : description + "; out-of-distribution set of " + outOfDistribution.count() + " images";
  }

  /**
   * IDX files with MNIST's names from a folder.
   *
   * @param folder holds training and test images and labels, plain or gzip
   * @param checked whether they must be MNIST by size and SHA-256
   * @param outOfDistribution folder with the test images of another set, or null
   * @throws DataException if a file is missing, damaged or not the expected one
   */
  public static LearnData load(Path folder, boolean checked, Path outOfDistribution) throws IOException {
    return new LearnData(
        ImageSet.train(folder, checked), ImageSet.test(folder, checked), other(outOfDistribution),
        checked ? "MNIST" : "IDX images of " + folder.getFileName() + ", checksum not compared");
  }

  /** Generated digits: {@code train} and {@code test} images. */
  public static LearnData synthetic(int train, int test, Path outOfDistribution) throws IOException {
    return new LearnData(
        SyntheticDigits.generate(train, SYNTHETIC_TRAIN_SEED),
        SyntheticDigits.generate(test, SYNTHETIC_TEST_SEED),
        other(outOfDistribution),
        "synthetic digits (" + train + " + " + test + " generated images, not MNIST: figures are not comparable with published ones)");
  }

  private static ImageSet other(Path folder) throws IOException {
    return folder == null ? null : ImageSet.unlabelled(folder);
  }

  private static void check(ImageSet set, ImageSet train) throws DataException {
    if (set.imageSize() != train.imageSize()) {
      throw new DataException(set.name() + ": images of " + set.imageSize() + " pixels, expected " + train.imageSize() + " as in "
          + train.name());
    }
  }

  ImageSet train() {
    return train;
  }

  ImageSet test() {
    return test;
  }

  ImageSet outOfDistribution() {
    return outOfDistribution;
  }

  /** One line for output and results. */
  public String description() {
    return description;
  }
}
