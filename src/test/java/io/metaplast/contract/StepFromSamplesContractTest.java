package io.metaplast.contract;

class StepFromSamplesContractTest extends FusedStepContract {
  StepFromSamplesContractTest() {
    super("stepFromSamples");
  }
}
