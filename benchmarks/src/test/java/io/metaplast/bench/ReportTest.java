package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.continual.BnnMethod;
import io.metaplast.continual.BnnResult;
import io.metaplast.continual.BnnSettings;
import io.metaplast.continual.BnnTask;
import io.metaplast.continual.KfacMethod;
import io.metaplast.continual.KfacResult;
import io.metaplast.continual.KfacTask;
import io.metaplast.continual.LearnMethod;
import io.metaplast.continual.LearnResult;
import io.metaplast.continual.MethodResult;
import io.metaplast.continual.TaskResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final Machine MACHINE =
      new Machine("Some <chip> (Vendor family 26 model 2)", 2, 8L << 30, "Linux", "JVM 17", List.of("-Xmx4g"), "0.1.0", 1, "abc", "gcc 12");

  @TempDir private Path folder;

  private static Comparison.Section section(boolean quotable) {
    Stats stats = new Stats(5, 1000, 1100, 1200, 1300);
    return new Comparison.Section(
        "mesu-memory",
        "MESU step, 20 M parameters (memory)",
        "parameter",
        "java",
        List.of(
            new Comparison.Line("java", Comparison.Role.OURS, 2, stats, 100, 2400, 83e6, 2, 80.0, 1.0, "all bits"),
            new Comparison.Line("roof: some loop", Comparison.Role.ROOF, 2, stats, 100, 2400, 83e6, 2.5, 100.0, null, "")),
        5,
        1,
        0.5,
        0.01,
        false,
        quotable,
        new TrainingPhases("avx512", "with epsilon stored", 4, List.of(new TrainingPhases.Phase("forward", 10, 5.0))),
        Map.of("peer", "a & b"));
  }

  private static LearnResult learned() {
    TaskResult.Auc auc = new TaskResult.Auc(0.8, 0.9);
    TaskResult task = new TaskResult(1, 0.975, 0.97, 0.96, List.of(new TaskResult.Tested(1, 0.975)), null, auc, 100, 1, null);
    MethodResult.Summary summary = new MethodResult.Summary(1, 0.97, 0.975, 0, 0.96, null, auc, null, 100);
    MethodResult method = new MethodResult(LearnMethod.MESU, List.of(task), summary, null);
    return new LearnResult("some experiment", "synthetic digits", null, MACHINE, Map.of(), List.of(method));
  }

  private static BnnResult binarized() {
    BnnTask task = new BnnTask(1, List.of(new BnnTask.Epoch(1, 10, List.of(new TaskResult.Tested(1, 0.875)))), List.of(1.5), 10, 2, 1);
    BnnResult.Summary summary = new BnnResult.Summary(1, 0.875, 0.875, 0.875, List.of(new TaskResult.Tested(1, 0.875)), List.of(1.5), 1, 1, 200);
    BnnResult.Method method = new BnnResult.Method(new BnnMethod(BnnMethod.Kind.META, 1.35), List.of(task), summary);
    BnnSettings settings =
        new BnnSettings(
            1, "", "", BnnSettings.Experiment.PERMUTED, BnnSettings.Scenario.TASK, 1, 8, 1, 10, 10, 100, 100, 10, 1, 0.005, 0, 5000, 100);
    return new BnnResult("a binarized network", "synthetic digits", settings, MACHINE, Map.of(), List.of(method));
  }

  private static KfacResult kronecker() {
    List<TaskResult.Tested> tested = List.of(new TaskResult.Tested(1, 0.625));
    KfacResult.Summary summary = new KfacResult.Summary(1, 0.625, 0.625, 0.625, 0.625, tested, 1, 1, 1, 300);
    KfacResult.Method method = new KfacResult.Method(KfacMethod.EXTENDED, List.of(new KfacTask(1, tested, 10, 2, 1, 1)), summary);
    return new KfacResult("a network with batch norm", "synthetic digits", null, MACHINE, Map.of(), List.of(method));
  }

  @Test
  void reportIsOneFileWithPicturesInside() throws Exception {
    List<BackendInfo> backends =
        List.of(
            new BackendInfo(BackendKind.CUDA, false, "NVIDIA driver not found", "", "", 0, Map.of()),
            new BackendInfo(BackendKind.JAVA, true, "", "JVM", "", 2, Map.of("heap limit", "4 GiB")));
    List<Verification.Row> rows = List.of(new Verification.Row("gaussian", Map.of("java", new Verification.Cell(19, 100, 0, "", false))));
    Comparison.Section plain = section(true);
    Comparison.Section kronecker =
        new Comparison.Section(
            "inverse-64", "damped inverse, n = 64", KfacSections.UNIT, "java", plain.lines(), 5, 0, 0, 0, false, true, null, Map.of("GFLOP/s, java", "2.50"));
    List<Comparison.Section> sections = List.of(plain, section(false), kronecker);

    Path file = Report.write(folder.resolve("new"), MACHINE, backends, List.of(Lane.JAVA), rows, sections, learned(), binarized(), kronecker());

    String html = Files.readString(file);
    assertThat(html).contains("Some &lt;chip&gt;").doesNotContain("<chip>").contains("a &amp; b");
    assertThat(html).contains("NVIDIA driver not found").contains("19 ok").contains("some experiment").contains("97.5 %");
    assertThat(html).contains("a binarized network").contains("meta-1.35").contains("87.5 %").contains("200.00");
    assertThat(html).contains("a network with batch norm").contains("extended").contains("62.5 %").contains("300.00");
    assertThat(html).contains("Kronecker family, operations a second").contains("damped inverse, n = 64").containsOnlyOnce(ComparisonText.NOT_QUOTABLE).contains("5.00 us (50 % of the time)");
    assertThat(html.split("data:image/png;base64,")).hasSize(7);
    assertThat(html).doesNotContain("http://").doesNotContain("https://");
  }

  @Test
  void textTableShowsRatioRoofAndFooter() {
    String text = ComparisonText.of(section(false));

    assertThat(text).contains("1.00 x").contains("80 %").contains("5 interleaved rounds, 2 threads");
    assertThat(text).contains("1 rounds repeated").contains("roof drift 1.0 %").contains(ComparisonText.NOT_QUOTABLE);
  }

  @Test
  void shortNameIsFitForAFile() {
    assertThat(MACHINE.shortName()).isEqualTo("some-chip-f26m2-2c");
  }
}
