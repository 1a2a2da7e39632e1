/* A stack of layers: coefficients, then block after block of samples there and back, then gradients. */
#include <string.h>

#include "plan.h"

/* A share of n gates, whole tiles of them. */
static int64_t part(const struct plan *p, int64_t n, int64_t share) {
  int64_t tiles = (n + TILE - 1) / TILE, end = tiles * share / p->n_threads * TILE;
  return end < n ? end : n;
}

/* Coefficients of a share of each layer's gates, in the order of both ways. */
static void make_coefficients(const void *data, int64_t share) {
  const struct job *job = data;
  const struct plan *p = job->plan;
  for (int64_t i = 0, first = 0; i < p->stack->n_layers; first += p->stack->widths[++i]) {
    struct bw_train_gates gates = bw_train_gates_of(p, i, first);
    gates.learned = job->learned[i];
    gates.begin = part(p, gates.end, share), gates.end = part(p, gates.end, share + 1);
    p->kernels->coefficients(&gates, p->coefficients + 4 * first, p->coefficients + 4 * (p->n_gates + first));
  }
}

/* From the sums of all threads to gradients of a share of each layer's gates. */
static void make_gradients(const void *data, int64_t share) {
  const struct job *job = data;
  const struct plan *p = job->plan;
  const float *sums = bw_train_own(p, 0).sums;
  for (int64_t i = 0, first = 0; i < p->stack->n_layers; first += p->stack->widths[++i]) {
    struct bw_train_gates gates = bw_train_gates_of(p, i, first);
    gates.learned = job->learned[i];
    gates.begin = part(p, gates.end, share), gates.end = part(p, gates.end, share + 1);
    p->kernels->learn(&gates, sums + 4 * first, p->n_threads, p->each, job->grad_learned[i]);
  }
}

/* An array as it is seen from position p, whose numbers lie from at[p] on. */
static struct bw_train_array seen(const struct bw_train_array *array, const int64_t *at, int64_t position) {
  return (struct bw_train_array){array->at + (at ? at[position] : 0), array->to_sample, array->to_feature};
}

static struct bw_train_move move_of(const struct plan *p, const struct block *block, const struct bw_train_array *array,
                                    const int32_t *slots, enum row_kind half_kind) {
  const struct bw_train_windows *windows = p->stack->windows;
  return (struct bw_train_move){
      array, slots ? p->stack->widths[0] : p->last, block->first, block->end, slots,
      block->half || half_kind == WIDE ? half_kind : FLOATS, block->half, slots && windows ? windows->taps : 0, 0};
}

/* The signals of a block at a position, layer by layer; the last layer's into result, or left out where it is NULL. */
static void block_there(const struct plan *p, const struct block *block, const struct bw_train_array *x, char *result) {
  const struct bw_train_stack *stack = p->stack;
  char *at = block->kept;
  struct bw_train_move in = move_of(p, block, x, bw_train_slots(p, 0), HALF_VALUES);
  p->kernels->pack(&in, at);
  if (result && stack->n_groups) memset(result, 0, (size_t)(ROW_BYTES * p->last * (1 + block->half)));
  for (int64_t i = 0, first_gate = 0; i < stack->n_layers - !result; first_gate += stack->widths[++i]) {
    struct bw_train_layer layer = bw_train_there(p, i, first_gate);
    char *next = i == stack->n_layers - 1 ? result : at + stack->widths[i] * ROW_BYTES;
    layer.half = block->half;
    p->kernels->forward(&layer, at, next);
    at = next;
  }
}

/* From gradients of the block's results, in rows, to those of its inputs, where they are wanted, and to sums. */
static void block_back(const struct plan *p, const struct block *block, const struct own *own, int to_x) {
  const struct bw_train_stack *stack = p->stack;
  const char *x = block->kept + p->kept * ROW_BYTES;
  for (int64_t i = stack->n_layers - 1, first_gate = p->n_gates; i >= 0; i--) {
    first_gate -= stack->widths[i + 1];
    x -= stack->widths[i] * ROW_BYTES;
    struct bw_train_layer_back layer = bw_train_back(p, i, first_gate);
    layer.half = block->half;
    p->kernels->backward(&layer, x, own->rows, own->sums + 4 * first_gate, i || to_x);
  }
}

