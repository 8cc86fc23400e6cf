package io.metaplast.contract;

/** Shapes that a case stands for: one dimension is its size, which one and how large the others are depends on its number. */
final class Dims {
  private static final int[] FEW = {1, 2, 3, 5, 8};
  private static final int[] SOME = {1, 2, 4, 7, 9, 17, 30};

  private Dims() {}

  /** Rows and columns of an element-wise operand. */
  static int[] matrix(Run r) {
    int index = r.theCase().index();
    int n = r.n();
    if (n > 1030) {
      return index % 2 == 0 ? new int[] {1, n} : new int[] {n / 173, 173};
    }
    return index % 4 == 3 ? new int[] {n, 1 + index % 5} : new int[] {1 + index % 3, n};
  }

  /** Three dimensions of a product. Cases for the comparison of thread counts have large products. */
  static int[] product(Run r) {
    int index = r.theCase().index();
    int n = r.n();
    if (index >= 300_000 && index < 400_000 && n > 100) {
      return n > 1030 ? new int[] {37, 129, 700} : new int[] {33, 48, 530};
    }
    int[] dims = {FEW[index % 5], SOME[index / 5 % 7], SOME[index / 3 % 6]};
    if (n > 1030) {
      dims = new int[] {1 + index % 2, 2, 3};
    }
    dims[index % 3] = n;
    return dims;
  }
}
