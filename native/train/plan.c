#include "plan.h"

static int64_t whole_rows(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

/* In blocks of halves there are fewer blocks to share out: they are for stacks that keep all threads busy with them. */
struct plan bw_train_plan(const struct bw_train_stack *stack) {
  struct plan p = {.stack = stack, .kernels = bw_train_best(), .n_threads = stack->n_threads};
  p.half = stack->half && p.kernels->has_half && (stack->batch + 2 * LANES - 1) / (2 * LANES) >= stack->n_threads;
  int64_t samples = p.half ? 2 * LANES : LANES;
  p.n_blocks = (stack->batch + samples - 1) / samples;
  p.n_rows = stack->plan[0];
  for (int64_t i = 0; i <= stack->n_layers; i++) {
    int64_t width = stack->widths[i];
    p.n_gates += i ? width : 0;
    p.kept += i < stack->n_layers ? width : 0;
  }
  p.last = stack->n_groups ? stack->n_groups : stack->widths[stack->n_layers];
  p.n_rows = p.n_rows < 2 * p.last ? 2 * p.last : p.n_rows;
  p.n_threads = p.n_threads < MAX_THREADS ? p.n_threads : MAX_THREADS;
  p.n_threads = p.n_threads < p.n_blocks ? p.n_threads : p.n_blocks;
  p.n_threads = p.n_threads < 1 ? 1 : p.n_threads;
  p.each = p.n_rows * LANES + whole_rows(4 * p.n_gates);
  p.coefficients = stack->room;
  p.blocks = p.coefficients + whole_rows(8 * p.n_gates);
  p.threads = p.blocks + (stack->windows ? p.n_threads : p.n_blocks) * p.kept * LANES;
  return p;
}

int64_t bw_train_room(const struct bw_train_stack *stack) {
  struct plan p = bw_train_plan(stack);
  return (p.threads - p.coefficients) + p.n_threads * p.each;
}

/* The last block of halves may have so few samples that floats do. */
struct block bw_train_block(const struct plan *p, int64_t number, int64_t thread) {
  int64_t first = number * (p->half ? 2 * LANES : LANES), left = p->stack->batch - first;
  int half = p->half && left > LANES;
  int64_t n = half ? 2 * LANES : LANES;
  float *kept = p->blocks + (p->stack->windows ? thread : number) * p->kept * LANES;
  return (struct block){first, first + (left < n ? left : n), half, (char *)kept};
}

const int32_t *bw_train_slots(const struct plan *p, int gradients) {
  return p->stack->plan + 1 + (gradients ? p->stack->widths[0] : 0);
}

static const int32_t *rows_of(const struct plan *p, int64_t first_gate) {
  return p->stack->plan + 1 + 2 * p->stack->widths[0] + 10 * first_gate;
}

struct bw_train_layer bw_train_there(const struct plan *p, int64_t number, int64_t first_gate) {
  int64_t n = p->stack->widths[number + 1];
  const int32_t *rows = rows_of(p, first_gate);
  int adds = p->stack->n_groups && number == p->stack->n_layers - 1;
  return (struct bw_train_layer){rows, rows + n, rows + 2 * n, p->coefficients + 4 * first_gate, n, adds, 0};
}

struct bw_train_layer_back bw_train_back(const struct plan *p, int64_t number, int64_t first_gate) {
  int64_t n = p->stack->widths[number + 1];
  const int32_t *rows = rows_of(p, first_gate) + 3 * n;
  const float *coefficients = p->coefficients + 4 * (p->n_gates + first_gate);
  return (struct bw_train_layer_back){rows, rows + n, rows + 2 * n, rows + 3 * n, rows + 4 * n, coefficients, n, 0};
}

struct bw_train_gates bw_train_gates_of(const struct plan *p, int64_t number, int64_t first_gate) {
  int64_t n = p->stack->widths[number + 1];
  const int32_t *rows = rows_of(p, first_gate) + 8 * n;
  return (struct bw_train_gates){0, p->stack->n_numbers, 0, n, rows, rows + n};
}

struct own bw_train_own(const struct plan *p, int64_t thread) {
  float *rows = p->threads + thread * p->each;
  return (struct own){(char *)rows, rows + p->n_rows * LANES};
}
