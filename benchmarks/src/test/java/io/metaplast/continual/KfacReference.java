package io.metaplast.continual;

/** The network with batch norm in double precision, written from the formulas: losses only, derivatives are differences of them. */
final class KfacReference {
  final int inputs;
  final int hidden;
  final int outputs;
  final int batch;
  final double[] pixels;
  final int[] labels;

  /** What was there on the way, by hidden layer: output of the matrix, and after batch norm without scale and shift. */
  final double[][] product = new double[2][];
  final double[][] normalised = new double[2][];
  final double[][] active = new double[2][];
  final double[] logits;
  float[][] fixedMean;
  float[][] fixedVariance;

  /** Where something is added: 0, 1: output of a hidden matrix, 2: logits, 3, 4: output of batch norm. */
  int place = -1;
  int index;
  double added;

  KfacReference(int inputs, int hidden, int outputs, double[] pixels, int[] labels) {
    this.inputs = inputs;
    this.hidden = hidden;
    this.outputs = outputs;
    this.pixels = pixels;
    this.labels = labels;
    batch = labels.length;
    logits = new double[batch * outputs];
  }

  /** Sum over the batch of the negative log-likelihood. */
  double loss(double[] theta) {
    int w1 = 0;
    int w2 = w1 + hidden * inputs;
    int w3 = w2 + hidden * hidden;
    int norm = w3 + outputs * (hidden + 1);
    double[] x = layer(theta, w1, norm, 0, pixels, inputs);
    x = layer(theta, w2, norm + 2 * hidden, 1, x, hidden);
    double loss = 0;
    for (int n = 0; n < batch; n++) {
      double most = Double.NEGATIVE_INFINITY;
      for (int o = 0; o < outputs; o++) {
        double z = theta[w3 + o * (hidden + 1) + hidden];
        for (int i = 0; i < hidden; i++) {
          z += theta[w3 + o * (hidden + 1) + i] * x[n * hidden + i];
        }
        logits[n * outputs + o] = z + at(2, n * outputs + o);
        most = Math.max(most, logits[n * outputs + o]);
      }
      double sum = 0;
      for (int o = 0; o < outputs; o++) {
        sum += Math.exp(logits[n * outputs + o] - most);
      }
      loss += most + Math.log(sum) - logits[n * outputs + labels[n]];
    }
    return loss;
  }

  private double at(int where, int i) {
    return where == place && i == index ? added : 0;
  }

  private double[] layer(double[] theta, int weights, int norm, int l, double[] x, int in) {
    double[] h = new double[batch * hidden];
    double[] normal = new double[batch * hidden];
    double[] out = new double[batch * hidden];
    for (int c = 0; c < hidden; c++) {
      double mean = 0;
      for (int n = 0; n < batch; n++) {
        double sum = at(l, n * hidden + c);
        for (int i = 0; i < in; i++) {
          sum += theta[weights + c * in + i] * x[n * in + i];
        }
        h[n * hidden + c] = sum;
        mean += sum / batch;
      }
      double variance = 0;
      for (int n = 0; n < batch; n++) {
        variance += (h[n * hidden + c] - mean) * (h[n * hidden + c] - mean) / batch;
      }
      if (fixedMean != null) {
        mean = fixedMean[l][c];
        variance = fixedVariance[l][c];
      }
      for (int n = 0; n < batch; n++) {
        double value = (h[n * hidden + c] - mean) / Math.sqrt(variance + 1e-5);
        normal[n * hidden + c] = value;
        out[n * hidden + c] = Math.max(0, theta[norm + c] * value + theta[norm + hidden + c] + at(3 + l, n * hidden + c));
      }
    }
    product[l] = h;
    normalised[l] = normal;
    active[l] = out;
    return out;
  }

  /** Derivative of the loss with respect to something added, for every element of a place. */
  double[] gradient(double[] theta, int where, int count) {
    double step = 1e-5;
    double[] gradient = new double[count];
    place = where;
    for (index = 0; index < count; index++) {
      added = step;
      double up = loss(theta);
      added = -step;
      gradient[index] = (up - loss(theta)) / (2 * step);
    }
    place = -1;
    loss(theta);
    return gradient;
  }
}
