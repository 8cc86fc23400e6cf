package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerificationTest {
  @Test
  void javaBackendGivesTheStoredHashes() {
    List<String> kernels = new ArrayList<>();

    List<Verification.Row> rows = new Verification(List.of(Lane.JAVA)).run(kernels::add);

    assertThat(kernels).hasSize(KernelChecks.ALL.size());
    assertThat(rows).allSatisfy(row -> assertThat(row.cells().get("java").firstFailure()).as(row.kernel()).isEmpty());
    assertThat(Verification.checks(rows)).isGreaterThan(500);
  }

  @Test
  void wrongStoredHashIsAFailureAndIsNamed() {
    Map<String, Long> stored = new LinkedHashMap<>();
    KernelChecks.ALL.forEach(check -> stored.put(check.kernel(), 1L));
    stored.remove("philox");

    List<Verification.Row> rows = new Verification(List.of(Lane.JAVA), stored).run(kernel -> {});

    assertThat(Verification.failures(rows)).isEqualTo(KernelChecks.ALL.size());
    String table = Verification.format(rows, List.of(Lane.JAVA));
    assertThat(table).contains("FAILED philox on java: no stored hash").contains("instead of the stored 0000000000000001");
  }
}
