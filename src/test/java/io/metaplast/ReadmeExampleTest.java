package io.metaplast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.MesuParams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The example of README.md: it compiles, learns, and is the one that the README shows. */
class ReadmeExampleTest {
  private static final float TARGET = 0.5f;

  /** The README's lines, between the markers. */
  private static float[] example(long seed, long steps) {
    float[] result;
    // example begins
    MesuParams rule = MesuParams.builder().memoryWindow(300_000).priorMean(0).priorSigma(1).build();
    try (Backend backend = Metaplast.open(); // CUDA, else CPU, else Java
        GaussianWeights weights = GaussianWeights.allocate(backend, TensorLayout.of(50 * 784, 10 * 50));
        TensorGroup<F32Buffer> w = backend.allocateGroup(weights.layout(), 10); // ten samples of the network
        TensorGroup<F32Buffer> dw = backend.allocateGroup(weights.layout(), 10)) {
      weights.sigma().arena().fill(0.05f);
      for (long step = 0; step < steps; step++) {
        backend.bayes().sample(weights, seed, step, w, backend.defaultStream()); // w[k] = mu + sigma * epsilon[k]
        lossGradients(w, dw); // yours: forward and backward, dLoss/dw[k]
        backend.bayes().stepFromSamples(weights, dw, seed, step, 0.1, rule, null, backend.defaultStream());
      }
      // example ends
      result = weights.mean().get(1).toArray();
    }
    return result;
  }

  /** Gradient of sum (w - TARGET)^2 / 2. */
  private static void lossGradients(TensorGroup<F32Buffer> w, TensorGroup<F32Buffer> dw) {
    for (int t = 0; t < w.layout().tensors(); t++) {
      float[] values = w.get(t).toArray();
      for (int i = 0; i < values.length; i++) {
        values[i] -= TARGET;
      }
      dw.get(t).upload(values);
    }
  }

  @Test
  void learns() {
    float before = Math.abs(mean(example(7, 0)) - TARGET);
    float after = Math.abs(mean(example(7, 100)) - TARGET);
    assertThat(before).isEqualTo(TARGET);
    assertThat(after).isLessThan(0.9f * before);
  }

  @Test
  void isWhatTheReadmeShows() throws IOException {
    Path readme = Path.of("README.md");
    Path source = Path.of("src/test/java/io/metaplast/ReadmeExampleTest.java");
    assumeTrue(Files.exists(readme) && Files.exists(source), "no source tree in the working directory");
    List<String> lines = Files.readAllLines(source);
    List<String> example = lines.subList(at(lines, "// example begins") + 1, at(lines, "// example ends"));
    String shown = String.join("\n", example).stripIndent() + "\n}\n";
    assertThat(Files.readString(readme)).contains("```java\n" + shown + "```\n");
  }

  private static int at(List<String> lines, String marker) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().equals(marker)) {
        return i;
      }
    }
    throw new AssertionError("no line '" + marker + "'");
  }

  private static float mean(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return (float) (sum / values.length);
  }
}
