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

static void NAME(forward)(const float *x, const int32_t *wiring, const float *tables, int64_t n_gates, int64_t batch,
                          float *y) {
  for (int64_t g = 0; g < n_gates; g++) {
    const float *restrict a = x + wiring[g] * batch, *restrict b = x + wiring[n_gates + g] * batch, *w = tables + 4 * g;
    float *restrict out = y + g * batch, c0 = w[0], ca = w[2] - w[0], cb = w[1] - w[0], cab = w[3] - w[2] - w[1] + w[0];
    for (int64_t s = 0; s < batch; s++) out[s] = (c0 + ca * a[s]) + (cb + cab * a[s]) * b[s];
  }
}

static float NAME(total)(const float *parts) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += parts[i];
  return sum;
}

static void NAME(table_sums)(const float *x, const int32_t *wiring, const float *grad_y, int64_t n_gates,
                             int64_t batch, float *grad_tables) {
  for (int64_t g = 0; g < n_gates; g++) {
    const float *restrict a = x + wiring[g] * batch, *restrict b = x + wiring[n_gates + g] * batch;
    const float *restrict d = grad_y + g * batch;
    float s0[LANES] = {0}, sa[LANES] = {0}, sb[LANES] = {0}, sab[LANES] = {0};
    int64_t s = 0;
    for (; s + LANES <= batch; s += LANES)
      for (int i = 0; i < LANES; i++) {
        float da = d[s + i] * a[s + i];
        s0[i] += d[s + i];
        sa[i] += da;
        sb[i] += d[s + i] * b[s + i];
        sab[i] += da * b[s + i];
      }
    for (int i = 0; s < batch; s++, i++) {
      float da = d[s] * a[s];
      s0[i] += d[s];
      sa[i] += da;
      sb[i] += d[s] * b[s];
      sab[i] += da * b[s];
    }
    float t0 = NAME(total)(s0), ta = NAME(total)(sa), tb = NAME(total)(sb), tab = NAME(total)(sab);
    float *out = grad_tables + 4 * g;
    out[0] = t0 - ta - tb + tab;
    out[1] = tb - tab;
    out[2] = ta - tab;
    out[3] = tab;
  }
}

static void NAME(input_sums)(const float *x, const int32_t *wiring, const float *tables, const float *grad_y,
                             const int32_t *order, const int32_t *offsets, int64_t n_in, int64_t n_gates,
                             int64_t batch, float *grad_x) {
  for (int64_t f = 0; f < n_in; f++) {
    float *restrict out = grad_x + f * batch;
    memset(out, 0, sizeof(float) * (size_t)batch);
    for (int64_t r = offsets[f]; r < offsets[f + 1]; r++) {
      int64_t connection = order[r], second = connection >= n_gates, g = connection - (second ? n_gates : 0);
      const float *w = tables + 4 * g, *restrict d = grad_y + g * batch;
      const float *restrict other = x + wiring[second ? g : n_gates + g] * batch;
      float base = (second ? w[1] : w[2]) - w[0], cab = w[3] - w[2] - w[1] + w[0];
      for (int64_t s = 0; s < batch; s++) out[s] += d[s] * (base + cab * other[s]);
    }
  }
}

const struct bw_train_kernels NAME(bw_train_kernels) = {
    NAME(gates16), NAME(gates16_back), NAME(forward), NAME(table_sums), NAME(input_sums),
};
