package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.bayes.StepReport;
import io.metaplast.bench.BinaryWorkloads.SignProduct;
import io.metaplast.bench.BinaryWorkloads.XnorOutput;
import io.metaplast.bench.KernelChecks.KernelCheck;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.BayesBinnParams;
import io.metaplast.binary.BimuParams;
import io.metaplast.binary.Conv2dShape;
import java.util.List;

/** The rows of the verification that belong to the binarized family. */
final class BinaryKernelChecks {
  private static final int[] LENGTHS = {1, 2, 3, 5, 8, 17, 63, 64, 65, 127, 511, 512, 513, 785, 1030};
  private static final int[] SIZES = {1, 2, 3, 5, 8, 17, 33, 64, 100, 127, 300};
  private static final long SEED = 0x5eed_0123_4567_89abL;

  /** All rows. */
  static final List<KernelCheck> ALL =
      List.of(
          new KernelCheck("signPack, mask, transposed, unpack", BinaryKernelChecks::packing, SIZES),
          new KernelCheck("xnorGemm, int32", workload(n -> BinaryWorkloads.xnor(n % 19 + 1, n % 43 + 1, n, XnorOutput.INT32)), LENGTHS),
          new KernelCheck("xnorGemm, fp32", BinaryKernelChecks::xnorFloat, LENGTHS),
          new KernelCheck("signPackXnorGemm", workload(n -> BinaryWorkloads.xnor(n % 19 + 1, n % 83 + 1, n, XnorOutput.PACK_AND_BITS)), LENGTHS),
          new KernelCheck("xnorSyrk, factorMovingAverage", BinaryKernelChecks::syrk, SIZES),
          new KernelCheck("signGemmNT", workload(n -> BinaryWorkloads.sign(SignProduct.NT, n % 13 + 1, n % 37 + 1, n)), LENGTHS),
          new KernelCheck("signGemmNN", workload(n -> BinaryWorkloads.sign(SignProduct.NN, n % 13 + 1, n % 37 + 1, n)), LENGTHS),
          new KernelCheck("signGemmTN", workload(n -> BinaryWorkloads.sign(SignProduct.TN, n % 13 + 1, n % 37 + 1, n)), LENGTHS),
          new KernelCheck("gemmTN", workload(n -> BinaryWorkloads.sign(SignProduct.REAL_TN, n % 13 + 1, n % 37 + 1, n)), LENGTHS),
          new KernelCheck("batchNormForward", workload(n -> BinaryWorkloads.batchNorm(n % 41 + 2, n, false)), SIZES),
          new KernelCheck("batchNormBackward", workload(n -> BinaryWorkloads.batchNorm(n % 41 + 2, n, true)), SIZES),
          new KernelCheck("batchNormInference", BinaryKernelChecks::inference, SIZES),
          new KernelCheck("metaAdamStep", workload(n -> BinaryWorkloads.metaAdam(n * 37)), SIZES),
          new KernelCheck("metaAdamStepFromProduct, training step", workload(n -> BinaryWorkloads.trainingStep(n, 7)), 3, 17, 65),
          new KernelCheck("ewcConsolidate, ewcPenaltyGradient", BinaryKernelChecks::ewc, SIZES),
          new KernelCheck("relaxedSignSample, bimuStep, bayesBinnStep", BinaryKernelChecks::relaxed, SIZES),
          new KernelCheck("conv2d", workload(n -> BinaryWorkloads.conv2d(Conv2dShape.of(2, n, 7, 6, 5, 3, 1, 1))), 1, 2, 3, 33, 64, 65),
          new KernelCheck("conv2dGradInput, conv2dGradWeight", BinaryKernelChecks::convGradients, 2, 4, 34, 64, 66));

  private BinaryKernelChecks() {}

  private interface Sized {
    Workload.Factory of(int n);
  }

