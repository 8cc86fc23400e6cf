package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** Bernoulli weights: relaxedSignSample, bimuStep and bayesBinnStep. Units are chunks; their elementary functions run one element at a time. */
final class BernoulliTask extends ParallelTask {
  private enum Kind {
    SAMPLE,
    GATE,
    BIMU,
    BAYES_BINN
  }

  private static final double NANOS = 8;
  private static final float TINY = 1e-10f;

  // operands, and chunks
  private static final int LAMBDA = 0;
  private static final int GRADIENT = 1;
  private static final int W = 2; // relaxed weights
  private static final int MOMENTUM = 3;
  private static final int SUM = 4; // chunks only
  private static final int SLOPE = 5;
  private static final int COMPLEMENT = 6;

  private final AtomicBoolean open = new AtomicBoolean();
  private final AtomicLong nans = new AtomicLong();
  private Kind kind;
  private BufferImpl lambda;
  private BufferImpl gradient;
  private BufferImpl w;
  private BufferImpl momentum;
  private BufferImpl report;
  private long seed;
  private int stream;
  private int step;
  private int samples;
  private float inverseTemperature;
  private float rate;
  private float inverseRateMax;
  private float likelihood;
  private float kl;
  private float inverseWindow;
  private float prior;
  private float priorWeight;
  private float decay;
  private float fresh;

  void sample(
      WorkerPool pool, Scratch scratch, BufferImpl lambda, float inverseTemperature, long seed, int stream, int step, BufferImpl w) {
    this.lambda = lambda;
    this.inverseTemperature = inverseTemperature;
    this.seed = seed;
    this.stream = stream;
    this.step = step;
    this.w = w;
    try {
      start(pool, scratch, Kind.SAMPLE);
    } finally {
      clear();
    }
  }

  void bimu(
      WorkerPool pool, Scratch scratch, BufferImpl lambda, BufferImpl gradient, float rate, float inverseRateMax, float likelihood, float kl,
      float inverseWindow, boolean gated, BufferImpl reportOrNull) {
    this.lambda = lambda;
    this.gradient = gradient;
    this.rate = rate;
    this.inverseRateMax = inverseRateMax;
    this.likelihood = likelihood;
    this.kl = kl;
    this.inverseWindow = inverseWindow;
    this.report = reportOrNull;
    try {
      if (!gated || gate(pool, scratch)) {
        start(pool, scratch, Kind.BIMU);
      }
    } finally {
      clear();
    }
  }

  private boolean gate(WorkerPool pool, Scratch scratch) {
    open.set(false);
    nans.set(0);
    start(pool, scratch, Kind.GATE);
    ReportWords.set(report, ReportWords.GATE_OPEN, open.get() ? 1 : 0);
    ReportWords.add(report, ReportWords.NAN_GRADIENTS, nans.get());
    return open.get();
  }

  void bayesBinn(
      WorkerPool pool, Scratch scratch, BufferImpl lambda, BufferImpl momentum, int samples, BufferImpl w, BufferImpl gradients,
      float inverseTemperature, float likelihood, float prior, float priorWeight, float decay, float fresh, float rate) {
    this.lambda = lambda;
    this.momentum = momentum;
    this.samples = samples;
    this.w = w;
    this.gradient = gradients;
    this.inverseTemperature = inverseTemperature;
    this.likelihood = likelihood;
    this.prior = prior;
    this.priorWeight = priorWeight;
    this.decay = decay;
    this.fresh = fresh;
    this.rate = rate;
    try {
      start(pool, scratch, Kind.BAYES_BINN);
    } finally {
      clear();
    }
  }

  private void start(WorkerPool pool, Scratch scratch, Kind newKind) {
    kind = newKind;
    pool.run(this, Scratch.chunks(lambda.length()), NANOS * Scratch.CHUNK, scratch);
  }

  @Override
  void clear() {
    lambda = null;
    gradient = null;
    w = null;
    momentum = null;
    report = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    set(scratch.operand[LAMBDA], lambda);
    set(scratch.operand[GRADIENT], gradient);
    set(scratch.operand[W], w);
    set(scratch.operand[MOMENTUM], momentum);
    for (long unit = from; unit < to; unit++) {
      long at = unit * Scratch.CHUNK;
      int n = (int) Math.min(Scratch.CHUNK, lambda.length() - at);
      switch (kind) {
        case SAMPLE -> sample(at, n, scratch);
        case GATE -> look(at, n, scratch);
        case BIMU -> bimu(at, n, scratch);
        case BAYES_BINN -> bayesBinn(at, n, scratch);
      }
    }
  }

