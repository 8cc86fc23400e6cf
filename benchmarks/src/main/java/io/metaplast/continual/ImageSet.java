package io.metaplast.continual;

import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/**
 * Grey images with labels, kept as bytes; standardised on the way out with one scalar mean and deviation of the whole set, as the paper
 * does.
 */
final class ImageSet {
  /** Number of classes of every set here. */
  static final int CLASSES = 10;

  private static final String SPLIT_TRAIN = "train";
  private static final String SPLIT_TEST = "t10k";
  private static final IdxFile.Expected TRAIN_IMAGES =
      new IdxFile.Expected("MNIST training images", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
  private static final IdxFile.Expected TRAIN_LABELS =
      new IdxFile.Expected("MNIST training labels", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5");
  private static final IdxFile.Expected TEST_IMAGES =
      new IdxFile.Expected("MNIST test images", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7");
  private static final IdxFile.Expected TEST_LABELS =
      new IdxFile.Expected("MNIST test labels", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");

  private static final float[] UNIT = new float[256];

  static {
    for (int v = 0; v < UNIT.length; v++) {
      UNIT[v] = v / 255f;
    }
  }

  private final String name;
  private final byte[] pixels;
  private final byte[] labels;
  private final int imageSize;
  private final double mean;
  private final double deviation;
  private final float[] standardised = new float[256];

  /**
   * Over the caller's arrays, which are not copied.
   *
   * @param labels one per image, or null for a set without
   * @throws DataException if all pixels are equal, so that they cannot be standardised
   */
  ImageSet(String name, byte[] pixels, byte[] labels, int imageSize) throws DataException {
    this.name = name;
    this.pixels = pixels;
    this.labels = labels;
    this.imageSize = imageSize;
    long[] histogram = new long[256];
    for (byte pixel : pixels) {
      histogram[pixel & 0xff]++;
    }
    double sum = 0;
    for (int v = 0; v < 256; v++) {
      sum += histogram[v] * (v / 255.0);
    }
    mean = sum / pixels.length;
    double squares = 0;
    for (int v = 0; v < 256; v++) {
      squares += histogram[v] * (v / 255.0 - mean) * (v / 255.0 - mean);
    }
    deviation = Math.sqrt(squares / pixels.length);
    if (!(deviation > 0)) {
      throw new DataException(name + ": all pixels are equal; expected images");
    }
    for (int v = 0; v < 256; v++) {
      standardised[v] = (float) ((v / 255.0 - mean) / deviation);
    }
  }

  /** The 60,000 training images of a folder in MNIST's layout; {@code official} = size and checksum must be MNIST's. */
  static ImageSet train(Path folder, boolean official) throws IOException {
    return labelled(folder, SPLIT_TRAIN, official ? TRAIN_IMAGES : null, official ? TRAIN_LABELS : null);
  }

  /** The 10,000 test images; as {@link #train}. */
  static ImageSet test(Path folder, boolean official) throws IOException {
    return labelled(folder, SPLIT_TEST, official ? TEST_IMAGES : null, official ? TEST_LABELS : null);
  }

  /** Test images of a folder without their labels: an out-of-distribution set of any number of images. */
  static ImageSet unlabelled(Path folder) throws IOException {
    Path file = IdxFile.require(folder, images(SPLIT_TEST));
    IdxFile images = IdxFile.read(file, 3, null);
    return new ImageSet(file.toString(), images.data(), null, images.dimensions()[1] * images.dimensions()[2]);
  }

  private static ImageSet labelled(Path folder, String split, IdxFile.Expected expectedImages, IdxFile.Expected expectedLabels)
      throws IOException {
    Path imageFile = IdxFile.require(folder, images(split));
    Path labelFile = IdxFile.require(folder, labels(split));
    IdxFile images = IdxFile.read(imageFile, 3, expectedImages);
    IdxFile labels = IdxFile.read(labelFile, 1, expectedLabels);
    int count = images.dimensions()[0];
    if (labels.dimensions()[0] != count) {
      throw new DataException(labelFile + ": " + labels.dimensions()[0] + " labels, expected " + count + ", one per image of " + imageFile);
    }
    for (int i = 0; i < count; i++) {
      int label = labels.data()[i] & 0xff;
      if (label >= CLASSES) {
        throw new DataException(labelFile + ": label " + i + " is " + label + ", expected 0.." + (CLASSES - 1));
      }
    }
    return new ImageSet(imageFile.toString(), images.data(), labels.data(), images.dimensions()[1] * images.dimensions()[2]);
  }

  /** Where it came from. */
  String name() {
    return name;
  }

  /** Number of images. */
  int count() {
    return pixels.length / imageSize;
  }

  /** Pixels of one image. */
  int imageSize() {
    return imageSize;
  }

  /** Mean of all pixels, which range from 0 to 1. */
  double mean() {
    return mean;
  }

  /** Standard deviation of all pixels. */
  double deviation() {
    return deviation;
  }

  /** Label of image {@code i}. */
  int label(int i) {
    return labels[i];
  }

  /** All labels as integers. */
  int[] labels() {
    int[] all = new int[labels.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = labels[i];
    }
    return all;
  }

  /** Writes image {@code i}, standardised and permuted: target[offset + j] = pixel order[j]. */
  void copy(int i, int[] order, float[] target, int offset) {
    int base = i * imageSize;
    for (int j = 0; j < imageSize; j++) {
      target[offset + j] = standardised[pixels[base + order[j]] & 0xff];
    }
  }

  /** Writes image {@code i}, permuted, with values from 0 to 1: target[offset + j] = pixel order[j] / 255. */
  void copyUnit(int i, int[] order, float[] target, int offset) {
    int base = i * imageSize;
    for (int j = 0; j < imageSize; j++) {
      target[offset + j] = UNIT[pixels[base + order[j]] & 0xff];
    }
  }

  /** SHA-256 of pixels and labels: the identity of the set, whatever file it came from. */
  String sha256() {
    MessageDigest digest = IdxFile.sha256();
    digest.update(pixels);
    if (labels != null) {
      digest.update(labels);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static List<String> images(String split) {
    return IdxFile.namesOf(split + "-images", "idx3-ubyte");
  }

  private static List<String> labels(String split) {
    return IdxFile.namesOf(split + "-labels", "idx1-ubyte");
  }
}
