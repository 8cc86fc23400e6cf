package io.metaplast.internal.eigen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both eigensolvers, which give the same decompositions. */
class EigensolverTest {
  static Stream<SymmetricEigensolver> solvers() {
    return Stream.of(new EjmlEigensolver(), new LapackEigensolver());
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void decomposes(SymmetricEigensolver solver) {
    SplittableRandom random = new SplittableRandom(5);
    for (int n : new int[] {1, 2, 3, 10, 65, 130}) {
      for (int kind = 0; kind < 4; kind++) {
        double[] m = new double[n * n];
        for (int i = 0; i < n; i++) {
          for (int j = 0; j <= i; j++) {
            double x =
                switch (kind) {
                  case 0 -> random.nextDouble(-1, 1);
                  case 1 -> 1; // one eigenvalue n, the rest 0
                  case 2 -> i == j ? 2 : i == j + 1 ? -1 : 0;
                  default -> i - j == n / 2 ? 1 : 0; // sparse, with equal eigenvalues
                };
            m[i * n + j] = x;
            m[j * n + i] = x;
          }
        }
        double[] a = m.clone();
        double[] values = new double[n];
        assertThat(solver.solve(n, a, values)).isTrue();
        assertThat(values).isSorted();
        for (int p = 0; p < n; p++) {
          for (int q = 0; q < n; q++) {
            double dot = 0;
            double residual = -values[p] * a[p * n + q];
            for (int i = 0; i < n; i++) {
              dot += a[p * n + i] * a[q * n + i];
              residual += m[q * n + i] * a[p * n + i];
            }
            assertThat(Math.abs(dot - (p == q ? 1 : 0))).as("%s n %d kind %d: vectors %d, %d", solver.name(), n, kind, p, q).isLessThan(1e-12);
            assertThat(Math.abs(residual)).as("%s n %d kind %d: residual %d, %d", solver.name(), n, kind, p, q).isLessThan(1e-12 * n);
          }
        }
      }
    }
  }

  @Test
  void lapackIsUsedWhereItIs() {
    assertThat(SymmetricEigensolver.best().name()).isEqualTo("LAPACK");
  }
}
