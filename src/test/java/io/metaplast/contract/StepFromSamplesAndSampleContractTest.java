package io.metaplast.contract;

class StepFromSamplesAndSampleContractTest extends FusedStepContract {
  StepFromSamplesAndSampleContractTest() {
    super("stepFromSamplesAndSample");
  }

  @Override
  int nextSamples(Run r) {
    return 1 + r.theCase().index() % 3;
  }
}
