/* Chooses the loops for this CPU, once a call: the answer of the CPU never changes. */
#include "kernels.h"

const struct bw_train_kernels *bw_train_best(void) {
#if defined(BW_HAVE_AVX512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return &bw_train_kernels_avx512;
#endif
#if defined(BW_HAVE_AVX2)
  if (__builtin_cpu_supports("avx2")) return &bw_train_kernels_avx2;
#endif
  return &bw_train_kernels_reference;
}

int bw_train_abi(void) { return 5; }
