package io.metaplast.kfac;

/**
 * How two pairs were merged.
 *
 * @param pi the balance of both, 1 for sums
 * @param zeroTrace a trace was 0 or below or not a number: the result is the other pair
 */
public record MergeReport(double pi, boolean zeroTrace) {}
