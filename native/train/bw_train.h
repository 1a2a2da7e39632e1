/* Forward and backward of stacks of two-input logic gates, for training: a library of its own beside bw_run.
 *
 * A gate with truth table w reads signals a and b: y = c0 + ca a + (cb + cab a) b with c0 = w00, ca = w10 - w00,
 * cb = w01 - w00, cab = w11 - w10 - w01 + w00. A stack is layers of such gates, each reading the one before; the last
 * may be summed up in groups. Samples go through it in blocks: a row of a block, one signal of all its samples, is one
 * cache line of 16 floats or 32 halves. Nothing is allocated and nothing is global. */
#ifndef BW_TRAIN_H
#define BW_TRAIN_H

#include <stdint.h>

#if defined(_WIN32)
#define BW_TRAIN_API __declspec(dllexport)
#else
#define BW_TRAIN_API __attribute__((visibility("default")))
#endif

enum { BW_TRAIN_LANES = 16 }; /* floats a row */

/* Every layer numbers its inputs anew, and so the results of the layer before; a result of the last layer has its
 * place in y. On the way back gates come in an order of their own, in which inputs first appear in the order of their
 * numbers, and a gradient may lie where one lay that has been read: rows of gradients are numbered apart, row 0 being
 * zeros. What a gate learns is its truth table, 4 numbers, or logits of the 16 tables, whose softmax weighs them.
 *
 * plan: how many rows of gradients there are; [inputs] the number of each input of the stack; [inputs] the row of its
 * gradient; then for each layer of n gates [10][n], of which three rows in the order there: numbers of a, b and the
 * result; five in the order back: numbers of a and b, rows of the gradients of the result, of a and of b, or ~ of the
 * row where it is the first to go there; two in the order of the tables: places in the orders there and back. The
 * gradient of result i of the last layer lies in row i + 1. */
/* Where a stack reads and writes if it is applied to every window of an image: entry (s, f) of x at position p is
 * x.at[taps[f] + x_at[p] + s * to_sample], of y y.at[y_at[p] + s * to_sample + f * to_feature]. A window's signals are
 * not kept but worked out again on the way back. */
struct bw_train_windows {
  int64_t n_positions;
  const int64_t *taps, *x_at, *y_at; /* [inputs of the stack], [n_positions], [n_positions] */
};

struct bw_train_stack {
  int64_t n_layers, batch, n_groups, n_threads; /* n_groups 0: the last layer's own signals are the result */
  int64_t half;          /* 1: signals of a block may be kept in 16 bits, where the CPU is quick at it */
  int64_t n_numbers;     /* 4 or 16 a gate */
  const int64_t *widths; /* [n_layers + 1]: inputs, then gates a layer */
  const int32_t *plan;
  const struct bw_train_windows *windows; /* NULL: x is the input, once */
  float *room; /* bw_train_room floats, 64-byte aligned; backward wants it as forward left it */
  /* GOMP_parallel of a runtime whose threads are there anyway; NULL: threads that live as long as a call. */
  void (*parallel)(void (*work)(void *), void *data, unsigned n_threads, unsigned flags);
};

/* Numbers [batch][n] anywhere in memory: entry (s, f) is at[s * to_sample + f * to_feature]. */
struct bw_train_array {
  float *at;
  int64_t to_sample, to_feature;
};

BW_TRAIN_API int bw_train_abi(void);

BW_TRAIN_API int64_t bw_train_room(const struct bw_train_stack *stack);

/* x [batch][widths[0]]; learned: of each layer [gates][n_numbers] -> y [batch][n_groups or gates of the last layer]. */
BW_TRAIN_API void bw_train_forward(const struct bw_train_stack *stack, const struct bw_train_array *x,
                                   const float *const *learned, const struct bw_train_array *y);

/* After forward with the same learned: grad_y, as y -> grad_learned, as learned, and, where it is not NULL, grad_x, as
 * x. With windows it needs x too, and adds to grad_x. Sums over the batch are the same again for the same number of
 * threads. */
BW_TRAIN_API void bw_train_backward(const struct bw_train_stack *stack, const struct bw_train_array *x,
                                    const struct bw_train_array *grad_y,
                                    const float *const *learned, float *const *grad_learned,
                                    const struct bw_train_array *grad_x);

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

/* x [batch][n] as signals of bits, [n][rows]; 1 if all its numbers are 0 or 1, else what is written means nothing. */
BW_TRAIN_API int bw_train_read_bits(const struct bw_train_array *x, int64_t batch, int64_t n, uint16_t *bits);

