package io.metaplast.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Metaplast;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.BayesBinnParams;
import io.metaplast.binary.BimuParams;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.RunningStatistics;
import io.metaplast.binary.Thresholds;
import io.metaplast.fault.KernelCalls.Call;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad input that only the binarized family knows: packing, padding, limits of K, statistics, and the types that hold its operands. */
class BinaryBadInputTest {
  private static final double[] NOT_POSITIVE = {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1e300, 1e-300};
  private static final double[] NEGATIVE = {-1, Double.NaN, Double.POSITIVE_INFINITY, 1e300};
  private static final double[] NOT_A_DECAY = {-0.1, 1, 1.5, Double.NaN, Double.POSITIVE_INFINITY, 0.99999999999};

  private static void refused(Class<? extends Throwable> type, ThrowingCallable bad, String... words) {
    assertThatThrownBy(bad).isExactlyInstanceOf(type).hasMessageContainingAll(words);
  }

  private static void illegal(ThrowingCallable bad, String... words) {
    refused(IllegalArgumentException.class, bad, words);
  }

  // ---- pad bits ---------------------------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void padBitsAreRefusedWithFullChecks(Target target) {
    try (Backend checked = Metaplast.open(target.options().withFullChecks(true))) {
      int inputs = 0;
      for (Call call : BinaryCalls.all()) {
        Object[] values = call.values(checked);
        for (int i = 0; i < values.length; i++) {
          String name = call.args().get(i).name();
          if (values[i] instanceof BitMatrix m && isInput(call, name)) {
            for (int bit : new int[] {m.cols(), 511}) {
              long[] words = m.toArray();
              int row = m.rows() - 1;
              long[] bad = words.clone();
              bad[row * m.rowWords() + bit / 64] |= 1L << (bit % 64);
              m.upload(bad);
              List<Object> before = KernelCalls.content(values);
              illegal(() -> call.invoke(checked, values), name, "row " + row, "K = " + m.cols(), "pad bits");
              assertThat(KernelCalls.content(values)).as("%s: operands", call).isEqualTo(before);
              m.upload(words);
            }
            inputs++;
          }
        }
        for (Object value : values) {
          KernelCalls.close(value);
        }
      }
      assertThat(inputs).isGreaterThan(15);
      Coverage.checked("bad input", target.name(), 2L * inputs);
    }
  }

  private static boolean isInput(Call call, String name) {
    boolean packs = call.method().startsWith("signPack");
    return switch (name) {
      case "out" -> false;
      case "a", "bits", "mask" -> !packs; // "a": the packed rows of signPackXnorGemm
      case "y" -> false;
      default -> true;
    };
  }

  // ---- limits and shapes ------------------------------------------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void fp32HoldsDotProductsUpTo2To24(Target target) {
    Backend b = target.backend();
    int limit = 1 << 24;
    try (BitMatrix over = b.allocateBits(1, limit + 1);
        BitMatrix exact = b.allocateBits(1, limit);
        F32Buffer y = b.allocate(1);
        I32Buffer ints = b.allocateI32(1)) {
      y.fill(7);
      Stream s = b.defaultStream();
      illegal(() -> b.binary().xnorGemm(over, over, null, null, F32Matrix.of(y, 1, 1), s), "K = " + (limit + 1), "" + limit);
      assertThat(y.toArray()).containsExactly(7f);
      b.binary().xnorGemm(exact, exact, null, null, F32Matrix.of(y, 1, 1), s);
      assertThat(y.toArray()).containsExactly(0x1p24f);
      b.binary().xnorGemm(over, over, I32Matrix.of(ints, 1, 1), s);
      assertThat(ints.toArray()).containsExactly(limit + 1);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void dimensionsOfMatricesAreChecked(Target target) {
    Backend b = target.backend();
    for (long bad : new long[] {-1, 1L << 31, Long.MAX_VALUE, Long.MIN_VALUE}) {
      illegal(() -> b.allocateBits(bad, 3), "rows", "" + bad);
      illegal(() -> b.allocateBits(3, bad), "cols", "" + bad);
    }
    try (F32Buffer data = b.allocate(20);
        I32Buffer ints = b.allocateI32(20);
        BitMatrix bits = b.allocateBits(4, 600)) {
      for (int bad : new int[] {-1, Integer.MIN_VALUE}) {
        illegal(() -> new F32Matrix(data, bad, 2, 2), "rows = " + bad);
        illegal(() -> new F32Matrix(data, 2, bad, 2), "cols = " + bad);
        illegal(() -> new I32Matrix(ints, bad, 2, 2), "rows = " + bad);
        illegal(() -> new I32Matrix(ints, 2, bad, 2), "cols = " + bad);
      }
      illegal(() -> new F32Matrix(data, 2, 5, 4), "ld = 4", "cols 5");
      illegal(() -> new I32Matrix(ints, 2, 5, 4), "ld = 4", "cols 5");
      Class<IndexOutOfBoundsException> outside = IndexOutOfBoundsException.class;
      refused(outside, () -> F32Matrix.of(data, 3, 7), "21", "20");
      refused(outside, () -> new I32Matrix(ints, 3, 5, 8), "21", "20");
      refused(outside, () -> F32Matrix.of(data, Integer.MAX_VALUE, Integer.MAX_VALUE), "20");
      refused(NullPointerException.class, () -> F32Matrix.of(null, 1, 1), "data");
      refused(NullPointerException.class, () -> I32Matrix.of(null, 1, 1), "data");
      assertThat(new F32Matrix(data, 3, 4, 8).data().length()).isEqualTo(20);
      assertThat(new F32Matrix(data, 0, 4, 8).data().length()).isZero();
      assertThat(F32Matrix.of(data, 4, 5).rows(1, 2).data().length()).isEqualTo(10);
      assertThat(F32Matrix.of(data, 4, 5).rows(4, 0).data().length()).isZero();
      for (int[] range : new int[][] {{-1, 1}, {0, 5}, {4, 1}, {1, -1}, {Integer.MAX_VALUE, 1}, {1, Integer.MAX_VALUE}}) {
        String[] words = {"" + range[0], "" + range[1], "4"};
        refused(outside, () -> F32Matrix.of(data, 4, 5).rows(range[0], range[1]), words);
        refused(outside, () -> I32Matrix.of(ints, 4, 5).rows(range[0], range[1]), words);
        refused(outside, () -> bits.rows(range[0], range[1]), words);
      }
      long[] words = new long[8];
      refused(outside, () -> bits.upload(60, words, 0, 8), "60", "8", "64");
      refused(outside, () -> bits.upload(0, words, 1, 8), "source", "8");
      refused(outside, () -> bits.download(-1, words, 0, 8), "-1", "64");
      refused(outside, () -> bits.download(0, words, 0, 9), "target", "9");
      assertThatThrownBy(() -> bits.upload(null)).isExactlyInstanceOf(NullPointerException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void bitMatricesAreStoredAsDocumented(Target target) {
    Backend b = target.backend();
    try (BitMatrix bits = b.allocateBits(3, 513)) {
      assertThat(bits.rowWords()).isEqualTo(16);
      assertThat(bits.length()).isEqualTo(48);
      assertThat(bits.elementBytes()).isEqualTo(8);
      assertThat(bits.toArray()).containsOnly(0L);
      long[] words = new long[48];
      Arrays.setAll(words, i -> i * 0x9E3779B97F4A7C15L);
      bits.upload(words);
      BitMatrix row = bits.rows(1, 1);
      assertThat(row.toArray()).isEqualTo(Arrays.copyOfRange(words, 16, 32));
      row.upload(3, new long[] {-1, 5}, 1, 1);
      assertThat(bits.toArray()[19]).isEqualTo(5);
      row.close(); // a view owns nothing
      assertThat(bits.isClosed()).isFalse();
      bits.close();
      bits.close();
      Class<IllegalStateException> closed = IllegalStateException.class;
      refused(closed, bits::toArray, "closed");
      refused(closed, row::toArray, "closed");
      refused(closed, () -> bits.upload(words), "closed");
    }
    long before = b.allocatedBytes();
    b.allocateBits(5, 1).close();
    b.allocateBits(0, 100).close();
    b.allocateBits(100, 0).close();
    assertThat(b.allocatedBytes()).isEqualTo(before);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void wrongKindsOfBuffersAreRefused(Target target) {
    Backend b = target.backend();
    Stream s = b.defaultStream();
    BatchNormShape shape = BatchNormShape.of(2, 3);
    try (BitMatrix bits = b.allocateBits(2, 3);
        I32Buffer ints = b.allocateI32(6);
        Bf16Buffer halves = b.allocateBf16(6);
        F32Buffer six = b.allocate(6);
        F32Buffer three = b.allocate(3);
        F32Buffer other = b.allocate(3)) {
      illegal(() -> b.binary().signUnpack(bits, ints, s), "x", "I32", "fp32");
      illegal(() -> b.binary().signUnpack(bits, bits.rows(0, 1), s), "x", "BitMatrix");
      illegal(
          () -> b.binary().batchNormForward(shape, halves, null, null, 1e-5, three, other, null, BatchNormOutput.values(six), s), "y", "Bf16", "int32");
      illegal(
          () -> b.binary().batchNormInference(shape, ints, null, null, 1e-5, three, other, BatchNormOutput.signs(null, bits), s), "output.mask", "null");
      illegal(() -> BatchNormOutput.signs(null, null), "values", "signs", "mask");
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void runningStatisticsNeedTwoValues(Target target) {
    Backend b = target.backend();
    try (F32Buffer y = b.allocate(3);
        F32Buffer mean = b.allocate(3);
        F32Buffer inv = b.allocate(3);
        F32Buffer rm = b.allocate(3);
        F32Buffer rv = b.allocate(3);
        F32Buffer out = b.allocate(3)) {
      rv.fill(1);
      RunningStatistics running = new RunningStatistics(rm, rv, 0.1);
      BinaryKernels k = b.binary();
      illegal(
          () -> k.batchNormForward(BatchNormShape.of(1, 3), y, null, null, 1e-5, mean, inv, running, BatchNormOutput.values(out), b.defaultStream()),
          "running", "2 values", "= 1");
      assertThat(rv.toArray()).containsOnly(1f);
      assertThat(inv.toArray()).containsOnly(0f);
      k.batchNormForward(new BatchNormShape(1, 1, 3), y, null, null, 1e-5, mean.slice(0, 1), inv.slice(0, 1),
          new RunningStatistics(rm.slice(0, 1), rv.slice(0, 1), 0.1), BatchNormOutput.values(out), b.defaultStream());
      assertThat(rv.toArray()[0]).isEqualTo((float) 0.9);
      refused(NullPointerException.class, () -> new RunningStatistics(null, rv, 0.1), "mean");
      refused(NullPointerException.class, () -> new RunningStatistics(rm, null, 0.1), "variance");
      for (double momentum : new double[] {-0.1, 1.1, Double.NaN, Double.POSITIVE_INFINITY}) {
        illegal(() -> new RunningStatistics(rm, rv, momentum), "momentum", "" + momentum);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void workspacesMustBeLargeEnough(Target target) {
    Backend b = target.backend();
    BinaryKernels k = b.binary();
    long bytes = k.xnorSyrkWorkspaceBytes(100, 7);
    assertThat(bytes).isPositive();
    assertThat(k.xnorSyrkWorkspaceBytes(0, 7)).isNotNegative();
    illegal(() -> k.xnorSyrkWorkspaceBytes(-1, 7), "batch", "-1");
    illegal(() -> k.xnorSyrkWorkspaceBytes(7, -1), "in", "-1");
    refused(NullPointerException.class, () -> k.conv2dWorkspaceBytes(null), "shape");
    try (BitMatrix x = b.allocateBits(100, 7);
        I32Buffer s = b.allocateI32(49);
        Workspace small = b.workspace(bytes - 1);
        Workspace enough = b.workspace(bytes)) {
      illegal(() -> k.xnorSyrk(x, false, I32Matrix.of(s, 7, 7), small, b.defaultStream()), "workspace", "" + (bytes - 1), "" + bytes);
      assertThat(s.toArray()).containsOnly(0);
      k.xnorSyrk(x, false, I32Matrix.of(s, 7, 7), enough, b.defaultStream());
      assertThat(s.toArray()).containsOnly(100);
    }
    Conv2dShape shape = BinaryCalls.CONV;
    long needed = k.conv2dWorkspaceBytes(shape);
    if (needed > 0) {
      try (BitMatrix x = b.allocateBits(shape.batch(), shape.inputs());
          BitMatrix w = b.allocateBits(shape.outChannels(), shape.patch());
          I32Buffer y = b.allocateI32(shape.outputs());
          Workspace small = b.workspace(needed - 1)) {
        illegal(() -> k.conv2d(shape, x, w, y, small, b.defaultStream()), "workspace", "" + (needed - 1), "" + needed);
      }
    }
  }

  /** The gradients of a step must not lie in what it writes, nor one tensor's signs anywhere else. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void gradientsMustNotOverlapTheState(Target target) {
    Backend b = target.backend();
    Stream s = b.defaultStream();
    AdamParams p = AdamParams.of(0.1);
    TensorLayout layout = TensorLayout.of(6);
    try (HiddenWeights w = HiddenWeights.allocate(b, HiddenWeights.Shape.binary(2, 3));
        F32Buffer free = b.allocate(6);
        BitMatrix x = b.allocateBits(1, 3)) {
      for (TensorGroup<F32Buffer> state : List.of(w.hidden(), w.firstMoment(), w.secondMoment())) {
        TensorGroup<F32Buffer> inside = b.group(layout, 1, List.of(state.get(0)));
        illegal(() -> b.binary().metaAdamStep(w, inside, List.of(p), 1, s), "gradients", "overlap");
        F32Matrix dy = F32Matrix.of(state.get(0), 1, 2);
        illegal(() -> b.binary().metaAdamStepFromProduct(w, 0, dy, x, p, 1, s), "dy", "overlap");
      }
      illegal(() -> b.binary().metaAdamStepFromProduct(w, 0, F32Matrix.of(free, 2, 2), w.signs(0), p, 1, s), "weights.signs", "overlap");
      TensorGroup<F32Buffer> g = b.group(layout, 1, List.of(free));
      illegal(() -> b.binary().metaAdamStep(w, g, List.of(), 1, s), "params.size 0");
      illegal(() -> b.binary().metaAdamStep(w, g, List.of(p, p), 1, s), "params.size 2", "1");
      refused(NullPointerException.class, () -> b.binary().metaAdamStep(w, g, Arrays.asList((AdamParams) null), 1, s), "params");
      assertThat(w.hidden().arena().toArray()).containsOnly(0f);
      TensorGroup<F32Buffer> two = b.allocateGroup(layout, 2);
      illegal(() -> b.binary().metaAdamStep(w, two, List.of(p), 1, s), "gradients.copies 2");
      TensorGroup<Bf16Buffer> halves = b.allocateBf16Group(layout, 1);
      @SuppressWarnings({"unchecked", "rawtypes"}) // what a caller without generics may do
      TensorGroup<F32Buffer> raw = (TensorGroup) halves;
      illegal(() -> b.binary().metaAdamStep(w, raw, List.of(p), 1, s), "gradients", "bf16");
      halves.close();
      two.close();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void matricesWithGapsOverlapAsAWhole(Target target) {
    Backend b = target.backend();
    try (F32Buffer data = b.allocate(100);
        BitMatrix bits = b.allocateBits(3, 4)) {
      F32Matrix x = new F32Matrix(data, 3, 4, 10);
      F32Matrix between = new F32Matrix(data.slice(5, 95), 3, 4, 10);
      illegal(() -> b.binary().steBackward(bits, x, between, b.defaultStream()), "gradOutput", "gradInput", "overlap");
      F32Matrix sameStart = new F32Matrix(data, 3, 4, 11);
      illegal(() -> b.binary().steBackward(bits, x, sameStart, b.defaultStream()), "gradOutput", "gradInput", "overlap");
      b.binary().steBackward(bits, x, x, b.defaultStream());
    }
  }

  // ---- empty operands ---------------------------------------------------------------------------------------------------------------

  /** Sums over nothing: K = 0 gives 0 and the epilogue runs; an empty batch gives a gradient of 0; nothing else is written. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void emptySumsGiveZero(Target target) {
    Backend b = target.backend();
    BinaryKernels k = b.binary();
    Stream s = b.defaultStream();
    try (BitMatrix two = b.allocateBits(2, 0);
        BitMatrix three = b.allocateBits(3, 0);
        BitMatrix none = b.allocateBits(0, 3);
        BitMatrix y = b.allocateBits(2, 3);
        F32Buffer zero = b.allocate(0);
        F32Buffer f = b.allocate(9);
        I32Buffer i = b.allocateI32(9);
        F32Buffer bias = b.allocate(3);
        Workspace workspace = b.workspace(k.xnorSyrkWorkspaceBytes(0, 3));
        Thresholds t = Thresholds.of(b, new int[] {0, -1, 0}, new int[] {0, 0, 1})) {
      i.upload(new int[] {9, 9, 9, 9, 9, 9, 9, 9, 9});
      k.xnorGemm(two, three, I32Matrix.of(i, 2, 3), s);
      assertThat(i.toArray()).containsExactly(0, 0, 0, 0, 0, 0, 9, 9, 9);
      k.xnorSyrk(none, true, I32Matrix.of(i, 3, 3), workspace, s);
      assertThat(i.toArray()).containsExactly(0, 0, 0, 0, 0, 0, 9, 9, 9);
      k.xnorSyrk(none, false, I32Matrix.of(i, 3, 3), workspace, s);
      assertThat(i.toArray()).containsOnly(0);
      bias.fill(2.5f);
      f.fill(9);
      k.xnorGemm(two, three, null, bias, F32Matrix.of(f, 2, 3), s);
      assertThat(f.toArray()).containsExactly(2.5f, 2.5f, 2.5f, 2.5f, 2.5f, 2.5f, 9f, 9f, 9f);
      k.xnorGemm(two, three, t, y, s);
      assertThat(y.toArray()[0]).isEqualTo(1); // 0 <= 0; not 0 <= -1; inverted 0 <= 0
      assertThat(y.toArray()[8]).isEqualTo(1);
      y.upload(new long[16]);
      k.signPackXnorGemm(F32Matrix.of(zero, 2, 0), two, three, t, y, s);
      assertThat(y.toArray()[0]).isEqualTo(1);
      assertThat(y.toArray()[8]).isEqualTo(1);
      f.fill(9);
      k.signGemmNT(F32Matrix.of(zero, 2, 0), three, F32Matrix.of(f, 2, 3), s);
      assertThat(f.toArray()).containsExactly(0f, 0f, 0f, 0f, 0f, 0f, 9f, 9f, 9f);
      f.fill(9);
      k.signGemmNN(F32Matrix.of(zero, 2, 0), none, F32Matrix.of(f, 2, 3), s);
      assertThat(f.toArray()).containsExactly(0f, 0f, 0f, 0f, 0f, 0f, 9f, 9f, 9f);
      f.fill(9);
      k.signGemmTN(F32Matrix.of(zero, 0, 2), none, F32Matrix.of(f, 2, 3), s);
      assertThat(f.toArray()).containsExactly(0f, 0f, 0f, 0f, 0f, 0f, 9f, 9f, 9f);
      f.fill(9);
      k.gemmTN(F32Matrix.of(zero, 0, 2), F32Matrix.of(zero, 0, 3), F32Matrix.of(f, 2, 3), s);
      assertThat(f.toArray()).containsExactly(0f, 0f, 0f, 0f, 0f, 0f, 9f, 9f, 9f);
    }
    Coverage.checked("empty sums", target.name(), 9);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void emptyBatchesGiveNoGradient(Target target) {
    Backend b = target.backend();
    Stream s = b.defaultStream();
    try (F32Buffer zero = b.allocate(0);
        F32Buffer mean = b.allocate(3);
        F32Buffer inv = b.allocate(3);
        F32Buffer dgamma = b.allocate(3);
        F32Buffer dbeta = b.allocate(3);
        HiddenWeights w = HiddenWeights.allocate(b, HiddenWeights.Shape.binary(2, 3));
        BitMatrix none = b.allocateBits(0, 3);
        BitMatrix noImages = b.allocateBits(0, 27);
        Conv2dHolder conv = new Conv2dHolder(b, Conv2dShape.of(0, 3, 3, 3, 2, 3, 1, 1))) {
      dgamma.fill(9);
      dbeta.fill(9);
      b.binary().batchNormBackward(BatchNormShape.of(0, 3), zero, null, mean, inv, zero, null, zero, dgamma, dbeta, s);
      assertThat(dgamma.toArray()).containsOnly(0f);
      assertThat(dbeta.toArray()).containsOnly(0f);
      w.hidden().arena().fill(0.5f);
      b.binary().metaAdamStepFromProduct(w, 0, F32Matrix.of(zero, 0, 2), none, AdamParams.of(0.1), 1, s);
      assertThat(Arrays.copyOf(w.hidden().arena().toArray(), 6)).containsOnly(0.5f);
      assertThat(w.signs(0).toArray()[0]).isEqualTo(7); // fresh signs all the same
      conv.dw.fill(9);
      b.binary().conv2dGradWeight(conv.shape, zero, noImages, conv.dw, conv.workspace, s);
      assertThat(conv.dw.toArray()).containsOnly(0f);
    }
    Coverage.checked("empty sums", target.name(), 3);
  }

  /** A kernel larger than the image leaves no output, and so no gradient. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void convolutionsWithoutOutputs(Target target) {
    Backend b = target.backend();
    Stream s = b.defaultStream();
    Conv2dShape shape = Conv2dShape.of(2, 3, 2, 2, 2, 5, 1, 0);
    assertThat(shape.outHeight()).isZero();
    assertThat(shape.outputs()).isZero();
    try (F32Buffer zero = b.allocate(0);
        I32Buffer none = b.allocateI32(0);
        BitMatrix x = b.allocateBits(2, 12);
        BitMatrix w = b.allocateBits(2, 75);
        F32Buffer dx = b.allocate(24);
        Conv2dHolder conv = new Conv2dHolder(b, shape)) {
      b.binary().conv2d(shape, x, w, none, conv.workspace, s);
      dx.fill(9);
      b.binary().conv2dGradInput(shape, zero, w, dx, conv.workspace, s);
      assertThat(dx.toArray()).containsOnly(0f);
      conv.dw.fill(9);
      b.binary().conv2dGradWeight(shape, zero, x, conv.dw, conv.workspace, s);
      assertThat(conv.dw.toArray()).containsOnly(0f);
    }
    Coverage.checked("empty sums", target.name(), 2);
  }

  /** Workspace and weight gradient of a shape. */
  private static final class Conv2dHolder implements AutoCloseable {
    private final Conv2dShape shape;
    private final Workspace workspace;
    private final F32Buffer dw;

    Conv2dHolder(Backend b, Conv2dShape shape) {
      this.shape = shape;
      workspace = b.workspace(b.binary().conv2dWorkspaceBytes(shape));
      dw = b.allocate((long) shape.outChannels() * shape.patch());
    }

    @Override
    public void close() {
      workspace.close();
      dw.close();
    }
  }

  // ---- parameters -------------------------------------------------------------------------------------------------------------------

  @Test
  void constantsAreChecked() {
    for (double v : NOT_POSITIVE) {
      illegal(() -> AdamParams.of(v), "learningRate", "" + v);
      illegal(() -> new AdamParams(1, 0.9, 0.999, v, 0, 0), "epsilon", "" + v);
      illegal(() -> new BimuParams(v, 1, 1, 1, 1), "rate", "" + v);
      illegal(() -> new BimuParams(1, v, 1, 1, 1), "rateMax");
      illegal(() -> new BimuParams(1, 1, v, 1, 1), "likelihood", "" + v);
      illegal(() -> new BimuParams(1, 1, 1, 1, v), "memoryWindow");
      illegal(() -> new BayesBinnParams(v, 0.9, 1, 1, 0, 0), "rate", "" + v);
      illegal(() -> new BayesBinnParams(1, 0.9, v, 1, 0, 0), "temperature");
      illegal(() -> new BayesBinnParams(1, 0.9, 1, v, 0, 0), "trainItems", "" + v);
    }
    for (double v : NEGATIVE) {
      illegal(() -> AdamParams.of(1).withMeta(v), "meta", "" + v);
      illegal(() -> AdamParams.of(1).withWeightDecay(v), "weightDecay", "" + v);
      illegal(() -> new BimuParams(1, 1, 1, v, 1), "kl", "" + v);
      illegal(() -> new BayesBinnParams(1, 0.9, 1, 1, 0, v), "priorWeight", "" + v);
    }
    for (double v : NOT_A_DECAY) {
      illegal(() -> new AdamParams(1, v, 0.999, 1e-8, 0, 0), "beta1", "" + v);
      illegal(() -> new AdamParams(1, 0.9, v, 1e-8, 0, 0), "beta2", "" + v);
      illegal(() -> new BayesBinnParams(1, v, 1, 1, 0, 0), "momentum", "" + v);
    }
    for (double v : new double[] {Double.NaN, Double.NEGATIVE_INFINITY, 1e300}) {
      illegal(() -> new BayesBinnParams(1, 0.9, 1, 1, v, 0), "prior", "" + v);
    }
    assertThat(new AdamParams(1, 0, 0, 1e-8, 0, 0).beta1()).isZero();
  }

  @Test
  void shapesAreChecked() {
    illegal(() -> BatchNormShape.of(-1, 1), "batch", "-1");
    illegal(() -> BatchNormShape.of(1, -2), "channels", "-2");
    illegal(() -> new BatchNormShape(1, 1, -3), "spatial", "-3");
    illegal(() -> new BatchNormShape(1, 1 << 16, 1 << 16), "channels*spatial", "" + (1L << 32), "" + Integer.MAX_VALUE);
    illegal(() -> HiddenWeights.Shape.binary(-1, 3), "rows", "-1");
    illegal(() -> HiddenWeights.Shape.binary(1, -3), "cols", "-3");
    illegal(() -> HiddenWeights.Shape.real(-3), "cols", "-3");
    String[] names = {
      "batch", "channels", "height", "width", "outChannels", "kernelHeight", "kernelWidth", "strideHeight", "strideWidth", "padHeight", "padWidth",
      "dilationHeight", "dilationWidth", "groups"
    };
    int[] sound = {2, 4, 5, 6, 6, 3, 2, 1, 2, 0, 1, 1, 2, 2};
    int[] least = {0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    assertThat(conv(sound).outputs()).isPositive();
    for (int i = 0; i < names.length; i++) {
      for (int bad : new int[] {least[i] - 1, -7, Integer.MIN_VALUE}) {
        int[] values = sound.clone();
        values[i] = bad;
        illegal(() -> conv(values), names[i], "" + bad);
      }
      if (least[i] == 0) {
        int[] values = sound.clone();
        values[i] = 0;
        assertThat(conv(values).outputs()).isNotNegative();
      }
    }
    for (int[] bad : new int[][] {{1, 5}, {4, 7}}) { // groups = 2 does not divide
      int[] values = sound.clone();
      values[bad[0]] = bad[1];
      illegal(() -> conv(values), "groups = 2", "" + bad[1]);
    }
    illegal(() -> Conv2dShape.of(1, 1 << 16, 1 << 8, 1 << 8, 1, 1, 1, 0), "channels*height*width", "limit");
    illegal(() -> Conv2dShape.of(1, 1, 1, 1, 1, 1 << 16, 1, 1 << 20), "kernelHeight*kernelWidth", "limit");
    illegal(() -> Conv2dShape.of(1, 1, 1 << 15, 1 << 15, 1 << 10, 1, 1, 0), "outChannels*outHeight*outWidth", "limit");
    illegal(() -> Conv2dShape.of(1, 1, 1, 1, 1, 1, 1, Integer.MAX_VALUE), "pad", "" + Integer.MAX_VALUE);
    assertThat(Conv2dShape.of(1, 1, 5, 5, 1, Integer.MAX_VALUE / 50_000, 1, 0).outHeight()).isZero();
  }

  private static Conv2dShape conv(int[] v) {
    return new Conv2dShape(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13]);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void thresholdsAreChecked(Target target) {
    Backend b = target.backend();
    float[] one = {1};
    float[] two = {1, 1};
    String[] names = {"gamma", "beta", "mean", "variance"};
    for (int i = 1; i < 4; i++) {
      float[][] v = {one, one, one, one};
      v[i] = two;
      illegal(() -> Thresholds.fold(b, v[0], v[1], v[2], v[3], 1e-5, 3), names[i], "2", "1");
    }
    for (int i = 0; i < 4; i++) {
      float[][] v = {two, two, two, two};
      v[i] = null;
      refused(NullPointerException.class, () -> Thresholds.fold(b, v[0], v[1], v[2], v[3], 1e-5, 3), names[i]);
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
        v[i] = new float[] {1, bad};
        illegal(() -> Thresholds.fold(b, v[0], v[1], v[2], v[3], 1e-5, 3), names[i] + "[1]", "" + bad);
      }
    }
    illegal(() -> Thresholds.fold(b, one, one, one, new float[] {0}, 0, 3), "variance[0]", "0.0", "> 0");
    illegal(() -> Thresholds.fold(b, one, one, one, new float[] {-1}, 0.5, 3), "variance[0]", "-1.0", "> 0");
    illegal(() -> Thresholds.fold(b, one, one, one, one, 1e-5, -1), "k = -1");
    for (double eps : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      illegal(() -> Thresholds.fold(b, one, one, one, one, eps, 3), "eps", "" + eps);
    }
    illegal(() -> Thresholds.of(b, new int[2], new int[3]), "limit.length 2", "3");
    illegal(() -> Thresholds.of(b, new int[2], new int[] {0, 2}), "invert[1]", "2");
    refused(NullPointerException.class, () -> Thresholds.of(b, null, new int[1]), "limit");
    refused(NullPointerException.class, () -> Thresholds.of(b, new int[1], null), "invert");
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void stateOfANetworkIsClosedAsAWhole(Target target) {
    Backend b = target.backend();
    long before = b.allocatedBytes();
    HiddenWeights w = HiddenWeights.allocate(b, HiddenWeights.Shape.binary(2, 600), HiddenWeights.Shape.real(5));
    assertThat(w.backend()).isSameAs(b);
    assertThat(w.tensors()).isEqualTo(2);
    assertThat(w.signs(0).rowWords()).isEqualTo(16);
    assertThat(w.signs(1)).isNull();
    assertThat(w.layout().count(1)).isEqualTo(5);
    w.firstMoment().arena().fill(3);
    w.secondMoment().arena().fill(3);
    w.resetMoments();
    assertThat(w.firstMoment().arena().toArray()).containsOnly(0f);
    assertThat(w.secondMoment().arena().toArray()).containsOnly(0f);
    w.close();
    w.close();
    assertThat(b.allocatedBytes()).isEqualTo(before);
    refused(NullPointerException.class, () -> HiddenWeights.allocate(null), "backend");
  }
}
