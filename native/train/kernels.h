/* One set of loops for an instruction set. The rows of a block are BW_TRAIN_LANES floats, 64-byte aligned. */
#ifndef BW_TRAIN_KERNELS_H
#define BW_TRAIN_KERNELS_H

#include <stdint.h>

#include "bw_train.h"

/* One layer of gates: numbers of both inputs and of the result, and c0, ca, cb, cab of each gate. */
struct bw_train_layer {
  const int32_t *a, *b, *out;
  const float *coefficients;
  int64_t n_gates;
  int adds; /* forward: results of one number are added up, onto what is there; never with half_out */
  int half_in, half_out; /* rows of x and grad_x, of y and grad_y, are of 16 bits a number */
};

enum { BW_TRAIN_KEPT = 20 }; /* floats a gate that the softmax keeps; n_gates is rounded up to BW_TRAIN_LANES */

struct bw_train_kernels {
  /* logits [n_gates][16] -> tables [n_gates][4], the softmax's mean of the 16 truth tables; and the way back. */
  void (*gates16)(const float *logits, int64_t n_gates, float *tables, float *kept);
  void (*gates16_back)(const float *kept, const float *grad_tables, int64_t n_gates, float *grad_logits);
  /* Rows x of a block -> rows y. */
  void (*forward)(const struct bw_train_layer *layer, const void *x, void *y);
  /* Adds the block's sums of d, d a, d b, d ab to sums [n_gates][4]; writes grad_x, all n_in rows, if not NULL. */
  void (*backward)(const struct bw_train_layer *layer, const void *x, const void *grad_y, int64_t n_in, float *sums,
                   void *grad_x);
  int has_half;
};

extern const struct bw_train_kernels bw_train_kernels_reference, bw_train_kernels_avx2, bw_train_kernels_avx512;
const struct bw_train_kernels *bw_train_best(void);
#endif