  private static void set(Operand operand, BufferImpl bufferOrNull) {
    if (bufferOrNull != null) {
      operand.set(bufferOrNull);
    }
  }

  private void sample(long at, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    float[] u = c[SUM];
    float[] complement = c[COMPLEMENT];
    scratch.gaussian.uniforms(seed, stream, step, at, n, u);
    for (int i = 0; i < n; i++) {
      complement[i] = 1f - u[i];
    }
    scratch.gaussian.ln(u, n);
    scratch.gaussian.ln(complement, n);
    scratch.operand[LAMBDA].load(at, c[LAMBDA], 0, n);
    for (int i = 0; i < n; i++) {
      float t = 0.5f * (u[i] - complement[i]);
      t = c[LAMBDA][i] + t;
      c[W][i] = Elementary.tanh(t * inverseTemperature);
    }
    scratch.operand[W].store(at, c[W], 0, n);
  }

  private void look(long at, int n, Scratch scratch) {
    float[] g = scratch.chunk[GRADIENT];
    scratch.operand[GRADIENT].load(at, g, 0, n);
    boolean any = false;
    int nan = 0;
    for (int i = 0; i < n; i++) {
      any |= Math.abs(g[i]) > 0f;
      nan += g[i] != g[i] ? 1 : 0;
    }
    if (any) {
      open.set(true);
    }
    if (nan > 0) {
      nans.addAndGet(nan);
    }
  }

  private void bimu(long at, int n, Scratch scratch) {
    float[] l = scratch.chunk[LAMBDA];
    float[] g = scratch.chunk[GRADIENT];
    scratch.operand[LAMBDA].load(at, l, 0, n);
    scratch.operand[GRADIENT].load(at, g, 0, n);
    int notPositive = 0;
    for (int i = 0; i < n; i++) {
      float x = l[i];
      float th = Elementary.tanh(x);
      float e = Elementary.exp(-2f * Math.abs(x));
      float a = 1f + e;
      float ic = kl * ((4f * e) / (a * a));
      float p = likelihood * g[i];
      float s = ic + 2f * (p * th);
      float den = s + (2f * Math.abs(p) + inverseRateMax);
      float q = (x * ic) * inverseWindow;
      l[i] = x - (rate * p + q) / den;
      notPositive += den > 0f ? 0 : 1;
    }
    scratch.operand[LAMBDA].store(at, l, 0, n);
    if (report != null) {
      ReportWords.add(report, ReportWords.SIGMA_NOT_POSITIVE, notPositive);
    }
  }

  private void bayesBinn(long at, int n, Scratch scratch) {
    Operand[] o = scratch.operand;
    float[][] c = scratch.chunk;
    float[] l = c[LAMBDA];
    float[] slope = c[SLOPE];
    o[LAMBDA].load(at, l, 0, n);
    o[MOMENTUM].load(at, c[MOMENTUM], 0, n);
    for (int i = 0; i < n; i++) {
      float th = Elementary.tanh(l[i]);
      slope[i] = (1f - th * th) + TINY;
    }
    Arrays.fill(c[SUM], 0, n, -0f); // to which the first term adds up to itself
    for (int k = 0; k < samples; k++) {
      o[W].load(k * lambda.length() + at, c[W], 0, n);
      o[GRADIENT].load(k * lambda.length() + at, c[GRADIENT], 0, n);
      addScaled(c[W], c[GRADIENT], slope, inverseTemperature, c[SUM], n);
    }
    descend(l, c[MOMENTUM], c[SUM], n);
    o[LAMBDA].store(at, l, 0, n);
    o[MOMENTUM].store(at, c[MOMENTUM], 0, n);
  }

  private static void addScaled(float[] w, float[] g, float[] slope, float inverseTemperature, float[] sum, int n) {
    for (int i = 0; i < n; i++) {
      float c = (1f - w[i] * w[i]) + TINY;
      c = (c * inverseTemperature) / slope[i];
      sum[i] = sum[i] + c * g[i];
    }
  }

  private void descend(float[] l, float[] mom, float[] sum, int n) {
    for (int i = 0; i < n; i++) {
      float s = likelihood * sum[i] + priorWeight * (l[i] - prior);
      mom[i] = decay * mom[i] + fresh * s;
      l[i] = l[i] - rate * mom[i];
    }
  }
}
