package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuadraticTaskTest {
  private static final BackendOptions BACKEND = BackendOptions.of(BackendKind.JAVA);

  @TempDir private Path folder;

  private static void assertHidden(QuadraticTask task, double first, double second) {
    assertThat(task.hidden()[0]).isCloseTo(first, within(1e-9));
    assertThat(task.hidden()[1]).isCloseTo(second, within(1e-9));
  }

  @Test
  void planeFollowsThePathComputedByHand() {
    QuadraticTask task = QuadraticTask.plane();
    task.step();
    assertHidden(task, .3930575, -.0775625);
    task.step();
    assertHidden(task, .927175, .366185);
    task.step();
    assertHidden(task, 1.3102325, .2686225);
    for (int t = 3; t < 10; t++) {
      task.step();
    }
    assertHidden(task, 4.142695, .126995);
    for (int t = 10; t < 500; t++) {
      task.step();
    }
    assertHidden(task, 205.13415, -.04335);
  }

  @Test
  void flipCostIsTheDifferenceOfTwoLosses() {
    // L(b) = ((b - W*)^T H (b - W*)) / 2 at b = (1, 1) and (-1, 1), by hand
    double before = (2.4047 * .25 - 2 * .2158 * .25 + .7733 * .25) / 2;
    double after = (2.4047 * 6.25 - 2 * .2158 * 2.5 * .5 + .7733 * .25) / 2;
    assertThat(QuadraticTask.plane().flipCosts()[0]).isCloseTo(after - before, within(1e-12));
  }

  @Test
  void largeHiddenWeightsAreThoseWhoseFlipCostsMost() throws IOException {
    QuadraticExperiment.Result result =
        QuadraticExperiment.run(QuadraticExperiment.Settings.published(1000), BACKEND, folder, LearnListener.NONE);

    List<QuadraticExperiment.Bin> filled = result.bins().stream().filter(b -> b.lossIncrease() != null).toList();
    assertThat(filled).hasSizeGreaterThan(12);
    for (int b = 1; b < filled.size(); b++) {
      assertThat(filled.get(b).lossIncrease()).as("bin " + b).isGreaterThan(filled.get(b - 1).lossIncrease());
    }
    assertThat(result.growthOfGrowing()).isGreaterThan(10 * Math.abs(result.growthOfOthers()));
    assertThat(result.bins().stream().mapToInt(QuadraticExperiment.Bin::weights).sum()).isEqualTo(500);
    assertThat(Files.readAllLines(folder.resolve("plane.csv"))).hasSize(502);
    assertThat(Files.readAllLines(folder.resolve("weights.csv"))).hasSize(501);
    assertThat(Files.readString(folder.resolve("summary.json"))).contains("growthOfGrowing").doesNotContain("\"plane\"");
    assertThat(QuadraticExperiment.table(result)).contains("W = (205.13415, -0.04335)");
  }
}
