/* The loops over cosine layers, of one instruction set, each over a part of the bands or rows. */
#ifndef BW_TRAIN_COSINE_LOOPS_H
#define BW_TRAIN_COSINE_LOOPS_H

#include "bw_train.h"

struct bw_train_cosine_loops {
  void (*cosine)(const struct bw_train_cosine *job, int64_t first, int64_t end);
  void (*cosine_back)(const struct bw_train_cosine *job, int64_t first, int64_t end, float *sums);
  void (*moments)(const struct bw_train_moments *job, int64_t first, int64_t end);
  void (*moments_back)(const struct bw_train_moments *job, int64_t first, int64_t end);
  void (*rasu)(const struct bw_train_pass *pass, int64_t first, int64_t end);
  void (*rasu_back)(const struct bw_train_pass *pass, int64_t first, int64_t end, double *sums);
};

extern const struct bw_train_cosine_loops bw_train_cosine_loops_reference, bw_train_cosine_loops_avx2,
    bw_train_cosine_loops_avx512;
#endif
