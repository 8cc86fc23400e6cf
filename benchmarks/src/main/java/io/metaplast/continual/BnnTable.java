package io.metaplast.continual;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The summary of a binarized network's run as text. */
public final class BnnTable {
  private BnnTable() {}

  /** One line per method. */
  public static String of(BnnResult result) {
    return result.experiment() + ", " + result.data() + "\n"
        + AsciiTable.getTable(
            result.methods(),
            List.of(
                new Column().header("method").dataAlign(HorizontalAlign.LEFT).with(m -> m.method().label()),
                new Column().header("tasks").with(m -> "" + m.summary().tasks()),
                new Column().header("mean at the end, %").with(m -> EndOfRun.percent(m.summary().mean())),
                new Column().header("on each task, %").with(m -> m.summary().accuracies()),
                new Column().header("right after learning, %").with(m -> EndOfRun.percent(m.summary().newestMean())),
                new Column().header("mean |W|").with(m -> magnitudes(m.summary())),
                new Column().header("ms/step").with(m -> String.format(Locale.ROOT, "%.2f", m.summary().millisPerStep())),
                new Column().header("minutes").with(m -> minutes(m.summary()))));
  }

  private static String magnitudes(BnnResult.Summary summary) {
    return summary.meanMagnitude().stream().map(m -> String.format(Locale.ROOT, "%.2f", m)).collect(Collectors.joining(" "));
  }

  private static String minutes(BnnResult.Summary summary) {
    return String.format(Locale.ROOT, "%.1f + %.1f", summary.trainMinutes(), summary.testMinutes());
  }
}
