/* Gates whose connections choose among candidates: which loops this CPU has. */
#include "best.h"
#include "choice_loops.h"

static const struct bw_train_choice_loops *best(void) {
  BW_TRAIN_RETURN_BEST(bw_train_choice_loops);
}

void bw_train_choose(const struct bw_train_choice *choice, const float *weights, const float *tables, const void *x,
                     float *y) {
  best()->forward(choice, weights, tables, x, y);
}

void bw_train_choose_back(const struct bw_train_choice *choice, const float *weights, const float *tables,
                          const void *x, const float *grad_y, float *grad_weights, float *grad_tables,
                          float *grad_x) {
  best()->backward(choice, weights, tables, x, grad_y, grad_weights, grad_tables, grad_x);
}

int bw_train_read_bits(const struct bw_train_array *x, int64_t batch, int64_t n, uint16_t *bits) {
  return best()->read_bits(x, batch, n, bits);
}
