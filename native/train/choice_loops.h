/* The loops over gates whose connections choose, of one instruction set. Arrays as in bw_train.h. */
#ifndef BW_TRAIN_CHOICE_LOOPS_H
#define BW_TRAIN_CHOICE_LOOPS_H

#include "bw_train.h"

struct bw_train_choice_loops {
  void (*forward)(const struct bw_train_choice *choice, const float *weights, const float *tables, const void *x,
                  float *y);
  void (*backward)(const struct bw_train_choice *choice, const float *weights, const float *tables, const void *x,
                   const float *grad_y, float *grad_weights, float *grad_tables, float *grad_x);
  int (*read_bits)(const struct bw_train_array *x, int64_t batch, int64_t n, uint16_t *bits);
};

extern const struct bw_train_choice_loops bw_train_choice_loops_reference, bw_train_choice_loops_avx2,
    bw_train_choice_loops_avx512;
#endif
