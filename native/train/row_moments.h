/* Sums and sums of squares of rows, compiled once for each instruction set. */

static void NAME(moments)(const struct bw_train_moments *job, int64_t first, int64_t end) {
  const int64_t n = job->n;
  for (int64_t r = first; r < end; r++) {
    const float *x = job->x + r * n;
    if (n < BW_TRAIN_LANES) {
      float sum = 0, squares = 0;
      for (int64_t i = 0; i < n; i++) sum += x[i], squares += x[i] * x[i];
      job->sums[r] = sum, job->squares[r] = squares;
      continue;
    }
    row sum[2] = {{0}, {0}}, squares[2] = {{0}, {0}};
    for (int64_t i = 0; i < n; i += BW_TRAIN_LANES) {
      row part = {0};
      NAME(get)(x + i, n - i, &part);
      sum[i / BW_TRAIN_LANES & 1] += part;
      squares[i / BW_TRAIN_LANES & 1] += part * part;
    }
    sum[0] += sum[1], squares[0] += squares[1];
    job->sums[r] = NAME(total)(&sum[0]), job->squares[r] = NAME(total)(&squares[0]);
  }
}

static void NAME(moments_back)(const struct bw_train_moments *job, int64_t first, int64_t end) {
  const int64_t n = job->n;
  for (int64_t r = first; r < end; r++) {
    const float sum = job->to_sums[r], twice = 2 * job->to_squares[r];
    for (int64_t i = 0; i < n; i++) job->to_x[r * n + i] = sum + twice * job->x[r * n + i];
  }
}
