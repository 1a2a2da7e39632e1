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

int bw_train_abi(void) { return 3; }

int64_t bw_train_gates16_kept(int64_t n_gates) {
  return (n_gates + BW_TRAIN_LANES - 1) / BW_TRAIN_LANES * BW_TRAIN_LANES * 20;
}

void bw_train_gates16(const float *logits, int64_t n_gates, float *tables, float *kept) {
  bw_train_best()->gates16(logits, n_gates, tables, kept);
}

void bw_train_gates16_back(const float *kept, const float *grad_tables, int64_t n_gates, float *grad_logits) {
  bw_train_best()->gates16_back(kept, grad_tables, n_gates, grad_logits);
}
