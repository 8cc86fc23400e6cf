package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ImageSetTest {
  @Test
  void oneScalarStandardisesTheWholeSet() throws DataException {
    byte[] pixels = IdxFiles.pattern(1000);
    ImageSet set = new ImageSet("pattern", pixels, new byte[100], 10);
    double sum = 0;
    double squares = 0;
    float[] image = new float[10];
    for (int i = 0; i < set.count(); i++) {
      set.copy(i, Randomness.identity(10), image, 0);
      for (float v : image) {
        sum += v;
        squares += v * v;
      }
    }
    assertThat(sum / 1000).isCloseTo(0, within(1e-6));
    assertThat(squares / 1000).isCloseTo(1, within(1e-6));
    set.copy(7, Randomness.identity(10), image, 0);
    assertThat(image[3]).isCloseTo((float) (((pixels[73] & 0xff) / 255.0 - set.mean()) / set.deviation()), within(1e-6f));
  }

  @Test
  void permutationPicksPixels() throws DataException {
    ImageSet set = new ImageSet("pattern", IdxFiles.pattern(20), new byte[2], 10);
    int[] order = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    float[] straight = new float[10];
    float[] permuted = new float[12];
    set.copy(1, Randomness.identity(10), straight, 0);
    set.copy(1, order, permuted, 2);
    for (int j = 0; j < 10; j++) {
      assertThat(permuted[2 + j]).isEqualTo(straight[order[j]]);
    }
  }

  @Test
  void constantImagesAreRefused() {
    assertThatThrownBy(() -> new ImageSet("grey", new byte[100], null, 10))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("all pixels are equal");
  }

  @Test
  void syntheticDigitsDependOnTheSeedOnly() throws DataException {
    ImageSet set = SyntheticDigits.generate(200, 5);
    // Pinned: a change would silently change every recorded synthetic run.
    assertThat(set.sha256()).isEqualTo("d49ef3b2df8e308b8f4d034be3a5c4b8a69fc3e275e4364bf1cefaedc95d3975");
    assertThat(SyntheticDigits.generate(200, 6).sha256()).isNotEqualTo(set.sha256());
  }

  @Test
  void syntheticDigitsCanBeToldApart() throws DataException {
    ImageSet train = SyntheticDigits.generate(2000, 1);
    ImageSet test = SyntheticDigits.generate(500, 2);
    int size = train.imageSize();
    double[][] centres = new double[ImageSet.CLASSES][size];
    int[] counts = new int[ImageSet.CLASSES];
    float[] image = new float[size];
    for (int i = 0; i < train.count(); i++) {
      train.copy(i, Randomness.identity(size), image, 0);
      counts[train.label(i)]++;
      for (int p = 0; p < size; p++) {
        centres[train.label(i)][p] += image[p];
      }
    }
    assertThat(counts).doesNotContain(0);
    int right = 0;
    for (int i = 0; i < test.count(); i++) {
      test.copy(i, Randomness.identity(size), image, 0);
      int best = 0;
      double bestDistance = Double.POSITIVE_INFINITY;
      for (int c = 0; c < centres.length; c++) {
        double distance = 0;
        for (int p = 0; p < size; p++) {
          double d = image[p] - centres[c][p] / counts[c];
          distance += d * d;
        }
        if (distance < bestDistance) {
          bestDistance = distance;
          best = c;
        }
      }
      right += best == test.label(i) ? 1 : 0;
    }
    // Better than chance by far, and not trivial either.
    assertThat(right / 500.0).isBetween(0.6, 0.99);
  }
}
