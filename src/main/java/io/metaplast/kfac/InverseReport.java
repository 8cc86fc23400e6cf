package io.metaplast.kfac;

import java.util.Arrays;

/** What is said about each matrix of a batch of inverses. Reused: a call overwrites it. Used by one call at a time. A place outside of the batch is an {@link IndexOutOfBoundsException}. */
public final class InverseReport {
  /** The inverse is good. */
  public static final int OK = 0;

  /** The input holds NaN or infinity. */
  public static final int NOT_FINITE = -2;

  /** The residual of the probe is above the tolerance. */
  public static final int RESIDUAL = -3;

  /** Usable: recovered with more damping. */
  public static final int RECOVERED_DAMPING = -4;

  /** Usable: recovered in double precision with the damping that was asked for. */
  public static final int RECOVERED_DOUBLE = -5;

  /** Usable is the old value: every rung failed and the output keeps what it held. */
  public static final int KEPT_PREVIOUS = -6;

  /** Usable: recovered with negative eigenvalues taken as 0. */
  public static final int RECOVERED_EIGEN = -7;

  /** Flag: cond1 &gt; 1e5, about 1 % error. */
  public static final int ILL_CONDITIONED = 1;

  /** Flag: cond1 &gt; 1.7e6. */
  public static final int UNRELIABLE = 2;

  /** Flag: negative eigenvalues were taken as 0. */
  public static final int CLAMPED = 4;

  private int size;
  private int[] status = new int[0];
  private int[] flags = new int[0];
  private int[] rung = new int[0];
  private double[] residual = new double[0];
  private double[] cond1 = new double[0];
  private double[] pivot = new double[0];
  private double[] damping = new double[0];
  private long[] index = new long[0];

  /** Makes room for {@code count} matrices and clears them. Called by the kernels. */
  public void reset(int count) {
    if (status.length < count) {
      status = new int[count];
      flags = new int[count];
      rung = new int[count];
      residual = new double[count];
      cond1 = new double[count];
      pivot = new double[count];
      damping = new double[count];
      index = new long[count];
    }
    size = count;
    Arrays.fill(status, 0, count, OK);
    Arrays.fill(flags, 0, count, 0);
    Arrays.fill(rung, 0, count, 0);
    Arrays.fill(residual, 0, count, 0);
    Arrays.fill(cond1, 0, count, 0);
    Arrays.fill(pivot, 0, count, 0);
    Arrays.fill(damping, 0, count, 0);
    Arrays.fill(index, 0, count, 0);
  }

  /** Sets what is said about matrix {@code b}. Called by the kernels. */
  public void set(int b, int newStatus, int newFlags, int newRung, double newResidual, double newCond1, double newPivot, long newIndex, double newDamping) {
    status[b] = newStatus;
    flags[b] = newFlags;
    rung[b] = newRung;
    residual[b] = newResidual;
    cond1[b] = newCond1;
    pivot[b] = newPivot;
    index[b] = newIndex;
    damping[b] = newDamping;
  }

  /** Matrices of the last call. */
  public int size() {
    return size;
  }

  /** k &gt; 0: the leading minor of order k failed the pivot rule; otherwise one of the constants. */
  public int status(int b) {
    return status[check(b)];
  }

  /** True if the output of matrix {@code b} may be used (for {@link #KEPT_PREVIOUS}: what it held before). */
  public boolean usable(int b) {
    int s = status(b);
    return s == OK || s <= RECOVERED_DAMPING && s >= RECOVERED_EIGEN;
  }

  /** Sum of {@link #ILL_CONDITIONED}, {@link #UNRELIABLE}, {@link #CLAMPED}. */
  public int flags(int b) {
    return flags[check(b)];
  }

  /** Rung of the ladder that gave the result: 2 fp32, 3 double, 4 more damping, 5 eigenvalues, 6 previous value; 1 if the finite scan ended it, 0 for n = 0. */
  public int rung(int b) {
    return rung[check(b)];
  }

  /** Residual of the probe, 0 where the factorization did not finish. */
  public double residual(int b) {
    return residual[check(b)];
  }

  /** norm1(M + d I) norm1(inverse), 0 where the factorization did not finish. */
  public double cond1(int b) {
    return cond1[check(b)];
  }

  /** The failing pivot where the status is &gt; 0. */
  public double pivot(int b) {
    return pivot[check(b)];
  }

  /** row * n + column of the first element that is not finite, where the status is {@link #NOT_FINITE}. */
  public long index(int b) {
    return index[check(b)];
  }

  /** What was added to the diagonal in the end. */
  public double dampingUsed(int b) {
    return damping[check(b)];
  }

  private int check(int b) {
    return java.util.Objects.checkIndex(b, size);
  }
}
