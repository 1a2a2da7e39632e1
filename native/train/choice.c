/* Gates whose connections choose among candidates: which loops this CPU has. */
#include "choice_loops.h"

static const struct bw_train_choice_loops *best(void) {
#if defined(BW_HAVE_AVX512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return &bw_train_choice_loops_avx512;
#endif
#if defined(BW_HAVE_AVX2)
  if (__builtin_cpu_supports("avx2")) return &bw_train_choice_loops_avx2;
#endif
  return &bw_train_choice_loops_reference;
}

void bw_train_choose(const struct bw_train_choice *choice, const float *weights, const float *tables, const void *x,
                     float *y) {
  best()->forward(choice, weights, tables, x, y);
}

void bw_train_choose_back(const struct bw_train_choice *choice, const float *weights, const float *tables,
                          const void *x, const float *grad_y, float *grad_weights, float *grad_tables,
                          float *grad_x) {
  best()->backward(choice, weights, tables, x, grad_y, grad_weights, grad_tables, grad_x);
}

int bw_train_read_bits(const struct bw_train_array *x, int64_t batch, int64_t n, uint16_t *bits) {
  return best()->read_bits(x, batch, n, bits);
}
