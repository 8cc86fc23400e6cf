package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.HiddenWeights.Shape;
import java.util.ArrayList;
import java.util.List;

/** One training step of a binarized 784-h-h-10 network, phase by phase: every layer binary, batch norm after each, the gradient product fused with the update. */
final class BinaryTrainingStep implements AutoCloseable {
  /** One call or a few that belong together. */
  record Phase(String name, Runnable body) {}

  private static final int INPUTS = 784;
  private static final int CLASSES = 10;
  private static final double EPS = 1e-5;
  private static final List<AdamParams> AFFINE = List.of(AdamParams.of(0.005));

  private final List<AutoCloseable> owned = new ArrayList<>();
  private final List<Phase> phases = new ArrayList<>();
  private final HiddenWeights weights;
  private final HiddenWeights affine;
  private long step;

  BinaryTrainingStep(Backend backend, int hidden, int batch, Stream stream) {
    HostData data = new HostData(30);
    int[] sizes = {INPUTS, hidden, hidden, CLASSES};
    weights = own(HiddenWeights.allocate(backend, Shape.binary(hidden, INPUTS), Shape.binary(hidden, hidden), Shape.binary(CLASSES, hidden)));
    affine =
        own(
            HiddenWeights.allocate(
                backend, Shape.real(hidden), Shape.real(hidden), Shape.real(hidden), Shape.real(hidden), Shape.real(CLASSES), Shape.real(CLASSES)));
    TensorGroup<F32Buffer> affineGradients = own(backend.allocateGroup(affine.layout(), 1));
    for (int t = 0; t < 3; t++) {
      F32Buffer w = weights.hidden().get(t);
      Workload.tile(w, data.between(1 << 18, -0.05, 0.05));
      backend.binary().signPack(F32Matrix.of(w, sizes[t + 1], sizes[t]), weights.signs(t), stream);
      affine.hidden().get(2 * t).fill(1);
    }
    F32Buffer xBuffer = own(backend.allocate((long) batch * INPUTS));
    Workload.tile(xBuffer, data.between(1 << 16, 0, 1));
    F32Matrix x = F32Matrix.of(xBuffer, batch, INPUTS);
    I32Buffer labels = own(backend.allocateI32(batch));
    labels.upload(data.integers(batch, CLASSES));

    F32Buffer y1 = own(backend.allocate((long) batch * hidden));
    I32Buffer y2 = own(backend.allocateI32((long) batch * hidden));
    I32Buffer y3 = own(backend.allocateI32((long) batch * CLASSES));
    BitMatrix[] signs = {own(backend.allocateBits(batch, hidden)), own(backend.allocateBits(batch, hidden))};
    BitMatrix[] masks = {own(backend.allocateBits(batch, hidden)), own(backend.allocateBits(batch, hidden))};
    F32Buffer logits = own(backend.allocate((long) batch * CLASSES));
    F32Buffer[] mean = {own(backend.allocate(hidden)), own(backend.allocate(hidden)), own(backend.allocate(CLASSES))};
    F32Buffer[] inv = {own(backend.allocate(hidden)), own(backend.allocate(hidden)), own(backend.allocate(CLASSES))};
    F32Buffer itemLoss = own(backend.allocate(batch));
    F32Buffer loss = own(backend.allocate(1));
    F32Buffer d3 = own(backend.allocate((long) batch * CLASSES));
    F32Buffer d2 = own(backend.allocate((long) batch * hidden));
    F32Buffer d1 = own(backend.allocate((long) batch * hidden));
    F32Matrix d3m = F32Matrix.of(d3, batch, CLASSES);
    F32Matrix d2m = F32Matrix.of(d2, batch, hidden);
    F32Matrix d1m = F32Matrix.of(d1, batch, hidden);
    F32Matrix y1m = F32Matrix.of(y1, batch, hidden);
    I32Matrix y2m = I32Matrix.of(y2, batch, hidden);
    I32Matrix y3m = I32Matrix.of(y3, batch, CLASSES);
    BatchNormShape wide = BatchNormShape.of(batch, hidden);
    BatchNormShape narrow = BatchNormShape.of(batch, CLASSES);
    BatchNormOutput first = BatchNormOutput.signs(signs[0], masks[0]);
    BatchNormOutput second = BatchNormOutput.signs(signs[1], masks[1]);
    BatchNormOutput last = BatchNormOutput.values(logits);
    TensorGroup<F32Buffer> a = affine.hidden();
    var binary = backend.binary();

    phase("forward 1: real x sign", () -> binary.signGemmNT(x, weights.signs(0), y1m, stream));
    phase("batch norm 1", () -> binary.batchNormForward(wide, y1, a.get(0), a.get(1), EPS, mean[0], inv[0], null, first, stream));
    phase("forward 2: bits x bits", () -> binary.xnorGemm(signs[0], weights.signs(1), y2m, stream));
    phase("batch norm 2", () -> binary.batchNormForward(wide, y2, a.get(2), a.get(3), EPS, mean[1], inv[1], null, second, stream));
    phase(
        "forward 3, batch norm 3, loss",
        () -> {
          binary.xnorGemm(signs[1], weights.signs(2), y3m, stream);
          binary.batchNormForward(narrow, y3, a.get(4), a.get(5), EPS, mean[2], inv[2], null, last, stream);
          backend.bayes().nllMeanLogSoftmax(1, batch, CLASSES, logits, labels, 1.0 / batch, itemLoss, loss, d3, stream);
        });
    phase(
        "backward 3: batch norm, dx, update",
        () -> {
          binary.batchNormBackward(narrow, y3, a.get(4), mean[2], inv[2], d3, null, d3, affineGradients.get(4), affineGradients.get(5), stream);
          binary.signGemmNN(d3m, weights.signs(2), d2m, stream);
          binary.metaAdamStepFromProduct(weights, 2, d3m, signs[1], BinaryWorkloads.ADAM, step, stream);
        });
    phase(
        "batch norm 2, backward",
        () -> binary.batchNormBackward(wide, y2, a.get(2), mean[1], inv[1], d2, masks[1], d2, affineGradients.get(2), affineGradients.get(3), stream));
    phase("dx 2: real x sign", () -> binary.signGemmNN(d2m, weights.signs(1), d1m, stream));
    phase("dW 2 and update, fused", () -> binary.metaAdamStepFromProduct(weights, 1, d2m, signs[0], BinaryWorkloads.ADAM, step, stream));
    phase(
        "batch norm 1, backward",
        () -> binary.batchNormBackward(wide, y1, a.get(0), mean[0], inv[0], d1, masks[0], d1, affineGradients.get(0), affineGradients.get(1), stream));
    phase("dW 1 and update, fused", () -> binary.metaAdamStepFromProduct(weights, 0, d1m, x, BinaryWorkloads.ADAM, step, stream));
    phase("update of scale and shift", () -> binary.metaAdamStep(affine, affineGradients, AFFINE, step, stream));
  }

  private void phase(String name, Runnable body) {
    phases.add(new Phase(name, body));
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.add(resource);
    return resource;
  }

  /** Begins a step; {@link #phases()} must then run in order. */
  void begin() {
    step++;
  }

  List<Phase> phases() {
    return phases;
  }

  /** A whole step. */
  void run() {
    begin();
    for (Phase phase : phases) {
      phase.body().run();
    }
  }

  void outputs(Outputs outputs) {
    outputs.add("W", weights.hidden());
    outputs.add("m", weights.firstMoment());
    outputs.add("v", weights.secondMoment());
    outputs.add("affine", affine.hidden());
  }

  @Override
  public void close() {
    for (int i = owned.size() - 1; i >= 0; i--) {
      try {
        owned.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot release an operand", e);
      }
    }
  }
}
