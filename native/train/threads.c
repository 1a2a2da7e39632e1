/* Shares of work for the threads of a runtime, or for threads of our own. */
#include <pthread.h>
#include <stdatomic.h>

#include "shares.h"
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* How the processor treats numbers too small for the exponent. */
static unsigned float_mode(void) {
#if defined(__SSE__)
  return _mm_getcsr();
#else
  return 0;
#endif
}

static void set_float_mode(unsigned mode) {
#if defined(__SSE__)
  _mm_setcsr(mode);
#else
  (void)mode;
#endif
}

struct call {
  const void *data;
  bw_train_share_of *work;
  int64_t n_shares;
  unsigned mode;
  atomic_llong next;
};

/* However many threads come, they do all shares. */
static void take_shares(void *argument) {
  struct call *call = argument;
  unsigned before = float_mode();
  set_float_mode(call->mode);
  for (;;) {
    int64_t share = atomic_fetch_add(&call->next, 1);
    if (share >= call->n_shares) break;
    call->work(call->data, share);
  }
  set_float_mode(before);
}

static void *run(void *argument) {
  take_shares(argument);
  return 0;
}

void bw_train_share_out(const struct shares *shares, const void *data, bw_train_share_of *work) {
  /* such numbers cost a hundred times more than others; where flushed, they are zero */
  struct call call = {data, work, shares->n_shares, float_mode() | (shares->flush ? 0x8040 : 0), 0};
  int64_t n = shares->n_threads < MAX_THREADS ? shares->n_threads : MAX_THREADS;
  if (n > 1 && shares->parallel) {
    shares->parallel(take_shares, &call, (unsigned)n, 0);
    return;
  }
  pthread_t threads[MAX_THREADS];
  int64_t started = 1;
  while (started < n && !pthread_create(&threads[started], 0, run, &call)) started++;
  take_shares(&call);
  for (int64_t t = 1; t < started; t++) pthread_join(threads[t], 0);
}
