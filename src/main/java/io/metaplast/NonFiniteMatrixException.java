package io.metaplast;

/** A matrix holds NaN or infinity where finite numbers are needed. Nothing was written. */
public class NonFiniteMatrixException extends KernelException {
  private static final long serialVersionUID = 1L;

  private final int batchIndex;
  private final int row;
  private final int column;
  private final double value;

  /**
   * Creates the exception.
   *
   * @param name the argument
   * @param batchIndex its place in a list, 0 for a single matrix
   * @param row of the first such element
   * @param column of the first such element
   * @param value NaN or an infinity
   */
  public NonFiniteMatrixException(String name, int batchIndex, int row, int column, double value) {
    super(name + "[" + batchIndex + "]: element (" + row + ", " + column + ") is " + value + ", must be finite", -2, 0, "");
    this.batchIndex = batchIndex;
    this.row = row;
    this.column = column;
    this.value = value;
  }

  /** Place in the list, 0 for a single matrix. */
  public int batchIndex() {
    return batchIndex;
  }

  /** Row of the first such element. */
  public int row() {
    return row;
  }

  /** Column of the first such element. */
  public int column() {
    return column;
  }

  /** NaN or an infinity. */
  public double value() {
    return value;
  }
}
