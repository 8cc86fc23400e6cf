package io.metaplast.internal.cpu;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Raw;

/**
 * The C ABI of the CPU library (native/include/metaplast), one method a function; JavaCPP writes the JNI code from it. Pointers are addresses. The library is
 * loaded by {@link io.metaplast.internal.NativeLoader} before the first call.
 */
@Platform(
    include = {"metaplast/runtime.h", "metaplast/bayes.h", "metaplast/jni.h"},
    library = "jniMetaplastCpu")
@NoException
final class CpuBindings {
  private CpuBindings() {}

  // ---- runtime.h

  @Name("metaplast_abi_version")
  static native int abiVersion();

  @Name("metaplast_numerics_version")
  static native int numericsVersion();

  @Name("metaplast_cpu_tier")
  static native int cpuTier();

  @Name("metaplast_cpu_name")
  static native String cpuName();

  @Name("metaplast_build_info")
  static native String buildInfo();

  @Name("metaplast_subnormals_computed")
  static native int subnormalsComputed();

  @Name("metaplast_context_create")
  @Cast("jlong")
  static native long contextCreate(int maxTier, int threads);

  @Name("metaplast_context_destroy")
  static native void contextDestroy(@Cast("metaplast_context_t*") long context);

  @Name("metaplast_context_tier")
  static native int contextTier(@Cast("const metaplast_context_t*") long context);

  @Name("metaplast_context_threads")
  static native int contextThreads(@Cast("const metaplast_context_t*") long context);

  @Name("metaplast_slot_tier")
  static native int slotTier(@Cast("const metaplast_context_t*") long context, int slot);

  @Name("metaplast_slot_name")
  static native String slotName(int slot);

  @Name("metaplast_alloc")
  @Cast("jlong")
  static native long alloc(@Cast("int64_t") long bytes);

  @Name("metaplast_free")
  static native void free(@Cast("void*") long memory, @Cast("int64_t") long bytes);

  @Name("metaplast_allocated_bytes")
  static native long allocatedBytes();

  @Name("metaplast_copy")
  static native void copy(@Cast("void*") long destination, @Cast("const void*") long source, @Cast("int64_t") long bytes);

  // ---- jni.h

  /** A direct buffer, big-endian as all new ones, over native memory. */
  @Name("metaplast_jni_view")
  @Raw(withEnv = true)
  static native ByteBuffer view(long address, long bytes);

  /** Address of element 0 of a direct buffer. */
  @Name("metaplast_jni_address")
  static native long addressOf(@Raw(withEnv = true) Buffer direct);

  // ---- bayes.h

