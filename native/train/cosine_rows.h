/* The pass of bw_train_cosine there, compiled once for each instruction set. */

/* The features f to f + 32 of the window that begins at `pixel`; y and place point to them. */
INLINE void NAME(window)(const struct bw_train_cosine *job, int tall, int wide, int noisy, int64_t pixel, int64_t f,
                         float *y, uint8_t *place) {
  const int64_t n = job->n_features - f, pairs = (job->n_features + 31) / 32;
  const float spread = (float)job->spread;
  row scale[2] = {{0}, {0}}, bias[2] = {{0}, {0}}, best[2] = {{0}, {0}}, turn[BW_TRAIN_POOL][2], square[BW_TRAIN_POOL];
  whole where[2] = {{0}, {0}};
  for (int i = 0; i < 2 && n > 16 * i; i++) {
    NAME(get)(job->scale + f + 16 * i, n - 16 * i, &scale[i]);
    NAME(get)(job->bias + f + 16 * i, n - 16 * i, &bias[i]);
  }
  for (int k = 0; noisy && k < tall * wide; k++) {
    const int64_t at = pixel + k / wide * job->width + k % wide;
    NAME(normals)(job->seed, (uint64_t)(at * pairs + f / 32), &square[k], turn[k]);
  }
  for (int k = 0; k < tall * wide; k++) {
    const int64_t at = pixel + k / wide * job->width + k % wide;
    for (int i = 0; i < 2 && n > 16 * i; i++) {
      row value = {0};
      NAME(get)(job->raw + at * job->n_features + f + 16 * i, n - 16 * i, &value);
      value = (value + bias[i]) * scale[i] * job->inverse[at];
      if (noisy) {
        row z = HIGHER(LOWER(value, BW_TRAIN_EDGE), -BW_TRAIN_EDGE), size;
        NAME(arcsine)(&z, &value);
        z = (1.0f - value) * (1.0f + value) * square[k];
        NAME(root)(&z, &size);
        value += size * turn[k][i] * spread;
      }
      const whole above = (value > best[i]) | (value != value);
      best[i] = k ? CHOOSE(above, value, best[i]) : value;
      where[i] = k ? (where[i] & ~above) | (above & k) : where[i];
    }
  }
  for (int i = 0; i < 2 && n > 16 * i; i++) {
    if (!noisy) {
      const row cos = HIGHER(LOWER(best[i], BW_TRAIN_EDGE), -BW_TRAIN_EDGE);
      NAME(arcsine)(&cos, &best[i]);
    }
    NAME(put)(&best[i], n - 16 * i, y + 16 * i);
    if (tall * wide > 1) {
      const places narrow = __builtin_convertvector(where[i], places);
      memcpy(place + 16 * i, &narrow, n - 16 * i < 16 ? (size_t)(n - 16 * i) : 16);
    }
  }
}

INLINE void NAME(bands)(const struct bw_train_cosine *job, int tall, int wide, int noisy, int64_t first, int64_t end) {
  const int64_t rows = job->height / tall, columns = job->width / wide, n_features = job->n_features;
  for (int64_t band = first; band < end; band++)
    for (int64_t column = 0; column < columns; column++) {
      const int64_t pixel = (band / rows * job->height + band % rows * tall) * job->width + column * wide;
      const int64_t out = (band * columns + column) * n_features;
      for (int64_t f = 0; f < n_features; f += 32)
        NAME(window)(job, tall, wide, noisy, pixel, f, job->y + out + f, job->place ? job->place + out + f : 0);
    }
}

static void NAME(cosine)(const struct bw_train_cosine *job, int64_t first, int64_t end) {
  const int tall = (int)job->pool_height, wide = (int)job->pool_width;
#define NOISY(tall, wide)                                             \
  if (job->spread > 0) NAME(bands)(job, tall, wide, 1, first, end);   \
  else NAME(bands)(job, tall, wide, 0, first, end)
  if (tall == 2 && wide == 2) {
    NOISY(2, 2);
  } else {
    NOISY(tall, wide);
  }
}
