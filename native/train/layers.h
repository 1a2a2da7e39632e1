/* The loops over one layer and one block, compiled once for each instruction set, which says what NAME, SAME (a
 * number in all lanes), MULADD (a b + c), KEPT (a row, or zeros), MAX and SUM4 (sums of four rows, added to four
 * numbers) are. Rows are vectors of the compiler. */
#include <string.h>

typedef float row __attribute__((vector_size(64)));
typedef int32_t whole __attribute__((vector_size(64)));
enum { AHEAD = 12 };

static void NAME(forward)(const struct bw_train_layer *layer, const float *x, float *y) {
  const row *in = (const row *)x;
  row *out = (row *)y;
  const int32_t *at_a = layer->a, *at_b = layer->b, *at_y = layer->out;
  const float *c = layer->coefficients;
  const int64_t n_gates = layer->n_gates;
  for (int64_t g = 0; g < n_gates; g++, c += 4) {
    row a = in[at_a[g]], b = in[at_b[g]];
    row slope = MULADD(SAME(c[3]), a, SAME(c[2])), y_of_a = MULADD(SAME(c[1]), a, SAME(c[0]));
    if (layer->adds)
      out[at_y[g]] += MULADD(slope, b, y_of_a);
    else
      out[at_y[g]] = MULADD(slope, b, y_of_a);
  }
}

static void NAME(backward)(const struct bw_train_layer *layer, const float *x, const float *grad_y, int64_t n_in,
                           float *sums, float *grad_x) {
  const row *in = (const row *)x, *from = (const row *)grad_y;
  row *to = (row *)grad_x;
  const int32_t *a_of = layer->a, *b_of = layer->b, *y_of = layer->out;
  const float *c = layer->coefficients;
  const int64_t n_gates = layer->n_gates;
  int64_t fresh = 0; /* rows from here on hold nothing yet */
  for (int64_t g = 0; g < n_gates; g++, c += 4, sums += 4) {
    int64_t at_a = a_of[g], at_b = b_of[g];
    row a = in[at_a], b = in[at_b], d = from[y_of[g]];
    __builtin_prefetch(from + y_of[g + AHEAD < n_gates ? g + AHEAD : g]); /* the one row not near the last */
    row da = d * a, db = d * b, dab = da * b;
    SUM4(d, da, db, dab, sums);
    if (!to) continue;
    int old = at_a < fresh;
    fresh += !old;
    to[at_a] = KEPT(old, to + at_a) + MULADD(SAME(c[3]), db, SAME(c[1]) * d);
    old = at_b < fresh;
    fresh += !old;
    to[at_b] = KEPT(old, to + at_b) + MULADD(SAME(c[3]), da, SAME(c[2]) * d);
  }
  if (to && fresh < n_in) memset(to + fresh, 0, sizeof(row) * (size_t)(n_in - fresh));
}
