/* Shares of work for the threads of a runtime, or for threads of our own. */
#include <pthread.h>
#include <stdatomic.h>

#include "plan.h"
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* Numbers too small for the exponent cost a hundred times more than others; here they are zero. */
static unsigned flush_to_zero(void) {
#if defined(__SSE__)
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  return before;
#else
  return 0;
#endif
}

static void restore(unsigned before) {
#if defined(__SSE__)
  _mm_setcsr(before);
#else
  (void)before;
#endif
}

struct call {
  const struct job *job;
  bw_train_work *work;
  atomic_llong next;
};

/* However many threads come, they do all shares. */
static void take_shares(void *argument) {
  struct call *call = argument;
  unsigned before = flush_to_zero();
  for (;;) {
    int64_t share = atomic_fetch_add(&call->next, 1);
    if (share >= call->job->plan->n_threads) break;
    call->work(call->job, share);
  }
  restore(before);
}

static void *run(void *argument) {
  take_shares(argument);
  return 0;
}

void bw_train_share_out(const struct job *job, bw_train_work *work) {
  struct call call = {job, work, 0};
  int64_t n = job->plan->n_threads;
  if (n > 1 && job->plan->stack->parallel) {
    job->plan->stack->parallel(take_shares, &call, (unsigned)n, 0);
    return;
  }
  pthread_t threads[MAX_THREADS];
  int64_t started = 1;
  while (started < n && !pthread_create(&threads[started], 0, run, &call)) started++;
  take_shares(&call);
  for (int64_t t = 1; t < started; t++) pthread_join(threads[t], 0);
}
