/* One set of loops for an instruction set. Every row of a block is 64 bytes, aligned: 16 samples in float32 or, in a
 * block of halves, 32 samples in 16 bits. */
#ifndef BW_TRAIN_KERNELS_H
#define BW_TRAIN_KERNELS_H

#include <stdint.h>

#include "bw_train.h"

enum { ROW_BYTES = 64, LANES = BW_TRAIN_LANES, TILE = 16 }; /* TILE: gates that the tables take at once */

/* What rows hold. HALF_VALUES: float16; HALF_GRADS, whose exponents run low: the upper halves of float32; WIDE: float32
 * whatever the block has, a row being as many floats as the block has samples. */
enum row_kind { FLOATS, HALF_VALUES, HALF_GRADS, WIDE };

/* One layer of gates, there: rows of both inputs, and c0, ca, cb, cab of each gate. Gate g's result is row g or, where
 * the layer adds, added onto WIDE row out[g], gates of one row standing together. */
struct bw_train_layer {
  const int32_t *a, *b, *out;
  const float *coefficients;
  int64_t n_gates;
  int adds;
  int half; /* the block has 32 samples a row */
};

/* The same layer on the way back: rows of both inputs; among the rows of gradients, that of the result and those of
 * both inputs, or ~ of them where nothing is in them yet. Row 0 of the gradients is zeros. */
struct bw_train_layer_back {
  const int32_t *a, *b, *d, *da, *db;
  const float *coefficients;
  int64_t n_gates;
  int half;
};

/* Gates [begin, end) of a layer, and their places in the orders there and back. */
struct bw_train_gates {
  const float *learned; /* [n_gates][n_numbers] */
  int64_t n_numbers, begin, end;
  const int32_t *there, *back;
};

/* Samples [first, end) of an array and a block's rows; slots: the row of each feature, NULL for its own number; places:
 * where each feature lies in the array, NULL for its number times to_feature; adds: to what is in the array. */
struct bw_train_move {
  const struct bw_train_array *array;
  int64_t n, first, end;
  const int32_t *slots;
  enum row_kind kind;
  int half;
  const int64_t *places;
  int adds;
};

struct bw_train_kernels {
  /* c0, ca, cb, cab of each gate: there [there[g]][4] and back [back[g]][4]. */
  void (*coefficients)(const struct bw_train_gates *gates, float *there, float *back);
  /* n_sums arrays of sums [back[g]][4], `apart` floats apart -> grad [g][n_numbers]. */
  void (*learn)(const struct bw_train_gates *gates, const float *sums, int64_t n_sums, int64_t apart, float *grad);
  /* Rows x of a block -> rows y. */
  void (*forward)(const struct bw_train_layer *layer, const void *x, void *y);
  /* Adds the block's sums of d, d a, d b, d ab to sums [n_gates][4]; to_x: puts gradients of inputs into their rows. */
  void (*backward)(const struct bw_train_layer_back *layer, const void *x, void *gradients, float *sums, int to_x);
  void (*pack)(const struct bw_train_move *move, void *rows); /* missing samples are zeros */
  void (*unpack)(const struct bw_train_move *move, const void *rows);
  int has_half;
};

extern const struct bw_train_kernels bw_train_kernels_reference, bw_train_kernels_avx2, bw_train_kernels_avx512;
const struct bw_train_kernels *bw_train_best(void);
#endif