  @Name("metaplast_philox_u32")
  static native int philox(
      @Cast("const metaplast_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int stream,
      @Cast("uint32_t") int step, @Cast("uint64_t") long first, @Cast("int64_t") long n, @Cast("uint32_t*") long out);

  @Name("metaplast_uniform_f32")
  static native int uniform(
      @Cast("const metaplast_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int stream,
      @Cast("uint32_t") int step, @Cast("uint64_t") long first, @Cast("int64_t") long n, @Cast("float*") long out);

  @Name("metaplast_gaussian_f32")
  static native int gaussian(
      @Cast("const metaplast_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int stream,
      @Cast("uint32_t") int step, @Cast("uint64_t") long first, @Cast("int64_t") long n, @Cast("float*") long out);

  @Name("metaplast_elementary_f32")
  static native int elementary(
      @Cast("const metaplast_context_t*") long context, int function, @Cast("int64_t") long n, @Cast("const float*") long x,
      @Cast("float*") long y, @Cast("float*") long y2);

  @Name("metaplast_weight_sample_f32")
  static native int weightSample(
      @Cast("const metaplast_context_t*") long context, int tensors, @Cast("const int64_t*") long count,
      @Cast("const uint32_t*") long tensor, @Cast("const float* const*") long mu, @Cast("const float* const*") long sigma,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, int firstSample, int samples, @Cast("float* const*") long w);

  @Name("metaplast_grad_accumulate_f32")
  static native int gradAccumulate(
      @Cast("const metaplast_context_t*") long context, int tensors, @Cast("const int64_t*") long count,
      @Cast("const uint32_t*") long tensor, int samples, @Cast("const void* const*") long dw, int dwType,
      @Cast("const float* const*") long eps, @Cast("uint64_t") long seed, @Cast("uint32_t") int step, float scale,
      @Cast("float* const*") long gMu, @Cast("float* const*") long gSigma);

  @Name("metaplast_gaussian_update_f32")
  static native int gaussianUpdate(
      @Cast("const metaplast_context_t*") long context, int rule, int tensors, @Cast("const int64_t*") long count,
      @Cast("float* const*") long mu, @Cast("float* const*") long sigma, @Cast("float* const*") long lo,
      @Cast("const void* const*") long gMu, @Cast("const void* const*") long gSigma, int gradType,
      @Cast("const metaplast_rule_row_t*") long rows, int rowStride, int gated, @Cast("int64_t*") long report);

  @Name("metaplast_gaussian_update_from_samples_f32")
  static native int gaussianUpdateFromSamples(
      @Cast("const metaplast_context_t*") long context, int rule, int tensors, @Cast("const int64_t*") long count,
      @Cast("const uint32_t*") long tensor, @Cast("float* const*") long mu, @Cast("float* const*") long sigma,
      @Cast("float* const*") long lo, int samples, @Cast("const void* const*") long dw, int dwType, @Cast("const float* const*") long eps,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, float scale, @Cast("const metaplast_rule_row_t*") long rows, int rowStride,
      @Cast("uint32_t") int nextStep, int nextSamples, @Cast("float* const*") long wNext, @Cast("int64_t*") long report);

  @Name("metaplast_linear_forward_batch1_f32")
  static native int linearForwardBatch1(
      @Cast("const metaplast_context_t*") long context, int out, int in, @Cast("uint32_t") int tensor, @Cast("const float*") long mu,
      @Cast("const float*") long sigma, @Cast("const float*") long x, @Cast("int64_t") long xStride, int samples,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, int relu, @Cast("float*") long eps, @Cast("float*") long y);

  @Name("metaplast_linear_step_batch1_f32")
  static native int linearStepBatch1(
      @Cast("const metaplast_context_t*") long context, int rule, int out, int in, @Cast("uint32_t") int tensor, @Cast("float*") long mu,
      @Cast("float*") long sigma, @Cast("float*") long lo, @Cast("const float*") long x, @Cast("int64_t") long xStride,
      @Cast("const float*") long delta, @Cast("const float*") long active, int samples, @Cast("const float*") long eps,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, @Cast("const metaplast_rule_row_t*") long row, @Cast("float*") long dx,
      @Cast("int64_t*") long report);

  @Name("metaplast_nll_mean_log_softmax_f32")
  static native int nllMeanLogSoftmax(
      @Cast("const metaplast_context_t*") long context, int samples, int batch, int classes, @Cast("const float*") long logits,
      @Cast("const int32_t*") long labels, float inverseSamples, float gradScale, @Cast("float*") long itemLoss, @Cast("float*") long loss,
      @Cast("float*") long dlogits);

  @Name("metaplast_uncertainty_f32")
  static native int uncertainty(
      @Cast("const metaplast_context_t*") long context, int samples, int batch, int classes, @Cast("const float*") long input,
      int fromLogits, int bits, int clamp, float inverseSamples, @Cast("float*") long predictive, @Cast("float*") long aleatoric,
      @Cast("float*") long epistemic);

  @Name("metaplast_diag_hessian_f32")
  static native int diagHessian(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long sigma, float priorPrecision,
      float inverseWindow, @Cast("float*") long h);

  @Name("metaplast_reduce_sum_f32")
  static native int reduceSum(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long x, @Cast("float*") long out);

  @Name("metaplast_roc_pairs_f32")
  static native int rocPairs(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long inDist, @Cast("int64_t") long m,
      @Cast("const float*") long ood, @Cast("int64_t*") long counts);

  @Name("metaplast_roc_thresholds_f32")
  static native int rocThresholds(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long inDist, @Cast("int64_t") long m,
      @Cast("const float*") long ood, int thresholds, @Cast("const float*") long fractions, @Cast("int64_t*") long counts);

  @Name("metaplast_sgd_step_f32")
  static native int sgdStep(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("float*") long theta, @Cast("const float*") long g,
      float lr);

  @Name("metaplast_fisher_accumulate_f32")
  static native int fisherAccumulate(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long g, @Cast("float*") long fisher);

  @Name("metaplast_fisher_merge_f32")
  static native int fisherMerge(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, float inverseItems, float decay,
      @Cast("float*") long fisher, @Cast("float*") long total);

  @Name("metaplast_ewc_penalty_grad_f32")
  static native int ewcPenaltyGrad(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long theta,
      @Cast("const float*") long anchor, @Cast("const float*") long fisher, float lambda, @Cast("float*") long g);

  @Name("metaplast_si_path_f32")
  static native int siPath(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long g,
      @Cast("const float*") long thetaNew, @Cast("const float*") long thetaOld, @Cast("float*") long path);

  @Name("metaplast_si_consolidate_f32")
  static native int siConsolidate(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long theta, float xi,
      @Cast("float*") long path, @Cast("float*") long anchor, @Cast("float*") long omega);

  @Name("metaplast_si_penalty_grad_f32")
  static native int siPenaltyGrad(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long theta,
      @Cast("const float*") long anchor, @Cast("const float*") long omega, float twoC, @Cast("float*") long g);
}
