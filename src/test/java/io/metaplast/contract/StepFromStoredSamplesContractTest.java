package io.metaplast.contract;

class StepFromStoredSamplesContractTest extends FusedStepContract {
  StepFromStoredSamplesContractTest() {
    super("stepFromStoredSamples");
  }

  @Override
  boolean stored() {
    return true;
  }
}
