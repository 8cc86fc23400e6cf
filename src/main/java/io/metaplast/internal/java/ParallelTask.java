package io.metaplast.internal.java;

/** Work that is cut into numbered units. Its fields hold the arguments of one call; threads only read them. */
abstract class ParallelTask {
  /** Runs units from..to-1 with the running thread's scratch memory. */
  abstract void run(long from, long to, Scratch scratch);

  /** Forgets the arguments, so that nothing of the caller's stays reachable. */
  abstract void clear();
}
