/* Rows of numbers, vectors of the compiler, and what the loops of sign layers compute with them. Macros, as functions
 * may not take rows that are wider than the CPU's. */
#include <math.h>
#include <string.h>

#include "sign_loops.h"

typedef float row __attribute__((vector_size(4 * BW_TRAIN_LANES)));
typedef int32_t whole __attribute__((vector_size(4 * BW_TRAIN_LANES)));
typedef float half_row __attribute__((vector_size(2 * BW_TRAIN_LANES)));
#define FEATURES(f, n_features) for (int64_t f = 0; f < (n_features); f += BW_TRAIN_LANES)
#define INLINE static inline __attribute__((always_inline))

#define SAME(number) ((row){0} + (number))
#define CHOOSE(mask, a, b) ((row)(((mask) & (whole)(a)) | (~(mask) & (whole)(b))))
#define SIZE(x) ((row)((whole)(x) & 0x7fffffff))
#define SIGN(x) CHOOSE((x) >= 0, SAME(1.0f), SAME(-1.0f))

/* The first n numbers of a row; the rest of what is read stays as it is. */
INLINE void NAME(get)(const float *at, int64_t n, row *to) {
  if (n >= BW_TRAIN_LANES)
    memcpy(to, at, sizeof *to);
  else
    memcpy(to, at, (size_t)n * sizeof *at);
}

INLINE void NAME(put)(const row *from, int64_t n, float *at) {
  if (n >= BW_TRAIN_LANES)
    memcpy(at, from, sizeof *from);
  else
    memcpy(at, from, (size_t)n * sizeof *at);
}

INLINE float NAME(total)(const row *x) {
  half_row both[2];
  memcpy(both, x, sizeof both);
  both[0] += both[1];
  float sum = 0;
  for (int i = 0; i < BW_TRAIN_LANES / 4; i++) sum += both[0][i] + both[0][i + BW_TRAIN_LANES / 4];
  return sum;
}

/* Of x: near = x - k pi in [-pi / 2, pi / 2], odd: the sign bit where k is odd. Numbers beyond 2^22 keep their size. */
INLINE void NAME(reduce)(const row *x, row *near, whole *odd) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: what is added to it is rounded to a whole number, in its low bits */
  const row turns = *x * 0.318309886183790672f, high = turns + magic;
  const row k = CHOOSE(SIZE(turns) < 4194304.0f, high - magic, turns);
  *odd = (whole)high << 31;
  *near = ((*x - k * 3.140625f) - k * 9.6750259399414062e-4f) - k * 1.5099579909783765e-7f; /* pi in three parts */
}

/* sin(x) for x in [-pi / 2, pi / 2], to 1.2e-7: the odd polynomial of least relative error. */
INLINE void NAME(sine)(const row *x, row *y) {
  const row z = *x * *x;
  const row p = ((2.60576565e-6f * z - 1.98095965e-4f) * z + 8.33306616e-3f) * z - 0.166666595f;
  *y = *x + *x * z * p;
}

/* y = grad times the slope of `kind` at x. */
INLINE void NAME(slope)(int kind, const float *numbers, const row *x, const row *grad, row *y) {
  if (kind == BW_TRAIN_WINDOW) {
    *y = CHOOSE(SIZE(*x) <= numbers[0], *grad / numbers[0], SAME(0));
  } else if (kind == BW_TRAIN_TENT) {
    const row rest = 2.0f - 2.0f * SIZE(*x);
    *y = *grad * CHOOSE(rest < 0, SAME(0), rest);
  } else { /* around the nearest zero k pi of the lower sine the ratio is (-1)^k times that around 0 */
    const row wide = *x * numbers[1];
    row near, top, bottom, lower;
    whole odd, turned;
    NAME(reduce)(&wide, &near, &odd);
    NAME(sine)(&near, &bottom);
    const row upper = near * numbers[0];
    NAME(reduce)(&upper, &lower, &turned);
    NAME(sine)(&lower, &top);
    const row flat = numbers[0] - upper * upper * (numbers[0] / 6);
    const row ratio = CHOOSE(SIZE(near) < 1e-4f, flat, (row)((whole)(top / bottom) ^ turned));
    const row slope = (row)((whole)ratio ^ odd) * (numbers[1] * 0.636619772367581343f);
    const int32_t always = numbers[2] == INFINITY ? -1 : 0; /* for nan too */
    *y = *grad * CHOOSE((SIZE(*x) <= numbers[2]) | always, slope, SAME(0));
  }
}
