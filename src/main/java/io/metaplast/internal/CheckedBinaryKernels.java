package io.metaplast.internal;

import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.Workspace;
import io.metaplast.bayes.StepReport;
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
import io.metaplast.internal.spi.AdamRows;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BinaryProvider;
import java.util.List;
import java.util.Objects;

/** The binary kernels as users see them: checks every argument, then lets the backend's provider run. Nothing is written by a call that throws. */
final class CheckedBinaryKernels implements BinaryKernels {
  /** Up to here fp32 holds every integer. */
  private static final int EXACT_IN_FP32 = 1 << 24;

  private final BackendImpl backend;
  private final BackendProvider provider;
  private final BinaryProvider binary;
  private final boolean fullChecks;

  CheckedBinaryKernels(BackendImpl backend) {
    this.backend = backend;
    this.provider = backend.provider();
    this.binary = provider.binary();
    this.fullChecks = backend.options().fullChecks();
  }

  // ---- packing

  @Override
  public void signPack(F32Matrix x, BitMatrix bits, Stream stream) {
    pack(x, bits, null, stream);
  }

  @Override
  public void signPack(F32Matrix x, BitMatrix bits, BitMatrix mask, Stream stream) {
    Objects.requireNonNull(mask, "mask");
    pack(x, bits, mask, stream);
  }

