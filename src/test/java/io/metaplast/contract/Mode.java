package io.metaplast.contract;

import java.util.function.Consumer;

/**
 * A kernel in one of its forms.
 *
 * @param name for reports
 * @param call draws the operands from the run's generator and calls the kernel
 * @param verify compares what came out with the oracle; called with {@link io.metaplast.Data.Profile#TAME} data only
 */
public record Mode(String name, Consumer<Run> call, Consumer<Run> verify) {
  @Override
  public String toString() {
    return name;
  }
}
