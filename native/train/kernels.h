/* One set of loops for an instruction set; see bw_train.h for what each does. */
#ifndef BW_TRAIN_KERNELS_H
#define BW_TRAIN_KERNELS_H

#include <stdint.h>

struct bw_train_kernels {
  void (*gates16)(const float *logits, int64_t n_gates, float *tables, float *probabilities);
  void (*gates16_back)(const float *probabilities, const float *tables, const float *grad_tables, int64_t n_gates,
                       float *grad_logits);
  void (*forward)(const float *x, const int32_t *wiring, const float *tables, int64_t n_in, int64_t n_gates,
                  int64_t batch, float *y);
  void (*backward)(const float *x, const int32_t *wiring, const float *tables, const float *grad_y, int64_t n_in,
                   int64_t n_gates, int64_t batch, float *grad_tables, float *grad_x);
};

extern const struct bw_train_kernels bw_train_kernels_reference, bw_train_kernels_avx2, bw_train_kernels_avx512;
#endif
