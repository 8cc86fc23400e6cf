package io.metaplast.internal.cuda;

import java.nio.Buffer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Raw;

/**
 * The C ABI of the CUDA library (native/include/metaplast/cuda.h), one method a function; JavaCPP writes the JNI code from it. Pointers are
 * addresses. The library is loaded by {@link io.metaplast.internal.NativeLoader} before the first call; it contains the CUDA runtime, so
 * that no class of the CUDA presets is needed.
 */
@Platform(
    include = {"metaplast/cuda.h", "metaplast/jni.h"},
    library = "jniMetaplastCuda")
@NoException
final class CudaBindings {
  private CudaBindings() {}

  // ---- versions and probe

  @Name("metaplast_cuda_abi_version")
  static native int abiVersion();

  @Name("metaplast_cuda_numerics_version")
  static native int numericsVersion();

  @Name("metaplast_cuda_build_info")
  static native String buildInfo();

  @Name("metaplast_cuda_probe")
  static native int probe(@Cast("metaplast_cuda_probe_result_t*") long result);

  @Name("metaplast_cuda_status_text")
  static native String statusText(int status);

  @Name("metaplast_cuda_error_name")
  static native String errorName(int cudaCode);

  @Name("metaplast_cuda_error_text")
  static native String errorText(int cudaCode);

  @Name("metaplast_cuda_describe_device")
  static native int describeDevice(int device, @Cast("metaplast_cuda_device_info_t*") long info);

  // ---- contexts, memory, streams

  @Name("metaplast_cuda_context_create")
  static native int contextCreate(int device, int flags, @Cast("metaplast_cuda_context_t**") long context);

