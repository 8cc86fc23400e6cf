package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.IsaTier;
import io.metaplast.Metaplast;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One column of every table: a backend, on the CPU with one of its tiers.
 *
 * @param label "java", "scalar", "avx2", "avx512" or "cuda"
 * @param kind the backend
 * @param tier cap on the CPU tier; null for the other backends
 */
public record Lane(String label, BackendKind kind, IsaTier tier) {
  /** Pure Java; always there, and the reference that the others are compared with. */
  public static final Lane JAVA = new Lane("java", BackendKind.JAVA, null);

  /** All lanes of this machine, Java first, tiers ascending. */
  public static List<Lane> present() {
    List<Lane> lanes = new ArrayList<>(List.of(JAVA));
    List<BackendInfo> backends = Metaplast.probe();
    for (BackendInfo info : backends) {
      if (info.kind() == BackendKind.CPU && info.available()) {
        for (IsaTier tier : IsaTier.values()) {
          Lane lane = new Lane(name(tier), BackendKind.CPU, tier);
          try (Backend backend = lane.open(1)) {
            // A cap above what this CPU has gives the next lower tier, which is a lane of its own already.
            if (backend.info().isa().equalsIgnoreCase(name(tier))) {
              lanes.add(lane);
            }
          }
        }
      }
    }
    for (BackendInfo info : backends) {
      if (info.kind() == BackendKind.CUDA && info.available()) {
        lanes.add(new Lane("cuda", BackendKind.CUDA, null));
      }
    }
    return lanes;
  }

  /** The fastest lane of this machine that runs on the host: the highest CPU tier, or Java. */
  public static Lane bestHost(List<Lane> lanes) {
    Lane best = JAVA;
    for (Lane lane : lanes) {
      if (lane.kind == BackendKind.CPU) {
        best = lane;
      }
    }
    return best;
  }

  /**
   * The lane with this label, or for "cpu" the highest tier.
   *
   * @throws IllegalArgumentException if this machine has no such lane
   */
  public static Lane of(String label) {
    List<Lane> lanes = present();
    Lane best = bestHost(lanes);
    for (Lane lane : lanes) {
      if (lane.label.equals(label) || label.equals("cpu") && lane.equals(best) && lane.kind == BackendKind.CPU) {
        return lane;
      }
    }
    throw new IllegalArgumentException(
        "backend '" + label + "' is not on this machine; there are: " + String.join(", ", lanes.stream().map(Lane::label).toList()));
  }

  /** Opens the backend of this lane with so many threads. */
  public Backend open(int threads) {
    BackendOptions options = BackendOptions.of(kind).withThreads(threads);
    return Metaplast.open(tier == null ? options : options.withMaxIsa(tier));
  }

  private static String name(IsaTier tier) {
    return tier.name().toLowerCase(Locale.ROOT);
  }
}
