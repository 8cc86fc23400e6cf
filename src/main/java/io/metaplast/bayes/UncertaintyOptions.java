package io.metaplast.bayes;

/**
 * How uncertainty is split.
 *
 * @param fromLogits whether the input is logits (softmax is applied per sample) or probabilities
 * @param bits whether entropies are in bits instead of nats
 * @param clampEpistemic whether epistemic values below zero (rounding) become zero
 */
public record UncertaintyOptions(boolean fromLogits, boolean bits, boolean clampEpistemic) {}
