/* The tables of kernels, one an instruction set. dispatch.c chooses among them. */
#include "kernels.h"

#define BW_TABLE(isa)                                                                                                     \
    extern const bw_kernel bw_xnor_linear_##isa, bw_xnor_conv2d_##isa, bw_int_linear_##isa, bw_int_conv2d_##isa;           \
    const bw_kernels bw_kernels_##isa = {#isa, #isa, &bw_xnor_linear_##isa, &bw_xnor_conv2d_##isa, &bw_int_linear_##isa,         \
                                         &bw_int_conv2d_##isa};

BW_TABLE(reference)
#ifdef BW_HAVE_AVX2
BW_TABLE(avx2)
#endif
#ifdef BW_HAVE_AVX512
BW_TABLE(avx512)
#endif
#ifdef BW_HAVE_AMX
extern const bw_kernel bw_int_linear_amx, bw_int_conv2d_amx;
const bw_kernels bw_kernels_amx = {"amx", "avx512", &bw_xnor_linear_avx512, &bw_xnor_conv2d_avx512, &bw_int_linear_amx, &bw_int_conv2d_amx};
#endif
#ifdef BW_HAVE_NEON
BW_TABLE(neon)
#endif
