/* For now the reference, compiled for AVX2. */
#define bw_int_linear_reference bw_int_linear_avx2
#include "reference.c"
