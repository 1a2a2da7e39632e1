/* For now the reference, compiled for AVX2. */
#define bw_xnor_linear_reference bw_xnor_linear_avx2
#include "reference.c"
