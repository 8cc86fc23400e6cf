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

  @Name("metaplast_cuda_xnor_variant")
  static native int xnorVariant(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_xnor_failed_variant")
  static native int xnorFailedVariant(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_product_variant")
  static native int productVariant(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_product_failed_variant")
  static native int productFailedVariant(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_inverse_variant")
  static native int inverseVariant(@Cast("const metaplast_cuda_context_t*") long context);

  @Name("metaplast_cuda_inverse_failed_variant")
  static native int inverseFailedVariant(@Cast("const metaplast_cuda_context_t*") long context);

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

  // ---- binary.h, the CUDA twins

  @Name("metaplast_sign_pack_f32_cuda")
  static native int signPack(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols, @Cast("const float*") long x,
      @Cast("int64_t") long ldx, @Cast("uint64_t*") long bits, @Cast("uint64_t*") long mask, @Cast("void*") long stream);

  @Name("metaplast_sign_pack_transposed_f32_cuda")
  static native int signPackTransposed(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols, @Cast("const float*") long x,
      @Cast("int64_t") long ldx, @Cast("uint64_t*") long bits, @Cast("void*") long stream);

  @Name("metaplast_sign_unpack_cuda")
  static native int signUnpack(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, int type, @Cast("void*") long x, @Cast("int64_t") long ldx, @Cast("void*") long stream);

  @Name("metaplast_bits_transpose_cuda")
  static native int bitsTranspose(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, @Cast("uint64_t*") long out, @Cast("void*") long stream);

  @Name("metaplast_ste_backward_f32_cuda")
  static native int steBackward(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long mask, @Cast("const float*") long dout, @Cast("int64_t") long ldout, @Cast("float*") long da,
      @Cast("int64_t") long lda, @Cast("void*") long stream);

  @Name("metaplast_xnor_gemm_i32_cuda")
  static native int xnorGemmI32(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const uint64_t*") long a, @Cast("const uint64_t*") long b, @Cast("int32_t*") long y, @Cast("int64_t") long ldy,
      @Cast("void*") long stream);

  @Name("metaplast_xnor_gemm_f32_cuda")
  static native int xnorGemmF32(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const uint64_t*") long a, @Cast("const uint64_t*") long b, @Cast("const float*") long scale, @Cast("const float*") long bias,
      @Cast("float*") long y, @Cast("int64_t") long ldy, @Cast("void*") long stream);

  @Name("metaplast_xnor_gemm_bits_cuda")
  static native int xnorGemmBits(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const uint64_t*") long a, @Cast("const uint64_t*") long b, @Cast("const int32_t*") long limit,
      @Cast("const int32_t*") long invert, @Cast("uint64_t*") long y, @Cast("void*") long stream);

  @Name("metaplast_sign_pack_xnor_gemm_bits_cuda")
  static native int signPackXnorGemmBits(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, @Cast("uint64_t*") long a, @Cast("const uint64_t*") long b,
      @Cast("const int32_t*") long limit, @Cast("const int32_t*") long invert, @Cast("uint64_t*") long y, @Cast("void*") long stream);

  @Name("metaplast_xnor_syrk_i32_cuda")
  static native int xnorSyrk(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long in,
      @Cast("const uint64_t*") long x, int accumulate, @Cast("int32_t*") long s, @Cast("int64_t") long lds, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_factor_moving_average_f32_cuda")
  static native int factorMovingAverage(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const int32_t*") long s, @Cast("int64_t") long lds, float inverseBatch, float decay, float fresh, @Cast("float*") long a,
      @Cast("int64_t") long lda, @Cast("void*") long stream);

  @Name("metaplast_sign_gemm_nt_f32_cuda")
  static native int signGemmNT(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, @Cast("const uint64_t*") long w, @Cast("float*") long y,
      @Cast("int64_t") long ldy, @Cast("void*") long stream);

  @Name("metaplast_sign_gemm_nn_f32_cuda")
  static native int signGemmNN(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const uint64_t*") long w, @Cast("float*") long dx,
      @Cast("int64_t") long lddx, @Cast("void*") long stream);

  @Name("metaplast_sign_gemm_tn_f32_cuda")
  static native int signGemmTN(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const uint64_t*") long x, @Cast("float*") long dw,
      @Cast("int64_t") long lddw, @Cast("void*") long stream);

  @Name("metaplast_gemm_tn_f32_cuda")
  static native int gemmTN(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const float*") long x, @Cast("int64_t") long ldx,
      @Cast("float*") long dw, @Cast("int64_t") long lddw, @Cast("void*") long stream);

  @Name("metaplast_batch_norm_forward_cuda")
  static native int batchNormForward(
      @Cast("metaplast_cuda_context_t*") long context, int type, @Cast("int64_t") long batch, @Cast("int64_t") long channels,
      @Cast("int64_t") long spatial, @Cast("const void*") long y, @Cast("const float*") long gamma, @Cast("const float*") long beta,
      double eps, @Cast("float*") long mean, @Cast("float*") long inv, float momentum, @Cast("float*") long runningMean,
      @Cast("float*") long runningVar, @Cast("float*") long out, @Cast("uint64_t*") long sign, @Cast("uint64_t*") long mask,
      @Cast("void*") long stream);

  @Name("metaplast_batch_norm_inference_cuda")
  static native int batchNormInference(
      @Cast("metaplast_cuda_context_t*") long context, int type, @Cast("int64_t") long batch, @Cast("int64_t") long channels,
      @Cast("int64_t") long spatial, @Cast("const void*") long y, @Cast("const float*") long gamma, @Cast("const float*") long beta,
      double eps, @Cast("const float*") long mean, @Cast("const float*") long var, @Cast("float*") long out, @Cast("uint64_t*") long sign,
      @Cast("void*") long stream);

  @Name("metaplast_batch_norm_backward_cuda")
  static native int batchNormBackward(
      @Cast("metaplast_cuda_context_t*") long context, int type, @Cast("int64_t") long batch, @Cast("int64_t") long channels,
      @Cast("int64_t") long spatial, @Cast("const void*") long y, @Cast("const float*") long gamma, @Cast("const float*") long mean,
      @Cast("const float*") long inv, @Cast("const float*") long dout, @Cast("const uint64_t*") long mask, @Cast("float*") long dx,
      @Cast("float*") long dgamma, @Cast("float*") long dbeta, @Cast("void*") long stream);

  @Name("metaplast_meta_adam_step_f32_cuda")
  static native int metaAdamStep(
      @Cast("metaplast_cuda_context_t*") long context, int tensors, @Cast("const int64_t*") long rows, @Cast("const int64_t*") long cols,
      @Cast("float* const*") long w, @Cast("const float* const*") long g, @Cast("float* const*") long m, @Cast("float* const*") long v,
      @Cast("uint64_t* const*") long bits, @Cast("const metaplast_adam_row_t*") long params, int rowStride, @Cast("void*") long stream);

  @Name("metaplast_meta_adam_step_from_product_f32_cuda")
  static native int metaAdamStepFromProduct(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const float*") long x, @Cast("int64_t") long ldx,
      @Cast("const uint64_t*") long xbits, @Cast("float*") long w, @Cast("float*") long m, @Cast("float*") long v,
      @Cast("uint64_t*") long bits, @Cast("const metaplast_adam_row_t*") long params, @Cast("void*") long stream);

  @Name("metaplast_binary_ewc_consolidate_f32_cuda")
  static native int binaryEwcConsolidate(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, @Cast("const float*") long fisher, @Cast("float*") long total, @Cast("float*") long target,
      @Cast("void*") long stream);

  @Name("metaplast_binary_ewc_grad_f32_cuda")
  static native int binaryEwcGrad(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, @Cast("const float*") long total, @Cast("const float*") long target, float lambda,
      @Cast("float*") long g, @Cast("void*") long stream);

  @Name("metaplast_relaxed_sign_sample_f32_cuda")
  static native int relaxedSignSample(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int randomStream,
      @Cast("uint32_t") int step, @Cast("int64_t") long n, @Cast("const float*") long l, float inverseTemperature, @Cast("float*") long w,
      @Cast("void*") long stream);

  @Name("metaplast_bimu_step_f32_cuda")
  static native int bimuStep(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("float*") long l, @Cast("const float*") long g,
      float rate, float inverseRateMax, float like, float kl, float inverseWindow, int gated, @Cast("int64_t*") long report,
      @Cast("void*") long stream);

  @Name("metaplast_bayes_binn_step_f32_cuda")
  static native int bayesBinnStep(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, int samples, @Cast("float*") long l,
      @Cast("float*") long mom, @Cast("const float*") long w, @Cast("const float*") long g, float inverseTemperature, float likelihood,
      float prior, float priorWeight, float momentum, float fresh, float rate, @Cast("void*") long stream);

  @Name("metaplast_binary_conv2d_i32_cuda")
  static native int binaryConv2d(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, @Cast("const uint64_t*") long x,
      @Cast("const uint64_t*") long w, @Cast("int32_t*") long y, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes,
      @Cast("void*") long stream);

  @Name("metaplast_binary_conv2d_grad_input_f32_cuda")
  static native int binaryConv2dGradInput(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, @Cast("const float*") long dy,
      @Cast("const uint64_t*") long w, @Cast("float*") long dx, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes,
      @Cast("void*") long stream);

  @Name("metaplast_binary_conv2d_grad_weight_f32_cuda")
  static native int binaryConv2dGradWeight(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, @Cast("const float*") long dy,
      @Cast("const uint64_t*") long x, @Cast("float*") long dw, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes,
      @Cast("void*") long stream);

  @Name("metaplast_binary_conv2d_workspace_bytes_cuda")
  @Cast("jlong")
  static native long binaryConv2dWorkspaceBytes(@Cast("const metaplast_conv2d_t*") long shape);

  // ---- kfac.h, the CUDA twins

  @Name("metaplast_real_gemm_f32_cuda")
  static native int realGemm(
      @Cast("metaplast_cuda_context_t*") long context, int transposeA, int transposeB, @Cast("int64_t") long m, @Cast("int64_t") long n,
      @Cast("int64_t") long inner, float alpha, @Cast("const float*") long a, @Cast("int64_t") long lda, @Cast("const float*") long b,
      @Cast("int64_t") long ldb, float beta, @Cast("float*") long c, @Cast("int64_t") long ldc, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_real_gemm_workspace_bytes_cuda")
  @Cast("jlong")
  static native long realGemmWorkspaceBytes(
      @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long inner);

  @Name("metaplast_kronecker_factor_update_cuda")
  static native int kroneckerFactorUpdate(
      @Cast("metaplast_cuda_context_t*") long context, int kind, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const void*") long x, int type, @Cast("int64_t") long ldx, int bias, float alpha, float beta, @Cast("float*") long f,
      @Cast("int64_t") long ldf, @Cast("int64_t*") long index, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes,
      @Cast("void*") long stream);

  @Name("metaplast_kronecker_factor_workspace_bytes_cuda")
  @Cast("jlong")
  static native long kroneckerFactorWorkspaceBytes(
      @Cast("int64_t") long rows, @Cast("int64_t") long cols, int bias);

  @Name("metaplast_im2col_factor_update_f32_cuda")
  static native int im2colFactorUpdate(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, int sharing,
      @Cast("const float*") long x, int bias, float alpha, float beta, @Cast("float*") long f, @Cast("int64_t") long ldf,
      @Cast("int64_t*") long index, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_im2col_factor_workspace_bytes_cuda")
  @Cast("jlong")
  static native long im2colFactorWorkspaceBytes(
      @Cast("const metaplast_conv2d_t*") long shape, int sharing, int bias);

  @Name("metaplast_spd_inverse_f32_cuda")
  static native int spdInverse(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items,
      double residualTolerance, @Cast("metaplast_spd_result_t*") long results, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_spd_inverse_f64acc_cuda")
  static native int spdInverseF64(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items,
      double residualTolerance, @Cast("metaplast_spd_result_t*") long results, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_spd_inverse_workspace_bytes_cuda")
  @Cast("jlong")
  static native long spdInverseWorkspaceBytes(
      @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items);

  @Name("metaplast_spd_inverse_workspace_bytes_f64acc_cuda")
  @Cast("jlong")
  static native long spdInverseWorkspaceBytesF64(
      @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items);

  @Name("metaplast_kronecker_products_f32_cuda")
  static native int kroneckerProducts(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items,
      @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_kronecker_products_workspace_bytes_cuda")
  @Cast("jlong")
  static native long kroneckerProductsWorkspaceBytes(
      @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items);

  @Name("metaplast_kronecker_penalty_f32_cuda")
  static native int kroneckerPenalty(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items,
      @Cast("double*") long value, @Cast("double*") long absolute, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes,
      @Cast("void*") long stream);

  @Name("metaplast_kronecker_penalty_workspace_bytes_cuda")
  @Cast("jlong")
  static native long kroneckerPenaltyWorkspaceBytes(
      @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items);

  @Name("metaplast_matrix_traces_f32_cuda")
  static native int matrixTraces(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_matrix_t*") long matrices,
      @Cast("double*") long traces, @Cast("void*") long stream);

  @Name("metaplast_inner_products_f32_cuda")
  static native int innerProducts(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_matrix_t*") long x,
      @Cast("const metaplast_matrix_t*") long y, @Cast("double*") long sum, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_inner_products_workspace_bytes_cuda")
  @Cast("jlong")
  static native long innerProductsWorkspaceBytes(@Cast("int64_t") long count, @Cast("const metaplast_matrix_t*") long x);

  @Name("metaplast_matrix_combine_f32_cuda")
  static native int matrixCombine(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols, float a,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, float b, @Cast("const float*") long y, @Cast("int64_t") long ldy,
      @Cast("float*") long out, @Cast("int64_t") long ldo, @Cast("void*") long stream);

  @Name("metaplast_matrix_elements_f32_cuda")
  static native int matrixElements(
      @Cast("metaplast_cuda_context_t*") long context, int operation, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const float*") long row, @Cast("const float*") long column, @Cast("const float*") long s, @Cast("int64_t") long lds, float shift,
      @Cast("float*") long t, @Cast("int64_t") long ldt, @Cast("int64_t*") long notPositive, @Cast("void*") long stream);

  @Name("metaplast_merge_batch_norm_f32_cuda")
  static native int mergeBatchNorm(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long out, @Cast("int64_t") long in, @Cast("const float*") long w,
      @Cast("int64_t") long ldw, @Cast("const float*") long b, @Cast("const float*") long gamma, @Cast("const float*") long beta,
      @Cast("const float*") long mu, @Cast("const float*") long var, float eps, @Cast("float*") long merged, @Cast("int64_t") long ldMerged,
      @Cast("float*") long mergedBias, @Cast("int64_t*") long bad, @Cast("void*") long stream);

  @Name("metaplast_merge_batch_norm_backward_f32_cuda")
  static native int mergeBatchNormBackward(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long out, @Cast("int64_t") long in, @Cast("const float*") long w,
      @Cast("int64_t") long ldw, @Cast("const float*") long b, @Cast("const float*") long gamma, @Cast("const float*") long mu,
      @Cast("const float*") long var, float eps, @Cast("const float*") long gw, @Cast("int64_t") long ldgw, @Cast("const float*") long gb,
      @Cast("float*") long dw, @Cast("int64_t") long lddw, @Cast("float*") long db, @Cast("float*") long dgamma, @Cast("float*") long dbeta,
      @Cast("float*") long dmu, @Cast("float*") long dvar, @Cast("int64_t*") long bad, @Cast("void*") long stream);

  @Name("metaplast_damped_cholesky_f32_cuda")
  static native int dampedCholesky(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long m, @Cast("int64_t") long ldm,
      double damping, @Cast("float*") long l, @Cast("int64_t") long ldl, @Cast("int32_t*") long status, @Cast("double*") long pivot,
      @Cast("int64_t*") long index, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes, @Cast("void*") long stream);

  @Name("metaplast_triangular_inverse_f32_cuda")
  static native int triangularInverse(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long l, @Cast("int64_t") long ldl,
      @Cast("float*") long out, @Cast("int64_t") long ldo, @Cast("int32_t*") long status, @Cast("void*") long stream);

  @Name("metaplast_triangular_solve_f32_cuda")
  static native int triangularSolve(
      @Cast("metaplast_cuda_context_t*") long context, @Cast("int64_t") long n, @Cast("int64_t") long columns, int transposed,
      @Cast("const float*") long l, @Cast("int64_t") long ldl, @Cast("float*") long b, @Cast("int64_t") long ldb,
      @Cast("int32_t*") long status, @Cast("void*") long stream);
}
