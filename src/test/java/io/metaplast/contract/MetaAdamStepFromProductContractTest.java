package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.oracle.BitOracle;
import java.util.List;

class MetaAdamStepFromProductContractTest extends BinaryContract {
  MetaAdamStepFromProductContractTest() {
    super("metaAdamStepFromProduct");
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("metaAdamStepFromProduct, signs", true, true), mode("metaAdamStepFromProduct, real input", false, true),
        mode("metaAdamStepFromProduct, signs, plain", true, false));
  }

  private static Mode mode(String name, boolean signs, boolean meta) {
    return new Mode(
        name,
        r -> {
          int[] d = Dims.product(r); // out, in, batch
          int n = d[0] * d[1];
          HiddenWeights.Shape layer = r.theCase().index() % 9 == 8 ? new HiddenWeights.Shape(d[0], d[1], false) : HiddenWeights.Shape.binary(d[0], d[1]);
          List<HiddenWeights.Shape> shapes = List.of(HiddenWeights.Shape.real(3), layer);
          HiddenWeights weights =
              r.hidden(
                  new int[] {0, 1}, shapes, List.of(new float[3], r.signed(n)), List.of(new float[3], r.signed(n)), List.of(new float[3], r.positive(n)));
          F32Matrix dy = r.inMatrix("dy", d[2], d[0], r.terms(d[2], d[0]));
          AdamParams p = MetaAdamStepContractTest.params(r.random(), meta);
          long step = 1 + r.random().nextInt(3000);
          if (signs) {
            BitMatrix x = r.inBits("x", r.randomBits(d[2], d[1]));
            r.backend().binary().metaAdamStepFromProduct(weights, 1, dy, x, p, step, r.stream());
          } else {
            F32Matrix x = r.inMatrix("x", d[2], d[1], r.terms(d[2], d[1]));
            r.backend().binary().metaAdamStepFromProduct(weights, 1, dy, x, p, step, r.stream());
          }
          r.number("step", step);
          r.remember(p);
        },
        r -> verify(r, signs));
  }

  /** The bits of the product followed by the step; those are compared with the oracle themselves. */
  private static void verify(Run fused, boolean signs) {
    int[] d = Dims.product(fused);
    int n = d[0] * d[1];
    Mode chain =
        new Mode(
            "unfused",
            r -> {
              HiddenWeights weights =
                  r.hidden(
                      new int[] {0}, List.of(HiddenWeights.Shape.binary(d[0], d[1])), List.of(fused.before("w.1")), List.of(fused.before("m.1")),
                      List.of(fused.before("v.1")));
              F32Matrix dy = r.inMatrix("dy", d[2], d[0], fused.before("dy"));
              F32Buffer dw = r.out("dw", n);
              F32Matrix product = F32Matrix.of(dw, d[0], d[1]);
              if (signs) {
                r.backend().binary().signGemmTN(dy, r.inBits("x", fused.bitsBefore("x")), product, r.stream());
              } else {
                r.backend().binary().gemmTN(dy, r.inMatrix("x", d[2], d[1], fused.before("x")), product, r.stream());
              }
              TensorGroup<F32Buffer> gradients = r.backend().group(TensorLayout.of(n), 1, List.of(dw));
              r.backend().binary().metaAdamStep(
                  weights, gradients, List.of(fused.remembered(AdamParams.class)), (long) fused.number("step"), r.stream());
            },
            r -> {});
    try (Run expected = Run.of(chain, fused.theCase(), fused.backend())) {
      for (String name : new String[] {"w.", "m.", "v."}) {
        Check.sameBits(name + "1", fused.after(name + "1"), expected.after(name + "0"));
        assertThat(fused.after(name + "0")).containsOnly(0f);
      }
      if (fused.theCase().index() % 9 != 8) {
        assertThat(fused.bitsAfter("bits.1")).isEqualTo(expected.bitsAfter("bits.0"));
        assertThat(fused.bitsAfter("bits.1")).isEqualTo(BitOracle.signs(d[0], d[1], fused.after("w.1")));
      }
    }
  }
}
