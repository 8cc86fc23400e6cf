/** The papers' continual-learning experiments, written against the public API of the library only. */
package io.metaplast.continual;
