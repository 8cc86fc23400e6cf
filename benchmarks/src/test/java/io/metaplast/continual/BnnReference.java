package io.metaplast.continual;

/** A binarized network of three layers in double, written without regard to speed: forward with batch statistics, gradient of single images. */
final class BnnReference {
  private static final double EPSILON = 1e-5;

  private final float[][] weights;
  private final float[][] gamma;
  private final float[][] beta;
  private final int[] widths;

  BnnReference(float[][] weights, float[][] gamma, float[][] beta, int... widths) {
    this.weights = weights;
    this.gamma = gamma;
    this.beta = beta;
    this.widths = widths;
  }

  private static double sign(double x) {
    return x >= 0 ? 1 : -1;
  }

  /** Mean square over images of the gradient of one image's loss at every binary weight, batch statistics held. */
  double[][] importance(ImageSet set, int[] order, int images, int batch) {
    double[][] sums = new double[3][];
    for (int l = 0; l < 3; l++) {
      sums[l] = new double[weights[l].length];
    }
    for (int start = 0; start < images; start += batch) {
      add(set, order, start, batch, sums);
    }
    for (double[] sum : sums) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] /= images;
      }
    }
    return sums;
  }

  private void add(ImageSet set, int[] order, int start, int batch, double[][] sums) {
    double[][][] in = new double[4][batch][];
    double[][][] out = new double[3][][];
    double[][] scale = new double[3][];
    for (int b = 0; b < batch; b++) {
      float[] pixels = new float[widths[0]];
      set.copyUnit(start + b, order, pixels, 0);
      in[0][b] = new double[widths[0]];
      for (int i = 0; i < pixels.length; i++) {
        in[0][b][i] = pixels[i];
      }
    }
    for (int l = 0; l < 3; l++) {
      out[l] = new double[batch][widths[l + 1]];
      scale[l] = new double[widths[l + 1]];
      for (int o = 0; o < widths[l + 1]; o++) {
        double sum = 0;
        double squares = 0;
        for (int b = 0; b < batch; b++) {
          double y = 0;
          for (int i = 0; i < widths[l]; i++) {
            y += in[l][b][i] * sign(weights[l][o * widths[l] + i]);
          }
          out[l][b][o] = y;
          sum += y;
        }
        for (int b = 0; b < batch; b++) {
          squares += (out[l][b][o] - sum / batch) * (out[l][b][o] - sum / batch);
        }
        scale[l][o] = gamma[l][o] / Math.sqrt(squares / batch + EPSILON);
        for (int b = 0; b < batch; b++) {
          out[l][b][o] = (out[l][b][o] - sum / batch) * scale[l][o] + beta[l][o];
        }
      }
      for (int b = 0; b < batch; b++) {
        in[l + 1][b] = new double[widths[l + 1]];
        for (int o = 0; o < widths[l + 1]; o++) {
          in[l + 1][b][o] = sign(out[l][b][o]);
        }
      }
    }
    for (int b = 0; b < batch; b++) {
      double[] gradient = new double[widths[3]];
      double total = 0;
      for (double logit : out[2][b]) {
        total += Math.exp(logit);
      }
      for (int c = 0; c < gradient.length; c++) {
        gradient[c] = Math.exp(out[2][b][c]) / total - (c == set.label(start + b) ? 1 : 0);
      }
      for (int l = 2; l >= 0; l--) {
        double[] before = new double[widths[l]];
        for (int o = 0; o < gradient.length; o++) {
          double d = l < 2 && Math.abs(out[l][b][o]) > 1 ? 0 : gradient[o] * scale[l][o];
          for (int i = 0; i < before.length; i++) {
            double g = d * in[l][b][i];
            sums[l][o * before.length + i] += g * g;
            before[i] += d * sign(weights[l][o * before.length + i]);
          }
        }
        gradient = before;
      }
    }
  }
}
