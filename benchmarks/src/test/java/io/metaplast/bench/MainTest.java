package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.Metaplast;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine main = Main.commandLine();
    main.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return main.execute(arguments);
  }

  @Test
  void infoNamesEveryBackendAndWhyOneIsOut() {
    assertThat(run("info")).isZero();

    for (BackendInfo info : Metaplast.probe()) {
      assertThat(out.toString()).contains(info.available() ? info.device() : info.reason());
    }
  }

  @Test
  void infoAsJsonCanBeRead() throws Exception {
    assertThat(run("info", "--json")).isZero();

    JsonNode json = new ObjectMapper().readTree(out.toString());
    assertThat(json.at("/machine/numericsVersion").asInt()).isEqualTo(Metaplast.NUMERICS_VERSION);
    assertThat(json.at("/backends")).hasSize(BackendKind.values().length);
  }

  @Test
  void requiredBackendDecidesTheExitCode() {
    assertThat(run("info", "--require", "java")).isZero();

    BackendInfo cuda = Metaplast.probe().stream().filter(info -> info.kind() == BackendKind.CUDA).findFirst().orElseThrow();
    assertThat(run("info", "--require", "cuda")).isEqualTo(cuda.available() ? 0 : 1);
    if (!cuda.available()) {
      assertThat(err.toString()).contains("cuda").contains(cuda.reason());
    }
  }

  @Test
  void wrongUsageIsExplained() {
    assertThat(run("info", "--require", "gpu")).isEqualTo(2);
    assertThat(err.toString()).contains("--require").contains("CUDA");
    assertThat(run("compare", "--rounds", "0")).isEqualTo(2);
    assertThat(err.toString()).contains("--rounds");
  }
}
