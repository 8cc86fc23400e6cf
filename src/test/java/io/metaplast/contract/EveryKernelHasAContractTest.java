package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.bayes.BayesKernels;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.kfac.KfacKernels;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class EveryKernelHasAContractTest {
  @Test
  void everyKernelHasAContract() {
    Set<String> kernels = Arrays.stream(BayesKernels.class.getMethods()).map(Method::getName).collect(Collectors.toSet());
    Arrays.stream(BinaryKernels.class.getMethods()).map(m -> BinaryContract.PREFIX + m.getName()).forEach(kernels::add);
    kernels.removeIf(k -> k.endsWith("WorkspaceBytes")); // sizes, used by the contracts of the kernels that need them
    assertThat(Contracts.all().stream().map(KernelContract::kernel)).containsExactlyInAnyOrderElementsOf(kernels);
  }

  @Test
  void everyKroneckerKernelHasATestClass() {
    Set<String> kernels = Arrays.stream(KfacKernels.class.getMethods()).map(Method::getName).collect(Collectors.toSet());
    kernels.removeIf(k -> k.endsWith("WorkspaceBytes"));
    assertThat(KroneckerContracts.TESTS.keySet()).containsExactlyInAnyOrderElementsOf(kernels);
  }
}