static void forward_blocks(const void *data, int64_t share) {
  const struct job *job = data;
  const struct plan *p = job->plan;
  const struct bw_train_windows *windows = p->stack->windows;
  char *result = bw_train_own(p, share).rows;
  for (int64_t number = share; number < p->n_blocks; number += p->n_threads) {
    struct block block = bw_train_block(p, number, share);
    for (int64_t position = 0; position < (windows ? windows->n_positions : 1); position++) {
      struct bw_train_array x = seen(job->x, windows ? windows->x_at : 0, position);
      struct bw_train_array y = seen(job->y, windows ? windows->y_at : 0, position);
      struct bw_train_move out = move_of(p, &block, &y, 0, p->stack->n_groups ? WIDE : HALF_VALUES);
      block_there(p, &block, &x, result);
      p->kernels->unpack(&out, result);
    }
  }
}

static void backward_blocks(const void *data, int64_t share) {
  const struct job *job = data;
  const struct plan *p = job->plan;
  const struct bw_train_windows *windows = p->stack->windows;
  struct own own = bw_train_own(p, share);
  memset(own.sums, 0, sizeof(float) * 4 * (size_t)p->n_gates);
  memset(own.rows, 0, ROW_BYTES);
  int64_t last = share + (p->n_blocks - 1 - share) / p->n_threads * p->n_threads;
  for (int64_t number = p->n_blocks ? last : -1; number >= 0; number -= p->n_threads) { /* kept last comes first */
    struct block block = bw_train_block(p, number, share);
    for (int64_t position = 0; position < (windows ? windows->n_positions : 1); position++) {
      struct bw_train_array y = seen(job->y, windows ? windows->y_at : 0, position);
      struct bw_train_move out = move_of(p, &block, &y, 0, HALF_GRADS);
      if (windows) {
        struct bw_train_array x = seen(job->x, windows->x_at, position);
        block_there(p, &block, &x, 0);
      }
      p->kernels->pack(&out, own.rows + ROW_BYTES);
      block_back(p, &block, &own, job->grad_x != 0);
      if (!job->grad_x) continue;
      struct bw_train_array grad_x = seen(job->grad_x, windows ? windows->x_at : 0, position);
      struct bw_train_move in = move_of(p, &block, &grad_x, bw_train_slots(p, 1), HALF_GRADS);
      in.adds = windows != 0;
      p->kernels->unpack(&in, own.rows);
    }
  }
}

static void share_out(const struct job *job, bw_train_share_of *work) {
  const struct plan *p = job->plan;
  const struct shares shares = {p->n_threads, p->n_threads, 1, p->stack->parallel};
  bw_train_share_out(&shares, job, work);
}

void bw_train_forward(const struct bw_train_stack *stack, const struct bw_train_array *x, const float *const *learned,
                      const struct bw_train_array *y) {
  struct plan p = bw_train_plan(stack);
  struct job job = {.plan = &p, .x = x, .y = y, .learned = learned};
  share_out(&job, make_coefficients);
  share_out(&job, forward_blocks);
}

void bw_train_backward(const struct bw_train_stack *stack, const struct bw_train_array *x,
                       const struct bw_train_array *grad_y, const float *const *learned, float *const *grad_learned,
                       const struct bw_train_array *grad_x) {
  struct plan p = bw_train_plan(stack);
  struct job job = {.plan = &p, .x = x, .y = grad_y, .grad_x = grad_x, .learned = learned,
                    .grad_learned = grad_learned};
  share_out(&job, backward_blocks);
  share_out(&job, make_gradients);
}
