package io.metaplast.continual;

import io.metaplast.Stream;

/** Tests a binarized network in batches, whose size matters where batch norm takes its statistics from the batch. */
final class BnnTester implements AutoCloseable {
  private final ImageSet test;
  private final BnnSettings settings;
  private final Stream stream;
  private final BinarizedNetwork.Pass pass;
  private final float[] pixels;
  private final float[] logits;

  BnnTester(BinarizedNetwork network, Stream stream, BnnSettings settings, ImageSet test) {
    this.test = test;
    this.settings = settings;
    this.stream = stream;
    pass = network.pass(settings.testBatch());
    pixels = new float[settings.testBatch() * test.imageSize()];
    logits = new float[settings.testBatch() * ImageSet.CLASSES];
  }

  /** Share of test images under a permutation that are classified right. */
  double accuracy(int[] order) {
    int right = 0;
    for (int start = 0; start < settings.testImages(); start += settings.testBatch()) {
      for (int i = 0; i < settings.testBatch(); i++) {
        test.copyUnit(start + i, order, pixels, i * order.length);
      }
      pass.input().data().upload(pixels);
      pass.infer();
      stream.synchronize();
      pass.logits().download(logits);
      for (int i = 0; i < settings.testBatch(); i++) {
        right += best(logits, i * ImageSet.CLASSES) == test.label(start + i) ? 1 : 0;
      }
    }
    return (double) right / settings.testImages();
  }

  private static int best(float[] logits, int offset) {
    int best = 0;
    for (int c = 1; c < ImageSet.CLASSES; c++) {
      if (logits[offset + c] > logits[offset + best]) {
        best = c;
      }
    }
    return best;
  }

  @Override
  public void close() {
    pass.close();
  }
}
