/* The loops over sign layers, of one instruction set, each over a part of the numbers. Arrays as in bw_train.h. */
#ifndef BW_TRAIN_SIGN_LOOPS_H
#define BW_TRAIN_SIGN_LOOPS_H

#include "bw_train.h"

struct bw_train_sign_loops {
  void (*pass)(const struct bw_train_pass *pass, int64_t first, int64_t end, double *sums);
  void (*noise)(const struct bw_train_noise *noise, int64_t first, int64_t end);
  void (*noise_back)(const struct bw_train_noise *noise, int64_t first, int64_t end, float *sums);
  void (*rprelu)(const struct bw_train_rprelu *job, int64_t first, int64_t end);
  void (*rprelu_back)(const struct bw_train_rprelu *job, int64_t first, int64_t end, float *sums);
};

extern const struct bw_train_sign_loops bw_train_sign_loops_reference, bw_train_sign_loops_avx2,
    bw_train_sign_loops_avx512;
#endif
