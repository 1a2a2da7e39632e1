/* Work cut into shares, for the threads of a runtime or for threads of our own. */
#ifndef BW_TRAIN_SHARES_H
#define BW_TRAIN_SHARES_H

#include <stdint.h>

enum { MAX_THREADS = 64 };

struct shares {
  int64_t n_shares, n_threads;
  int flush; /* 1: numbers too small for the exponent are zero; 0: they are what they are to the caller */
  void (*parallel)(void (*work)(void *), void *data, unsigned n_threads, unsigned flags); /* as in bw_train_stack */
};
typedef void bw_train_share_of(const void *data, int64_t share);

/* Calls work once for each share. */
void bw_train_share_out(const struct shares *shares, const void *data, bw_train_share_of *work);
#endif
