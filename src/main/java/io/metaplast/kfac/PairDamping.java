package io.metaplast.kfac;

/**
 * Damping of one pair.
 *
 * @param pi 1 where the mode does not use it
 * @param g added to the diagonal of G
 * @param a added to the diagonal of A
 * @param zeroTrace pi had no usable value (a trace of 0 or below, NaN, or pi outside 2^-60..2^60) and was taken as 1
 */
public record PairDamping(double pi, double g, double a, boolean zeroTrace) {}
