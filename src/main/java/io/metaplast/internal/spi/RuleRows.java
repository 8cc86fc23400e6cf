package io.metaplast.internal.spi;

import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Host constants of an update rule, formed in double and rounded once (metaplast_rule_row_t), prepared once per rule object. Belongs to the weights it is used
 * with, and is used by one call at a time like they are.
 */
public final class RuleRows {
  /** Floats of a row. */
  public static final int ROW = 16;

  public static final int PRIOR_MEAN = 0;
  public static final int PRIOR_PULL = 1;
  public static final int PRIOR_VARIANCE = 2;
  public static final int RATE_MEAN = 3;
  public static final int RATE_SIGMA = 4;
  public static final int CLAMP = 5;
  public static final int RATIO_MAX = 6;
  public static final int SECOND_ORDER = 7;
  public static final int SIGMA_MIN = 8;
  public static final int SIGMA_MAX = 9;
  public static final int MEAN_MIN = 10;
  public static final int MEAN_MAX = 11;

  public static final int RULE_MESU = 0;
  public static final int RULE_MESU_RATIO = 1;
  public static final int RULE_BGD = 2;

  private final FloatBuffer direct;
  private final long address;
  private final float[] values;
  private UpdateRule rule;
  private int kind;
  private int stride;

  /** For at most {@code tensors} rows. */
  public RuleRows(BackendProvider provider, int tensors) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.max(1, tensors) * ROW * 4).order(ByteOrder.nativeOrder());
    direct = bytes.asFloatBuffer();
    address = provider.addressOf(bytes);
    values = new float[Math.max(1, tensors) * ROW];
  }

  /** Makes these rows hold {@code newRule}; free when it is the rule of the last call. */
  public void prepare(UpdateRule newRule, int tensors) {
    if (newRule == rule) {
      return;
    }
    if (newRule instanceof UpdateRule.PerTensor many) {
      if (many.rules().size() != tensors) {
        throw new IllegalArgumentException("rule has " + many.rules().size() + " rows != tensors " + tensors);
      }
      for (int t = 0; t < tensors; t++) {
        kind = row(many.rules().get(t), t);
      }
      stride = 1;
    } else {
      kind = row(newRule, 0);
      stride = 0;
    }
    direct.put(0, values);
    rule = newRule;
  }

  /** RULE_MESU, RULE_MESU_RATIO or RULE_BGD. */
  public int kind() {
    return kind;
  }

  /** 1 with a row per tensor, else 0. */
  public int stride() {
    return stride;
  }

  /** Native address of row 0. */
  public long address() {
    return address;
  }

  /** The rows; element {@code t*stride()*ROW + field}. */
  public float[] values() {
    return values;
  }

  private int row(UpdateRule r, int t) {
    int o = t * ROW;
    java.util.Arrays.fill(values, o, o + ROW, 0f);
    if (r instanceof MesuParams p) {
      prior(o, p.priorMean(), p.priorSigma(), p.memoryWindow(), p.noForgetting());
      values[o + RATE_MEAN] = (float) p.rateMean();
      values[o + RATE_SIGMA] = (float) (0.5 * p.rateSigma());
      values[o + CLAMP] = (float) p.clampGrad();
      values[o + SIGMA_MIN] = (float) p.sigmaFloor();
      return RULE_MESU;
    }
    if (r instanceof MesuRatioParams p) {
      prior(o, p.priorMean(), p.priorSigma(), p.memoryWindow(), p.noForgetting());
      values[o + RATE_MEAN] = (float) p.coefficientMean();
      values[o + RATE_SIGMA] = (float) p.coefficientSigma();
      values[o + RATIO_MAX] = (float) p.ratioMax();
      values[o + SECOND_ORDER] = (float) p.secondOrder();
      values[o + SIGMA_MIN] = (float) p.sigmaMin();
      values[o + SIGMA_MAX] = (float) p.sigmaMax();
      values[o + MEAN_MIN] = (float) p.meanMin();
      values[o + MEAN_MAX] = (float) p.meanMax();
      return RULE_MESU_RATIO;
    }
    values[o + RATE_MEAN] = (float) ((BgdParams) r).eta();
    return RULE_BGD;
  }

  private void prior(int o, double mean, double sigma, double window, boolean noForgetting) {
    float spf = (float) sigma;
    values[o + PRIOR_MEAN] = (float) mean;
    values[o + PRIOR_PULL] = noForgetting ? 0f : (float) (1.0 / (window * spf * spf));
    values[o + PRIOR_VARIANCE] = spf * spf;
  }
}
