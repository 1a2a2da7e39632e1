/* The mean of the 16 truth tables under a softmax, and its gradient; compiled once for each instruction set, which also
 * says how to TRANSPOSE 16 rows. 16 gates go through it at a time, so every step is one of whole rows. What is kept for
 * the way back is of the same kind: of each tile 16 rows of probabilities and 4 of table entries. */
enum { TILE = BW_TRAIN_LANES, KEPT_ROWS = BW_TRAIN_KEPT };

/* e^x for x <= 0, within 2 units of the last place; below -87 it is e^-87. Cody-Waite reduction, Taylor-like polynomial
 * of degree 6 on [-ln2/2, ln2/2]. */
static inline void NAME(exp_below_zero)(const row *at, row *result) {
  const row zero = {0}, big = zero + 12582912.0f;
  row x = MAX(*at, zero - 87.0f), n = MULADD(x, zero + 1.44269504f, big) - big;
  row f = MULADD(n, zero + 2.12194440e-4f, MULADD(n, zero - 0.693359375f, x));
  row p = MULADD(f, zero + 1.0f / 720, zero + 1.0f / 120);
  p = MULADD(p, f, zero + 1.0f / 24);
  p = MULADD(p, f, zero + 1.0f / 6);
  p = MULADD(p, f, zero + 0.5f);
  p = MULADD(p * f, f, f + 1.0f);
  *result = p * (row)((__builtin_convertvector(n, whole) + 127) << 23);
}

/* Up to TILE gates of `width` numbers as rows, number i of all gates being row i; missing gates are zeros. And back. */
static inline void NAME(read_tile)(const float *from, int64_t n_gates, int width, row *rows) {
  float numbers[TILE][16] __attribute__((aligned(64)));
  memset(numbers, 0, sizeof numbers);
  for (int64_t g = 0; g < n_gates; g++) memcpy(numbers[g], from + g * width, sizeof(float) * (size_t)width);
  for (int i = 0; i < 16; i++) rows[i] = *(const row *)numbers[i];
  TRANSPOSE(rows);
}

static inline void NAME(write_tile)(row *rows, int64_t n_gates, int width, float *to) {
  TRANSPOSE(rows);
  for (int64_t g = 0; g < n_gates; g++) memcpy(to + g * width, &rows[g], sizeof(float) * (size_t)width);
}

static void NAME(gates16)(const float *logits, int64_t n_gates, float *tables, float *kept) {
  for (int64_t first = 0; first < n_gates; first += TILE, kept += KEPT_ROWS * TILE) {
    int64_t n = n_gates - first < TILE ? n_gates - first : TILE;
    row p[16], w[16] = {{0}}, sum = {0};
    NAME(read_tile)(logits + 16 * first, n, 16, p);
    row top = p[0];
    for (int i = 1; i < 16; i++) top = MAX(p[i], top);
    for (int i = 0; i < 16; i++) {
      p[i] -= top;
      NAME(exp_below_zero)(&p[i], &p[i]);
      sum += p[i];
    }
    sum = 1.0f / sum;
    for (int i = 0; i < 16; i++) {
      p[i] *= sum;
      for (int bit = 0; bit < 4; bit++)
        if (i >> (3 - bit) & 1) w[bit] += p[i];
    }
    memcpy(kept, p, sizeof p);
    memcpy(kept + 16 * TILE, w, 4 * sizeof(row));
    NAME(write_tile)(w, n, 4, tables + 4 * first);
  }
}

static void NAME(gates16_back)(const float *kept, const float *grad_tables, int64_t n_gates, float *grad_logits) {
  for (int64_t first = 0; first < n_gates; first += TILE, kept += KEPT_ROWS * TILE) {
    int64_t n = n_gates - first < TILE ? n_gates - first : TILE;
    row p[16], w[4], d[16];
    memcpy(p, kept, sizeof p);
    memcpy(w, kept + 16 * TILE, sizeof w);
    NAME(read_tile)(grad_tables + 4 * first, n, 4, d);
    row mean = w[0] * d[0] + w[1] * d[1] + w[2] * d[2] + w[3] * d[3], none = {0};
    row low[4] = {-mean, d[3] - mean, d[2] - mean, d[2] + d[3] - mean}, high[4] = {none, d[1], d[0], d[0] + d[1]};
    for (int i = 0; i < 16; i++) p[i] *= high[i >> 2] + low[i & 3];
    NAME(write_tile)(p, n, 16, grad_logits + 16 * first);
  }
}

const struct bw_train_kernels NAME(bw_train_kernels) = {
    NAME(gates16), NAME(gates16_back), NAME(forward), NAME(backward), HAS_HALF,
};