  private static KernelChecks.Case workload(Sized sized) {
    return (backend, stream, data, n, outputs) -> {
      try (Workload workload = sized.of(n).make(backend)) {
        workload.run();
        outputs.addAll(workload.outputs());
      }
    };
  }

  private static F32Buffer upload(Backend backend, float[] values) {
    F32Buffer buffer = backend.allocate(values.length);
    buffer.upload(values);
    return buffer;
  }

  private static BitMatrix signs(Backend backend, Stream stream, HostData data, int rows, int cols) {
    BitMatrix bits = backend.allocateBits(rows, cols);
    try (F32Buffer x = upload(backend, data.normal(rows * cols, 1))) {
      backend.binary().signPack(F32Matrix.of(x, rows, cols), bits, stream);
      stream.synchronize();
    }
    return bits;
  }

  private static void packing(Backend b, Stream s, HostData data, int n, Outputs o) {
    int rows = n % 11 + 1;
    try (F32Buffer x = upload(b, data.wild(rows * (n + 3), 1)); BitMatrix bits = b.allocateBits(rows, n); BitMatrix mask = b.allocateBits(rows, n);
        BitMatrix turned = b.allocateBits(n, rows); BitMatrix back = b.allocateBits(rows, n); F32Buffer unpacked = b.allocate((long) rows * n);
        Bf16Buffer half = b.allocateBf16((long) rows * n); F32Buffer gradient = b.allocate((long) rows * n)) {
      F32Matrix matrix = new F32Matrix(x, rows, n, n + 3);
      b.binary().signPack(matrix, bits, mask, s);
      b.binary().signPackTransposed(matrix, turned, s);
      b.binary().transpose(turned, back, s);
      b.binary().signUnpack(bits, F32Matrix.of(unpacked, rows, n), s);
      b.binary().signUnpack(bits, half, s);
      b.binary().steBackward(mask, matrix, F32Matrix.of(gradient, rows, n), s);
      s.synchronize();
      o.add("bits", bits);
      o.add("mask", mask);
      o.add("transposed", turned);
      o.add("back", back);
      o.add("unpacked", unpacked);
      float[] widened = new float[rows * n];
      half.download(0, widened, 0, widened.length);
      o.add("bf16", widened);
      o.add("gradient", gradient);
    }
  }

  private static void xnorFloat(Backend b, Stream s, HostData data, int n, Outputs o) {
    int rows = n % 9 + 1;
    int cols = n % 35 + 1;
    try (BitMatrix x = signs(b, s, data, rows, n); BitMatrix w = signs(b, s, data, cols, n); F32Buffer scale = upload(b, data.normal(cols, 1));
        F32Buffer bias = upload(b, data.normal(cols, 1)); F32Buffer y = b.allocate((long) rows * cols); F32Buffer plain = b.allocate((long) rows * cols)) {
      b.binary().xnorGemm(x, w, scale, bias, F32Matrix.of(y, rows, cols), s);
      b.binary().xnorGemm(x, w, null, null, F32Matrix.of(plain, rows, cols), s);
      s.synchronize();
      o.add("y", y);
      o.add("plain", plain);
    }
  }

  private static void syrk(Backend b, Stream s, HostData data, int n, Outputs o) {
    int batch = 2 * n + 1;
    try (BitMatrix x = signs(b, s, data, batch, n); I32Buffer gram = b.allocateI32((long) n * n); F32Buffer factor = b.allocate((long) n * n);
        var workspace = b.workspace(b.binary().xnorSyrkWorkspaceBytes(batch, n))) {
      I32Matrix matrix = I32Matrix.of(gram, n, n);
      b.binary().xnorSyrk(x, false, matrix, workspace, s);
      b.binary().xnorSyrk(x, true, matrix, workspace, s);
      b.binary().factorMovingAverage(matrix, 2L * batch, 0.95, F32Matrix.of(factor, n, n), s);
      b.binary().factorMovingAverage(matrix, 2L * batch, 0.95, F32Matrix.of(factor, n, n), s);
      s.synchronize();
      o.add("gram", gram);
      o.add("factor", factor);
    }
  }

