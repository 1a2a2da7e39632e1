/* The tables of kernels, one an instruction set. dispatch.c chooses among them. */
#include "kernels.h"

#define BW_TABLE(isa)                                                                                                     \
    extern const bw_kernel bw_xnor_linear_##isa, bw_xnor_conv2d_##isa, bw_int_linear_##isa, bw_int_conv2d_##isa;           \
    const bw_kernels bw_kernels_##isa = {#isa, &bw_xnor_linear_##isa, &bw_xnor_conv2d_##isa, &bw_int_linear_##isa,         \
                                         &bw_int_conv2d_##isa};

BW_TABLE(reference)
#ifdef BW_HAVE_AVX2
BW_TABLE(avx2)
#endif
#ifdef BW_HAVE_AVX512
BW_TABLE(avx512)
#endif
#ifdef BW_HAVE_NEON
BW_TABLE(neon)
#endif
