package io.metaplast.contract;

import java.util.List;

/** The contract of every kernel. */
public final class Contracts {
  private Contracts() {}

  /** One contract per method of BayesKernels and BinaryKernels that computes something. */
  public static List<KernelContract> all() {
    return List.of(
        new PhiloxContractTest(),
        new UniformContractTest(),
        new GaussianContractTest(),
        new SampleContractTest(),
        new EpsilonContractTest(),
        new GradAccumulateContractTest(),
        new StepContractTest(),
        new StepGatedContractTest(),
        new StepFromSamplesContractTest(),
        new StepFromStoredSamplesContractTest(),
        new StepFromSamplesAndSampleContractTest(),
        new LinearForwardContractTest(),
        new LinearStepContractTest(),
        new NllMeanLogSoftmaxContractTest(),
        new UncertaintyContractTest(),
        new DiagHessianFromSigmaContractTest(),
        new SumContractTest(),
        new RocAucContractTest(),
        new RocAucThresholdsContractTest(),
        new SgdStepContractTest(),
        new FisherAccumulateContractTest(),
        new FisherMergeContractTest(),
        new EwcPenaltyGradientContractTest(),
        new SiPathContractTest(),
        new SiConsolidateContractTest(),
        new SiPenaltyGradientContractTest(),
        new SignPackContractTest(),
        new SignPackTransposedContractTest(),
        new SignUnpackContractTest(),
        new TransposeContractTest(),
        new SteBackwardContractTest(),
        new XnorGemmContractTest(),
        new SignPackXnorGemmContractTest(),
        new XnorSyrkContractTest(),
        new FactorMovingAverageContractTest(),
        new SignGemmNTContractTest(),
        new SignGemmNNContractTest(),
        new SignGemmTNContractTest(),
        new GemmTNContractTest(),
        new BatchNormForwardContractTest(),
        new BatchNormInferenceContractTest(),
        new BatchNormBackwardContractTest(),
        new MetaAdamStepContractTest(),
        new MetaAdamStepFromProductContractTest(),
        new BinaryEwcConsolidateContractTest(),
        new BinaryEwcPenaltyGradientContractTest(),
        new RelaxedSignSampleContractTest(),
        new BimuStepContractTest(),
        new BayesBinnStepContractTest(),
        new Conv2dContractTest(),
        new Conv2dGradInputContractTest(),
        new Conv2dGradWeightContractTest());
  }
}
