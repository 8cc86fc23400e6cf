package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.bayes.BayesKernels;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class EveryKernelHasAContractTest {
  @Test
  void everyKernelHasAContract() {
    Set<String> kernels = Arrays.stream(BayesKernels.class.getMethods()).map(Method::getName).collect(Collectors.toSet());
    kernels.remove("sumWorkspaceBytes"); // a size, used by the contract of sum
    assertThat(Contracts.all().stream().map(KernelContract::kernel)).containsExactlyInAnyOrderElementsOf(kernels);
  }
}
