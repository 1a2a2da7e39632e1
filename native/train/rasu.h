/* relu(alpha x), compiled once for each instruction set. */

static void NAME(rasu)(const struct bw_train_pass *pass, int64_t first, int64_t end) {
  const float alpha = (float)pass->numbers[0];
  for (int64_t i = first; i < end; i += BW_TRAIN_LANES) {
    row x = {0};
    NAME(get)(pass->x + i, end - i, &x);
    x *= alpha;
    const row y = HIGHER(x, 0.0f);
    NAME(put)(&y, end - i, pass->y + i);
  }
}

static void NAME(rasu_back)(const struct bw_train_pass *pass, int64_t first, int64_t end, double *sums) {
  const float alpha = (float)pass->numbers[0];
  row sum = {0};
  for (int64_t i = first; i < end; i += BW_TRAIN_LANES) {
    row x = {0}, grad = {0};
    NAME(get)(pass->x + i, end - i, &x);
    NAME(get)(pass->grad + i, end - i, &grad);
    const row above = CHOOSE(x > 0, grad, SAME(0)), y = above * alpha;
    sum += CHOOSE(x > 0, x * grad, SAME(0));
    NAME(put)(&y, end - i, pass->y + i);
  }
  sums[0] = NAME(total)(&sum), sums[1] = 0;
}
