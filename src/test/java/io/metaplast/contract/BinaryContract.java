package io.metaplast.contract;

import io.metaplast.Seeds;
import java.util.List;

/** Contract of a kernel of BinaryKernels. */
abstract class BinaryContract extends KernelContract {
  /** What the names of these kernels begin with: both families have an ewcPenaltyGradient. */
  static final String PREFIX = "binary.";

  BinaryContract(String kernel) {
    super(PREFIX + kernel);
  }

  /** A size stands for a whole shape here: on commits every fifth of the sizes from 131 to 1,030, all of them in the long campaign. */
  @Override
  List<Case> cases() {
    return super.cases().stream().filter(c -> Seeds.longCampaign() || c.n() <= 130 || c.n() > 1030 || c.index() % 5 == 2).toList();
  }
}
