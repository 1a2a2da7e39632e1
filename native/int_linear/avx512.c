/* For now the reference, compiled for AVX-512. */
#define bw_int_linear_reference bw_int_linear_avx512
#include "reference.c"
