package io.metaplast.continual;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.List;
import java.util.Locale;

/** The summary of a run of a network with batch norm as text. */
public final class KfacTable {
  private KfacTable() {}

  /** One line per method. */
  public static String of(KfacResult result) {
    return result.experiment() + ", " + result.data() + "\n"
        + AsciiTable.getTable(
            result.methods(),
            List.of(
                new Column().header("method").dataAlign(HorizontalAlign.LEFT).with(m -> m.method().label()),
                new Column().header("tasks").with(m -> "" + m.summary().tasks()),
                new Column().header("mean at the end, %").with(m -> EndOfRun.percent(m.summary().mean())),
                new Column().header("on each task, %").with(m -> m.summary().accuracies()),
                new Column().header("right after learning, %").with(m -> EndOfRun.percent(m.summary().newestMean())),
                new Column().header("ms/step").with(m -> String.format(Locale.ROOT, "%.2f", m.summary().millisPerStep())),
                new Column().header("training + curvature + tests, s").with(m -> seconds(m.summary()))));
  }

  private static String seconds(KfacResult.Summary summary) {
    return String.format(Locale.ROOT, "%.0f + %.1f + %.1f", summary.trainSeconds(), summary.curvatureSeconds(), summary.testSeconds());
  }
}
