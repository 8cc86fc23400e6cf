package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurvatureStudyTest {
  private static final BackendOptions BACKEND = BackendOptions.of(BackendKind.JAVA).withThreads(1);

  @TempDir private Path folder;

  /** Figures of the specification, found with 200 and 100 other draws; ranges of a mean over 20. */
  @Test
  void everyGateIsMetAndTheMeansAreThoseOfTheSpecification() throws IOException {
    CurvatureStudy.Result result = CurvatureStudy.run(new CurvatureStudy.Settings(1, 20), BACKEND, folder, LearnListener.NONE);
    assertThat(result.gates()).hasSize(5).allSatisfy(gate -> assertThat(gate.met()).as("%s: %s", gate.what(), gate.found()).isTrue());
    double[][] plain = {{.53, .98, 3.04, 11.6}, {.60, .79, 1.74, 5.26}};
    double[][] extended = {{.53, .53, .53, .53}, {.59, .60, .55, .44}};
    for (int i = 0; i < 8; i++) {
      CurvatureStudy.Errors errors = result.lines().get(i).errors();
      assertThat(errors.plain()).isCloseTo(plain[i / 4][i % 4], within(0.2 * plain[i / 4][i % 4]));
      assertThat(errors.extended()).isCloseTo(extended[i / 4][i % 4], within(0.2 * extended[i / 4][i % 4]));
    }
    assertThat(Files.readAllLines(folder.resolve("draws.csv"))).hasSize(1 + 20 * 8);
    assertThat(folder.resolve("summary.json")).exists();
    assertThat(CurvatureStudy.text(result)).contains("extended").contains("met").doesNotContain("not met");
  }

  /** Behind batch norm only the covariance counts, so that the centred factor alone gives what both terms give. */
  @Test
  void directlyUnderBatchNormBothTermsCollapseToOne() {
    try (Backend backend = Metaplast.open(BACKEND)) {
      CurvatureStudy.Errors direct = CurvatureStudy.errors(backend, CurvatureStudy.Net.DIRECT, 1, 3);
      assertThat(direct.centred()).isCloseTo(direct.extended(), within(1e-9));
      CurvatureStudy.Errors between = CurvatureStudy.errors(backend, CurvatureStudy.Net.RELU_BETWEEN, 1, 3);
      assertThat(Math.abs(between.centred() - between.extended())).isGreaterThan(1e-3);
    }
  }
}
