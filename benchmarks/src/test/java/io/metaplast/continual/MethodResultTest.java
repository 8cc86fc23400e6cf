package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MethodResultTest {
  private static TaskResult task(int task, double newest, double auc, double time) {
    List<TaskResult.Tested> tested = List.of(new TaskResult.Tested(1, 0.5), new TaskResult.Tested(task, newest));
    return new TaskResult(task, newest, newest - 0.1, 0.5, tested, new TaskResult.Auc(auc, auc + 0.01), new TaskResult.Auc(0.5, 0.6),
        time, 1, null);
  }

  @Test
  void summaryIsWhatThePapersPrint() {
    List<TaskResult> tasks = new ArrayList<>();
    for (int t = 1; t <= 7; t++) {
      tasks.add(task(t, t % 2 == 0 ? 0.94 : 0.96, 0.1 * t, 100 - t));
    }
    tasks.add(task(8, 0.91, 0.8, 7));
    MethodResult.Summary summary = MethodResult.of(LearnMethod.MESU, tasks, null).summary();
    assertThat(summary.tasks()).isEqualTo(8);
    assertThat(summary.lastFive()).isCloseTo(0.81, within(1e-12));
    assertThat(summary.newestMean()).isCloseTo((4 * 0.96 + 3 * 0.94 + 0.91) / 8, within(1e-12));
    assertThat(summary.newestDeviation()).isCloseTo(Math.sqrt(0.0021875 / 7), within(1e-12));
    assertThat(summary.allMean()).isCloseTo((0.5 + 0.91) / 2, within(1e-12));
    assertThat(summary.outOfDistribution().thresholds()).isCloseTo(0.6, within(1e-12));
    assertThat(summary.outOfDistribution().rank()).isCloseTo(0.61, within(1e-12));
    assertThat(summary.rigidityResilience()).isCloseTo(1 / 0.05, within(1e-9));
    assertThat(summary.microsecondsPerStep()).isCloseTo(95.5, within(1e-12));
  }

  @Test
  void resilienceOfEqualAccuraciesIsLeftOutInsteadOfInfinite() {
    assertThat(MethodResult.of(LearnMethod.SGD, List.of(task(1, 0.9, 0.5, 1)), null).summary().rigidityResilience()).isNull();
  }

  @Test
  void classIsTheLargestSumOfLogits() {
    // Two samples, two images, three classes: image 0 has sums 3, 5, 4; image 1 has 1, 1, 0, where the first largest wins.
    float[] logits = {1, 5, 0, 1, 0, 0, 2, 0, 4, 0, 1, 0};
    assertThat(Evaluator.score(logits, 2, 3, new int[] {1, 0}, 2)).isEqualTo(1.0);
    assertThat(Evaluator.score(logits, 2, 3, new int[] {2, 0}, 2)).isEqualTo(0.5);
    logits[0] = logits[1] = logits[2] = Float.NaN;
    assertThat(Evaluator.score(logits, 2, 3, new int[] {0, 0}, 2)).isEqualTo(0.5);
  }
}
