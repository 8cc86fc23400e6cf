package io.metaplast.fault;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.Metaplast;
import io.metaplast.contract.Case;
import io.metaplast.contract.Contracts;
import io.metaplast.contract.KernelContract;
import io.metaplast.contract.Mode;
import io.metaplast.contract.Run;
import java.util.Arrays;

/** What child JVMs run: prints one line per fact. */
public final class ChildMain {
  private ChildMain() {}

  /** Arguments: probe, open, or kernels. */
  public static void main(String[] arguments) {
    switch (arguments[0]) {
      case "probe" -> {
        for (BackendInfo info : Metaplast.probe()) {
          System.out.println(info.kind() + " " + (info.available() ? "available" : "missing: " + info.reason()));
        }
      }
      case "open" -> {
        try (Backend backend = Metaplast.open()) {
          System.out.println("kind " + backend.info().kind());
          System.out.println("library " + backend.info().details().get("library"));
          try (F32Buffer z = backend.allocate(1000)) {
            backend.bayes().gaussian(1, 2, 3, 4, z, backend.defaultStream());
            System.out.println("hash " + Arrays.hashCode(z.toArray()));
          }
        }
      }
      case "kernels" -> {
        try (Backend backend = Metaplast.open(BackendOptions.of(BackendKind.CPU))) {
          int calls = 0;
          for (KernelContract contract : Contracts.all()) {
            for (Mode mode : contract.modes()) {
              for (int n : new int[] {0, 1, 17, 1000}) {
                Run.of(mode, new Case(n, n, n % 16, Profile.MIXED, false), backend).close();
                calls++;
              }
            }
          }
          System.out.println("calls " + calls);
        }
      }
      default -> throw new IllegalArgumentException("unknown argument " + arguments[0]);
    }
  }
}
