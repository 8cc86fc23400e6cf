package io.metaplast.internal.spi;

/**
 * What is said about one factorization.
 *
 * @param status 0, -1, -2 or k &gt; 0 as in kfac.h
 * @param pivot the failing one where the status is &gt; 0
 * @param index row*n + column of the first element that is not finite where the status is -2
 */
public record SpdStatus(int status, double pivot, long index) {}
