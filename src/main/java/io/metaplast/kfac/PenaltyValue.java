package io.metaplast.kfac;

/**
 * Value of a quadratic penalty.
 *
 * @param value the sum of all terms
 * @param absolute the sum of their absolute values
 * @param negativeForm the value is below -1e-5 times the absolute sum: a factor is not positive semidefinite
 */
public record PenaltyValue(double value, double absolute, boolean negativeForm) {}
