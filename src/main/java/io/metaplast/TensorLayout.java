package io.metaplast;

import java.util.Arrays;

/**
 * The tensors of a network that multi-tensor calls treat at once: element counts and tensor numbers, in order. The tensor number addresses the
 * random numbers of a tensor (random stream = number * 256 + sample), so it must be unique in a network and stay the same from run to run.
 */
public final class TensorLayout {
  /** Exclusive upper bound of tensor numbers. */
  public static final int MAX_TENSOR_NUMBER = 1 << 24;

  /** Largest number of Monte-Carlo samples. */
  public static final int MAX_SAMPLES = 256;

  private final long[] counts;
  private final int[] numbers;
  private final long total;

  private TensorLayout(long[] counts, int[] numbers) {
    this.counts = counts;
    this.numbers = numbers;
    long sum = 0;
    for (int t = 0; t < counts.length; t++) {
      if (counts[t] < 0) {
        throw new IllegalArgumentException("counts[" + t + "] = " + counts[t] + " must be >= 0");
      }
      if (numbers[t] < 0 || numbers[t] >= MAX_TENSOR_NUMBER) {
        throw new IllegalArgumentException(
            "tensorNumbers[" + t + "] = " + numbers[t] + " must be in 0.." + (MAX_TENSOR_NUMBER - 1));
      }
      try {
        sum = Math.addExact(sum, counts[t]);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException("the sum of counts overflows 2^63-1 at counts[" + t + "] = " + counts[t], e);
      }
    }
    int[] sorted = numbers.clone();
    Arrays.sort(sorted);
    for (int t = 1; t < sorted.length; t++) {
      if (sorted[t] == sorted[t - 1]) {
        throw new IllegalArgumentException("tensorNumbers holds " + sorted[t] + " twice: their random numbers would coincide");
      }
    }
    this.total = sum;
  }

  /** Tensors with the given element counts, numbered 0, 1, 2, ... */
  public static TensorLayout of(long... counts) {
    int[] numbers = new int[counts.length];
    Arrays.setAll(numbers, t -> t);
    return new TensorLayout(counts.clone(), numbers);
  }

  /** The same tensors with other numbers. */
  public TensorLayout withTensorNumbers(int... tensorNumbers) {
    if (tensorNumbers.length != counts.length) {
      throw new IllegalArgumentException("tensorNumbers.length " + tensorNumbers.length + " != tensors " + counts.length);
    }
    return new TensorLayout(counts, tensorNumbers.clone());
  }

  /** Number of tensors. */
  public int tensors() {
    return counts.length;
  }

  /** Elements of tensor {@code t}. */
  public long count(int t) {
    return counts[t];
  }

  /** Tensor number of tensor {@code t}. */
  public int number(int t) {
    return numbers[t];
  }

  /** Elements of all tensors. */
  public long totalCount() {
    return total;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorLayout o && Arrays.equals(counts, o.counts) && Arrays.equals(numbers, o.numbers);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(counts) + Arrays.hashCode(numbers);
  }

  @Override
  public String toString() {
    return "TensorLayout" + Arrays.toString(counts);
  }
}
