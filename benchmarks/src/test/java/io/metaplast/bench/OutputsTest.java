package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OutputsTest {
  private static Outputs of(float... values) {
    Outputs outputs = new Outputs();
    outputs.add("x", values);
    return outputs;
  }

  @Test
  void equalBitsDoNotDiffer() {
    assertThat(of(1, -0f, Float.NaN).firstDifference(of(1, -0f, Float.intBitsToFloat(0xffc00001)))).isNull();
  }

  @Test
  void differenceNamesOutputIndexAndBits() {
    assertThat(of(1, 0f).firstDifference(of(1, -0f))).contains("x[1]").contains("00000000").contains("80000000");
    assertThat(of(1).firstDifference(of(1, 2))).contains("x").contains("1").contains("2");
  }

  @Test
  void hashSeesOrderAndSign() {
    assertThat(of(1, 2).hash(7)).isNotEqualTo(of(2, 1).hash(7));
    assertThat(of(0f).hash(7)).isNotEqualTo(of(-0f).hash(7));
    // FNV-1a of the word 0x3f800000, by hand
    assertThat(of(1).hash(0xcbf29ce484222325L)).isEqualTo((0xcbf29ce484222325L ^ 0x3f800000L) * 0x100000001b3L);
  }

  @Test
  void floatsOfAGroupFollowEachOther() {
    Outputs outputs = new Outputs();
    outputs.add("mu[0]", 1, 2);
    outputs.add("sigma[0]", 9);
    outputs.add("mu[1]", 3);

    assertThat(outputs.floats("mu")).containsExactly(1, 2, 3);
  }

  @Test
  void boundedResultsAreComparedOnTheirOwnBackendOnly() {
    Outputs one = new Outputs();
    Outputs other = new Outputs();
    one.addBounded("x", new float[] {1, 2}, null);
    other.addBounded("x", new float[] {1, 3}, null);

    assertThat(one.firstDifference(other)).isNull();
    assertThat(one.firstBitDifference(other)).contains("x[1]");
    assertThat(one.hash(7)).isEqualTo(other.hash(7));
    assertThat(one.bounded()).isTrue();

    other.require("y", "is too large");
    assertThat(other.firstDifference(one)).isEqualTo("y: is too large");
    Outputs all = new Outputs();
    all.addAll(other);
    assertThat(all.broken()).isEqualTo("y: is too large");
  }
}
