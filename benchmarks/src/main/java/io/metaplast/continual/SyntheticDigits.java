package io.metaplast.continual;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Ten digits drawn as strokes and bent by a random affine map: data for a machine without MNIST. The images depend on nothing but the seed:
 * {@link Random} and {@link StrictMath} give the same values on every Java. A linear classifier finds them easier than MNIST, so accuracies
 * are not comparable with published ones.
 */
final class SyntheticDigits {
  /** Pixels of an edge. */
  static final int EDGE = 28;

  private static final List<double[][]> GLYPHS = glyphs();

  private SyntheticDigits() {}

  /** {@code count} labelled images. Sets of different seeds are independent. */
  static ImageSet generate(int count, long seed) throws DataException {
    Random random = new Random(seed);
    byte[] pixels = new byte[count * EDGE * EDGE];
    byte[] labels = new byte[count];
    float[] ink = new float[EDGE * EDGE];
    for (int i = 0; i < count; i++) {
      int digit = random.nextInt(ImageSet.CLASSES);
      labels[i] = (byte) digit;
      draw(GLYPHS.get(digit), random, ink);
      for (int p = 0; p < ink.length; p++) {
        pixels[i * ink.length + p] = (byte) Math.round(255 * ink[p]);
      }
    }
    return new ImageSet("synthetic digits, seed " + seed, pixels, labels, EDGE * EDGE);
  }

  private static void draw(double[][] strokes, Random random, float[] ink) {
    Arrays.fill(ink, 0f);
    double angle = 0.16 * random.nextGaussian();
    double shear = 0.15 * random.nextGaussian();
    double scaleX = 20 * (1 + 0.10 * random.nextGaussian());
    double scaleY = 20 * (1 + 0.08 * random.nextGaussian());
    double centreX = EDGE / 2.0 + 1.2 * random.nextGaussian();
    double centreY = EDGE / 2.0 + 1.2 * random.nextGaussian();
    double halfWidth = 0.9 + 0.7 * random.nextDouble();
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    // A slow wave on top of the affine map bends straight strokes.
    double wave = 0.04 * random.nextGaussian();
    double phase = 2 * Math.PI * random.nextDouble();
    for (double[] stroke : strokes) {
      double lastX = 0;
      double lastY = 0;
      for (int p = 0; p < stroke.length; p += 2) {
        double u = stroke[p] - 0.5 + wave * StrictMath.sin(4 * stroke[p + 1] + phase);
        double v = stroke[p + 1] - 0.5 + wave * StrictMath.sin(4 * stroke[p] + phase);
        u += shear * v;
        double x = centreX + scaleX * (cos * u - sin * v);
        double y = centreY + scaleY * (sin * u + cos * v);
        if (p > 0) {
          segment(lastX, lastY, x, y, halfWidth, ink);
        }
        lastX = x;
        lastY = y;
      }
    }
  }

  /** Inks every pixel near the segment; the edge of the stroke is one pixel soft. */
  private static void segment(double ax, double ay, double bx, double by, double halfWidth, float[] ink) {
    double reach = halfWidth + 1;
    int left = (int) Math.max(0, Math.floor(Math.min(ax, bx) - reach));
    int right = (int) Math.min(EDGE - 1, Math.ceil(Math.max(ax, bx) + reach));
    int top = (int) Math.max(0, Math.floor(Math.min(ay, by) - reach));
    int bottom = (int) Math.min(EDGE - 1, Math.ceil(Math.max(ay, by) + reach));
    double dx = bx - ax;
    double dy = by - ay;
    double lengthSquared = dx * dx + dy * dy;
    for (int y = top; y <= bottom; y++) {
      for (int x = left; x <= right; x++) {
        double px = x + 0.5 - ax;
        double py = y + 0.5 - ay;
        double along = lengthSquared > 0 ? Math.max(0, Math.min(1, (px * dx + py * dy) / lengthSquared)) : 0;
        double ex = px - along * dx;
        double ey = py - along * dy;
        double value = 0.5 + halfWidth - Math.sqrt(ex * ex + ey * ey);
        int p = y * EDGE + x;
        ink[p] = Math.max(ink[p], (float) Math.max(0, Math.min(1, value)));
      }
    }
  }

  private static List<double[][]> glyphs() {
    List<double[][]> all = new ArrayList<>();
    all.add(new double[][] {arc(.5, .5, .28, .42, 0, 360)});
    all.add(new double[][] {{.32, .28, .52, .08, .52, .92}});
    all.add(new double[][] {join(arc(.5, .32, .26, .24, 190, 390), new double[] {.24, .92, .78, .92})});
    all.add(new double[][] {join(arc(.47, .29, .25, .21, 200, 450), arc(.47, .71, .29, .21, 270, 520))});
    all.add(new double[][] {{.64, .92, .64, .08, .2, .64, .84, .64}});
    all.add(new double[][] {join(new double[] {.76, .08, .32, .08, .29, .46}, arc(.48, .66, .28, .26, 230, 500))});
    all.add(new double[][] {join(new double[] {.66, .08, .4, .3}, arc(.5, .68, .25, .24, 200, 560))});
    all.add(new double[][] {{.2, .1, .8, .1, .44, .92}});
    all.add(new double[][] {arc(.5, .29, .21, .21, 90, 450), arc(.5, .71, .26, .21, 270, 630)});
    all.add(new double[][] {join(arc(.48, .32, .24, .24, 20, 380), new double[] {.7, .36, .62, .92})});
    return all;
  }

  /** Points of an elliptic arc, angles in degrees, clockwise from the right because y points down. */
  private static double[] arc(double cx, double cy, double rx, double ry, double from, double to) {
    int steps = (int) Math.ceil(Math.abs(to - from) / 20);
    double[] points = new double[2 * (steps + 1)];
    for (int i = 0; i <= steps; i++) {
      double a = Math.PI / 180 * (from + (to - from) * i / steps);
      points[2 * i] = cx + rx * StrictMath.cos(a);
      points[2 * i + 1] = cy + ry * StrictMath.sin(a);
    }
    return points;
  }

  private static double[] join(double[] first, double[] second) {
    double[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
