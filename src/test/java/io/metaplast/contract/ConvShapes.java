package io.metaplast.contract;

import io.metaplast.binary.Conv2dShape;
import java.util.SplittableRandom;

/** Shapes of convolutions. */
final class ConvShapes {
  private ConvShapes() {}

  /** The shape of a case: one dimension is its size, the rest is random but small. Shapes where no output exists are among them. */
  static Conv2dShape of(Run r) {
    int index = r.theCase().index();
    int n = r.n();
    SplittableRandom random = io.metaplast.Seeds.random("convolution", index);
    if (index >= 300_000 && index < 400_000 && n > 100) {
      return n > 1030 ? Conv2dShape.of(4, 64, 9, 9, 33, 3, 1, 1) : Conv2dShape.of(2, 12, 6, 6, 8, 4, 1, 1);
    }
    int groups = 1 + (random.nextInt(4) == 0 ? random.nextInt(3) : 0);
    int kernelHeight = 1 + random.nextInt(4);
    int kernelWidth = 1 + random.nextInt(4);
    int batch = 1 + random.nextInt(2);
    int channels = groups * (1 + random.nextInt(3));
    int height = 1 + random.nextInt(6);
    int width = 1 + random.nextInt(6);
    int out = groups * (1 + random.nextInt(3));
    switch (index % 4) {
      case 0 -> {
        channels = n * (n > 300 ? 1 : groups);
        groups = n > 300 ? 1 : groups;
        height = n > 100 ? 1 + height % 3 : height;
        width = n > 100 ? 2 : width;
        out = groups * 2;
      }
      case 1 -> {
        width = n;
        height = n > 100 ? 1 + height % 2 : height;
        kernelWidth = n > 1030 ? 1 : kernelWidth;
      }
      case 2 -> {
        out = n > 300 ? n : n * groups;
        groups = n > 300 ? 1 : groups;
        height = n > 100 ? 1 + height % 3 : height;
        width = n > 100 ? 2 : width;
      }
      default -> {
        height = n > 60 ? 1 + n % 19 : n;
        width = 1 + n % 13;
      }
    }
    return new Conv2dShape(
        batch, channels - channels % groups, height, width, out, kernelHeight, kernelWidth, 1 + random.nextInt(3), 1 + random.nextInt(2), random.nextInt(3),
        random.nextInt(3), 1 + random.nextInt(2), 1 + random.nextInt(3), groups);
  }
}
