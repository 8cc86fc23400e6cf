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
    include = {"metaplast/runtime.h", "metaplast/bayes.h", "metaplast/binary.h", "metaplast/kfac.h", "metaplast/jni.h"},
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

  // ---- binary.h

  @Name("metaplast_sign_pack_f32")
  static native int signPack(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, @Cast("uint64_t*") long bits, @Cast("uint64_t*") long mask);

  @Name("metaplast_sign_pack_transposed_f32")
  static native int signPackTransposed(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, @Cast("uint64_t*") long bits);

  @Name("metaplast_sign_unpack")
  static native int signUnpack(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, int type, @Cast("void*") long x, @Cast("int64_t") long ldx);

  @Name("metaplast_bits_transpose")
  static native int bitsTranspose(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, @Cast("uint64_t*") long out);

  @Name("metaplast_ste_backward_f32")
  static native int steBackward(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long mask, @Cast("const float*") long dout, @Cast("int64_t") long ldout, @Cast("float*") long da,
      @Cast("int64_t") long lda);

  @Name("metaplast_xnor_gemm_i32")
  static native int xnorGemmI32(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const uint64_t*") long a, @Cast("const uint64_t*") long b, @Cast("int32_t*") long y, @Cast("int64_t") long ldy);

  @Name("metaplast_xnor_gemm_f32")
  static native int xnorGemmF32(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const uint64_t*") long a, @Cast("const uint64_t*") long b, @Cast("const float*") long scale, @Cast("const float*") long bias,
      @Cast("float*") long y, @Cast("int64_t") long ldy);

  @Name("metaplast_xnor_gemm_bits")
  static native int xnorGemmBits(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const uint64_t*") long a, @Cast("const uint64_t*") long b, @Cast("const int32_t*") long limit,
      @Cast("const int32_t*") long invert, @Cast("uint64_t*") long y);

  @Name("metaplast_sign_pack_xnor_gemm_bits")
  static native int signPackXnorGemmBits(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long k,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, @Cast("uint64_t*") long a, @Cast("const uint64_t*") long b,
      @Cast("const int32_t*") long limit, @Cast("const int32_t*") long invert, @Cast("uint64_t*") long y);

  @Name("metaplast_xnor_syrk_i32")
  static native int xnorSyrk(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long in,
      @Cast("const uint64_t*") long x, int accumulate, @Cast("int32_t*") long s, @Cast("int64_t") long lds, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_factor_moving_average_f32")
  static native int factorMovingAverage(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const int32_t*") long s, @Cast("int64_t") long lds, float inverseBatch, float decay, float fresh, @Cast("float*") long a,
      @Cast("int64_t") long lda);

  @Name("metaplast_sign_gemm_nt_f32")
  static native int signGemmNT(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long x, @Cast("int64_t") long ldx, @Cast("const uint64_t*") long w, @Cast("float*") long y,
      @Cast("int64_t") long ldy);

  @Name("metaplast_sign_gemm_nn_f32")
  static native int signGemmNN(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const uint64_t*") long w, @Cast("float*") long dx,
      @Cast("int64_t") long lddx);

  @Name("metaplast_sign_gemm_tn_f32")
  static native int signGemmTN(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const uint64_t*") long x, @Cast("float*") long dw,
      @Cast("int64_t") long lddw);

  @Name("metaplast_gemm_tn_f32")
  static native int gemmTN(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const float*") long x, @Cast("int64_t") long ldx,
      @Cast("float*") long dw, @Cast("int64_t") long lddw);

  @Name("metaplast_batch_norm_forward")
  static native int batchNormForward(
      @Cast("const metaplast_context_t*") long context, int type, @Cast("int64_t") long batch, @Cast("int64_t") long channels,
      @Cast("int64_t") long spatial, @Cast("const void*") long y, @Cast("const float*") long gamma, @Cast("const float*") long beta,
      double eps, @Cast("float*") long mean, @Cast("float*") long inv, float momentum, @Cast("float*") long runningMean,
      @Cast("float*") long runningVar, @Cast("float*") long out, @Cast("uint64_t*") long sign, @Cast("uint64_t*") long mask);

  @Name("metaplast_batch_norm_inference")
  static native int batchNormInference(
      @Cast("const metaplast_context_t*") long context, int type, @Cast("int64_t") long batch, @Cast("int64_t") long channels,
      @Cast("int64_t") long spatial, @Cast("const void*") long y, @Cast("const float*") long gamma, @Cast("const float*") long beta,
      double eps, @Cast("const float*") long mean, @Cast("const float*") long var, @Cast("float*") long out, @Cast("uint64_t*") long sign);

  @Name("metaplast_batch_norm_backward")
  static native int batchNormBackward(
      @Cast("const metaplast_context_t*") long context, int type, @Cast("int64_t") long batch, @Cast("int64_t") long channels,
      @Cast("int64_t") long spatial, @Cast("const void*") long y, @Cast("const float*") long gamma, @Cast("const float*") long mean,
      @Cast("const float*") long inv, @Cast("const float*") long dout, @Cast("const uint64_t*") long mask, @Cast("float*") long dx,
      @Cast("float*") long dgamma, @Cast("float*") long dbeta);

  @Name("metaplast_meta_adam_step_f32")
  static native int metaAdamStep(
      @Cast("const metaplast_context_t*") long context, int tensors, @Cast("const int64_t*") long rows, @Cast("const int64_t*") long cols,
      @Cast("float* const*") long w, @Cast("const float* const*") long g, @Cast("float* const*") long m, @Cast("float* const*") long v,
      @Cast("uint64_t* const*") long bits, @Cast("const metaplast_adam_row_t*") long params, int rowStride);

  @Name("metaplast_meta_adam_step_from_product_f32")
  static native int metaAdamStepFromProduct(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long batch, @Cast("int64_t") long out, @Cast("int64_t") long in,
      @Cast("const float*") long dy, @Cast("int64_t") long lddy, @Cast("const float*") long x, @Cast("int64_t") long ldx,
      @Cast("const uint64_t*") long xbits, @Cast("float*") long w, @Cast("float*") long m, @Cast("float*") long v,
      @Cast("uint64_t*") long bits, @Cast("const metaplast_adam_row_t*") long params);

  @Name("metaplast_binary_ewc_consolidate_f32")
  static native int binaryEwcConsolidate(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, @Cast("const float*") long fisher, @Cast("float*") long total, @Cast("float*") long target);

  @Name("metaplast_binary_ewc_grad_f32")
  static native int binaryEwcGrad(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const uint64_t*") long bits, @Cast("const float*") long total, @Cast("const float*") long target, float lambda,
      @Cast("float*") long g);

  @Name("metaplast_relaxed_sign_sample_f32")
  static native int relaxedSignSample(
      @Cast("const metaplast_context_t*") long context, @Cast("uint64_t") long seed, @Cast("uint32_t") int stream,
      @Cast("uint32_t") int step, @Cast("int64_t") long n, @Cast("const float*") long l, float inverseTemperature, @Cast("float*") long w);

  @Name("metaplast_bimu_step_f32")
  static native int bimuStep(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("float*") long l, @Cast("const float*") long g,
      float rate, float inverseRateMax, float like, float kl, float inverseWindow, int gated, @Cast("int64_t*") long report);

  @Name("metaplast_bayes_binn_step_f32")
  static native int bayesBinnStep(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, int samples, @Cast("float*") long l,
      @Cast("float*") long mom, @Cast("const float*") long w, @Cast("const float*") long g, float inverseTemperature, float likelihood,
      float prior, float priorWeight, float momentum, float fresh, float rate);

  @Name("metaplast_binary_conv2d_i32")
  static native int binaryConv2d(
      @Cast("const metaplast_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, @Cast("const uint64_t*") long x,
      @Cast("const uint64_t*") long w, @Cast("int32_t*") long y, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_binary_conv2d_grad_input_f32")
  static native int binaryConv2dGradInput(
      @Cast("const metaplast_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, @Cast("const float*") long dy,
      @Cast("const uint64_t*") long w, @Cast("float*") long dx, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_binary_conv2d_grad_weight_f32")
  static native int binaryConv2dGradWeight(
      @Cast("const metaplast_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, @Cast("const float*") long dy,
      @Cast("const uint64_t*") long x, @Cast("float*") long dw, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_binary_conv2d_workspace_bytes")
  @Cast("jlong")
  static native long binaryConv2dWorkspaceBytes(@Cast("const metaplast_conv2d_t*") long shape);

  // ---- kfac.h

  @Name("metaplast_real_gemm_f32")
  static native int realGemm(
      @Cast("const metaplast_context_t*") long context, int transposeA, int transposeB, @Cast("int64_t") long m, @Cast("int64_t") long n,
      @Cast("int64_t") long inner, float alpha, @Cast("const float*") long a, @Cast("int64_t") long lda, @Cast("const float*") long b,
      @Cast("int64_t") long ldb, float beta, @Cast("float*") long c, @Cast("int64_t") long ldc, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_real_gemm_workspace_bytes")
  @Cast("jlong")
  static native long realGemmWorkspaceBytes(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long m, @Cast("int64_t") long n, @Cast("int64_t") long inner);

  @Name("metaplast_kronecker_factor_update")
  static native int kroneckerFactorUpdate(
      @Cast("const metaplast_context_t*") long context, int kind, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const void*") long x, int type, @Cast("int64_t") long ldx, int bias, float alpha, float beta, @Cast("float*") long f,
      @Cast("int64_t") long ldf, @Cast("int64_t*") long index, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_kronecker_factor_workspace_bytes")
  @Cast("jlong")
  static native long kroneckerFactorWorkspaceBytes(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols, int bias);

  @Name("metaplast_im2col_factor_update_f32")
  static native int im2colFactorUpdate(
      @Cast("const metaplast_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, int sharing,
      @Cast("const float*") long x, int bias, float alpha, float beta, @Cast("float*") long f, @Cast("int64_t") long ldf,
      @Cast("int64_t*") long index, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_im2col_factor_workspace_bytes")
  @Cast("jlong")
  static native long im2colFactorWorkspaceBytes(
      @Cast("const metaplast_context_t*") long context, @Cast("const metaplast_conv2d_t*") long shape, int sharing, int bias);

  @Name("metaplast_spd_inverse_f32")
  static native int spdInverse(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items,
      double residualTolerance, @Cast("metaplast_spd_result_t*") long results, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_spd_inverse_f64acc")
  static native int spdInverseF64(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items,
      double residualTolerance, @Cast("metaplast_spd_result_t*") long results, @Cast("void*") long workspace,
      @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_spd_inverse_workspace_bytes")
  @Cast("jlong")
  static native long spdInverseWorkspaceBytes(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items);

  @Name("metaplast_spd_inverse_workspace_bytes_f64acc")
  @Cast("jlong")
  static native long spdInverseWorkspaceBytesF64(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_spd_item_t*") long items);

  @Name("metaplast_kronecker_products_f32")
  static native int kroneckerProducts(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items,
      @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_kronecker_products_workspace_bytes")
  @Cast("jlong")
  static native long kroneckerProductsWorkspaceBytes(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items);

  @Name("metaplast_kronecker_penalty_f32")
  static native int kroneckerPenalty(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items,
      @Cast("double*") long value, @Cast("double*") long absolute, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_kronecker_penalty_workspace_bytes")
  @Cast("jlong")
  static native long kroneckerPenaltyWorkspaceBytes(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_kronecker_item_t*") long items);

  @Name("metaplast_matrix_traces_f32")
  static native int matrixTraces(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_matrix_t*") long matrices,
      @Cast("double*") long traces);

  @Name("metaplast_inner_products_f32")
  static native int innerProducts(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long count, @Cast("const metaplast_matrix_t*") long x,
      @Cast("const metaplast_matrix_t*") long y, @Cast("double*") long sum);

  @Name("metaplast_matrix_combine_f32")
  static native int matrixCombine(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long rows, @Cast("int64_t") long cols, float a, @Cast("const float*") long x,
      @Cast("int64_t") long ldx, float b, @Cast("const float*") long y, @Cast("int64_t") long ldy, @Cast("float*") long out,
      @Cast("int64_t") long ldo);

  @Name("metaplast_matrix_elements_f32")
  static native int matrixElements(
      @Cast("const metaplast_context_t*") long context, int operation, @Cast("int64_t") long rows, @Cast("int64_t") long cols,
      @Cast("const float*") long row, @Cast("const float*") long column, @Cast("const float*") long s, @Cast("int64_t") long lds, float shift,
      @Cast("float*") long t, @Cast("int64_t") long ldt, @Cast("int64_t*") long notPositive);

  @Name("metaplast_merge_batch_norm_f32")
  static native int mergeBatchNorm(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long out, @Cast("int64_t") long in, @Cast("const float*") long w,
      @Cast("int64_t") long ldw, @Cast("const float*") long b, @Cast("const float*") long gamma, @Cast("const float*") long beta,
      @Cast("const float*") long mu, @Cast("const float*") long var, float eps, @Cast("float*") long merged, @Cast("int64_t") long ldMerged,
      @Cast("float*") long mergedBias, @Cast("int64_t*") long bad);

  @Name("metaplast_merge_batch_norm_backward_f32")
  static native int mergeBatchNormBackward(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long out, @Cast("int64_t") long in, @Cast("const float*") long w,
      @Cast("int64_t") long ldw, @Cast("const float*") long b, @Cast("const float*") long gamma, @Cast("const float*") long mu,
      @Cast("const float*") long var, float eps, @Cast("const float*") long gw, @Cast("int64_t") long ldgw, @Cast("const float*") long gb,
      @Cast("float*") long dw, @Cast("int64_t") long lddw, @Cast("float*") long db, @Cast("float*") long dgamma, @Cast("float*") long dbeta,
      @Cast("float*") long dmu, @Cast("float*") long dvar, @Cast("int64_t*") long bad);

  @Name("metaplast_damped_cholesky_f32")
  static native int dampedCholesky(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long m, @Cast("int64_t") long ldm,
      double damping, @Cast("float*") long l, @Cast("int64_t") long ldl, @Cast("int32_t*") long status, @Cast("double*") long pivot,
      @Cast("int64_t*") long index, @Cast("void*") long workspace, @Cast("int64_t") long workspaceBytes);

  @Name("metaplast_triangular_inverse_f32")
  static native int triangularInverse(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("const float*") long l, @Cast("int64_t") long ldl,
      @Cast("float*") long out, @Cast("int64_t") long ldo, @Cast("int32_t*") long status);

  @Name("metaplast_triangular_solve_f32")
  static native int triangularSolve(
      @Cast("const metaplast_context_t*") long context, @Cast("int64_t") long n, @Cast("int64_t") long columns, int transposed,
      @Cast("const float*") long l, @Cast("int64_t") long ldl, @Cast("float*") long b, @Cast("int64_t") long ldb,
      @Cast("int32_t*") long status);
}
