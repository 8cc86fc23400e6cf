package io.metaplast;

import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;

/** Prints what was tested on which backend at the end of a test run. */
public final class CoverageListener implements TestExecutionListener {
  @Override
  public void testPlanExecutionFinished(TestPlan testPlan) {
    String table = Coverage.table();
    if (!table.isEmpty()) {
      System.out.println(table);
    }
  }
}
