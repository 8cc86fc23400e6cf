package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class BnnMethodTest {
  @Test
  void metaStandsForOneMethodPerValue() {
    assertThat(BnnMethod.of(List.of("meta", "ewc", "random", "meta", "at-once"), List.of(0.0, 1.35)))
        .extracting(BnnMethod::label)
        .containsExactly("meta-0", "meta-1.35", "ewc", "random-consolidation", "at-once-meta-0");
  }

  @Test
  void unknownNamesAndImpossibleValuesAreRefused() {
    assertThatThrownBy(() -> BnnMethod.of(List.of("si"), List.of(0.0))).hasMessageContaining("valid: meta, ewc, random, at-once");
    assertThatThrownBy(() -> BnnMethod.of(List.of("meta"), List.of())).hasMessageContaining("meta is empty");
    assertThatThrownBy(() -> new BnnMethod(BnnMethod.Kind.META, -1)).hasMessageContaining("meta = -1.0");
    assertThatThrownBy(() -> new BnnMethod(BnnMethod.Kind.META, Double.NaN)).hasMessageContaining("meta = NaN");
    assertThatThrownBy(() -> new BnnMethod(BnnMethod.Kind.EWC, 1)).hasMessageContaining("EWC has none");
  }
}
