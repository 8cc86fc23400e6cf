package io.metaplast.kfac;

import io.metaplast.F32Matrix;
import java.util.Objects;

/**
 * The two factors of a layer's block G (x) A, or their inverses. With W [out][in] flattened by rows, (G (x) A) W = G W A.
 *
 * @param g output-gradient factor [out][out]
 * @param a input factor [in][in], in counted with the bias coordinate where the layer has one (its last)
 */
public record KroneckerPair(F32Matrix g, F32Matrix a) {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if a factor is not square
   */
  public KroneckerPair {
    Objects.requireNonNull(g, "g");
    Objects.requireNonNull(a, "a");
    square("g", g);
    square("a", a);
  }

  private static void square(String name, F32Matrix m) {
    if (m.rows() != m.cols()) {
      throw new IllegalArgumentException(name + " is " + m.rows() + " x " + m.cols() + ", must be square");
    }
  }
}
