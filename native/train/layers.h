/* The loops over one layer and one block, compiled once for each instruction set, which says what NAME, SAME (a
 * number in all lanes), MULADD (a b + c) and SUM4 (sums of four rows, added to four numbers) are, and how rows of
 * halves are read and written: HALF_GET, HALF_PUT, GRAD_GET, GRAD_PUT. Rows are vectors of the compiler; a row of
 * halves is two of them. */
#include <string.h>

typedef float row __attribute__((vector_size(64)));
typedef int32_t whole __attribute__((vector_size(64)));
enum { NEAR = 16, FAR = 32 }; /* gates that rows are asked for ahead: from the core's own caches, and from beyond */
#define INLINE static inline __attribute__((always_inline))
#define ROW(at, i) ((char *)(at) + (int64_t)(i) * ROW_BYTES)

INLINE void NAME(get)(const void *at, int half, row *to) {
  if (half)
    HALF_GET(at, to);
  else
    to[0] = *(const row *)at;
}

INLINE void NAME(put)(const row *from, int half, void *at) {
  if (half)
    HALF_PUT(from, at);
  else
    *(row *)at = from[0];
}

INLINE void NAME(get_grad)(const void *at, int half, row *to) {
  if (half)
    GRAD_GET(at, to);
  else
    to[0] = *(const row *)at;
}

INLINE void NAME(put_grad)(const row *from, int half, void *at) {
  if (half)
    GRAD_PUT(from, at);
  else
    *(row *)at = from[0];
}

INLINE void NAME(gate)(const float *c, const row *a, const row *b, int half, row *y) {
  for (int v = 0; v < 1 + half; v++)
    y[v] = MULADD(MULADD(SAME(c[3]), a[v], SAME(c[2])), b[v], MULADD(SAME(c[1]), a[v], SAME(c[0])));
}

INLINE void NAME(forward_loop)(const struct bw_train_layer *layer, const void *x, void *y, int half) {
  const int32_t *at_a = layer->a, *at_b = layer->b;
  const float *c = layer->coefficients;
  const int64_t n_gates = layer->n_gates;
  for (int64_t g = 0; g < n_gates; g++, c += 4) {
    row a[2], b[2], result[2];
    int64_t near = g + NEAR < n_gates ? g + NEAR : g;
    __builtin_prefetch(ROW(x, at_a[near])), __builtin_prefetch(ROW(x, at_b[near]));
    __builtin_prefetch(ROW(y, g + FAR), 1);
    NAME(get)(ROW(x, at_a[g]), half, a), NAME(get)(ROW(x, at_b[g]), half, b);
    NAME(gate)(c, a, b, half, result);
    NAME(put)(result, half, ROW(y, g));
  }
}

INLINE void NAME(adding_loop)(const struct bw_train_layer *layer, const void *x, void *y, int half) {
  const int32_t *at_a = layer->a, *at_b = layer->b, *at_y = layer->out;
  const float *c = layer->coefficients;
  for (int64_t g = 0; g < layer->n_gates;) {
    const int32_t group = at_y[g];
    row *sums = (row *)y + group * (1 + half), sum[2] = {sums[0], half ? sums[1] : sums[0]};
    for (; g < layer->n_gates && at_y[g] == group; g++, c += 4) {
      row a[2], b[2], result[2];
      NAME(get)(ROW(x, at_a[g]), half, a), NAME(get)(ROW(x, at_b[g]), half, b);
      NAME(gate)(c, a, b, half, result);
      for (int v = 0; v < 1 + half; v++) sum[v] += result[v];
    }
    for (int v = 0; v < 1 + half; v++) sums[v] = sum[v];
  }
}

static void NAME(forward)(const struct bw_train_layer *layer, const void *x, void *y) {
  if (HAS_HALF && layer->half && layer->adds)
    NAME(adding_loop)(layer, x, y, HAS_HALF);
  else if (HAS_HALF && layer->half)
    NAME(forward_loop)(layer, x, y, HAS_HALF);
  else if (layer->adds)
    NAME(adding_loop)(layer, x, y, 0);
  else
    NAME(forward_loop)(layer, x, y, 0);
}

/* gradients[i] += first * d + second * e. */
INLINE void NAME(add_grad)(void *gradients, int64_t i, float first, const row *d, float second, const row *e,
                           int half) {
  row sum[2];
  int64_t fresh = i >> 63, to = i ^ fresh; /* ~i says that nothing is there; row 0 is zeros */
  NAME(get_grad)(ROW(gradients, to & ~fresh), half, sum);
  for (int v = 0; v < 1 + half; v++) sum[v] = MULADD(SAME(second), e[v], MULADD(SAME(first), d[v], sum[v]));
  NAME(put_grad)(sum, half, ROW(gradients, to));
}

INLINE void NAME(backward_loop)(const struct bw_train_layer_back *layer, const void *x, void *gradients, float *sums,
                                int to_x, int half) {
  const int32_t *a_of = layer->a, *b_of = layer->b, *d_of = layer->d, *da_of = layer->da, *db_of = layer->db;
  const float *c = layer->coefficients;
  const int64_t n_gates = layer->n_gates;
  for (int64_t g = 0; g < n_gates; g++, c += 4, sums += 4) {
    row a[2], b[2], d[2], da[2], db[2], dab[2];
    int64_t near = g + NEAR < n_gates ? g + NEAR : g, far = g + FAR < n_gates ? g + FAR : g;
    __builtin_prefetch(ROW(gradients, d_of[near]));
    __builtin_prefetch(ROW(x, a_of[far])), __builtin_prefetch(ROW(x, b_of[far]));
    __builtin_prefetch(c + 4 * FAR), __builtin_prefetch(sums + 4 * FAR, 1);
    NAME(get)(ROW(x, a_of[g]), half, a), NAME(get)(ROW(x, b_of[g]), half, b);
    NAME(get_grad)(ROW(gradients, d_of[g]), half, d);
    for (int v = 0; v < 1 + half; v++) da[v] = d[v] * a[v], db[v] = d[v] * b[v], dab[v] = da[v] * b[v];
    if (half)
      SUM4(d[0] + d[1], da[0] + da[1], db[0] + db[1], dab[0] + dab[1], sums);
    else
      SUM4(d[0], da[0], db[0], dab[0], sums);
    if (!to_x) continue;
    NAME(add_grad)(gradients, da_of[g], c[1], d, c[3], db, half);
    NAME(add_grad)(gradients, db_of[g], c[2], d, c[3], da, half);
  }
}

static void NAME(backward)(const struct bw_train_layer_back *layer, const void *x, void *gradients, float *sums,
                           int to_x) {
  if (HAS_HALF && layer->half && to_x)
    NAME(backward_loop)(layer, x, gradients, sums, 1, HAS_HALF);
  else if (HAS_HALF && layer->half)
    NAME(backward_loop)(layer, x, gradients, sums, 0, HAS_HALF);
  else
    NAME(backward_loop)(layer, x, gradients, sums, to_x, 0);
}
