/* The loops over one layer and one block, compiled once for each instruction set, which says what NAME, SAME (a
 * number in all lanes), MULADD (a b + c), KEPT (a row, or zeros), MAX and SUM4 (sums of four rows, added to four
 * numbers) are, and reads and writes half rows: VALUE_GET, VALUE_SET, GRAD_KEPT, GRAD_SET. Rows are vectors of the
 * compiler. */
#include <string.h>

typedef float row __attribute__((vector_size(64)));
typedef int32_t whole __attribute__((vector_size(64)));
enum { AHEAD = 12 };
#define LOOP static inline __attribute__((always_inline)) void

#define GET(at, i, half) ((half) ? VALUE_GET(at, i) : ((const row *)(at))[i])
#define GET_GRAD(at, i, half) ((half) ? GRAD_KEPT(1, at, i) : ((const row *)(at))[i])

LOOP NAME(forward_loop)(const struct bw_train_layer *layer, const void *x, int half_x, void *y, int half_y, int adds) {
  const int32_t *at_a = layer->a, *at_b = layer->b, *at_y = layer->out;
  const float *c = layer->coefficients;
  const int64_t n_gates = layer->n_gates;
  for (int64_t g = 0; g < n_gates; g++, c += 4) {
    row a = GET(x, at_a[g], half_x), b = GET(x, at_b[g], half_x);
    row slope = MULADD(SAME(c[3]), a, SAME(c[2])), y_of_a = MULADD(SAME(c[1]), a, SAME(c[0]));
    row result = MULADD(slope, b, y_of_a);
    if (half_y)
      VALUE_SET(y, at_y[g], result);
    else if (adds)
      ((row *)y)[at_y[g]] += result;
    else
      ((row *)y)[at_y[g]] = result;
  }
}

static void NAME(forward)(const struct bw_train_layer *layer, const void *x, void *y) {
  if (layer->half_in && layer->half_out)
    NAME(forward_loop)(layer, x, 1, y, 1, 0);
  else if (layer->half_in)
    NAME(forward_loop)(layer, x, 1, y, 0, layer->adds);
  else if (layer->half_out)
    NAME(forward_loop)(layer, x, 0, y, 1, 0);
  else
    NAME(forward_loop)(layer, x, 0, y, 0, layer->adds);
}

#define ADD_GRAD(i, gradient)                                    \
  do {                                                           \
    row more = (gradient);                                       \
    int old = (i) < fresh;                                       \
    fresh += !old;                                               \
    if (half_in)                                                 \
      GRAD_SET(grad_x, i, GRAD_KEPT(old, grad_x, i) + more);     \
    else                                                         \
      ((row *)grad_x)[i] = KEPT(old, (row *)grad_x + (i)) + more; \
  } while (0)

LOOP NAME(backward_loop)(const struct bw_train_layer *layer, const void *x, const void *grad_y, int64_t n_in,
                         float *sums, void *grad_x, int half_in, int half_out) {
  const int32_t *a_of = layer->a, *b_of = layer->b, *y_of = layer->out;
  const float *c = layer->coefficients;
  const int64_t n_gates = layer->n_gates, size = half_out ? 32 : 64;
  int64_t fresh = 0; /* rows from here on hold nothing yet */
  for (int64_t g = 0; g < n_gates; g++, c += 4, sums += 4) {
    int64_t at_a = a_of[g], at_b = b_of[g], ahead = y_of[g + AHEAD < n_gates ? g + AHEAD : g];
    row a = GET(x, at_a, half_in), b = GET(x, at_b, half_in), d = GET_GRAD(grad_y, y_of[g], half_out);
    __builtin_prefetch((const char *)grad_y + ahead * size); /* the one row not near the last */
    row da = d * a, db = d * b, dab = da * b;
    SUM4(d, da, db, dab, sums);
    if (!grad_x) continue;
    ADD_GRAD(at_a, MULADD(SAME(c[3]), db, SAME(c[1]) * d));
    ADD_GRAD(at_b, MULADD(SAME(c[3]), da, SAME(c[2]) * d));
  }
  int64_t in_size = half_in ? 32 : 64;
  if (grad_x && fresh < n_in) memset((char *)grad_x + fresh * in_size, 0, (size_t)((n_in - fresh) * in_size));
}

static void NAME(backward)(const struct bw_train_layer *layer, const void *x, const void *grad_y, int64_t n_in,
                           float *sums, void *grad_x) {
  if (layer->half_in && layer->half_out)
    NAME(backward_loop)(layer, x, grad_y, n_in, sums, grad_x, 1, 1);
  else if (layer->half_in)
    NAME(backward_loop)(layer, x, grad_y, n_in, sums, grad_x, 1, 0);
  else if (layer->half_out)
    NAME(backward_loop)(layer, x, grad_y, n_in, sums, grad_x, 0, 1);
  else
    NAME(backward_loop)(layer, x, grad_y, n_in, sums, grad_x, 0, 0);
}
