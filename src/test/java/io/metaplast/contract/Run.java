package io.metaplast.contract;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.Bf16Buffer;
import io.metaplast.BitMatrix;
import io.metaplast.Bits;
import io.metaplast.Data;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Seeds;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.oracle.BitOracle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

/**
 * One call of one kernel on one backend. Operands are drawn from a generator that depends on the case alone, so every backend sees the same data; each lies
 * between guard words, so that a write outside of it is seen; inputs are checked to be unchanged.
 */
public final class Run implements AutoCloseable {
  private static final int GUARD = 16;
  private static final int GUARD_BITS = 0x5a17c0de;
  private static final int UNWRITTEN_BITS = 0xdeadbeef;
  private static final float[] EXTREMES = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, -Float.MAX_VALUE};

  /** An operand: what went in, where it lies. Element k is word start + k / cols * ld + k % cols of before and after. */
  private static final class Operand {
    private final String name;
    private final boolean written;
    private final int start;
    private final int rows;
    private final int cols;
    private final int ld;
    private final int[] before; // raw bits, guards included; bf16: one element per entry; bit matrices: two entries a word
    private final int[] after;
    private final DeviceBuffer memory;
    private boolean[] elsewhere; // words that other operands answer for; null = none
    private int bitRows; // of a bit matrix

    private Operand(String name, boolean written, int start, int[] before, DeviceBuffer memory) {
      this(name, written, start, 1, before.length - start - GUARD, before.length - start - GUARD, before, memory);
    }

    private Operand(String name, boolean written, int start, int rows, int cols, int ld, int[] before, DeviceBuffer memory) {
      this.name = name;
      this.written = written;
      this.start = start;
      this.rows = rows;
      this.cols = cols;
      this.ld = ld;
      this.before = before;
      this.after = new int[before.length];
      this.memory = memory;
    }

    private int length() {
      return rows * cols;
    }

    private int at(int k) {
      return cols == ld ? start + k : start + k / cols * ld + k % cols;
    }

    private boolean holds(int i) {
      int e = i - start;
      return e >= 0 && length() > 0 && e / ld < rows && e % ld < cols;
    }

    private boolean f32() {
      return memory instanceof F32Buffer;
    }

    private int[] elements(int[] words) {
      int[] e = new int[length()];
      for (int k = 0; k < e.length; k++) {
        e[k] = words[at(k)];
      }
      return e;
    }
  }

  /** An operand of a multi-tensor kernel. */
  public final class Group<B extends DeviceBuffer> {
    private final int copies;
    private final List<B> buffers;

    private Group(int copies, List<B> buffers) {
      this.copies = copies;
      this.buffers = buffers;
    }

    /** The tensors of {@code set} as an operand. */
    public TensorGroup<B> of(int[] set) {
      return backend.group(layoutOf(set), copies, Arrays.stream(set).mapToObj(buffers::get).toList());
    }

    /** Buffer of a tensor. */
    public B get(int t) {
      return buffers.get(t);
    }
  }

  private final Mode mode;
  private final Case theCase;
  private final Backend backend;
  private final SplittableRandom random;
  private final SplittableRandom cuts;
  private final List<Operand> operands = new ArrayList<>();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final Map<String, Double> numbers = new LinkedHashMap<>();
  private final Map<String, float[]> before = new HashMap<>(); // of operands that were asked for
  private final Map<String, float[]> after = new HashMap<>();
  private final Map<String, BitOracle> bitsBefore = new HashMap<>();
  private final Map<String, BitOracle> bitsAfter = new HashMap<>();
  private final long seed;
  private final long step;
  private TensorLayout layout;
  private List<UpdateRule> rules;
  private Object remembered;

  private Run(Mode mode, Case theCase, Backend backend) {
    this.mode = mode;
    this.theCase = theCase;
    this.backend = backend;
    random = Seeds.random(mode.name(), theCase.index());
    cuts = Seeds.random(mode.name() + " cuts", theCase.index());
    seed = random.nextLong();
    step = random.nextLong(1L << 32);
  }

  /** Makes the call and fetches the results. */
  public static Run of(Mode mode, Case theCase, Backend backend) {
    Run run = new Run(mode, theCase, backend);
    try {
      mode.call().accept(run);
      run.fetch();
      return run;
    } catch (RuntimeException | Error e) {
      run.close();
      e.addSuppressed(new IllegalStateException("in mode " + mode + ", " + theCase + " on " + backend.info().kind() + ", seed " + Seeds.base()));
      throw e;
    }
  }

  /** The backend of this run. */
  public Backend backend() {
    return backend;
  }

  /** Its stream. */
  public Stream stream() {
    return backend.defaultStream();
  }

  /** The case. */
  public Case theCase() {
    return theCase;
  }

  /** Size of the case. */
  public int n() {
    return theCase.n();
  }

  /** Generator of operands and parameters. */
  public SplittableRandom random() {
    return random;
  }

  /** Seed for kernels that draw random numbers. */
  public long seed() {
    return seed;
  }

  /** Step for kernels that draw random numbers. */
  public long step() {
    return step;
  }

  /** Remembers the rules of this run: one, or one a tensor. */
  public void rules(List<UpdateRule> newRules) {
    rules = newRules;
  }

  /** Keeps an object for the verification. */
  public void remember(Object object) {
    remembered = object;
  }

  /** What was kept. */
  public <T> T remembered(Class<T> type) {
    return type.cast(remembered);
  }

  /** The rules of this run. */
  public List<UpdateRule> rules() {
    return rules;
  }

  // ---- operands ---------------------------------------------------------------------------------------------------------------------

  /** Values of either sign. */
  public float[] signed(int n) {
    return Data.signed(random, n, theCase.profile());
  }

  /** Values for operands that are summed along rows of {@code cols}: extreme values are sparse, so that most sums stay finite. */
  public float[] terms(int rows, int cols) {
    if (theCase.profile() != Data.Profile.MIXED) {
      return signed(rows * cols);
    }
    float[] x = Data.signed(random, rows * cols, Data.Profile.FINITE);
    for (int r = 0; r < rows && cols > 0; r++) {
      if (random.nextInt(3) == 0) {
        x[r * cols + random.nextInt(cols)] = EXTREMES[random.nextInt(EXTREMES.length)];
      }
    }
    return x;
  }

  /** Values for operands like sigma. */
  public float[] positive(int n) {
    return Data.positive(random, n, theCase.profile());
  }

  /** An input. */
  public F32Buffer in(String name, float[] values) {
    return f32(name, false, raw(values));
  }

  /** An operand that the kernel updates. */
  public F32Buffer inOut(String name, float[] values) {
    return f32(name, true, raw(values));
  }

  /** An output; its old content is a pattern that must not survive. */
  public F32Buffer out(String name, int n) {
    return f32(name, true, filled(n));
  }

  /** An integer input. */
  public I32Buffer inInts(String name, int[] values) {
    return i32(name, false, values);
  }

  /** An integer output. */
  public I32Buffer outInts(String name, int n) {
    return i32(name, true, filled(n));
  }

  /** A bf16 input: the upper halves of {@code values}. */
  public Bf16Buffer inBf16(String name, float[] values) {
    return bf16(name, false, raw(values));
  }

  /** A bf16 output. */
  public Bf16Buffer outBf16(String name, int n) {
    return bf16(name, true, filled(n));
  }

  private Bf16Buffer bf16(String name, boolean written, int[] bits) {
    int start = GUARD + theCase.offset();
    int[] before = guarded(start, bits);
    short[] halves = new short[before.length];
    for (int i = 0; i < before.length; i++) {
      halves[i] = (short) (before[i] >>> 16);
      before[i] = before[i] & 0xffff0000;
    }
    Bf16Buffer whole = keep(backend.allocateBf16(before.length));
    whole.uploadBits(0, halves, 0, halves.length);
    operands.add(new Operand(name, written, start, before, whole));
    return whole.slice(start, bits.length);
  }

  /** Counters of update kernels; their values are results too. */
  public StepReport report() {
    StepReport report = keep(StepReport.allocate(backend));
    operands.add(new Operand("report", true, 0, new int[8 + GUARD], report.words()));
    return report;
  }

  /** A result that is returned instead of written. */
  public void number(String name, double value) {
    numbers.put(name, value);
  }

  /** Keeps a closeable object until the run is over. */
  public <T extends AutoCloseable> T keep(T closeable) {
    open.add(closeable);
    return closeable;
  }

  private F32Buffer f32(String name, boolean written, int[] bits) {
    int start = GUARD + offset();
    int[] before = guarded(start, bits);
    F32Buffer whole = keep(memory(before.length));
    whole.upload(floats(before));
    operands.add(new Operand(name, written, start, before, whole));
    return whole.slice(start, bits.length);
  }

  /** Memory of the backend, or at some offsets memory of ours that it wraps. */
  private F32Buffer memory(int n) {
    if (theCase.offset() % 5 != 2 || backend.info().kind() == BackendKind.CUDA) {
      return backend.allocate(n);
    }
    ByteBuffer direct = ByteBuffer.allocateDirect(Float.BYTES * n + 128).alignedSlice(64).order(ByteOrder.nativeOrder());
    return backend.wrap(direct.slice(0, Float.BYTES * n).order(ByteOrder.nativeOrder()).asFloatBuffer());
  }

  private I32Buffer i32(String name, boolean written, int[] bits) {
    int start = GUARD + offset();
    int[] before = guarded(start, bits);
    I32Buffer whole = keep(backend.allocateI32(before.length));
    whole.upload(before);
    operands.add(new Operand(name, written, start, before, whole));
    return whole.slice(start, bits.length);
  }

  // ---- matrices ---------------------------------------------------------------------------------------------------------------------

  /** A matrix input [rows][cols]; its leading dimension follows the offset of the case. */
  public F32Matrix inMatrix(String name, int rows, int cols, float[] values) {
    return matrix(name, false, rows, cols, raw(values));
  }

  /** A matrix that the kernel updates. */
  public F32Matrix inOutMatrix(String name, int rows, int cols, float[] values) {
    return matrix(name, true, rows, cols, raw(values));
  }

  /** A matrix output. */
  public F32Matrix outMatrix(String name, int rows, int cols) {
    return matrix(name, true, rows, cols, filled(rows * cols));
  }

  /** A matrix of integers. */
  public I32Matrix intMatrix(String name, boolean written, int rows, int cols, int[] values) {
    int ld = cols + gap();
    int start = GUARD + offset();
    int[] before = guardedRows(start, rows, cols, ld, values);
    I32Buffer whole = keep(backend.allocateI32(before.length));
    whole.upload(before);
    operands.add(new Operand(name, written, start, rows, cols, ld, before, whole));
    return new I32Matrix(whole.slice(start, span(rows, cols, ld)), rows, cols, ld);
  }

  /** A matrix output of integers. */
  public I32Matrix outIntMatrix(String name, int rows, int cols) {
    return intMatrix(name, true, rows, cols, filled(rows * cols));
  }

  /** A bit matrix input. */
  public BitMatrix inBits(String name, BitOracle bits) {
    return bits(name, false, bits.rows(), bits.cols(), bits.words());
  }

  /** A bit matrix output; its old content, pad bits included, is a pattern that must not survive. */
  public BitMatrix outBits(String name, int rows, int cols) {
    return bits(name, true, rows, cols, words(filled(2 * (int) (rows * BitMatrix.rowWords(cols)))));
  }

  /** Random bits, in some cases all ones, all zeros or alternating. */
  public BitOracle randomBits(int rows, int cols) {
    return BitOracle.random(random, rows, cols, theCase.index() % 7);
  }

  /**
   * State of a binarized network made of the tensors of {@code set}; its operands are w.t, m.t, v.t and, where signs are kept, bits.t.
   *
   * @param shapes of all tensors
   * @param w hidden weights of all tensors, as {@code m} and {@code v} are their moments
   */
  public HiddenWeights hidden(int[] set, List<HiddenWeights.Shape> shapes, List<float[]> w, List<float[]> m, List<float[]> v) {
    HiddenWeights weights = keep(HiddenWeights.allocate(backend, Arrays.stream(set).mapToObj(shapes::get).toArray(HiddenWeights.Shape[]::new)));
    arena("w", weights.hidden(), set, w);
    arena("m", weights.firstMoment(), set, m);
    arena("v", weights.secondMoment(), set, v);
    for (int i = 0; i < set.length; i++) {
      BitMatrix signs = weights.signs(i);
      if (signs != null) {
        int[] before = filled(2 * Math.toIntExact(signs.length()));
        signs.upload(words(before));
        addBits(new Operand("bits." + set[i], true, 0, 1, before.length, before.length, before, signs), signs.rows());
      }
    }
    return weights;
  }

  /** The tensors of an arena as operands, and the gaps between them as one that must stay as it is. */
  private void arena(String name, TensorGroup<F32Buffer> group, int[] set, List<float[]> values) {
    F32Buffer arena = group.arena();
    arena.fill(Float.intBitsToFloat(GUARD_BITS));
    for (int i = 0; i < set.length; i++) {
      group.get(i).upload(values.get(set[i]));
    }
    Operand gaps = new Operand(name + " arena", false, 0, 1, 0, 0, raw(arena.toArray()), arena);
    gaps.elsewhere = new boolean[gaps.before.length];
    int from = 0;
    for (int i = 0; i < set.length; i++) {
      int n = values.get(set[i]).length;
      operands.add(new Operand(name + "." + set[i], true, 0, 1, n, n, raw(values.get(set[i])), group.get(i)));
      Arrays.fill(gaps.elsewhere, from, from + n, true);
      from += (n + 15) / 16 * 16; // tensors of an arena start at multiples of 64 bytes
    }
    operands.add(gaps);
  }

  private F32Matrix matrix(String name, boolean written, int rows, int cols, int[] bits) {
    int ld = cols + gap();
    int start = GUARD + offset();
    int[] before = guardedRows(start, rows, cols, ld, bits);
    F32Buffer whole = keep(memory(before.length));
    whole.upload(floats(before));
    operands.add(new Operand(name, written, start, rows, cols, ld, before, whole));
    return new F32Matrix(whole.slice(start, span(rows, cols, ld)), rows, cols, ld);
  }

  private BitMatrix bits(String name, boolean written, int rows, int cols, long[] content) {
    BitMatrix whole = keep(backend.allocateBits(rows + 2L, cols));
    int rowHalves = 2 * whole.rowWords();
    int[] before = new int[(rows + 2) * rowHalves]; // a row of guards on either side
    Arrays.fill(before, GUARD_BITS);
    System.arraycopy(halves(content), 0, before, rowHalves, rows * rowHalves);
    whole.upload(words(before));
    int n = rows * rowHalves;
    addBits(new Operand(name, written, rowHalves, 1, n, n, before, whole), rows);
    return whole.rows(1, rows);
  }

  private void addBits(Operand operand, int rows) {
    operand.bitRows = rows;
    operands.add(operand);
  }

  /** Columns between the rows of a matrix; none at offset 0. */
  private int gap() {
    return theCase.offset() == 0 ? 0 : (theCase.offset() + operands.size()) % 4;
  }

  private static int span(int rows, int cols, int ld) {
    return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
  }

  private static int[] guardedRows(int start, int rows, int cols, int ld, int[] bits) {
    int[] all = new int[start + span(rows, cols, ld) + GUARD];
    Arrays.fill(all, GUARD_BITS);
    for (int r = 0; r < rows && cols > 0; r++) {
      System.arraycopy(bits, r * cols, all, start + r * ld, cols);
    }
    return all;
  }

  /** Operands of one call lie at different offsets, except at offset 0. */
  private int offset() {
    return theCase.offset() == 0 ? 0 : (theCase.offset() + 3 * operands.size()) % 16;
  }

  private static int[] guarded(int start, int[] bits) {
    int[] all = new int[start + bits.length + GUARD];
    Arrays.fill(all, GUARD_BITS);
    System.arraycopy(bits, 0, all, start, bits.length);
    return all;
  }

  private static int[] filled(int n) {
    int[] bits = new int[n];
    Arrays.fill(bits, UNWRITTEN_BITS);
    return bits;
  }

  private static int[] raw(float[] x) {
    int[] bits = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      bits[i] = Float.floatToRawIntBits(x[i]);
    }
    return bits;
  }

  private static float[] floats(int[] bits) {
    float[] x = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      x[i] = Float.intBitsToFloat(bits[i]);
    }
    return x;
  }

  // ---- tensors and pieces -----------------------------------------------------------------------------------------------------------

  /** The tensors of this run: the first has n elements, in two of three cases there are more, some of them empty; tensor numbers are arbitrary. */
  public TensorLayout layout() {
    if (layout == null) {
      int more = theCase.index() % 3 == 0 ? 0 : random.nextInt(1, 4);
      long[] counts = new long[1 + more];
      int[] tensors = new int[1 + more];
      counts[0] = n();
      for (int t = 0; t <= more; t++) {
        counts[t] = t == 0 ? n() : random.nextInt(4) == 0 ? 0 : random.nextInt(1, 70);
        tensors[t] = random.nextInt(1 << 22) * 4 + t;
      }
      layout = TensorLayout.of(counts).withTensorNumbers(tensors);
    }
    return layout;
  }

  /** Takes the tensors of another run instead. */
  public void layout(TensorLayout other) {
    layout = other;
  }

  /** An operand with the content that it had before another run's call. */
  public Group<F32Buffer> copy(String name, int copies, Run other, boolean written) {
    List<F32Buffer> buffers = new ArrayList<>();
    for (int t = 0; t < layout().tensors(); t++) {
      float[] values = other.before(name + "." + t);
      buffers.add(written ? inOut(name + "." + t, values) : in(name + "." + t, values));
    }
    return new Group<>(copies, buffers);
  }

  /** As {@link #copy}, for bf16 inputs. */
  public Group<Bf16Buffer> copyBf16(String name, int copies, Run other) {
    List<Bf16Buffer> buffers = new ArrayList<>();
    for (int t = 0; t < layout().tensors(); t++) {
      float[] values = other.before(name + "." + t);
      buffers.add(inBf16(name + "." + t, values));
    }
    return new Group<>(copies, buffers);
  }

  /** Elements of a tensor. */
  public int count(int t) {
    return (int) layout().count(t);
  }

  private TensorLayout layoutOf(int[] set) {
    return TensorLayout.of(Arrays.stream(set).mapToLong(layout()::count).toArray())
        .withTensorNumbers(Arrays.stream(set).map(layout()::number).toArray());
  }

  /** A group of inputs, outputs or updated operands; operand names get the tensor appended: {@code name.0}, ... */
  public Group<F32Buffer> group(String name, int copies, GroupKind kind) {
    List<F32Buffer> buffers = new ArrayList<>();
    for (int t = 0; t < layout().tensors(); t++) {
      int n = copies * count(t);
      String operand = name + "." + t;
      buffers.add(
          switch (kind) {
            case SIGNED_IN -> in(operand, signed(n));
            case POSITIVE_IN -> in(operand, positive(n));
            case SIGNED_IN_OUT -> inOut(operand, signed(n));
            case POSITIVE_IN_OUT -> inOut(operand, positive(n));
            case OUT -> out(operand, n);
          });
    }
    return new Group<>(copies, buffers);
  }

  /** A group of inputs made by {@code values(tensor, count)}. */
  public Group<F32Buffer> group(String name, int copies, BiFunction<Integer, Integer, float[]> values) {
    List<F32Buffer> buffers = new ArrayList<>();
    for (int t = 0; t < layout().tensors(); t++) {
      buffers.add(in(name + "." + t, values.apply(t, copies * count(t))));
    }
    return new Group<>(copies, buffers);
  }

  /** A group of bf16 inputs. */
  public Group<Bf16Buffer> bf16Group(String name, int copies) {
    List<Bf16Buffer> buffers = new ArrayList<>();
    for (int t = 0; t < layout().tensors(); t++) {
      buffers.add(inBf16(name + "." + t, signed(copies * count(t))));
    }
    return new Group<>(copies, buffers);
  }

  /** A group of low parts of sigma: of a size that training has, whatever the profile. */
  public Group<F32Buffer> lowGroup() {
    List<F32Buffer> buffers = new ArrayList<>();
    for (int t = 0; t < layout().tensors(); t++) {
      float[] low = new float[count(t)];
      for (int i = 0; i < low.length; i++) {
        low[i] = (float) (1e-9 * random.nextGaussian());
      }
      buffers.add(inOut("low." + t, low));
    }
    return new Group<>(1, buffers);
  }

  /** Kinds of {@link #group}. */
  public enum GroupKind {
    SIGNED_IN,
    POSITIVE_IN,
    SIGNED_IN_OUT,
    POSITIVE_IN_OUT,
    OUT
  }

  /** The weights of a set of tensors. */
  public GaussianWeights weights(Group<F32Buffer> mu, Group<F32Buffer> sigma, Group<F32Buffer> low, int[] set) {
    return GaussianWeights.of(mu.of(set), sigma.of(set), low == null ? null : low.of(set));
  }

  /** The tensors of each call to make: all in one, or one by one. */
  public List<int[]> tensorSets() {
    int tensors = layout().tensors();
    int[] all = new int[tensors];
    Arrays.setAll(all, t -> t);
    if (!theCase.split()) {
      return List.of(all);
    }
    List<int[]> sets = new ArrayList<>();
    for (int t : all) {
      sets.add(new int[] {t});
    }
    return sets;
  }

  /** Calls {@code piece} with (from, length) of each piece to compute: 0, n, or up to six pieces of it. */
  public void pieces(int n, BiConsumer<Integer, Integer> piece) {
    int from = 0;
    for (int p = 0; theCase.split() && p < 5 && from < n; p++) {
      int length = cuts.nextInt(n - from + 1);
      piece.accept(from, length);
      from += length;
    }
    piece.accept(from, n - from);
  }

  // ---- results ----------------------------------------------------------------------------------------------------------------------

  private void fetch() {
    for (Operand o : operands) {
      if (o.memory instanceof F32Buffer f) {
        System.arraycopy(raw(f.toArray()), 0, o.after, 0, o.after.length);
      } else if (o.memory instanceof Bf16Buffer b) {
        System.arraycopy(raw(b.toArray()), 0, o.after, 0, o.after.length);
      } else if (o.memory instanceof BitMatrix b) {
        System.arraycopy(halves(b.toArray()), 0, o.after, 0, o.after.length);
      } else if (o.name.equals("report")) {
        System.arraycopy(((I32Buffer) o.memory).toArray(), 0, o.after, 0, 8);
      } else {
        System.arraycopy(((I32Buffer) o.memory).toArray(), 0, o.after, 0, o.after.length);
      }
      for (int i = 0; i < o.after.length; i++) {
        if (o.after[i] != o.before[i] && !(o.written && o.holds(i)) && (o.elsewhere == null || !o.elsewhere[i])) {
          throw new AssertionError(
              (o.holds(i) ? "wrote to input " : "wrote outside of ") + o.name + ": word " + (i - o.start) + " of " + o.rows + " x " + o.cols
                  + " became " + Bits.show(o.after[i]));
        }
      }
    }
  }

  /** 64-bit words as pairs of 32-bit ones, low first. */
  private static int[] halves(long[] words) {
    int[] h = new int[2 * words.length];
    for (int i = 0; i < words.length; i++) {
      h[2 * i] = (int) words[i];
      h[2 * i + 1] = (int) (words[i] >>> 32);
    }
    return h;
  }

  private static long[] words(int[] halves) {
    long[] w = new long[halves.length / 2];
    for (int i = 0; i < w.length; i++) {
      w[i] = (halves[2 * i] & 0xffffffffL) | (long) halves[2 * i + 1] << 32;
    }
    return w;
  }

  private Operand operand(String name) {
    return operands.stream().filter(o -> o.name.equals(name)).findFirst().orElseThrow(() -> new IllegalArgumentException("no operand " + name));
  }

  /** What an operand held before the call. */
  public float[] before(String name) {
    return before.computeIfAbsent(name, k -> floats(beforeBits(k)));
  }

  /** What it held afterwards. */
  public float[] after(String name) {
    return after.computeIfAbsent(name, k -> floats(afterBits(k)));
  }

  /** Raw words of it afterwards. */
  public int[] afterBits(String name) {
    Operand o = operand(name);
    return o.elements(o.after);
  }

  /** Raw words of it before. */
  public int[] beforeBits(String name) {
    Operand o = operand(name);
    return o.elements(o.before);
  }

  /** A bit matrix before the call. */
  public BitOracle bitsBefore(String name) {
    return bitsBefore.computeIfAbsent(name, k -> bits(operand(k), operand(k).before));
  }

  /** A bit matrix afterwards. */
  public BitOracle bitsAfter(String name) {
    return bitsAfter.computeIfAbsent(name, k -> bits(operand(k), operand(k).after));
  }

  private static BitOracle bits(Operand o, int[] words) {
    return BitOracle.of(o.bitRows, ((BitMatrix) o.memory).cols(), words(o.elements(words)));
  }

  /** A returned result. */
  public double number(String name) {
    return numbers.get(name);
  }

  /** Hash of all results, NaN made canonical. */
  public long hash() {
    long h = Bits.fnvStart();
    for (Operand o : operands) {
      if (o.written) {
        for (int word : o.elements(o.after)) {
          h = Bits.fnv(h, o.f32() ? Bits.of(Float.intBitsToFloat(word)) : word);
        }
      }
    }
    for (double v : numbers.values()) {
      long bits = Double.doubleToLongBits(v);
      h = Bits.fnv(Bits.fnv(h, (int) bits), (int) (bits >>> 32));
    }
    return h;
  }

  /** Elements (of bit matrices: bits) written, and how many of them are finite and not zero. */
  public long[] substance() {
    long all = numbers.size();
    long nonzero = numbers.values().stream().filter(v -> v != 0).count();
    for (Operand o : operands) {
      if (o.written && o.memory instanceof BitMatrix b) {
        all += (long) o.bitRows * b.cols();
        nonzero += Arrays.stream(o.elements(o.after)).mapToLong(Integer::bitCount).sum();
      } else if (o.written && !o.name.equals("report")) {
        for (int word : o.elements(o.after)) {
          all++;
          nonzero += word << 1 != 0 && (!o.f32() || Float.isFinite(Float.intBitsToFloat(word))) ? 1 : 0;
        }
      }
    }
    return new long[] {all, nonzero};
  }

  /** Fails with the first difference to {@code expected}, a run of the same case elsewhere. */
  public void assertSameBits(Run expected, String where) {
    for (Operand mine : operands) {
      Operand other = mine.written ? expected.operand(mine.name) : null;
      for (int i = 0; mine.written && i < mine.length(); i++) {
        int a = mine.after[mine.at(i)];
        int b = other.after[other.at(i)];
        boolean nans = mine.f32() && Float.isNaN(Float.intBitsToFloat(a)) && Float.isNaN(Float.intBitsToFloat(b));
        if (a != b && !nans) {
          throw new AssertionError(
              mode + ", " + theCase + ", " + where + ": " + mine.name + "[" + i + "] of " + mine.length() + " is " + Bits.show(a) + ", expected "
                  + Bits.show(b) + "; before the call " + Bits.show(mine.before[mine.at(i)]) + "; seed " + Seeds.base());
        }
      }
    }
    for (Map.Entry<String, Double> e : numbers.entrySet()) {
      double other = expected.numbers.get(e.getKey());
      if (Double.doubleToLongBits(e.getValue()) != Double.doubleToLongBits(other)) {
        throw new AssertionError(mode + ", " + theCase + ", " + where + ": " + e.getKey() + " is " + e.getValue() + ", expected " + other + "; seed " + Seeds.base());
      }
    }
  }

  @Override
  public void close() {
    for (int i = open.size() - 1; i >= 0; i--) {
      try {
        open.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("closing an operand failed", e);
      }
    }
    open.clear();
  }
}
