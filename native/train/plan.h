/* Where things lie in the room of a stack, and how its samples are cut into blocks. */
#ifndef BW_TRAIN_PLAN_H
#define BW_TRAIN_PLAN_H

#include "kernels.h"
#include "shares.h"

/* Every block keeps the inputs of all its layers for the way back, but with windows there is one such place a thread;
 * a thread has rows for gradients, and its sums for the tables. */
struct plan {
  const struct bw_train_stack *stack;
  const struct bw_train_kernels *kernels;
  int half;
  int64_t n_blocks, n_gates, n_rows, last, n_threads;
  int64_t kept, each; /* rows a block, floats a thread */
  float *coefficients, *blocks, *threads;
};

struct block {
  int64_t first, end; /* samples */
  int half;
  char *kept;
};

struct plan bw_train_plan(const struct bw_train_stack *stack);
struct block bw_train_block(const struct plan *plan, int64_t number, int64_t thread);
const int32_t *bw_train_slots(const struct plan *plan, int gradients); /* the row of each input of the stack */
struct bw_train_layer bw_train_there(const struct plan *plan, int64_t number, int64_t first_gate);
struct bw_train_layer_back bw_train_back(const struct plan *plan, int64_t number, int64_t first_gate);
struct bw_train_gates bw_train_gates_of(const struct plan *plan, int64_t number, int64_t first_gate);

/* A thread's rows, for results of the last layer and for gradients, and its sums. */
struct own {
  char *rows;
  float *sums;
};
struct own bw_train_own(const struct plan *plan, int64_t thread);

/* What all threads work on: each does its shares of everything. */
struct job {
  const struct plan *plan;
  const struct bw_train_array *x, *y, *grad_x;
  const float *const *learned;
  float *const *grad_learned;
};
#endif
