package io.metaplast;

/** A damped matrix is not positive definite, as the pivot rule sees it, or its inverse failed the residual probe. The output was not touched. */
public class NotPositiveDefiniteException extends KernelException {
  private static final long serialVersionUID = 1L;

  private final int batchIndex;
  private final int order;
  private final double pivot;
  private final double damping;
  private final double residual;

  /**
   * Creates the exception.
   *
   * @param batchIndex place of the first failing matrix in the list, 0 for a single one
   * @param order order of the leading minor that failed the pivot rule, or 0 if the residual probe failed
   * @param pivot its pivot
   * @param damping what was added to the diagonal
   * @param residual r of the probe, 0 if the factorization did not finish
   */
  public NotPositiveDefiniteException(int batchIndex, int order, double pivot, double damping, double residual) {
    super(
        order > 0
            ? "matrix [" + batchIndex + "] is not positive definite: the leading minor of order " + order + " has pivot " + pivot + " with damping "
                + damping + "; raise the damping or allow escalation"
            : "inverse of matrix [" + batchIndex + "] is not usable: probe residual " + residual + " with damping " + damping
                + "; raise the damping or allow escalation",
        order > 0 ? order : -3, 0, "");
    this.batchIndex = batchIndex;
    this.order = order;
    this.pivot = pivot;
    this.damping = damping;
    this.residual = residual;
  }

  /** Place of the first failing matrix in the list, 0 for a single one. */
  public int batchIndex() {
    return batchIndex;
  }

  /** Order of the leading minor that failed, or 0 if the residual probe failed. */
  public int order() {
    return order;
  }

  /** The failing pivot. */
  public double pivot() {
    return pivot;
  }

  /** What was added to the diagonal. */
  public double damping() {
    return damping;
  }

  /** Residual of the probe. */
  public double residual() {
    return residual;
  }
}
