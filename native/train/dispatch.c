/* Chooses the loops for this CPU, once a call: the answer of the CPU never changes. */
#include "bw_train.h"

#include "kernels.h"

static const struct bw_train_kernels *best(void) {
#if defined(BW_HAVE_AVX512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return &bw_train_kernels_avx512;
#endif
#if defined(BW_HAVE_AVX2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &bw_train_kernels_avx2;
#endif
  return &bw_train_kernels_reference;
}

int bw_train_abi(void) { return 2; }

void bw_train_gates16(const float *logits, int64_t n_gates, float *tables, float *probabilities) {
  best()->gates16(logits, n_gates, tables, probabilities);
}

void bw_train_gates16_back(const float *probabilities, const float *tables, const float *grad_tables, int64_t n_gates,
                           float *grad_logits) {
  best()->gates16_back(probabilities, tables, grad_tables, n_gates, grad_logits);
}

void bw_train_forward(const float *x, const int32_t *wiring, const float *tables, int64_t n_in, int64_t n_gates,
                      int64_t batch, float *y) {
  best()->forward(x, wiring, tables, n_in, n_gates, batch, y);
}

void bw_train_backward(const float *x, const int32_t *wiring, const float *tables, const float *grad_y, int64_t n_in,
                       int64_t n_gates, int64_t batch, float *grad_tables, float *grad_x) {
  best()->backward(x, wiring, tables, grad_y, n_in, n_gates, batch, grad_tables, grad_x);
}
