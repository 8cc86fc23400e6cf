package io.metaplast.continual;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The summary of a run as text. */
public final class LearnTable {
  private LearnTable() {}

  /** One line per method, then the time by phase where it was measured. */
  public static String of(LearnResult result) {
    StringBuilder text = new StringBuilder();
    text.append(
        AsciiTable.getTable(
            result.methods(),
            List.of(
                new Column().header("method").dataAlign(HorizontalAlign.LEFT).with(m -> m.method().label()),
                new Column().header("tasks").with(m -> "" + m.summary().tasks()),
                new Column().header("last 5, %").with(m -> percent(m.summary().lastFive())),
                new Column()
                    .header("newest, %")
                    .with(m -> percent(m.summary().newestMean()) + " +- " + percent(m.summary().newestDeviation())),
                new Column().header("all, %").with(m -> percent(m.summary().allMean())),
                new Column().header("AUC other set").with(m -> auc(m.summary().outOfDistribution())),
                new Column().header("AUC held-out permutation").with(m -> auc(m.summary().heldOut())),
                new Column().header("us/step").with(m -> String.format(Locale.ROOT, "%.1f", m.summary().microsecondsPerStep())))));
    text.append("\nAUC: by 1000 thresholds as published / exact by ranks; mean of the last five tasks.\n");
    for (MethodResult method : result.methods()) {
      if (method.profile() != null) {
        text.append(method.method().label()).append(", microseconds per step by phase (with the cost of timing):\n");
        for (Map.Entry<String, Double> phase : method.profile().entrySet()) {
          text.append(String.format(Locale.ROOT, "  %-40s %8.2f%n", phase.getKey(), phase.getValue()));
        }
      }
    }
    return text.toString();
  }

  private static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.2f", 100 * fraction);
  }

  private static String auc(TaskResult.Auc auc) {
    return auc == null ? "-" : String.format(Locale.ROOT, "%.3f / %.3f", auc.thresholds(), auc.rank());
  }
}
