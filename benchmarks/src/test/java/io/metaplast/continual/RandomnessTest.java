package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RandomnessTest {
  private static final int PIXELS = 784;
  private static Backend backend;

  @BeforeAll
  static void open() {
    backend = Metaplast.open(BackendOptions.of(BackendKind.JAVA));
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  @Test
  void everyTaskHasItsOwnPermutationAndGetsItAgain() {
    Set<List<Integer>> seen = new HashSet<>();
    List<int[]> all = new ArrayList<>();
    for (int task = 0; task < 50; task++) {
      all.add(Randomness.permutation(backend, 1000, task, PIXELS));
    }
    all.add(Randomness.heldOutPermutation(backend, 1000, PIXELS));
    all.add(Randomness.permutation(backend, 1001, 0, PIXELS));
    int fixedPoints = 0;
    for (int[] order : all) {
      int[] sorted = order.clone();
      Arrays.sort(sorted);
      assertThat(sorted).isEqualTo(Randomness.identity(PIXELS));
      seen.add(Arrays.stream(order).boxed().toList());
      for (int i = 0; i < PIXELS; i++) {
        fixedPoints += order[i] == i ? 1 : 0;
      }
    }
    assertThat(seen).hasSize(all.size());
    // One fixed point per random permutation is expected; Poisson with mean 52.
    assertThat(fixedPoints).isBetween(20, 90);
    assertThat(Randomness.permutation(backend, 1000, 7, PIXELS)).isEqualTo(all.get(7));
  }

  @Test
  void initialMeansAreUniformInTheirRange() {
    Network network = new Network(PIXELS, 50, 10);
    double limit = network.limit(0);
    assertThat(limit).isCloseTo(0.142857, within(1e-6));
    assertThat(network.limit(1)).isCloseTo(0.565685, within(1e-6));
    float[] means = Randomness.initialMeans(backend, 1000, 0, network.weights(0), limit);
    double sum = 0;
    double squares = 0;
    for (float m : means) {
      assertThat(Math.abs(m)).isLessThan((float) limit);
      sum += m;
      squares += m * m;
    }
    double deviation = limit / Math.sqrt(3);
    // Four standard errors of 39,200 uniform values.
    assertThat(sum / means.length).isCloseTo(0, within(4 * deviation / Math.sqrt(means.length)));
    assertThat(squares / means.length).isCloseTo(deviation * deviation, within(4 * deviation * deviation * Math.sqrt(0.8 / means.length)));
    assertThat(Randomness.initialMeans(backend, 1000, 1, 500, limit)).isNotEqualTo(Arrays.copyOf(means, 500));
  }
}
