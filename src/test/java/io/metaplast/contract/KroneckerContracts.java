package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Coverage;
import io.metaplast.TestBackends.Target;
import io.metaplast.oracle.KroneckerOracle;
import java.util.Arrays;
import java.util.Map;

/** Which test class holds the contract of each method of KfacKernels; names in the coverage table begin with {@code kfac.}. */
final class KroneckerContracts {
  static final Map<String, Class<?>> TESTS =
      Map.ofEntries(
          Map.entry("kroneckerFactorUpdate", KroneckerFactorTest.class),
          Map.entry("kroneckerFactorValue", KroneckerFactorTest.class),
          Map.entry("kroneckerFactorCentered", KroneckerFactorTest.class),
          Map.entry("kroneckerFactorMean", KroneckerFactorTest.class),
          Map.entry("kroneckerFactorBetween", KroneckerFactorTest.class),
          Map.entry("im2colFactorUpdate", Im2colFactorTest.class),
          Map.entry("damping", KroneckerPairsTest.class),
          Map.entry("mergeKroneckerFactors", KroneckerPairsTest.class),
          Map.entry("klClipCoefficient", KroneckerPairsTest.class),
          Map.entry("dampedSpdInverse", SpdInverseTest.class),
          Map.entry("batchedDampedSpdInverse", SpdInverseTest.class),
          Map.entry("dampedCholesky", CholeskyPiecesTest.class),
          Map.entry("triangularInverse", CholeskyPiecesTest.class),
          Map.entry("triangularSolve", CholeskyPiecesTest.class),
          Map.entry("kroneckerPrecondition", KroneckerProductsTest.class),
          Map.entry("kroneckerMatVec", KroneckerProductsTest.class),
          Map.entry("kroneckerQuadraticPenalty", KroneckerPenaltyTest.class),
          Map.entry("mergeBatchNorm", MergeBatchNormTest.class),
          Map.entry("mergeBatchNormBackward", MergeBatchNormTest.class),
          Map.entry("symmetricEigen", EigenTest.class),
          Map.entry("inverseRootFromEigen", EigenTest.class),
          Map.entry("kroneckerPreconditionEigen", EigenTest.class),
          Map.entry("ekfacSecondMoment", EigenTest.class),
          Map.entry("ekfacPrecondition", EigenTest.class),
          Map.entry("woodburyInverse", KroneckerPiecesTest.class),
          Map.entry("kroneckerSumInverseApply", KroneckerPiecesTest.class),
          Map.entry("kroneckerLogDet", KroneckerPiecesTest.class),
          Map.entry("matrixNormalSample", KroneckerPiecesTest.class),
          Map.entry("newtonSchulzInverse", KroneckerPiecesTest.class));

  private KroneckerContracts() {}

  /** Every element within {@code relative} times the largest that is wanted. */
  static void close(double[] got, double[] want, double relative) {
    assertThat(got).hasSameSizeAs(want);
    double largest = Arrays.stream(want).map(Math::abs).max().orElse(0);
    for (int i = 0; i < want.length; i++) {
      assertThat(got[i]).as("element %d", i).isCloseTo(want[i], within(relative * largest));
    }
  }

  static void close(float[] got, double[] want, double relative) {
    close(KroneckerOracle.widen(got), want, relative);
  }

  static void checked(String kernel, Target target, long count) {
    if (!TESTS.containsKey(kernel)) {
      throw new IllegalArgumentException(kernel);
    }
    Coverage.checked("kfac." + kernel, target.name(), count);
  }
}
