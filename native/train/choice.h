/* Gates whose connections choose: the loops, compiled once for each instruction set. Rows are vectors of the compiler.
 * A gate reads two mixtures, a and b, of its candidates; on the way back both are mixed again, and what they read is
 * then near at hand. */
#include <string.h>

#include "choice_loops.h"
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

typedef float row __attribute__((vector_size(4 * BW_TRAIN_LANES)));
typedef int32_t whole __attribute__((vector_size(4 * BW_TRAIN_LANES)));
#if defined(__AVX512F__)
enum { AT_ONCE = 8 }; /* rows of a mixture kept in registers */
#else
enum { AT_ONCE = 2 };
#endif

#define LOOP static inline __attribute__((always_inline)) void

/* ADD_BITS: sum + value where the bits of a row say so. totals: of 16 rows. */
#if defined(__AVX512F__)
#define ADD_BITS(sum, bits, value) ((row)_mm512_mask_add_ps((__m512)(sum), bits, (__m512)(sum), (__m512)(value)))

static void NAME(totals)(const row *rows, float *to) { /* sums of neighbours, four times */
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  __m512 s[BW_TRAIN_LANES];
  for (int i = 0; i < BW_TRAIN_LANES; i++) s[i] = (__m512)rows[i];
  for (int n = BW_TRAIN_LANES / 2; n; n /= 2)
    for (int i = 0; i < n; i++) {
      __m512 a = s[2 * i], b = s[2 * i + 1];
      s[i] = _mm512_add_ps(_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b));
    }
  _mm512_storeu_ps(to, s[0]);
}
#else
static const whole lane_bit = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
#define ADD_BITS(sum, bits, value) ((sum) + (row)((whole)(value) & (((((whole){0} + (bits)) & lane_bit)) != 0)))

static void NAME(totals)(const row *rows, float *to) {
  for (int i = 0; i < BW_TRAIN_LANES; i++) {
    to[i] = 0;
    for (int lane = 0; lane < BW_TRAIN_LANES; lane++) to[i] += rows[i][lane];
  }
}
#endif

/* sum + value * x, row `at` of signals that are bits, 16 a number, or floats. */
#define ADD_X(sum, at, value, bits) \
  ((bits) ? ADD_BITS(sum, ((const uint16_t *)x)[at], value) : (sum) + (value) * ((const row *)x)[at])

LOOP NAME(mix)(const struct bw_train_choice *choice, const int32_t *from, const float *weights, const void *x,
               int64_t first, int n, int bits, row *sums) {
  for (int r = 0; r < n; r++) sums[r] = (row){0};
  for (int64_t j = 0; j < choice->n_candidates; j++) {
    const int64_t at = from[j] * choice->n_rows + first;
    const row weight = (row){0} + weights[j * 2 * choice->n_gates];
    for (int r = 0; r < n; r++) sums[r] = ADD_X(sums[r], at + r, weight, bits);
  }
}

/* The candidates and weights of one gate, and its coefficients. */
struct NAME(gate) {
  const int32_t *from[2];
  const float *weights[2];
  float c0, ca, cb, cab;
};

static inline struct NAME(gate) NAME(gate_of)(const struct bw_train_choice *choice, const float *weights,
                                              const float *tables, int64_t g) {
  const int64_t k = choice->n_candidates, a = g * k, b = (choice->n_gates + g) * k;
  const float *w = tables + 4 * g;
  return (struct NAME(gate)){{choice->candidates + a, choice->candidates + b}, {weights + g, weights + choice->n_gates + g},
                             w[0], w[2] - w[0], w[1] - w[0], w[3] - w[2] - w[1] + w[0]};
}

LOOP NAME(forward_part)(const struct bw_train_choice *choice, const struct NAME(gate) *gate, const void *x,
                        int64_t first, int n, int bits, row *y) {
  row a[AT_ONCE], b[AT_ONCE];
  NAME(mix)(choice, gate->from[0], gate->weights[0], x, first, n, bits, a);
  NAME(mix)(choice, gate->from[1], gate->weights[1], x, first, n, bits, b);
  for (int r = 0; r < n; r++) y[first + r] = gate->c0 + gate->ca * a[r] + (gate->cb + gate->cab * a[r]) * b[r];
}

LOOP NAME(dots)(const struct bw_train_choice *choice, const struct NAME(gate) *gate, int side, const void *x,
                int64_t first, int n, int bits, const row *d, row *sums, row *grad_x) {
  for (int64_t j = 0; j < choice->n_candidates; j++) {
    const int64_t at = gate->from[side][j] * choice->n_rows + first;
    row sum = sums[j];
    for (int r = 0; r < n; r++) sum = ADD_X(sum, at + r, d[r], bits);
    sums[j] = sum;
    if (!grad_x) continue;
    for (int r = 0; r < n; r++) grad_x[at + r] += gate->weights[side][j * 2 * choice->n_gates] * d[r];
  }
}

/* sums: of d, d a, d b, d ab, then for every candidate of a and of b. */
LOOP NAME(backward_part)(const struct bw_train_choice *choice, const struct NAME(gate) *gate, const void *x,
                         int64_t first, int n, int bits, const row *d, row *sums, row *grad_x) {
  row a[AT_ONCE], b[AT_ONCE];
  NAME(mix)(choice, gate->from[0], gate->weights[0], x, first, n, bits, a);
  NAME(mix)(choice, gate->from[1], gate->weights[1], x, first, n, bits, b);
  d += first;
  for (int r = 0; r < n; r++) {
    row to_a = d[r] * (gate->ca + gate->cab * b[r]), to_b = d[r] * (gate->cb + gate->cab * a[r]);
    sums[0] += d[r], sums[1] += d[r] * a[r], sums[2] += d[r] * b[r], sums[3] += d[r] * a[r] * b[r];
    a[r] = to_a, b[r] = to_b;
  }
  NAME(dots)(choice, gate, 0, x, first, n, bits, a, sums + 4, grad_x);
  NAME(dots)(choice, gate, 1, x, first, n, bits, b, sums + 4 + choice->n_candidates, grad_x);
}

