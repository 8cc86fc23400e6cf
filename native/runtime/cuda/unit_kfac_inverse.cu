// The Kronecker family: damped inverses, Cholesky pieces. Class B: fused multiply-add is spelled out.
// Kernels are compiled in a few units: nvcc reads the headers of every unit once for each architecture.
#include "kernels/spd_inverse/spd_inverse_cuda.cu"
#include "kernels/cholesky_pieces/cholesky_pieces_cuda.cu"
