package io.metaplast.kfac;

/**
 * Step scaling by the KL bound.
 *
 * @param nu min(1, sqrt(kappa / |lr^2 sum &lt;V, dW&gt;|)); 1 where the sum is 0 or NaN
 * @param sum lr^2 sum &lt;V, dW&gt;
 * @param notANumber the sum is NaN
 */
public record KlClip(double nu, double sum, boolean notANumber) {}
