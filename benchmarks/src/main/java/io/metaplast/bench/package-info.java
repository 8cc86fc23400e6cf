/** The command line of the benchmarks: information, verification, comparison, report, JMH. Uses the public API of the library only. */
package io.metaplast.bench;
