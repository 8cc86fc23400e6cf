package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ClockTest {
  @Test
  void clockRateIsOneThatProcessorsHave() {
    // A compiler that shortens the chain would give hundreds; emulators and busy machines give little.
    assertThat(Clock.gigahertz()).isBetween(0.05, 8.0);
  }
}