  private void pack(F32Matrix x, BitMatrix bits, BitMatrix maskOrNull, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "x", x);
      BitMatrixImpl out = outputBits(guard, "bits", bits);
      BitMatrixImpl mask = maskOrNull == null ? null : outputBits(guard, "mask", maskOrNull);
      long handle = guard.stream(stream);
      shape("bits", out, "x.rows", x.rows(), "x.cols", x.cols());
      if (mask != null) {
        shape("mask", mask, "x.rows", x.rows(), "x.cols", x.cols());
      }
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signPack(x.rows(), x.cols(), in, x.ld(), out, mask, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void signPackTransposed(F32Matrix x, BitMatrix bits, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "x", x);
      BitMatrixImpl out = outputBits(guard, "bits", bits);
      long handle = guard.stream(stream);
      shape("bits", out, "x.cols", x.cols(), "x.rows", x.rows());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signPackTransposed(x.rows(), x.cols(), in, x.ld(), out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void signUnpack(BitMatrix bits, F32Matrix x, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl in = inputBits(guard, "bits", bits);
      BufferImpl out = output(guard, "x", x);
      long handle = guard.stream(stream);
      shape("bits", in, "x.rows", x.rows(), "x.cols", x.cols());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signUnpack(in, out, x.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void signUnpack(BitMatrix bits, DeviceBuffer x, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl in = inputBits(guard, "bits", bits);
      BufferImpl out = guard.output("x", x);
      long handle = guard.stream(stream);
      if (!(out instanceof BufferImpl.F32 || out instanceof BufferImpl.Bf16)) {
        throw new IllegalArgumentException("x is a " + out.getClass().getSimpleName() + " buffer; fp32 or bf16 is needed");
      }
      elements("x", out, "bits", in);
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signUnpack(in, out, in.cols(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void transpose(BitMatrix bits, BitMatrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl in = inputBits(guard, "bits", bits);
      BitMatrixImpl o = outputBits(guard, "out", out);
      long handle = guard.stream(stream);
      shape("out", o, "bits.cols", in.cols(), "bits.rows", in.rows());
      guard.checkOverlap();
      if (o.length() > 0) {
        binary.transpose(in, o, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void steBackward(BitMatrix mask, F32Matrix gradOutput, F32Matrix gradInput, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl m = inputBits(guard, "mask", mask);
      BufferImpl in = input(guard, "gradOutput", gradOutput);
      BufferImpl out = output(guard, "gradInput", gradInput);
      long handle = guard.stream(stream);
      shape("mask", m, "gradOutput.rows", gradOutput.rows(), "gradOutput.cols", gradOutput.cols());
      shape("mask", m, "gradInput.rows", gradInput.rows(), "gradInput.cols", gradInput.cols());
      if (gradOutput.ld() == gradInput.ld()) {
        guard.allowInPlace("gradInput", "gradOutput");
      }
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.steBackward(m, in, gradOutput.ld(), out, gradInput.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  // ---- bits x bits

  @Override
  public void xnorGemm(BitMatrix a, BitMatrix b, I32Matrix y, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl left = inputBits(guard, "a", a);
      BitMatrixImpl right = inputBits(guard, "b", b);
      BufferImpl out = output(guard, "y", y);
      long handle = guard.stream(stream);
      product(left, right, y.rows(), y.cols());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.xnorGemmI32(left, right, out, y.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void xnorGemm(BitMatrix a, BitMatrix b, F32Buffer scale, F32Buffer bias, F32Matrix y, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl left = inputBits(guard, "a", a);
      BitMatrixImpl right = inputBits(guard, "b", b);
      BufferImpl s = inputOrNull(guard, "scale", scale);
      BufferImpl t = inputOrNull(guard, "bias", bias);
      BufferImpl out = output(guard, "y", y);
      long handle = guard.stream(stream);
      product(left, right, y.rows(), y.cols());
      lengthOrNull("scale", s, "b.rows", right.rows());
      lengthOrNull("bias", t, "b.rows", right.rows());
      if (left.cols() > EXACT_IN_FP32) {
        throw new IllegalArgumentException("K = " + left.cols() + " exceeds the limit of " + EXACT_IN_FP32 + " for fp32 results; use int32");
      }
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.xnorGemmF32(left, right, s, t, out, y.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void xnorGemm(BitMatrix a, BitMatrix b, Thresholds thresholds, BitMatrix y, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl left = inputBits(guard, "a", a);
      BitMatrixImpl right = inputBits(guard, "b", b);
      Objects.requireNonNull(thresholds, "thresholds");
      BufferImpl limit = guard.input("thresholds.limit", thresholds.limit());
      BufferImpl invert = guard.input("thresholds.invert", thresholds.invert());
      BitMatrixImpl out = outputBits(guard, "y", y);
      long handle = guard.stream(stream);
      product(left, right, out.rows(), out.cols());
      Checks.length("thresholds", limit.length(), "b.rows", right.rows());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.xnorGemmBits(left, right, limit, invert, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void signPackXnorGemm(F32Matrix x, BitMatrix a, BitMatrix b, Thresholds thresholds, BitMatrix y, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "x", x);
      BitMatrixImpl left = outputBits(guard, "a", a);
      BitMatrixImpl right = inputBits(guard, "b", b);
      Objects.requireNonNull(thresholds, "thresholds");
      BufferImpl limit = guard.input("thresholds.limit", thresholds.limit());
      BufferImpl invert = guard.input("thresholds.invert", thresholds.invert());
      BitMatrixImpl out = outputBits(guard, "y", y);
      long handle = guard.stream(stream);
      shape("a", left, "x.rows", x.rows(), "x.cols", x.cols());
      product(left, right, out.rows(), out.cols());
      Checks.length("thresholds", limit.length(), "b.rows", right.rows());
      guard.checkOverlap();
      if (left.length() > 0 || out.length() > 0) {
        binary.signPackXnorGemmBits(in, x.ld(), left, right, limit, invert, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  private static void product(BitMatrixImpl a, BitMatrixImpl b, int rows, int cols) {
    Checks.equal("a.cols", a.cols(), "b.cols", b.cols());
    Checks.equal("y.rows", rows, "a.rows", a.rows());
    Checks.equal("y.cols", cols, "b.rows", b.rows());
  }

  @Override
  public void xnorSyrk(BitMatrix x, boolean accumulate, I32Matrix s, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl in = inputBits(guard, "x", x);
      BufferImpl out = output(guard, "s", s);
      BufferImpl w = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      Checks.equal("s.rows", s.rows(), "x.cols", in.cols());
      Checks.equal("s.cols", s.cols(), "x.cols", in.cols());
      space(w, binary.xnorSyrkWorkspaceBytes(in.rows(), in.cols()));
      guard.checkOverlap();
      if (out.length() > 0 && !(accumulate && in.rows() == 0)) {
        binary.xnorSyrk(in, accumulate, out, s.ld(), w, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public long xnorSyrkWorkspaceBytes(int batch, int in) {
    Checks.dimension("batch", batch);
    Checks.dimension("in", in);
    return binary.xnorSyrkWorkspaceBytes(batch, in);
  }

  @Override
  public void factorMovingAverage(I32Matrix s, long batch, double decay, F32Matrix factor, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(s, "s");
      BufferImpl in = guard.input("s", s.data());
      BufferImpl out = output(guard, "factor", factor);
      long handle = guard.stream(stream);
      Checks.equal("factor.rows", factor.rows(), "s.rows", s.rows());
      Checks.equal("factor.cols", factor.cols(), "s.cols", s.cols());
      if (batch <= 0) {
        throw new IllegalArgumentException("batch = " + batch + " must be > 0");
      }
      if (!(decay >= 0 && decay <= 1)) {
        throw new IllegalArgumentException("decay = " + decay + " must be in 0..1");
      }
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.factorMovingAverage(
            s.rows(), s.cols(), in, s.ld(), (float) (1.0 / batch), (float) decay, (float) (1 - decay), out, factor.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  // ---- real x +-1

  @Override
  public void signGemmNT(F32Matrix x, BitMatrix w, F32Matrix y, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "x", x);
      BitMatrixImpl bits = inputBits(guard, "w", w);
      BufferImpl out = output(guard, "y", y);
      long handle = guard.stream(stream);
      Checks.equal("x.cols", x.cols(), "w.cols", bits.cols());
      Checks.equal("y.rows", y.rows(), "x.rows", x.rows());
      Checks.equal("y.cols", y.cols(), "w.rows", bits.rows());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signGemmNT(x.rows(), in, x.ld(), bits, out, y.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void signGemmNN(F32Matrix dy, BitMatrix w, F32Matrix dx, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "dy", dy);
      BitMatrixImpl bits = inputBits(guard, "w", w);
      BufferImpl out = output(guard, "dx", dx);
      long handle = guard.stream(stream);
      Checks.equal("dy.cols", dy.cols(), "w.rows", bits.rows());
      Checks.equal("dx.rows", dx.rows(), "dy.rows", dy.rows());
      Checks.equal("dx.cols", dx.cols(), "w.cols", bits.cols());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signGemmNN(dy.rows(), in, dy.ld(), bits, out, dx.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void signGemmTN(F32Matrix dy, BitMatrix x, F32Matrix dw, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "dy", dy);
      BitMatrixImpl bits = inputBits(guard, "x", x);
      BufferImpl out = output(guard, "dw", dw);
      long handle = guard.stream(stream);
      Checks.equal("dy.rows", dy.rows(), "x.rows", bits.rows());
      Checks.equal("dw.rows", dw.rows(), "dy.cols", dy.cols());
      Checks.equal("dw.cols", dw.cols(), "x.cols", bits.cols());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.signGemmTN(dy.cols(), in, dy.ld(), bits, out, dw.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void gemmTN(F32Matrix dy, F32Matrix x, F32Matrix dw, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl left = input(guard, "dy", dy);
      BufferImpl right = input(guard, "x", x);
      BufferImpl out = output(guard, "dw", dw);
      long handle = guard.stream(stream);
      Checks.equal("dy.rows", dy.rows(), "x.rows", x.rows());
      Checks.equal("dw.rows", dw.rows(), "dy.cols", dy.cols());
      Checks.equal("dw.cols", dw.cols(), "x.cols", x.cols());
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.gemmTN(dy.rows(), dy.cols(), x.cols(), left, dy.ld(), right, x.ld(), out, dw.ld(), handle);
      }
    } finally {
      guard.exit();
    }
  }

  // ---- batch norm

  @Override
  public void batchNormForward(
      BatchNormShape shape, DeviceBuffer y, F32Buffer gamma, F32Buffer beta, double eps, F32Buffer mean, F32Buffer inv, RunningStatistics running,
      BatchNormOutput output, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(shape, "shape");
      Objects.requireNonNull(output, "output");
      BufferImpl in = values(guard, shape, y);
      BufferImpl g = affine(guard, shape, gamma, beta, "gamma", gamma);
      BufferImpl b = affine(guard, shape, gamma, beta, "beta", beta);
      BufferImpl m = guard.output("mean", mean);
      BufferImpl i = guard.output("inv", inv);
      BufferImpl rm = running == null ? null : guard.output("running.mean", running.mean());
      BufferImpl rv = running == null ? null : guard.output("running.variance", running.variance());
      BufferImpl out = guard.outputOrNull("output.values", output.values());
      BitMatrixImpl sign = output.signs() == null ? null : outputBits(guard, "output.signs", output.signs());
      BitMatrixImpl mask = output.mask() == null ? null : outputBits(guard, "output.mask", output.mask());
      long handle = guard.stream(stream);
      Checks.positive("eps", eps);
      Checks.length("mean", m.length(), "channels", shape.channels());
      Checks.length("inv", i.length(), "channels", shape.channels());
      lengthOrNull("running.mean", rm, "channels", shape.channels());
      lengthOrNull("running.variance", rv, "channels", shape.channels());
      if (running != null && shape.values() < 2) {
        throw new IllegalArgumentException(
            "running statistics need at least 2 values a channel, batch*spatial = " + shape.values() + " (the unbiased variance of one value does not exist)");
      }
      outputs(shape, out, sign, mask);
      guard.checkOverlap();
      if (in.length() > 0) {
        float momentum = running == null ? 0 : (float) running.momentum();
        binary.batchNormForward(shape, isInteger(in), in, g, b, eps, m, i, momentum, rm, rv, out, sign, mask, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void batchNormInference(
      BatchNormShape shape, DeviceBuffer y, F32Buffer gamma, F32Buffer beta, double eps, F32Buffer mean, F32Buffer variance, BatchNormOutput output,
      Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(shape, "shape");
      Objects.requireNonNull(output, "output");
      if (output.mask() != null) {
        throw new IllegalArgumentException("output.mask must be null: inference has no backward pass");
      }
      BufferImpl in = values(guard, shape, y);
      BufferImpl g = affine(guard, shape, gamma, beta, "gamma", gamma);
      BufferImpl b = affine(guard, shape, gamma, beta, "beta", beta);
      BufferImpl m = guard.input("mean", mean);
      BufferImpl v = guard.input("variance", variance);
      BufferImpl out = guard.outputOrNull("output.values", output.values());
      BitMatrixImpl sign = output.signs() == null ? null : outputBits(guard, "output.signs", output.signs());
      long handle = guard.stream(stream);
      Checks.positive("eps", eps);
      Checks.length("mean", m.length(), "channels", shape.channels());
      Checks.length("variance", v.length(), "channels", shape.channels());
      outputs(shape, out, sign, null);
      guard.checkOverlap();
      if (in.length() > 0) {
        binary.batchNormInference(shape, isInteger(in), in, g, b, eps, m, v, out, sign, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void batchNormBackward(
      BatchNormShape shape, DeviceBuffer y, F32Buffer gamma, F32Buffer mean, F32Buffer inv, F32Buffer gradOutput, BitMatrix mask, F32Buffer gradInput,
      F32Buffer gradGamma, F32Buffer gradBeta, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(shape, "shape");
      BufferImpl in = values(guard, shape, y);
      BufferImpl g = inputOrNull(guard, "gamma", gamma);
      BufferImpl m = guard.input("mean", mean);
      BufferImpl i = guard.input("inv", inv);
      BufferImpl dout = guard.input("gradOutput", gradOutput);
      BitMatrixImpl bits = mask == null ? null : inputBits(guard, "mask", mask);
      BufferImpl dx = guard.output("gradInput", gradInput);
      BufferImpl dg = guard.outputOrNull("gradGamma", gradGamma);
      BufferImpl db = guard.outputOrNull("gradBeta", gradBeta);
      long handle = guard.stream(stream);
      lengthOrNull("gamma", g, "channels", shape.channels());
      Checks.length("mean", m.length(), "channels", shape.channels());
      Checks.length("inv", i.length(), "channels", shape.channels());
      Checks.length("gradOutput", dout.length(), "batch*channels*spatial", shape.elements());
      Checks.length("gradInput", dx.length(), "batch*channels*spatial", shape.elements());
      lengthOrNull("gradGamma", dg, "channels", shape.channels());
      lengthOrNull("gradBeta", db, "channels", shape.channels());
      outputs(shape, null, null, bits);
      guard.allowInPlace("gradInput", "gradOutput");
      guard.checkOverlap();
      if (in.length() > 0) {
        binary.batchNormBackward(shape, isInteger(in), in, g, m, i, dout, bits, dx, dg, db, handle);
      } else { // sums over nothing
        zero(dg);
        zero(db);
      }
    } finally {
      guard.exit();
    }
  }

  private void zero(BufferImpl bufferOrNull) {
    if (bufferOrNull != null && bufferOrNull.length() > 0) {
      provider.fill(bufferOrNull.memory(), bufferOrNull.byteOffset(), bufferOrNull.length(), 0);
    }
  }

  private static BufferImpl values(CallGuard guard, BatchNormShape shape, DeviceBuffer y) {
    BufferImpl in = guard.input("y", y);
    if (!(in instanceof BufferImpl.F32 || in instanceof BufferImpl.I32)) {
      throw new IllegalArgumentException("y is a " + in.getClass().getSimpleName() + " buffer; fp32 or int32 is needed");
    }
    Checks.length("y", in.length(), "batch*channels*spatial", shape.elements());
    return in;
  }

  private static boolean isInteger(BufferImpl y) {
    return y instanceof BufferImpl.I32;
  }

  private static BufferImpl affine(CallGuard guard, BatchNormShape shape, F32Buffer gamma, F32Buffer beta, String name, F32Buffer buffer) {
    if ((gamma == null) != (beta == null)) {
      throw new IllegalArgumentException("gamma is " + (gamma == null ? "" : "not ") + "null, beta is " + (beta == null ? "" : "not ") + "null; give both or none");
    }
    BufferImpl b = inputOrNull(guard, name, buffer);
    lengthOrNull(name, b, "channels", shape.channels());
    return b;
  }

  private static void outputs(BatchNormShape shape, BufferImpl outOrNull, BitMatrixImpl signOrNull, BitMatrixImpl maskOrNull) {
    lengthOrNull("output.values", outOrNull, "batch*channels*spatial", shape.elements());
    int cols = shape.channels() * shape.spatial();
    if (signOrNull != null) {
      shape("output.signs", signOrNull, "batch", shape.batch(), "channels*spatial", cols);
    }
    if (maskOrNull != null) {
      shape("mask", maskOrNull, "batch", shape.batch(), "channels*spatial", cols);
    }
  }

  // ---- updates

  @Override
  public void metaAdamStep(HiddenWeights weights, TensorGroup<F32Buffer> gradients, List<AdamParams> params, long step, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(weights, "weights");
      Objects.requireNonNull(params, "params");
      TensorGroupImpl<?> w = guard.output("weights.hidden", weights.hidden());
      TensorGroupImpl<?> m = guard.output("weights.firstMoment", weights.firstMoment());
      TensorGroupImpl<?> v = guard.output("weights.secondMoment", weights.secondMoment());
      TensorGroupImpl<?> g = guard.input("gradients", gradients);
      for (int t = 0; t < weights.tensors(); t++) {
        if (weights.signs(t) != null) {
          guard.holdOnly("weights.signs", weights.signs(t)); // allocated with the weights: nothing else can overlap it
        }
      }
      long handle = guard.stream(stream);
      layout(g, w);
      if (params.size() != 1 && params.size() != weights.tensors()) {
        throw new IllegalArgumentException("params.size " + params.size() + " must be 1 or the number of tensors, " + weights.tensors());
      }
      for (int t = 0; t < params.size(); t++) {
        Objects.requireNonNull(params.get(t), "params element");
      }
      stepNumber(step);
      guard.checkOverlap();
      if (w.ranges() > 0) {
        AdamRows rows = w.adamRows(weights);
        rows.prepare(params, step);
        binary.metaAdamStep(w, g, m, v, rows, handle);
      }
    } finally {
      guard.exit();
    }
  }

  private static void layout(TensorGroupImpl<?> gradients, TensorGroupImpl<?> hidden) {
    if (gradients.bf16()) {
      throw new IllegalArgumentException("gradients is bf16; fp32 is needed");
    }
    TensorLayout layout = gradients.layout();
    TensorLayout wanted = hidden.layout();
    Checks.equal("gradients.tensors", layout.tensors(), "weights.tensors", wanted.tensors());
    for (int t = 0; t < wanted.tensors(); t++) {
      if (layout.count(t) != wanted.count(t)) {
        Checks.equal("gradients[" + t + "].length", layout.count(t), "weights[" + t + "].length", wanted.count(t));
      }
    }
    Checks.equal("gradients.copies", gradients.copies(), "weights.copies", 1);
  }

  private static void stepNumber(long step) {
    if (step < 1) {
      throw new IllegalArgumentException("step = " + step + " must be >= 1");
    }
  }

  @Override
  public void metaAdamStepFromProduct(HiddenWeights weights, int tensor, F32Matrix dy, BitMatrix x, AdamParams params, long step, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl bits = inputBits(guard, "x", x);
      stepFromProduct(guard, weights, tensor, dy, null, 0, bits, bits.rows(), bits.cols(), params, step, stream);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void metaAdamStepFromProduct(HiddenWeights weights, int tensor, F32Matrix dy, F32Matrix x, AdamParams params, long step, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl values = input(guard, "x", x);
      stepFromProduct(guard, weights, tensor, dy, values, x.ld(), null, x.rows(), x.cols(), params, step, stream);
    } finally {
      guard.exit();
    }
  }

  private void stepFromProduct(
      CallGuard guard, HiddenWeights weights, int tensor, F32Matrix dy, BufferImpl xOrNull, int ldx, BitMatrixImpl bitsOrNull, int xRows, int xCols,
      AdamParams params, long step, Stream stream) {
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(params, "params");
    TensorGroupImpl<?> hidden = guard.own("weights.hidden", weights.hidden());
    if (tensor < 0 || tensor >= weights.tensors()) {
      throw new IllegalArgumentException("tensor = " + tensor + " must be in 0.." + (weights.tensors() - 1));
    }
    BufferImpl w = guard.output("weights.hidden", weights.hidden().get(tensor));
    BufferImpl m = guard.output("weights.firstMoment", weights.firstMoment().get(tensor));
    BufferImpl v = guard.output("weights.secondMoment", weights.secondMoment().get(tensor));
    BitMatrixImpl signs = weights.signs(tensor) == null ? null : outputBits(guard, "weights.signs", weights.signs(tensor));
    BufferImpl d = input(guard, "dy", dy);
    long handle = guard.stream(stream);
    HiddenWeights.Shape shape = weights.shape(tensor);
    Checks.equal("dy.rows", dy.rows(), "x.rows", xRows);
    if (dy.cols() != shape.rows()) {
      Checks.equal("dy.cols", dy.cols(), "weights[" + tensor + "].rows", shape.rows());
    }
    if (xCols != shape.cols()) {
      Checks.equal("x.cols", xCols, "weights[" + tensor + "].cols", shape.cols());
    }
    stepNumber(step);
    guard.checkOverlap();
    if (w.length() > 0) {
      AdamRows rows = hidden.adamRows(weights);
      rows.prepare(params, step);
      binary.metaAdamStepFromProduct(xRows, shape.rows(), shape.cols(), d, dy.ld(), xOrNull, ldx, bitsOrNull, w, m, v, signs, rows, handle);
    }
  }

  @Override
  public void ewcConsolidate(BitMatrix signs, F32Buffer fisher, F32Buffer total, F32Buffer target, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl s = inputBits(guard, "signs", signs);
      BufferImpl f = guard.input("fisher", fisher);
      BufferImpl a = guard.output("total", total);
      BufferImpl b = guard.output("target", target);
      long handle = guard.stream(stream);
      elements("fisher", f, "signs", s);
      elements("total", a, "signs", s);
      elements("target", b, "signs", s);
      guard.checkOverlap();
      if (f.length() > 0) {
        binary.ewcConsolidate(s, f, a, b, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void ewcPenaltyGradient(BitMatrix signs, F32Buffer total, F32Buffer target, double lambda, F32Buffer gradient, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BitMatrixImpl s = inputBits(guard, "signs", signs);
      BufferImpl a = guard.input("total", total);
      BufferImpl b = guard.input("target", target);
      BufferImpl g = guard.output("gradient", gradient);
      long handle = guard.stream(stream);
      float l = Checks.nonNegative("lambda", lambda);
      elements("total", a, "signs", s);
      elements("target", b, "signs", s);
      elements("gradient", g, "signs", s);
      guard.checkOverlap();
      if (g.length() > 0) {
        binary.ewcPenaltyGradient(s, a, b, l, g, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void relaxedSignSample(F32Buffer lambda, double temperature, long seed, long randomStream, long step, F32Buffer w, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl l = guard.input("lambda", lambda);
      BufferImpl out = guard.output("w", w);
      long handle = guard.stream(stream);
      Checks.positive("temperature", temperature);
      float inverse = Checks.positive("1/temperature", 1 / temperature);
      int r = Checks.uint32("randomStream", randomStream);
      int s = Checks.uint32("step", step);
      Checks.length("w", out.length(), "lambda.length", l.length());
      guard.checkOverlap();
      if (l.length() > 0) {
        binary.relaxedSignSample(l, inverse, seed, r, s, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void bimuStep(F32Buffer lambda, F32Buffer gradient, BimuParams params, boolean gated, StepReport report, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl l = guard.output("lambda", lambda);
      BufferImpl g = guard.input("gradient", gradient);
      Objects.requireNonNull(params, "params");
      if (gated) {
        Objects.requireNonNull(report, "report");
      }
      BufferImpl words = report == null ? null : guard.output("report", report.words());
      long handle = guard.stream(stream);
      Checks.length("gradient", g.length(), "lambda.length", l.length());
      guard.checkOverlap();
      if (l.length() > 0) {
        binary.bimuStep(
            l, g, (float) params.rate(), (float) (1 / params.rateMax()), (float) params.likelihood(), (float) params.kl(),
            (float) (1 / params.memoryWindow()), gated, words, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void bayesBinnStep(
      F32Buffer lambda, F32Buffer momentum, int samplesCount, F32Buffer samples, F32Buffer gradients, BayesBinnParams params, long step, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl l = guard.output("lambda", lambda);
      BufferImpl mom = guard.output("momentum", momentum);
      BufferImpl w = guard.input("samples", samples);
      BufferImpl g = guard.input("gradients", gradients);
      Objects.requireNonNull(params, "params");
      long handle = guard.stream(stream);
      if (samplesCount < 1 || samplesCount > TensorLayout.MAX_SAMPLES) {
        throw new IllegalArgumentException("samplesCount = " + samplesCount + " must be in 1.." + TensorLayout.MAX_SAMPLES);
      }
      Checks.length("momentum", mom.length(), "lambda.length", l.length());
      long all = Checks.product("samplesCount*lambda.length", samplesCount, l.length());
      Checks.length("samples", w.length(), "samplesCount*lambda.length", all);
      Checks.length("gradients", g.length(), "samplesCount*lambda.length", all);
      stepNumber(step);
      guard.checkOverlap();
      if (l.length() > 0) {
        binary.bayesBinnStep(
            l, mom, samplesCount, w, g, (float) (1 / params.temperature()), (float) (params.trainItems() / samplesCount), (float) params.prior(),
            (float) params.priorWeight(), (float) params.momentum(), (float) (1 - params.momentum()),
            (float) (params.rate() / (1 - StrictMath.pow(params.momentum(), step))), handle);
      }
    } finally {
      guard.exit();
    }
  }

  // ---- convolution

  @Override
  public void conv2d(Conv2dShape shape, BitMatrix x, BitMatrix w, I32Buffer y, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(shape, "shape");
      BitMatrixImpl in = inputBits(guard, "x", x);
      BitMatrixImpl weights = inputBits(guard, "w", w);
      BufferImpl out = guard.output("y", y);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      shape("x", in, "batch", shape.batch(), "channels*height*width", shape.inputs());
      shape("w", weights, "outChannels", shape.outChannels(), "channels/groups*kernelHeight*kernelWidth", shape.patch());
      Checks.length("y", out.length(), "batch*outChannels*outHeight*outWidth", shape.outputs());
      space(space, binary.conv2dWorkspaceBytes(shape));
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.conv2d(shape, in, weights, out, space, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void conv2dGradInput(Conv2dShape shape, F32Buffer dy, BitMatrix w, F32Buffer dx, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(shape, "shape");
      BufferImpl gradient = guard.input("dy", dy);
      BitMatrixImpl weights = inputBits(guard, "w", w);
      BufferImpl out = guard.output("dx", dx);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      Checks.length("dy", gradient.length(), "batch*outChannels*outHeight*outWidth", shape.outputs());
      shape("w", weights, "outChannels", shape.outChannels(), "channels/groups*kernelHeight*kernelWidth", shape.patch());
      Checks.length("dx", out.length(), "batch*channels*height*width", (long) shape.batch() * shape.inputs());
      space(space, binary.conv2dWorkspaceBytes(shape));
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.conv2dGradInput(shape, gradient, weights, out, space, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void conv2dGradWeight(Conv2dShape shape, F32Buffer dy, BitMatrix x, F32Buffer dw, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(shape, "shape");
      BufferImpl gradient = guard.input("dy", dy);
      BitMatrixImpl in = inputBits(guard, "x", x);
      BufferImpl out = guard.output("dw", dw);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      Checks.length("dy", gradient.length(), "batch*outChannels*outHeight*outWidth", shape.outputs());
      shape("x", in, "batch", shape.batch(), "channels*height*width", shape.inputs());
      Checks.length("dw", out.length(), "outChannels*channels/groups*kernelHeight*kernelWidth", (long) shape.outChannels() * shape.patch());
      space(space, binary.conv2dWorkspaceBytes(shape));
      guard.checkOverlap();
      if (out.length() > 0) {
        binary.conv2dGradWeight(shape, gradient, in, out, space, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public long conv2dWorkspaceBytes(Conv2dShape shape) {
    Objects.requireNonNull(shape, "shape");
    return binary.conv2dWorkspaceBytes(shape);
  }

  // ---- checks

  private static BufferImpl input(CallGuard guard, String name, F32Matrix matrix) {
    Objects.requireNonNull(matrix, name);
    return guard.input(name, matrix.data());
  }

  private static BufferImpl output(CallGuard guard, String name, F32Matrix matrix) {
    Objects.requireNonNull(matrix, name);
    return guard.output(name, matrix.data());
  }

  private static BufferImpl output(CallGuard guard, String name, I32Matrix matrix) {
    Objects.requireNonNull(matrix, name);
    return guard.output(name, matrix.data());
  }

  private static BufferImpl inputOrNull(CallGuard guard, String name, F32Buffer buffer) {
    return buffer == null ? null : guard.input(name, buffer);
  }

  private BitMatrixImpl inputBits(CallGuard guard, String name, BitMatrix bits) {
    BitMatrixImpl b = (BitMatrixImpl) guard.input(name, bits);
    if (fullChecks) {
      guard.publish();
      checkPadding(name, b);
    }
    return b;
  }

  private static BitMatrixImpl outputBits(CallGuard guard, String name, BitMatrix bits) {
    return (BitMatrixImpl) guard.output(name, bits);
  }

  private static void shape(String name, BitMatrixImpl bits, String rowsName, int rows, String colsName, int cols) {
    // Names are put together only for a message: a call that is right allocates nothing.
    if (bits.rows() != rows) {
      Checks.equal(name + ".rows", bits.rows(), rowsName, rows);
    }
    if (bits.cols() != cols) {
      Checks.equal(name + ".cols", bits.cols(), colsName, cols);
    }
  }

  private static void lengthOrNull(String name, BufferImpl bufferOrNull, String wantedName, long wanted) {
    if (bufferOrNull != null) {
      Checks.length(name, bufferOrNull.length(), wantedName, wanted);
    }
  }

  private static void elements(String name, BufferImpl buffer, String bitsName, BitMatrixImpl bits) {
    long wanted = (long) bits.rows() * bits.cols();
    if (buffer.length() != wanted) {
      throw new IllegalArgumentException(
          name + ".length " + buffer.length() + " != " + bitsName + ".rows*cols = " + bits.rows() + "*" + bits.cols() + " = " + wanted);
    }
  }

  private static void space(BufferImpl workspace, long needed) {
    if (workspace.length() < needed) {
      throw new IllegalArgumentException("workspace.length " + workspace.length() + " < needed " + needed + " bytes");
    }
  }

  /** With full checks: no bit behind the last column may be set. Waits for the work that is queued on them. */
  private void checkPadding(String name, BitMatrixImpl bits) {
    int cols = bits.cols();
    int words = bits.rowWords();
    int first = cols >> 6;
    if (bits.length() == 0 || (cols & 511) == 0) {
      return;
    }
    long[] pad = new long[words - first];
    for (int r = 0; r < bits.rows(); r++) {
      provider.read(bits.memory(), bits.byteOffset() + ((long) r * words + first) * Long.BYTES, pad, 0, pad.length);
      pad[0] &= -1L << (cols & 63);
      int set = 0;
      for (long word : pad) {
        set += Long.bitCount(word);
      }
      if (set > 0) {
        throw new IllegalArgumentException(name + " row " + r + " has " + set + " pad bits set behind its K = " + cols + " columns; they must be 0");
      }
    }
  }
}
