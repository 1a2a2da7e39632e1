/* ReActNet's RPReLU, feature by feature, compiled once for each instruction set. */

static void NAME(rprelu)(const struct bw_train_rprelu *job, int64_t first, int64_t end) {
  const int64_t n_features = job->n_features;
  FEATURES(f, n_features) {
    row in = {0}, slope = {0}, out = {0}, x = {0};
    NAME(get)(job->vectors + f, n_features - f, &in);
    NAME(get)(job->vectors + n_features + f, n_features - f, &slope);
    NAME(get)(job->vectors + 2 * n_features + f, n_features - f, &out);
    for (int64_t at = first * n_features + f; at < end * n_features; at += n_features) {
      NAME(get)(job->pass.x + at, n_features - f, &x);
      const row moved = x - in, y = CHOOSE(moved >= 0, moved, moved * slope) + out;
      NAME(put)(&y, n_features - f, job->pass.y + at);
    }
  }
}

static void NAME(rprelu_back)(const struct bw_train_rprelu *job, int64_t first, int64_t end, float *sums) {
  const int64_t n_features = job->n_features;
  FEATURES(f, n_features) {
    row in = {0}, slope = {0}, x = {0}, grad = {0}, to_in = {0}, to_slope = {0}, to_out = {0};
    NAME(get)(job->vectors + f, n_features - f, &in);
    NAME(get)(job->vectors + n_features + f, n_features - f, &slope);
    for (int64_t at = first * n_features + f; at < end * n_features; at += n_features) {
      NAME(get)(job->pass.x + at, n_features - f, &x);
      NAME(get)(job->pass.grad + at, n_features - f, &grad);
      const row moved = x - in;
      const whole above = moved >= 0;
      const row y = CHOOSE(above, grad, grad * slope);
      to_in -= y;
      to_slope += (row)((whole)(grad * moved) & ~above);
      to_out += grad;
      NAME(put)(&y, n_features - f, job->pass.y + at);
    }
    NAME(put)(&to_in, n_features - f, sums + f);
    NAME(put)(&to_slope, n_features - f, sums + n_features + f);
    NAME(put)(&to_out, n_features - f, sums + 2 * n_features + f);
  }
}
