package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class StatsTest {
  @Test
  void quantilesInterpolateBetweenNeighbours() {
    Stats stats = Stats.of(new double[] {40, 10, 20, 30});

    assertThat(stats).isEqualTo(new Stats(4, 10, 17.5, 25, 32.5));
    assertThat(stats.spread()).isCloseTo(0.6, within(1e-12));
  }

  @Test
  void oneValueIsEveryQuantile() {
    assertThat(Stats.of(new double[] {7})).isEqualTo(new Stats(1, 7, 7, 7, 7));
  }

  @Test
  void inputKeepsItsOrder() {
    double[] values = {3, 1, 2};

    Stats.of(values);

    assertThat(values).containsExactly(3, 1, 2);
  }

  @Test
  void nothingHasNoStatistics() {
    assertThatThrownBy(() -> Stats.of(new double[0])).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void driftIsTheChangeBetweenHalves() {
    assertThat(Stats.drift(new double[] {10, 10, 10, 11, 11, 11})).isCloseTo(0.1, within(1e-12));
    assertThat(Stats.drift(new double[] {11, 11, 10, 10})).isCloseTo(0.1, within(1e-12));
    assertThat(Stats.drift(new double[] {1, 2, 1})).isZero();
  }
}
