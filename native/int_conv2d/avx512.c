/* For now the reference, compiled for AVX-512. */
#define bw_int_conv2d_reference bw_int_conv2d_avx512
#include "reference.c"