/* part(n) with n a constant, for all rows, AT_ONCE at a time; `first` is where each begins. */
#if defined(__AVX512F__)
#define MORE_ROWS(part)     \
  case 2: part(2); break;   \
  case 3: part(3); break;   \
  case 4: part(4); break;   \
  case 5: part(5); break;   \
  case 6: part(6); break;   \
  case 7: part(7); break;
#else
#define MORE_ROWS(part)
#endif
#define ALL_ROWS(part)                                              \
  for (int64_t first = 0; first < choice->n_rows; first += AT_ONCE) \
    switch (choice->n_rows - first) {                               \
      case 1: part(1); break;                                       \
      MORE_ROWS(part)                                               \
      default: part(AT_ONCE);                                       \
    }

LOOP NAME(choose_all)(const struct bw_train_choice *choice, const float *weights, const float *tables, const void *x,
                      int bits, float *y) {
  for (int64_t g = 0; g < choice->n_gates; g++) {
    const struct NAME(gate) gate = NAME(gate_of)(choice, weights, tables, g);
    row *to = (row *)y + g * choice->n_rows;
#define PART(n) NAME(forward_part)(choice, &gate, x, first, n, bits, to)
    ALL_ROWS(PART)
#undef PART
  }
}

LOOP NAME(back_all)(const struct bw_train_choice *choice, const float *weights, const float *tables, const void *x,
                    int bits, const float *grad_y, float *grad_weights, float *grad_tables, float *grad_x) {
  const int64_t k = choice->n_candidates, n_sums = 4 + 2 * k;
  for (int64_t g = 0; g < choice->n_gates; g++) {
    const struct NAME(gate) gate = NAME(gate_of)(choice, weights, tables, g);
    const row *d = (const row *)grad_y + g * choice->n_rows;
    row sums[4 + 2 * BW_TRAIN_CANDIDATES + BW_TRAIN_LANES];
    memset(sums, 0, sizeof(row) * (size_t)(n_sums + BW_TRAIN_LANES));
#define PART(n) NAME(backward_part)(choice, &gate, x, first, n, bits, d, sums, (row *)grad_x)
    ALL_ROWS(PART)
#undef PART
    float s[4 + 2 * BW_TRAIN_CANDIDATES + BW_TRAIN_LANES], *table = grad_tables + 4 * g;
    for (int64_t i = 0; i < n_sums; i += BW_TRAIN_LANES) NAME(totals)(sums + i, s + i);
    table[0] = s[0] - s[1] - s[2] + s[3], table[1] = s[2] - s[3], table[2] = s[1] - s[3], table[3] = s[3];
    for (int side = 0; side < 2; side++)
      for (int64_t j = 0; j < k; j++) grad_weights[(2 * j + side) * choice->n_gates + g] = s[4 + side * k + j];
  }
}

static void NAME(choose)(const struct bw_train_choice *choice, const float *weights, const float *tables,
                         const void *x, float *y) {
  if (choice->bits)
    NAME(choose_all)(choice, weights, tables, x, 1, y);
  else
    NAME(choose_all)(choice, weights, tables, x, 0, y);
}

static void NAME(choose_back)(const struct bw_train_choice *choice, const float *weights, const float *tables,
                              const void *x, const float *grad_y, float *grad_weights, float *grad_tables,
                              float *grad_x) {
  if (choice->bits)
    NAME(back_all)(choice, weights, tables, x, 1, grad_y, grad_weights, grad_tables, 0);
  else if (grad_x)
    NAME(back_all)(choice, weights, tables, x, 0, grad_y, grad_weights, grad_tables, grad_x);
  else
    NAME(back_all)(choice, weights, tables, x, 0, grad_y, grad_weights, grad_tables, 0);
}

/* Signals one after another in memory take the first way, where the compiler makes vectors. */
static int NAME(read_bits)(const struct bw_train_array *x, int64_t batch, int64_t n, uint16_t *bits) {
  enum { ONE = 0x3f800000, TILE = 256 };
  const int64_t n_rows = (batch + BW_TRAIN_LANES - 1) / BW_TRAIN_LANES;
  uint32_t wrong = 0;
  for (int64_t r = 0; r < n_rows; r++)
    for (int64_t first = 0; first < n; first += TILE) {
      uint32_t found[TILE] = {0};
      const int64_t many = n - first < TILE ? n - first : TILE;
      for (int s = 0; s < BW_TRAIN_LANES && r * BW_TRAIN_LANES + s < batch; s++) {
        const float *at = x->at + (r * BW_TRAIN_LANES + s) * x->to_sample + first * x->to_feature;
        for (int64_t i = 0; i < many; i++) {
          uint32_t word;
          memcpy(&word, at + (x->to_feature == 1 ? i : i * x->to_feature), sizeof word);
          wrong |= (word != 0) & (word != ONE);
          found[i] |= (uint32_t)(word != 0) << s;
        }
      }
      for (int64_t i = 0; i < many; i++) bits[(first + i) * n_rows + r] = (uint16_t)found[i];
    }
  return !wrong;
}

const struct bw_train_choice_loops NAME(bw_train_choice_loops) = {NAME(choose), NAME(choose_back), NAME(read_bits)};
