/* For now the reference, compiled for AVX2. */
#define bw_xnor_conv2d_reference bw_xnor_conv2d_avx2
#include "reference.c"
