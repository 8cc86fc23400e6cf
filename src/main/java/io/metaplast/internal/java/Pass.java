package io.metaplast.internal.java;

/**
 * One loop over {@link Lanes}. Passes are objects in an array, called from one place, so that the JIT compiler cannot inline them into
 * each other: it vectorises each loop well when it compiles it alone, and at half the speed as one of many loops of a method.
 */
abstract class Pass {
  /** Treats the first n blocks. */
  abstract void run(Lanes l, int n);

  /** Runs passes in order. */
  static void all(Pass[] passes, Lanes l, int n) {
    for (Pass pass : passes) {
      pass.run(l, n);
    }
  }
}