  @Name("metaplast_cuda_context_destroy")
  static native void contextDestroy(@Cast("metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_last_error_code")
  static native int lastErrorCode(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_last_error_kernel")
  static native String lastErrorKernel(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_alloc")
  static native int alloc(@Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long bytes, @Cast("void**") long memory);

  @Name("metaplast_cuda_free")
  static native int free(@Cast("metaplast_cuda_context_t*") long context, @Cast("void*") long memory, @Cast("int64_t") long bytes);

  @Name("metaplast_cuda_allocated_bytes")
  static native long allocatedBytes(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_memory_info")
  static native int memoryInfo(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t*") long freeBytes, @Cast("int64_t*") long totalBytes);

  @Name("metaplast_cuda_copy")
  static native int copy(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("void*") long destination, @Cast("const void*") long source,
      @Cast("int64_t") long bytes, @Cast("void*") long stream);

  @Name("metaplast_cuda_fill_u32")
  static native int fill(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("uint32_t*") long destination, @Cast("int64_t") long words,
      @Cast("uint32_t") int value, @Cast("void*") long stream);

  @Name("metaplast_cuda_stream_create")
  static native int streamCreate(@Cast("metaplast_cuda_context_t*") long context, @Cast("void**") long stream);

  @Name("metaplast_cuda_stream_destroy")
  static native int streamDestroy(@Cast("metaplast_cuda_context_t*") long context, @Cast("void*") long stream);

  @Name("metaplast_cuda_stream_synchronize")
  static native int streamSynchronize(@Cast("metaplast_cuda_context_t*") long context, @Cast("void*") long stream);

  @Name("metaplast_cuda_synchronize")
  static native int synchronize(@Cast("metaplast_cuda_context_t*") long context);

  // ---- jni.h

  /** Address of element 0 of a direct buffer. */
  @Name("metaplast_jni_address")
  static native long addressOf(@Raw(withEnv = true) Buffer direct);

  // ---- bayes.h, the CUDA twins

  @Name("metaplast_philox_u32_cuda")
  static native int philox(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int randomStream,
      @Cast("uint32_t") int step, @Cast("uint64_t") long first, @Cast("int64_t") long n, @Cast("uint32_t*") long out,
      @Cast("void*") long stream);

  @Name("metaplast_uniform_f32_cuda")
  static native int uniform(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int randomStream,
      @Cast("uint32_t") int step, @Cast("uint64_t") long first, @Cast("int64_t") long n, @Cast("float*") long out,
      @Cast("void*") long stream);

  @Name("metaplast_gaussian_f32_cuda")
  static native int gaussian(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int randomStream,
      @Cast("uint32_t") int step, @Cast("uint64_t") long first, @Cast("int64_t") long n, @Cast("float*") long out,
      @Cast("void*") long stream);

  @Name("metaplast_elementary_f32_cuda")
  static native int elementary(
      @Cast("metaplast_cuda_context_t*") long context, int function, @Cast("int64_t") long n, @Cast("const float*") long x,
      @Cast("float*") long y, @Cast("float*") long y2, @Cast("void*") long stream);

  @Name("metaplast_weight_sample_f32_cuda")
  static native int weightSample(
      @Cast("metaplast_cuda_context_t*") long context, int tensors, @Cast("const int64_t*") long count,
      @Cast("const uint32_t*") long tensor, @Cast("const float* const*") long mu, @Cast("const float* const*") long sigma,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, int firstSample, int samples, @Cast("float* const*") long w,
      @Cast("void*") long stream);

  @Name("metaplast_grad_accumulate_f32_cuda")
  static native int gradAccumulate(
      @Cast("metaplast_cuda_context_t*") long context, int tensors, @Cast("const int64_t*") long count,
      @Cast("const uint32_t*") long tensor, int samples, @Cast("const void* const*") long dw, int dwType,
      @Cast("const float* const*") long eps, @Cast("uint64_t") long seed, @Cast("uint32_t") int step, float scale,
      @Cast("float* const*") long gMu, @Cast("float* const*") long gSigma, @Cast("void*") long stream);

  @Name("metaplast_gaussian_update_f32_cuda")
  static native int gaussianUpdate(
      @Cast("metaplast_cuda_context_t*") long context, int rule, int tensors, @Cast("const int64_t*") long count,
      @Cast("float* const*") long mu, @Cast("float* const*") long sigma, @Cast("float* const*") long lo,
      @Cast("const void* const*") long gMu, @Cast("const void* const*") long gSigma, int gradType,
      @Cast("const metaplast_rule_row_t*") long rows, int rowStride, int gated, @Cast("int64_t*") long report,
      @Cast("void*") long stream);

  @Name("metaplast_gaussian_update_from_samples_f32_cuda")
  static native int gaussianUpdateFromSamples(
      @Cast("metaplast_cuda_context_t*") long context, int rule, int tensors, @Cast("const int64_t*") long count,
      @Cast("const uint32_t*") long tensor, @Cast("float* const*") long mu, @Cast("float* const*") long sigma,
      @Cast("float* const*") long lo, int samples, @Cast("const void* const*") long dw, int dwType,
      @Cast("const float* const*") long eps, @Cast("uint64_t") long seed, @Cast("uint32_t") int step, float scale,
      @Cast("const metaplast_rule_row_t*") long rows, int rowStride, @Cast("uint32_t") int nextStep, int nextSamples,
      @Cast("float* const*") long wNext, @Cast("int64_t*") long report, @Cast("void*") long stream);

  @Name("metaplast_linear_forward_batch1_f32_cuda")
  static native int linearForwardBatch1(
      @Cast("metaplast_cuda_context_t*") long context, int out, int in, @Cast("uint32_t") int tensor, @Cast("const float*") long mu,
      @Cast("const float*") long sigma, @Cast("const float*") long x, @Cast("int64_t") long xStride, int samples,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, int relu, @Cast("float*") long eps, @Cast("float*") long y,
      @Cast("void*") long stream);

  @Name("metaplast_linear_step_batch1_f32_cuda")
  static native int linearStepBatch1(
      @Cast("metaplast_cuda_context_t*") long context, int rule, int out, int in, @Cast("uint32_t") int tensor, @Cast("float*") long mu,
      @Cast("float*") long sigma, @Cast("float*") long lo, @Cast("const float*") long x, @Cast("int64_t") long xStride,
      @Cast("const float*") long delta, @Cast("const float*") long active, int samples, @Cast("const float*") long eps,
      @Cast("uint64_t") long seed, @Cast("uint32_t") int step, @Cast("const metaplast_rule_row_t*") long row, @Cast("float*") long dx,
      @Cast("int64_t*") long report, @Cast("void*") long stream);

  @Name("metaplast_nll_mean_log_softmax_f32_cuda")
  static native int nllMeanLogSoftmax(
      @Cast("metaplast_cuda_context_t*") long context, int samples, int batch, int classes, @Cast("const float*") long logits,
      @Cast("const int32_t*") long labels, float inverseSamples, float gradScale, @Cast("float*") long itemLoss,
      @Cast("float*") long loss, @Cast("float*") long dlogits, @Cast("void*") long stream);

  @Name("metaplast_uncertainty_f32_cuda")
  static native int uncertainty(
      @Cast("metaplast_cuda_context_t*") long context, int samples, int batch, int classes, @Cast("const float*") long input,
      int fromLogits, int bits, int clamp, float inverseSamples, @Cast("float*") long predictive, @Cast("float*") long aleatoric,
      @Cast("float*") long epistemic, @Cast("void*") long stream);

  @Name("metaplast_diag_hessian_f32_cuda")
  static native int diagHessian(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long sigma, float priorPrecision,
      float inverseWindow, @Cast("float*") long h, @Cast("void*") long stream);

  @Name("metaplast_reduce_sum_workspace_cuda")
  static native long reduceSumWorkspace(@Cast("int64_t") long n);

  @Name("metaplast_reduce_sum_f32_cuda")
  static native int reduceSum(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long x, @Cast("float*") long out,
      @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_roc_pairs_f32_cuda")
  static native int rocPairs(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long inDist,
      @Cast("int64_t") long m, @Cast("const float*") long ood, @Cast("int64_t*") long counts, @Cast("void*") long stream);

  @Name("metaplast_roc_thresholds_f32_cuda")
  static native int rocThresholds(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long inDist,
      @Cast("int64_t") long m, @Cast("const float*") long ood, int thresholds, @Cast("const float*") long fractions,
      @Cast("int64_t*") long counts, @Cast("void*") long stream);

  @Name("metaplast_sgd_step_f32_cuda")
  static native int sgdStep(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("float*") long theta,
      @Cast("const float*") long g, float lr, @Cast("void*") long stream);

  @Name("metaplast_fisher_accumulate_f32_cuda")
  static native int fisherAccumulate(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long g,
      @Cast("float*") long fisher, @Cast("void*") long stream);

  @Name("metaplast_fisher_merge_f32_cuda")
  static native int fisherMerge(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, float inverseItems, float decay,
      @Cast("float*") long fisher, @Cast("float*") long total, @Cast("void*") long stream);

  @Name("metaplast_ewc_penalty_grad_f32_cuda")
  static native int ewcPenaltyGrad(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long theta,
      @Cast("const float*") long anchor, @Cast("const float*") long fisher, float lambda, @Cast("float*") long g,
      @Cast("void*") long stream);

  @Name("metaplast_si_path_f32_cuda")
  static native int siPath(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long g,
      @Cast("const float*") long thetaNew, @Cast("const float*") long thetaOld, @Cast("float*") long path, @Cast("void*") long stream);

  @Name("metaplast_si_consolidate_f32_cuda")
  static native int siConsolidate(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long theta, float xi,
      @Cast("float*") long path, @Cast("float*") long anchor, @Cast("float*") long omega, @Cast("void*") long stream);

  @Name("metaplast_si_penalty_grad_f32_cuda")
  static native int siPenaltyGrad(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long theta,
      @Cast("const float*") long anchor, @Cast("const float*") long omega, float twoC, @Cast("float*") long g,
      @Cast("void*") long stream);
}
