/* Forward and backward of stacks of two-input logic gates, for training: a library of its own beside bw_run.
 *
 * A gate with truth table w reads signals a and b: y = c0 + ca a + (cb + cab a) b with c0 = w00, ca = w10 - w00,
 * cb = w01 - w00, cab = w11 - w10 - w01 + w00. A stack is layers of such gates, each reading the one before; the last
 * may be summed up in groups. Samples go through it in blocks of BW_TRAIN_LANES: a block's row, one signal of all its
 * samples, is one cache line. Nothing is allocated and nothing is global; threads live as long as a call. */
#ifndef BW_TRAIN_H
#define BW_TRAIN_H

#include <stdint.h>

#if defined(_WIN32)
#define BW_TRAIN_API __declspec(dllexport)
#else
#define BW_TRAIN_API __attribute__((visibility("default")))
#endif

enum { BW_TRAIN_LANES = 16 };

/* Every layer numbers its inputs anew, and so the results of the layer before; a result of the last layer has its
 * place in y. Gates are computed in the order of `gates` and, on the way back, in that of `gates_back`, where inputs
 * must appear first in the order of their numbers. Speed wants results in a row on the way there, inputs in a row on
 * the way back. What a gate learns is its truth table, 4 numbers, or logits of the 16 tables, whose softmax weighs
 * them. */
struct bw_train_stack {
  int64_t n_layers, batch, n_groups, n_threads; /* n_groups 0: the last layer's own signals are the result */
  int64_t half;                     /* 1: signals between layers may be kept in 16 bits, where the CPU is quick at it */
  int64_t n_numbers;                /* 4 or 16 a gate */
  const int64_t *widths;            /* [n_layers + 1]: inputs, then gates a layer */
  const int32_t *slots;             /* [widths[0]]: the number of each input of the stack */
  const int32_t *gates, *gates_back; /* [4][width] a layer: numbers of a, b, the result, and which gate it is */
  float *room; /* bw_train_room floats, 64-byte aligned; backward wants it as forward left it */
};

/* Numbers [batch][n] anywhere in memory: entry (s, f) is at[s * to_sample + f * to_feature]. */
struct bw_train_array {
  float *at;
  int64_t to_sample, to_feature;
};

BW_TRAIN_API int bw_train_abi(void);

/* Gates whose connections choose: input i of gate g is the sum of weights[j][i][g] times signal candidates[i][g][j] of
 * x; what it does with both says tables[g], entries 00, 01, 10, 11. A signal is n_rows rows of BW_TRAIN_LANES samples,
 * 64-byte aligned; lanes without a sample hold 0 in x and grad_y. */
enum { BW_TRAIN_CANDIDATES = 64 };
struct bw_train_choice {
  int64_t n_gates, n_candidates, n_rows; /* at most BW_TRAIN_CANDIDATES */
  int64_t bits;                          /* 1: x holds 16 bits for a row, uint16_t, and grad_x is NULL */
  const int32_t *candidates;             /* [2][n_gates][n_candidates], in range */
};

BW_TRAIN_API void bw_train_choose(const struct bw_train_choice *choice, const float *weights, const float *tables,
                                  const void *x, float *y);

/* grad_weights and grad_tables are written; to grad_x, as x, unless it is NULL, the gradient is added. */
BW_TRAIN_API void bw_train_choose_back(const struct bw_train_choice *choice, const float *weights, const float *tables,
                                       const void *x, const float *grad_y, float *grad_weights, float *grad_tables,
                                       float *grad_x);

BW_TRAIN_API int64_t bw_train_room(const struct bw_train_stack *stack);

/* x [batch][widths[0]]; learned: of each layer [gates][n_numbers] -> y [batch][n_groups or gates of the last layer]. */
BW_TRAIN_API void bw_train_forward(const struct bw_train_stack *stack, const struct bw_train_array *x,
                                   const float *const *learned, const struct bw_train_array *y);

/* After forward: grad_y, as y -> grad_learned, as learned, and, where it is not NULL, grad_x, as x. Sums over the batch
 * are the same again for the same number of threads. */
BW_TRAIN_API void bw_train_backward(const struct bw_train_stack *stack, const struct bw_train_array *grad_y,
                                    float *const *grad_learned, const struct bw_train_array *grad_x);
#endif