  private static void inference(Backend b, Stream s, HostData data, int n, Outputs o) {
    BatchNormShape shape = new BatchNormShape(5, n, 3);
    try (F32Buffer y = upload(b, data.wild(15 * n, 1)); F32Buffer gamma = upload(b, data.normal(n, 1)); F32Buffer beta = upload(b, data.normal(n, 1));
        F32Buffer mean = upload(b, data.normal(n, 1)); F32Buffer variance = upload(b, data.between(n, 0, 2)); F32Buffer out = b.allocate(15L * n);
        BitMatrix signs = b.allocateBits(5, 3 * n)) {
      b.binary().batchNormInference(shape, y, gamma, beta, 1e-5, mean, variance, new BatchNormOutput(out, signs, null), s);
      s.synchronize();
      o.add("out", out);
      o.add("signs", signs);
    }
  }

  private static void ewc(Backend b, Stream s, HostData data, int n, Outputs o) {
    int rows = n % 5 + 1;
    int all = rows * n;
    try (BitMatrix signs = signs(b, s, data, rows, n); F32Buffer fisher = upload(b, data.between(all, 0, 1)); F32Buffer total = b.allocate(all);
        F32Buffer target = b.allocate(all); F32Buffer gradient = upload(b, data.normal(all, 1))) {
      b.binary().ewcConsolidate(signs, fisher, total, target, s);
      b.binary().ewcConsolidate(signs, fisher, total, target, s);
      b.binary().ewcPenaltyGradient(signs, total, target, 5000, gradient, s);
      s.synchronize();
      o.add("total", total);
      o.add("target", target);
      o.add("gradient", gradient);
    }
  }

  private static void relaxed(Backend b, Stream s, HostData data, int n, Outputs o) {
    try (F32Buffer lambda = upload(b, data.normal(n, 1)); F32Buffer momentum = b.allocate(n); F32Buffer w = b.allocate(2L * n);
        F32Buffer gradients = upload(b, data.normal(2 * n, 0.1)); StepReport report = StepReport.allocate(b)) {
      b.binary().relaxedSignSample(lambda, 0.5, SEED, 7, 9, w.slice(0, n), s);
      b.binary().relaxedSignSample(lambda, 0.5, SEED, 8, 9, w.slice(n, n), s);
      b.binary().bayesBinnStep(lambda, momentum, 2, w, gradients, new BayesBinnParams(1e-3, 0.9, 0.5, 60_000, 0.1, 1), 3, s);
      b.binary().bimuStep(lambda, gradients.slice(0, n), new BimuParams(4.9, 0.0023, 161.3, 3.76, 700), true, report, s);
      s.synchronize();
      o.add("w", w);
      o.add("lambda", lambda);
      o.add("momentum", momentum);
    }
  }

  private static void convGradients(Backend b, Stream s, HostData data, int n, Outputs o) {
    Conv2dShape shape = new Conv2dShape(2, n, 6, 7, 6, 3, 2, 2, 1, 1, 2, 1, 2, 2);
    try (BitMatrix x = signs(b, s, data, 2, shape.inputs()); BitMatrix w = signs(b, s, data, 6, shape.patch());
        F32Buffer dy = upload(b, data.normal(Math.toIntExact(shape.outputs()), 1)); F32Buffer dx = b.allocate(2L * shape.inputs());
        F32Buffer dw = b.allocate(6L * shape.patch()); var workspace = b.workspace(b.binary().conv2dWorkspaceBytes(shape))) {
      b.binary().conv2dGradInput(shape, dy, w, dx, workspace, s);
      b.binary().conv2dGradWeight(shape, dy, x, dw, workspace, s);
      s.synchronize();
      o.add("dx", dx);
      o.add("dw", dw);
    }
  }
}
