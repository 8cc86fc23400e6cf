/** JMH benchmarks, one class per kernel, verified before they are timed; peers beside them. */
package io.metaplast.bench.jmh;
