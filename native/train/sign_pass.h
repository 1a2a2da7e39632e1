/* The passes of bw_train.h, compiled once for each instruction set; `kind` is a constant in each copy of the loop. */

INLINE void NAME(each)(const struct bw_train_pass *pass, int kind, int64_t first, int64_t end, double *sums) {
  const int needs_grad = kind != BW_TRAIN_SIGN && kind != BW_TRAIN_PRELU;
  float numbers[3] = {0};
  if (kind != BW_TRAIN_SIGN && kind != BW_TRAIN_TENT)
    for (int i = 0; i < (kind == BW_TRAIN_FOURIER ? 3 : 1); i++) numbers[i] = (float)pass->numbers[i];
  row sum = {0};
  for (int64_t i = first; i < end; i += BW_TRAIN_LANES) {
    row x = {0}, grad = {0}, y;
    NAME(get)(pass->x + i, end - i, &x);
    if (needs_grad) NAME(get)(pass->grad + i, end - i, &grad);
    if (kind == BW_TRAIN_SIGN) {
      y = SIGN(x);
    } else if (kind == BW_TRAIN_PRELU) {
      y = CHOOSE(x > 0, x, x * numbers[0]);
    } else if (kind == BW_TRAIN_PRELU_BACK) {
      const whole above = x > 0;
      y = CHOOSE(above, grad, grad * numbers[0]);
      sum += (row)((whole)(x * grad) & ~above);
    } else {
      NAME(slope)(kind, numbers, &x, &grad, &y);
    }
    NAME(put)(&y, end - i, pass->y + i);
  }
  if (kind == BW_TRAIN_PRELU_BACK) sums[0] = NAME(total)(&sum), sums[1] = 0;
}

static void NAME(moments)(const struct bw_train_pass *pass, int64_t first, int64_t end, double *sums) {
  row sum = {0}, squares = {0};
  for (int64_t i = first; i < end; i += BW_TRAIN_LANES) {
    row x = {0};
    NAME(get)(pass->x + i, end - i, &x);
    sum += x;
  }
  const float mean = NAME(total)(&sum) / (float)(end - first);
  for (int64_t i = first; i < end; i += BW_TRAIN_LANES) { /* they are still near at hand */
    row x = SAME(mean);
    NAME(get)(pass->x + i, end - i, &x);
    squares += (x - mean) * (x - mean);
  }
  sums[0] = mean;
  sums[1] = NAME(total)(&squares);
}

static void NAME(pass)(const struct bw_train_pass *pass, int64_t first, int64_t end, double *sums) {
#define CASE(kind)                               \
  case kind:                                     \
    NAME(each)(pass, kind, first, end, sums);    \
    return
  switch (pass->kind) {
    CASE(BW_TRAIN_SIGN);
    CASE(BW_TRAIN_WINDOW);
    CASE(BW_TRAIN_TENT);
    CASE(BW_TRAIN_FOURIER);
    CASE(BW_TRAIN_PRELU);
    CASE(BW_TRAIN_PRELU_BACK);
    case BW_TRAIN_MOMENTS:
      NAME(moments)(pass, first, end, sums);
  }
}