/* Sign layers: passes over numbers, each read once. What a pass does with x, and grad on the way back:
 *   SIGN        y = x >= 0 ? 1 : -1
 *   WINDOW      y = |x| <= numbers[0] ? grad / numbers[0] : 0
 *   TENT        y = grad max(2 - 2 |x|, 0)
 *   FOURIER     y = grad (2 w / pi) sin(m w x) / sin(w x), 0 for |x| > c; m, w, c in numbers
 *   MOMENTS     sums = mean and sum of squares around it
 *   PRELU       y = x > 0 ? x : numbers[0] x
 *   PRELU_BACK  y = x > 0 ? grad : numbers[0] grad; sums[0] = sum of x grad where not x > 0
 * sums: two numbers for each BW_TRAIN_CHUNK numbers, the same for any number of threads. */
enum { BW_TRAIN_SIGN, BW_TRAIN_WINDOW, BW_TRAIN_TENT, BW_TRAIN_FOURIER, BW_TRAIN_MOMENTS, BW_TRAIN_PRELU,
       BW_TRAIN_PRELU_BACK };
enum { BW_TRAIN_CHUNK = 4096, BW_TRAIN_CHUNK_ROWS = 256, BW_TRAIN_WIDTH = 16 };
struct bw_train_pass {
  int64_t kind, n, n_threads;
  const float *x, *grad;
  float *y;
  const double *numbers;
  double *sums;
  void (*parallel)(void (*work)(void *), void *data, unsigned n_threads, unsigned flags); /* as in bw_train_stack */
};

BW_TRAIN_API void bw_train_run_pass(const struct bw_train_pass *pass);

/* FDA's noise module beside a sign, of rows of features: y = sign(x) + alpha e(x), e(x) = relu(x down) up + eta(x) with
 * eta 0, a x or a sin(x); back, y = grad s(x) + alpha grad e'(x), s the slope of pass.kind. sums: for every
 * BW_TRAIN_CHUNK_ROWS rows the gradients of down and of up, [2][width][n_features]. */
struct bw_train_noise {
  struct bw_train_pass pass; /* n: rows; its sums are not used */
  int64_t n_features, width; /* at most BW_TRAIN_WIDTH */
  int64_t shortcut;          /* 0, 1 or 2: eta */
  const float *down, *up;    /* [width][n_features] both */
  float alpha, a;
  float *sums;
};

BW_TRAIN_API void bw_train_noise(const struct bw_train_noise *noise, int back);

/* RPReLU of rows of features: with m = x - vectors[0], y = (m >= 0 ? m : vectors[1] m) + vectors[2]; back, y is the
 * gradient of x. sums: for every BW_TRAIN_CHUNK_ROWS rows the gradients of the vectors, [3][n_features]. */
struct bw_train_rprelu {
  struct bw_train_pass pass; /* n: rows; of it kind, numbers and sums are not used */
  int64_t n_features;
  const float *vectors; /* [3][n_features] */
  float *sums;
};

BW_TRAIN_API void bw_train_rprelu(const struct bw_train_rprelu *job, int back);

/* Cosine layers: y = (2 / pi) asin(cos), cos = (raw + bias) scale inverse, of images whose features come last, with a
 * max-pool whose windows do not overlap; |cos| is kept at or below BW_TRAIN_EDGE. With spread > 0 each place gets
 * spread sqrt(1 - y^2) times a normal number before the pool, which only (seed, pixel, feature) choose. Back, a noise's
 * size counts as constant. sums: for each share of `bands` bands (rows of y) gradients of scale and of bias,
 * [2][n_features]. */
#define BW_TRAIN_EDGE 0.999999f
enum { BW_TRAIN_POOL = 16 }; /* the most pixels of a window */
struct bw_train_cosine {
  int64_t n_images, height, width, n_features, pool_height, pool_width, bands, n_threads;
  uint64_t seed;
  double spread;
  const float *raw, *inverse, *scale, *bias; /* raw, a number a pixel, a number a feature both */
  float *y;                                  /* [n_images][height / pool_height][width / pool_width][n_features] */
  uint8_t *place;                            /* as y: the pixel of the window, in the order of memory; NULL: no pool */
  const float *grad;                         /* as y */
  float *to_raw, *to_inverse, *sums;
  void (*parallel)(void (*work)(void *), void *data, unsigned n_threads, unsigned flags); /* as in bw_train_stack */
};

BW_TRAIN_API void bw_train_cosine(const struct bw_train_cosine *job, int back);

/* Of every row of n numbers of x: sums, and squares, sums of their squares; back, to_x = to_sums + 2 x to_squares. */
struct bw_train_moments {
  int64_t n_rows, n, n_threads;
  const float *x;
  float *sums, *squares;
  const float *to_sums, *to_squares;
  float *to_x;
  void (*parallel)(void (*work)(void *), void *data, unsigned n_threads, unsigned flags); /* as in bw_train_stack */
};

BW_TRAIN_API void bw_train_moments(const struct bw_train_moments *job, int back);

/* RASU: y = max(alpha x, 0), alpha in numbers; back, y = x > 0 ? alpha grad : 0, sums[0] = sum of x grad where x > 0.
 * The rest as in bw_train_run_pass. */
BW_TRAIN_API void bw_train_rasu(const struct bw_train_pass *pass, int back);
#endif
