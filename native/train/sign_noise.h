/* FDA's noise module, row by row, compiled once for each instruction set. Back, the hidden numbers are worked out again:
 * a row of x is at hand, and nothing need be kept. */

/* The products of a row of numbers with `width` rows. */
INLINE void NAME(products)(const float *x, const float *rows, int64_t n_features, int64_t width, float *to) {
  for (int64_t k = 0; k < width; k++) {
    row sum = {0};
    FEATURES(f, n_features) {
      row a = {0}, b = {0};
      NAME(get)(x + f, n_features - f, &a);
      NAME(get)(rows + k * n_features + f, n_features - f, &b);
      sum += a * b;
    }
    to[k] = NAME(total)(&sum);
  }
}

INLINE void NAME(there)(const struct bw_train_noise *noise, int64_t n_features, int64_t width, int64_t first,
                        int64_t end) {
  for (int64_t r = first; r < end; r++) {
    const float *x = noise->pass.x + r * n_features;
    float hidden[BW_TRAIN_WIDTH];
    NAME(products)(x, noise->down, n_features, width, hidden);
    for (int64_t k = 0; k < width; k++) hidden[k] = hidden[k] < 0 ? 0 : hidden[k];
    FEATURES(f, n_features) {
      const int64_t n = n_features - f;
      row t = {0}, e = {0}, near, up = {0};
      whole odd;
      NAME(get)(x + f, n, &t);
      for (int64_t k = 0; k < width; k++) {
        NAME(get)(noise->up + k * n_features + f, n, &up);
        e += up * hidden[k];
      }
      if (noise->shortcut == 1) e += t * noise->a;
      if (noise->shortcut == 2) {
        row sine;
        NAME(reduce)(&t, &near, &odd);
        NAME(sine)(&near, &sine);
        e += (row)((whole)sine ^ odd) * noise->a;
      }
      const row y = SIGN(t) + e * noise->alpha;
      NAME(put)(&y, n, noise->pass.y + r * n_features + f);
    }
  }
}

INLINE void NAME(back)(const struct bw_train_noise *noise, int kind, int64_t n_features, int64_t width, int64_t first,
                       int64_t end, float *sums) {
  float numbers[3] = {0};
  for (int i = 0; i < (kind == BW_TRAIN_TENT ? 0 : kind == BW_TRAIN_WINDOW ? 1 : 3); i++)
    numbers[i] = (float)noise->pass.numbers[i];
  float *to_down = sums, *to_up = sums + width * n_features;
  memset(sums, 0, sizeof *sums * 2 * (size_t)(width * n_features));
  for (int64_t r = first; r < end; r++) {
    const float *x = noise->pass.x + r * n_features, *grad = noise->pass.grad + r * n_features;
    float hidden[BW_TRAIN_WIDTH], back[BW_TRAIN_WIDTH];
    NAME(products)(x, noise->down, n_features, width, hidden);
    NAME(products)(grad, noise->up, n_features, width, back);
    for (int64_t k = 0; k < width; k++) {
      back[k] = hidden[k] <= 0 ? 0 : back[k] * noise->alpha;
      hidden[k] = hidden[k] < 0 ? 0 : hidden[k] * noise->alpha;
    }
    FEATURES(f, n_features) {
      const int64_t n = n_features - f;
      row t = {0}, g = {0}, y, sum = {0}, down = {0};
      NAME(get)(x + f, n, &t);
      NAME(get)(grad + f, n, &g);
      NAME(slope)(kind, numbers, &t, &g, &y);
      for (int64_t k = 0; k < width; k++) {
        const int64_t at = k * n_features + f;
        NAME(get)(noise->down + at, n, &down);
        y += down * back[k];
        NAME(get)(to_down + at, n, &sum);
        sum += t * back[k];
        NAME(put)(&sum, n, to_down + at);
        NAME(get)(to_up + at, n, &sum);
        sum += g * hidden[k];
        NAME(put)(&sum, n, to_up + at);
      }
      if (noise->shortcut == 1) y += g * (noise->a * noise->alpha);
      if (noise->shortcut == 2) { /* cos(near) = sin(pi / 2 - |near|) */
        row near, cosine;
        whole odd;
        NAME(reduce)(&t, &near, &odd);
        near = 1.57079632679489662f - SIZE(near);
        NAME(sine)(&near, &cosine);
        y += g * (row)((whole)cosine ^ odd) * (noise->a * noise->alpha);
      }
      NAME(put)(&y, n, noise->pass.y + r * n_features + f);
    }
  }
}

/* Narrow rows, as a ResNet-20 has, in loops of their own, without tails. */
#define SHAPES(call)                                                                     \
  if (width == 1 && n_features == 16) { call(16, 1); }                                   \
  else if (width == 1 && n_features == 32) { call(32, 1); }                              \
  else if (width == 1 && n_features == 64) { call(64, 1); }                              \
  else { call(n_features, width); }

static void NAME(noise)(const struct bw_train_noise *noise, int64_t first, int64_t end) {
  const int64_t n_features = noise->n_features, width = noise->width;
#define THERE(features, hidden) NAME(there)(noise, features, hidden, first, end)
  SHAPES(THERE)
}

static void NAME(noise_back)(const struct bw_train_noise *noise, int64_t first, int64_t end, float *sums) {
  const int64_t n_features = noise->n_features, width = noise->width;
#define BACK(features, hidden) NAME(back)(noise, BW_TRAIN_FOURIER, features, hidden, first, end, sums)
  if (noise->pass.kind == BW_TRAIN_FOURIER) {
    SHAPES(BACK)
  } else {
    NAME(back)(noise, noise->pass.kind == BW_TRAIN_TENT ? BW_TRAIN_TENT : BW_TRAIN_WINDOW, n_features, width, first,
               end, sums);
  }
}
