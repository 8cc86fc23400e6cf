package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextsTest {
  @Test
  void threeSignificantDigits() {
    assertThat(Texts.number(0)).isEqualTo("0");
    assertThat(Texts.number(1.23456)).isEqualTo("1.23");
    assertThat(Texts.number(123.456)).isEqualTo("123");
    assertThat(Texts.number(0.0123456)).isEqualTo("0.0123");
    assertThat(Texts.number(-45.67)).isEqualTo("-45.7");
    assertThat(Texts.number(1.5e-5)).isEqualTo("1.50e-05");
  }

  @Test
  void timesAndRatesTakeTheUnitThatSuits() {
    assertThat(Texts.time(12.3)).isEqualTo("12.3 ns");
    assertThat(Texts.time(4_560)).isEqualTo("4.56 us");
    assertThat(Texts.time(7.89e6)).isEqualTo("7.89 ms");
    assertThat(Texts.rate(2.5e9)).isEqualTo("2.50 G/s");
    assertThat(Texts.rate(2.5e6)).isEqualTo("2.50 M/s");
    assertThat(Texts.rate(2.5e3)).isEqualTo("2.50 k/s");
    assertThat(Texts.rate(38.4)).isEqualTo("38.4 /s");
  }
}
