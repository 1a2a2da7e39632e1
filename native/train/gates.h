/* The loops of bw_train.h, compiled once for each instruction set: NAME(x) gives the function its suffix.
 * Sums over the batch run in LANES parts, so that they vectorise without changing with the instruction set. */
#include <stdint.h>
#include <string.h>

enum { LANES = 16 };

/* e^x for x <= 0, within 2 units of the last place; below -87 it is e^-87. Cody-Waite reduction, Taylor-like polynomial
 * of degree 6 on [-ln2/2, ln2/2]. */
static inline float exp_below_zero(float x) {
  x = x < -87.0f ? -87.0f : x;
  float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
  float f = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 720;
  p = p * f + 1.0f / 120;
  p = p * f + 1.0f / 24;
  p = p * f + 1.0f / 6;
  p = p * f + 0.5f;
  p = p * f * f + f + 1.0f;
  int32_t bits = ((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, 4);
  return p * power;
}

static void NAME(gates16)(const float *logits, int64_t n_gates, float *tables, float *probabilities) {
  for (int64_t g = 0; g < n_gates; g++) {
    const float *z = logits + 16 * g;
    float *p = probabilities + 16 * g, top = z[0], sum = 0, w[4] = {0, 0, 0, 0};
    for (int i = 1; i < 16; i++) top = z[i] > top ? z[i] : top;
    for (int i = 0; i < 16; i++) p[i] = exp_below_zero(z[i] - top);
    for (int i = 0; i < 16; i++) sum += p[i];
    float scale = 1.0f / sum;
    for (int i = 0; i < 16; i++) p[i] *= scale;
    for (int i = 0; i < 16; i++)
      for (int a = 0; a < 4; a++)
        if (i >> (3 - a) & 1) w[a] += p[i];
    memcpy(tables + 4 * g, w, sizeof w);
  }
}

static void NAME(gates16_back)(const float *probabilities, const float *tables, const float *grad_tables,
                               int64_t n_gates, float *grad_logits) {
  for (int64_t g = 0; g < n_gates; g++) {
    const float *p = probabilities + 16 * g, *w = tables + 4 * g, *d = grad_tables + 4 * g;
    float mean = w[0] * d[0] + w[1] * d[1] + w[2] * d[2] + w[3] * d[3];
    for (int i = 0; i < 16; i++) {
      float own = 0;
      for (int a = 0; a < 4; a++) own += i >> (3 - a) & 1 ? d[a] : 0.0f;
      grad_logits[16 * g + i] = p[i] * (own - mean);
    }
  }
}

/* Samples a pass: so many that the rows of one layer stay in a second-level cache of 1 MB. */
static inline int64_t samples_a_pass(int64_t n_in, int64_t batch) {
  int64_t fit = (1 << 18) / (n_in + 1) / LANES * LANES;
  fit = fit < 2 * LANES ? 2 * LANES : fit;
  return fit < batch ? fit : batch;
}

static void NAME(forward)(const float *x, const int32_t *wiring, const float *tables, int64_t n_in, int64_t n_gates,
                          int64_t batch, float *y) {
  int64_t pass = samples_a_pass(n_in, batch);
  for (int64_t first = 0; first < batch; first += pass) {
    int64_t end = first + pass < batch ? first + pass : batch;
    for (int64_t g = 0; g < n_gates; g++) {
      const float *restrict a = x + wiring[g] * batch, *restrict b = x + wiring[n_gates + g] * batch;
      const float *w = tables + 4 * g;
      float *restrict out = y + g * batch, c0 = w[0], ca = w[2] - w[0], cb = w[1] - w[0];
      float cab = w[3] - w[2] - w[1] + w[0];
      for (int64_t s = first; s < end; s++) out[s] = (c0 + ca * a[s]) + (cb + cab * a[s]) * b[s];
    }
  }
}

struct NAME(sums) {
  float one[LANES], a[LANES], b[LANES], ab[LANES];
};

/* `n` samples of one gate, n <= LANES: adds to the sums and, where they are wanted, to the gradients of both rows.
 * All is read before the first write: a gate may read one row twice. */
static inline void NAME(part)(const float *a, const float *b, const float *d, float *grad_a, float *grad_b, float ca,
                              float cb, float cab, int n, struct NAME(sums) * sums) {
  float to_a[LANES], to_b[LANES];
  for (int i = 0; i < n; i++) {
    float da = d[i] * a[i], db = d[i] * b[i];
    sums->one[i] += d[i];
    sums->a[i] += da;
    sums->b[i] += db;
    sums->ab[i] += da * b[i];
    to_a[i] = ca * d[i] + cab * db;
    to_b[i] = cb * d[i] + cab * da;
  }
  if (!grad_a) return;
  for (int i = 0; i < n; i++) grad_a[i] += to_a[i];
  for (int i = 0; i < n; i++) grad_b[i] += to_b[i];
}

static float NAME(total)(const float *parts) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += parts[i];
  return sum;
}

static void NAME(backward)(const float *x, const int32_t *wiring, const float *tables, const float *grad_y, int64_t n_in,
                           int64_t n_gates, int64_t batch, float *grad_tables, float *grad_x) {
  int64_t pass = samples_a_pass(2 * n_in, batch);
  memset(grad_tables, 0, sizeof(float) * 4 * (size_t)n_gates);
  if (grad_x) memset(grad_x, 0, sizeof(float) * (size_t)(n_in * batch));
  for (int64_t first = 0; first < batch; first += pass) {
    int64_t end = first + pass < batch ? first + pass : batch;
    for (int64_t g = 0; g < n_gates; g++) {
      int64_t row_a = wiring[g] * batch, row_b = wiring[n_gates + g] * batch, s = first;
      const float *w = tables + 4 * g, *d = grad_y + g * batch;
      float ca = w[2] - w[0], cb = w[1] - w[0], cab = w[3] - w[2] - w[1] + w[0], *out = grad_tables + 4 * g;
      struct NAME(sums) sums = {{0}, {0}, {0}, {0}};
      float *to_a = grad_x ? grad_x + row_a : 0, *to_b = grad_x ? grad_x + row_b : 0;
      for (; s + LANES <= end; s += LANES)
        NAME(part)(x + row_a + s, x + row_b + s, d + s, grad_x ? to_a + s : 0, grad_x ? to_b + s : 0, ca, cb, cab,
                   LANES, &sums);
      if (s < end)
        NAME(part)(x + row_a + s, x + row_b + s, d + s, grad_x ? to_a + s : 0, grad_x ? to_b + s : 0, ca, cb, cab,
                   (int)(end - s), &sums);
      float one = NAME(total)(sums.one), a = NAME(total)(sums.a), b = NAME(total)(sums.b), ab = NAME(total)(sums.ab);
      out[0] += one - a - b + ab;
      out[1] += b - ab;
      out[2] += a - ab;
      out[3] += ab;
    }
  }
}

const struct bw_train_kernels NAME(bw_train_kernels) = {
    NAME(gates16), NAME(gates16_back), NAME(forward), NAME(backward),
};
