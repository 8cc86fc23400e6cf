package io.metaplast.continual;

/** Tests a network with batch norm on all test images at once, whose statistics batch norm takes unless it has fixed ones. */
final class KfacTester {
  private final ImageSet test;
  private final KfacSettings settings;
  private final KfacNetwork.Pass pass;
  private final float[] pixels;

  KfacTester(KfacNetwork network, KfacSettings settings, ImageSet test) {
    this.test = test;
    this.settings = settings;
    pass = network.pass(settings.testImages());
    pixels = new float[settings.testImages() * test.imageSize()];
  }

  /** Share of test images under a permutation that are classified right. */
  double accuracy(int[] order) {
    for (int i = 0; i < settings.testImages(); i++) {
      test.copyUnit(i, order, pixels, i * order.length);
    }
    KfacLearner.shift(pixels, (float) settings.offset());
    pass.input().put(0, pixels);
    pass.forward();
    int right = 0;
    for (int i = 0; i < settings.testImages(); i++) {
      right += best(i * ImageSet.CLASSES) == test.label(i) ? 1 : 0;
    }
    return (double) right / settings.testImages();
  }

  private int best(int offset) {
    int best = 0;
    for (int c = 1; c < ImageSet.CLASSES; c++) {
      if (pass.logits().get(offset + c) > pass.logits().get(offset + best)) {
        best = c;
      }
    }
    return best;
  }
}
