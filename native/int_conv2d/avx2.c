/* For now the reference, compiled for AVX2. */
#define bw_int_conv2d_reference bw_int_conv2d_avx2
#include "reference.c"
