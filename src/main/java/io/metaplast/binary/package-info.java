/** Kernels of binarized networks: sign packing, XNOR-popcount and real x +-1 products, batch norm and thresholds, the metaplastic update of hidden weights. */
package io.metaplast.binary;
