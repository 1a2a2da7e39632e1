/* The pass of bw_train_cosine back, compiled once for each instruction set: what is needed of the way there is worked
 * out again from raw. */

/* One window, whose y begins at `out`; sums over the features of each of its pixels go to to_inverse. */
INLINE void NAME(window_back)(const struct bw_train_cosine *job, int tall, int wide, int64_t pixel, int64_t out,
                              float *to_scale, float *to_bias) {
  const int64_t n_features = job->n_features;
  const float *inverse = job->inverse;
  row to_inverse[BW_TRAIN_POOL];
  for (int k = 0; k < tall * wide; k++) to_inverse[k] = SAME(0);
  FEATURES(f, n_features) {
    const int64_t n = n_features - f;
    row grad = {0}, scale = {0}, bias = {0}, raw = {0}, direct = {0}, by = {0}, so_far = {0};
    whole where = {0};
    NAME(get)(job->grad + out + f, n, &grad);
    NAME(get)(job->scale + f, n, &scale);
    NAME(get)(job->bias + f, n, &bias);
    if (tall * wide > 1) {
      places narrow = {0};
      memcpy(&narrow, job->place + out + f, n < 16 ? (size_t)n : 16);
      where = __builtin_convertvector(narrow, whole);
    }
    for (int k = 0; k < tall * wide; k++) {
      const int64_t at = pixel + k / wide * job->width + k % wide;
      NAME(get)(job->raw + at * n_features + f, n, &raw);
      direct = CHOOSE(where == k, raw, direct);
      by = CHOOSE(where == k, SAME(inverse[at]), by);
    }
    direct += bias;
    const row cos = direct * scale * by, near = HIGHER(LOWER(cos, BW_TRAIN_EDGE), -BW_TRAIN_EDGE);
    const row square = (1.0f - near) * (1.0f + near);
    row size;
    NAME(root)(&square, &size);
    const row slope = grad * 0.636619772367581343f / size, to_raw = slope * scale * by;
    const row product = slope * direct, to_by = product * scale;
    NAME(get)(to_scale + f, n, &so_far);
    so_far += product * by;
    NAME(put)(&so_far, n, to_scale + f);
    NAME(get)(to_bias + f, n, &so_far);
    so_far += to_raw;
    NAME(put)(&so_far, n, to_bias + f);
    for (int k = 0; k < tall * wide; k++) {
      const int64_t at = pixel + k / wide * job->width + k % wide;
      const row own = CHOOSE(where == k, to_raw, SAME(0));
      NAME(put)(&own, n, job->to_raw + at * n_features + f);
      to_inverse[k] += CHOOSE(where == k, to_by, SAME(0)); /* behind the last feature all is 0 */
    }
  }
  for (int k = 0; k < tall * wide; k++)
    job->to_inverse[pixel + k / wide * job->width + k % wide] = NAME(total)(&to_inverse[k]);
}

/* Pixels from `from` to `to`, which no window reads. */
INLINE void NAME(nothing)(const struct bw_train_cosine *job, int64_t from, int64_t to) {
  memset(job->to_raw + from * job->n_features, 0, sizeof(float) * (size_t)((to - from) * job->n_features));
  memset(job->to_inverse + from, 0, sizeof(float) * (size_t)(to - from));
}

INLINE void NAME(bands_back)(const struct bw_train_cosine *job, int tall, int wide, int64_t first, int64_t end,
                             float *sums) {
  const int64_t rows = job->height / tall, columns = job->width / wide, width = job->width;
  memset(sums, 0, sizeof *sums * 2 * (size_t)job->n_features);
  for (int64_t band = first; band < end; band++) {
    const int64_t start = (band / rows * job->height + band % rows * tall) * width;
    for (int64_t column = 0; column < columns; column++)
      NAME(window_back)(job, tall, wide, start + column * wide, (band * columns + column) * job->n_features, sums,
                        sums + job->n_features);
    for (int64_t y = 0; y < tall; y++) NAME(nothing)(job, start + y * width + columns * wide, start + (y + 1) * width);
    if (band % rows == rows - 1) NAME(nothing)(job, start + tall * width, (band / rows + 1) * job->height * width);
  }
}

static void NAME(cosine_back)(const struct bw_train_cosine *job, int64_t first, int64_t end, float *sums) {
  const int tall = (int)job->pool_height, wide = (int)job->pool_width;
  if (tall == 2 && wide == 2)
    NAME(bands_back)(job, 2, 2, first, end, sums);
  else
    NAME(bands_back)(job, tall, wide, first, end, sums);
}
