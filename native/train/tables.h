/* From what gates learn to coefficients, and back from sums to gradients; compiled once for each instruction set, which
 * says how to TRANSPOSE 16 rows, to bring four numbers of 16 gates from gate after gate into rows, FOUR_ROWS, and back,
 * FOUR_EACH, and what p 2^n is, SCALED. 16 gates go through at a time, so every step is one of whole rows. Of 16 logits
 * the softmax weighs the 16 truth tables; it is worked out again on the way back, which is cheaper than memory. */

#define UNROLL _Pragma("GCC unroll 16")

/* e^x for x <= 0, within 2 units of the last place; below -87 it is e^-87. Cody-Waite reduction, Taylor-like polynomial
 * of degree 6 on [-ln2/2, ln2/2]. */
INLINE void NAME(exp_below_zero)(row *at) {
  const row zero = {0}, big = zero + 12582912.0f, x = MAX(*at, zero - 87.0f);
  row n = MULADD(x, zero + 1.44269504f, big) - big;
  row f = MULADD(n, zero + 2.12194440e-4f, MULADD(n, zero - 0.693359375f, x));
  row p = MULADD(f, zero + 1.0f / 720, zero + 1.0f / 120);
  p = MULADD(p, f, zero + 1.0f / 24);
  p = MULADD(p, f, zero + 1.0f / 6);
  p = MULADD(p, f, zero + 0.5f);
  p = MULADD(p * f, f, f + 1.0f);
  *at = SCALED(p, n);
}

/* Logits of a tile of gates, n of them there -> as rows: p [16] in proportion to the probabilities, truth tables w [4];
 * gives 1 / the sum of p. */
INLINE void NAME(softmax)(const float *logits, int64_t n, row *p, row *w, row *one) {
  if (n < TILE) memset(p, 0, sizeof(row) * 16);
  for (int64_t g = 0; g < n; g++) memcpy(&p[g], logits + 16 * g, sizeof(row));
  TRANSPOSE(p);
  row top[8], upper[4], lower[4];
  UNROLL for (int i = 0; i < 8; i++) top[i] = MAX(p[i], p[i + 8]);
  UNROLL for (int left = 4; left; left /= 2)
    UNROLL for (int i = 0; i < left; i++) top[i] = MAX(top[i], top[i + left]);
  UNROLL for (int i = 0; i < 16; i++) p[i] -= top[0], NAME(exp_below_zero)(&p[i]);
  UNROLL for (int i = 0; i < 4; i++) { /* tables with the same upper, or lower, two entries */
    upper[i] = (p[4 * i] + p[4 * i + 1]) + (p[4 * i + 2] + p[4 * i + 3]);
    lower[i] = (p[i] + p[i + 4]) + (p[i + 8] + p[i + 12]);
  }
  *one = 1.0f / ((upper[0] + upper[1]) + (upper[2] + upper[3]));
  w[0] = (upper[2] + upper[3]) * *one, w[1] = (upper[1] + upper[3]) * *one;
  w[2] = (lower[2] + lower[3]) * *one, w[3] = (lower[1] + lower[3]) * *one;
}

/* Of the tile's n gates, from `first` on. */
INLINE void NAME(coefficients_tile)(const struct bw_train_gates *gates, int64_t first, int64_t n, float *there,
                                    float *back) {
  float each[4 * TILE] __attribute__((aligned(64))) = {0};
  row p[16], w[4], one;
  if (gates->n_numbers == 16) {
    NAME(softmax)(gates->learned + 16 * first, n, p, w, &one);
  } else {
    memcpy(each, gates->learned + 4 * first, sizeof(float) * 4 * (size_t)n);
    FOUR_ROWS(each, w);
  }
  row c[4] = {w[0], w[2] - w[0], w[1] - w[0], w[3] - w[2] - w[1] + w[0]};
  FOUR_EACH(c, each);
  for (int64_t g = 0; g < n; g++) {
    memcpy(there + 4 * (int64_t)gates->there[first + g], each + 4 * g, 16);
    memcpy(back + 4 * (int64_t)gates->back[first + g], each + 4 * g, 16);
  }
}

static void NAME(coefficients)(const struct bw_train_gates *gates, float *there, float *back) {
  int64_t first = gates->begin;
  for (; first + TILE <= gates->end; first += TILE) NAME(coefficients_tile)(gates, first, TILE, there, back);
  if (first < gates->end) NAME(coefficients_tile)(gates, first, gates->end - first, there, back);
}

INLINE void NAME(learn_tile)(const struct bw_train_gates *gates, int64_t first, int64_t n, const float *sums,
                             int64_t n_sums, int64_t apart, float *grad) {
  float each[4 * TILE] __attribute__((aligned(64))) = {0};
  row s[4] = {{0}}, p[16], w[4], one;
  for (int64_t i = 0; i < n_sums; i++, sums += apart) {
    row more[4];
    for (int64_t g = 0; g < n; g++) memcpy(each + 4 * g, sums + 4 * (int64_t)gates->back[first + g], 16);
    FOUR_ROWS(each, more);
    for (int k = 0; k < 4; k++) s[k] += more[k];
  }
  row d[4] = {s[0] - s[1] - s[2] + s[3], s[2] - s[3], s[1] - s[3], s[3]};
  if (gates->n_numbers == 16) {
    NAME(softmax)(gates->learned + 16 * first, n, p, w, &one);
    row mean = w[0] * d[0] + w[1] * d[1] + w[2] * d[2] + w[3] * d[3];
    UNROLL for (int k = 0; k < 4; k++) d[k] *= one;
    mean *= one;
    row low[4] = {-mean, d[3] - mean, d[2] - mean, d[2] + d[3] - mean}, high[4] = {{0}, d[1], d[0], d[0] + d[1]};
    UNROLL for (int i = 0; i < 16; i++) p[i] *= high[i >> 2] + low[i & 3];
    TRANSPOSE(p);
    for (int64_t g = 0; g < n; g++) memcpy(grad + 16 * (first + g), &p[g], sizeof p[g]);
  } else {
    FOUR_EACH(d, each);
    memcpy(grad + 4 * first, each, sizeof(float) * 4 * (size_t)n);
  }
}

static void NAME(learn)(const struct bw_train_gates *gates, const float *sums, int64_t n_sums, int64_t apart,
                        float *grad) {
  int64_t first = gates->begin;
  for (; first + TILE <= gates->end; first += TILE) NAME(learn_tile)(gates, first, TILE, sums, n_sums, apart, grad);
  if (first < gates->end) NAME(learn_tile)(gates, first, gates->end - first, sums, n_sums, apart, grad);
}

const struct bw_train_kernels NAME(bw_train_kernels) = {
    NAME(coefficients), NAME(learn), NAME(forward), NAME(backward), NAME(pack), NAME(unpack), HAS_HALF,
};
