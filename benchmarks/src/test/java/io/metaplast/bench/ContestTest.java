package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContestTest {
  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void slowerContenderHasTheLongerTime() {
    Contest.Outcome outcome =
        new Contest(4, 0, 1, false)
            .run(List.of(new Contest.Contender("slow", () -> pause(20)), new Contest.Contender("fast", () -> pause(2))), () -> {});

    assertThat(outcome.of("slow").nanos().min()).isGreaterThanOrEqualTo(20e6);
    assertThat(outcome.of("fast").nanos().min()).isBetween(2e6, outcome.of("slow").nanos().min());
    assertThat(outcome.of("slow").rounds()).hasSize(4);
    assertThat(outcome.dropped()).isZero();
    assertThatThrownBy(() -> outcome.of("none")).hasMessageContaining("none");
  }

  @Test
  void processorTimeLeavesOutWaiting() {
    Contest.Outcome outcome = new Contest(2, 0, 1, true).run(List.of(new Contest.Contender("sleeper", () -> pause(20))), () -> {});

    assertThat(outcome.of("sleeper").nanos().median()).isLessThan(10e6);
  }

  @Test
  void contendersTakeTurnsAndTheFirstTurnMovesOn() {
    List<String> turns = new ArrayList<>();
    List<Contest.Contender> contenders = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      contenders.add(
          new Contest.Contender(
              name,
              () -> {
                turns.add(name);
                pause(12);
              }));
    }
    int[] before = {-1};
    int[] rounds = {0};

    new Contest(3, 0, 1, false)
        .run(
            contenders,
            () -> {
              rounds[0]++;
              if (before[0] < 0) {
                before[0] = turns.size() - 3;
              }
            });

    assertThat(rounds[0]).isEqualTo(3);
    assertThat(turns.subList(before[0], turns.size())).containsExactly("a", "b", "c", "b", "c", "a", "c", "a", "b");
  }
}
