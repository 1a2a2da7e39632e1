/* From what gates learn to coefficients, and back from sums to gradients; compiled once for each instruction set, which
 * says how to TRANSPOSE 16 rows, and to bring four numbers of 16 gates from gate after gate into rows, FOUR_ROWS, and
 * back, FOUR_EACH. 16 gates go through at a time, so every step is one of whole rows. Of 16 logits the softmax weighs
 * the 16 truth tables; it is worked out again on the way back, which is cheaper than memory. */

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
  *at = p * (row)((__builtin_convertvector(n, whole) + 127) << 23);
}

/* Logits of a tile of gates, n of them there -> probabilities p [16] and truth tables w [4], as rows. */
INLINE void NAME(softmax)(const float *logits, int64_t n, row *p, row *w) {
  if (n < TILE) memset(p, 0, sizeof(row) * 16);
  for (int64_t g = 0; g < n; g++) memcpy(&p[g], logits + 16 * g, sizeof(row));
  TRANSPOSE(p);
  row top = p[0], sum = {0};
  for (int i = 1; i < 16; i++) top = MAX(p[i], top);
  UNROLL for (int i = 0; i < 16; i++) p[i] -= top, NAME(exp_below_zero)(&p[i]), sum += p[i];
  sum = 1.0f / sum;
  for (int bit = 0; bit < 4; bit++) w[bit] = (row){0};
  UNROLL for (int i = 0; i < 16; i++) {
    p[i] *= sum;
    UNROLL for (int bit = 0; bit < 4; bit++)
      if (i >> (3 - bit) & 1) w[bit] += p[i];
  }
}

/* Of the tile's n gates, from `first` on. */
INLINE void NAME(coefficients_tile)(const struct bw_train_gates *gates, int64_t first, int64_t n, float *there,
                                    float *back) {
  float each[4 * TILE] __attribute__((aligned(64))) = {0};
  row p[16], w[4];
  if (gates->n_numbers == 16) {
    NAME(softmax)(gates->learned + 16 * first, n, p, w);
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
  row s[4] = {{0}}, p[16], w[4];
  for (int64_t i = 0; i < n_sums; i++, sums += apart) {
    row more[4];
    for (int64_t g = 0; g < n; g++) memcpy(each + 4 * g, sums + 4 * (int64_t)gates->back[first + g], 16);
    FOUR_ROWS(each, more);
    for (int k = 0; k < 4; k++) s[k] += more[k];
  }
  row d[4] = {s[0] - s[1] - s[2] + s[3], s[2] - s[3], s[1] - s[3], s[3]};
  if (gates->n_numbers == 16) {
    NAME(softmax)(gates->learned + 16 * first, n, p, w);
    row mean = w[0] * d[0] + w[1] * d[1] + w[2] * d[2] + w[3] * d[3], none = {0};
    row low[4] = {-mean, d[3] - mean, d[2] - mean, d[2] + d[3] - mean}, high[4] = {none, d[1], d[0], d[0] + d[1]};
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
