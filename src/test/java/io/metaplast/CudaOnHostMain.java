package io.metaplast;

import io.metaplast.contract.BinaryGoldenTest;
import io.metaplast.contract.Contracts;
import io.metaplast.contract.GoldenTest;
import io.metaplast.contract.KernelContract;
import io.metaplast.contract.KroneckerGoldenTest;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs the golden vectors and, for every kernel, the comparison with the Java backend in a JVM of its own; exit status 0 when all of it passes. The table of
 * checks is printed by {@link CoverageListener}.
 */
final class CudaOnHostMain {
  // Many barriers and warp operations in every one of a thousand cases: minutes on the shim. Golden vectors and simt_tests cover them.
  private static final Set<String> TOO_SLOW =
      Set.of(
          "linearForward", "nllMeanLogSoftmax", "uncertainty", "rocAucThresholds", "xnorGemm", "xnorSyrk", "batchNormForward", "batchNormInference",
          "batchNormBackward", "conv2d", "conv2dGradInput", "conv2dGradWeight");

  // Of the Kronecker family: the tests whose matrices are small.
  private static final List<String[]> KRONECKER =
      List.of(
          new String[] {"KroneckerFactorTest", "integersAreExact"},
          new String[] {"KroneckerFactorTest", "valuesThatAreNotFiniteAreNamedAndNothingIsWritten"},
          new String[] {"KroneckerFactorTest", "noRowsLeaveTheOldPart"},
          new String[] {"KroneckerFactorTest", "largeMeansDoNotSpoilCentring"},
          new String[] {"KroneckerFactorTest", "movingSumKnowsItsWeight"},
          new String[] {"Im2colFactorTest", "valuesThatAreNotFiniteAreNamed"},
          new String[] {"KroneckerPairsTest", "dampingOfEveryMode"},
          new String[] {"KroneckerPairsTest", "merging"},
          new String[] {"KroneckerPairsTest", "klClip"},
          new String[] {"SpdInverseTest", "closedForms"},
          new String[] {"SpdInverseTest", "statuses"},
          new String[] {"SpdInverseTest", "oneBadMatrixDisturbsNoOther"},
          new String[] {"SpdInverseTest", "randomSpectra"},
          new String[] {"SpdInverseTest", "dampedLowRankFactors"},
          new String[] {"SpdInverseTest", "theSilentZoneIsReported"},
          new String[] {"SpdInverseTest", "theProbeEstimatesTheResidual"},
          new String[] {"SpdInverseTest", "everyRungIsNeededSomewhere"},
          new String[] {"SpdInverseTest", "escalationIsPerMatrix"},
          new String[] {"SpdInverseTest", "aBatchGivesTheBitsOfSingleCalls"},
          new String[] {"CholeskyPiecesTest", "factors"},
          new String[] {"CholeskyPiecesTest", "failuresAreNamedAndNothingIsWritten"},
          new String[] {"CholeskyPiecesTest", "triangularPieces"},
          new String[] {"KroneckerPiecesTest", "woodburyEqualsTheDirectInverse"},
          new String[] {"KroneckerPiecesTest", "inverseOfASumOfTwoBlocks"},
          new String[] {"KroneckerPiecesTest", "logDeterminant"},
          new String[] {"KroneckerPiecesTest", "matrixNormalSamples"},
          new String[] {"KroneckerPiecesTest", "newtonSchulz"},
          new String[] {"CurvatureIdentitiesTest", "deepLinearNetsAreExact"},
          new String[] {"CurvatureIdentitiesTest", "collapseDirectlyUnderBatchNorm"},
          new String[] {"KroneckerProductsTest", "withinBoundsAndTheSameInEveryForm"},
          new String[] {"KroneckerProductsTest", "notANumberSpreadsThroughItsLayer"},
          new String[] {"KroneckerPenaltyTest", "followsTheFormula"},
          new String[] {"KroneckerPenaltyTest", "indefiniteFactorsAreFlagged"},
          new String[] {"MergeBatchNormTest", "followsTheFormulas"},
          new String[] {"MergeBatchNormTest", "sameBitsAsJavaInPlaceAndOnThreads"},
          new String[] {"MergeBatchNormTest", "aVarianceThatIsNotPositiveIsNamed"});

  private CudaOnHostMain() {}

  public static void main(String[] args) {
    List<DiscoverySelector> selectors = new ArrayList<>();
    selectors.add(DiscoverySelectors.selectClass(GoldenTest.class));
    selectors.add(DiscoverySelectors.selectClass(BinaryGoldenTest.class));
    for (KernelContract contract : Contracts.all()) {
      if (!TOO_SLOW.contains(contract.kernel()) && !contract.kernel().startsWith("binary.")) { // those: simt_tests, and the golden vectors
        selectors.add(DiscoverySelectors.selectMethod(contract.getClass(), "sameBitsAsJava", TestBackends.Target.class));
      }
    }
    selectors.add(DiscoverySelectors.selectClass(KroneckerGoldenTest.class));
    for (String[] test : KRONECKER) {
      selectors.add(DiscoverySelectors.selectMethod("io.metaplast.contract." + test[0], test[1], TestBackends.Target.class.getName()));
    }
    LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request().selectors(selectors).build();
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, summary);
    summary.getSummary().printFailuresTo(new PrintWriter(System.out, true), 12);
    boolean passed = summary.getSummary().getTotalFailureCount() == 0 && summary.getSummary().getTestsSucceededCount() > 0;
    System.out.println("tests passed: " + summary.getSummary().getTestsSucceededCount());
    System.exit(passed ? 0 : 1);
  }
}
