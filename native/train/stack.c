/* A stack of layers, block after block of samples: packing, the layers, sums of gradients; shared out to threads. */
#include <pthread.h>
#include <string.h>

#include "kernels.h"
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

enum { L = BW_TRAIN_LANES, MAX_THREADS = 64, SKEW = 8 * L };

/* Where things lie in the room. Every block keeps the inputs of all its layers for the way back; a thread has rows for
 * two gradients, which SKEW keeps from the same place in their pages, and its sums for the tables. */
struct plan {
  const struct bw_train_stack *stack;
  const struct bw_train_kernels *kernels;
  int64_t n_blocks, n_gates, widest, last;
  int64_t n_threads, kept, each; /* rows a block, floats a thread */
  float *coefficients, *tables, *softmax, *blocks, *threads;
};

static int64_t whole_rows(int64_t n) { return (n + L - 1) / L * L; }

static struct plan plan_of(const struct bw_train_stack *stack) {
  struct plan p = {.stack = stack, .kernels = bw_train_best(), .n_blocks = (stack->batch + L - 1) / L};
  int64_t tiles = 0;
  p.widest = stack->n_groups;
  for (int64_t i = 0; i <= stack->n_layers; i++) {
    int64_t width = stack->widths[i];
    p.widest = width > p.widest ? width : p.widest;
    p.n_gates += i ? width : 0;
    tiles += i ? whole_rows(width) : 0;
    p.kept += i < stack->n_layers ? width : 0;
  }
  p.last = stack->n_groups ? stack->n_groups : stack->widths[stack->n_layers];
  p.n_threads = stack->n_threads < MAX_THREADS ? stack->n_threads : MAX_THREADS;
  p.n_threads = p.n_threads < p.n_blocks ? p.n_threads : p.n_blocks;
  p.n_threads = p.n_threads < 1 ? 1 : p.n_threads;
  p.each = 2 * (p.widest * L + SKEW) + whole_rows(4 * p.n_gates);
  p.coefficients = stack->room;
  p.tables = p.coefficients + whole_rows(8 * p.n_gates);
  p.softmax = p.tables + whole_rows(4 * p.n_gates);
  p.blocks = p.softmax + (stack->n_numbers == 16 ? BW_TRAIN_KEPT * tiles : 0);
  p.threads = p.blocks + p.n_blocks * p.kept * L;
  return p;
}

int64_t bw_train_room(const struct bw_train_stack *stack) {
  struct plan p = plan_of(stack);
  return (p.threads - p.coefficients) + p.n_threads * p.each;
}

static struct bw_train_layer layer_of(const struct plan *p, int64_t number, int64_t first_gate, int back) {
  const struct bw_train_stack *stack = p->stack;
  int64_t n = stack->widths[number + 1];
  const int32_t *gates = (back ? stack->gates_back : stack->gates) + 4 * first_gate;
  const float *coefficients = p->coefficients + 4 * (back * p->n_gates + first_gate);
  int adds = stack->n_groups && number == stack->n_layers - 1;
  int half = stack->half && p->kernels->has_half; /* between layers; what goes in and out is float32 */
  return (struct bw_train_layer){
      gates, gates + n, gates + 2 * n, coefficients, n, adds, half && number, half && number < stack->n_layers - 1};
}

/* Samples of one block between an array and rows; slots: the row of each feature, NULL for its own number. Rows have
 * zeros where samples are missing. */
static void pack(const struct bw_train_array *from, int64_t n, int64_t first, int64_t batch, const int32_t *slots,
                 float *rows) {
  int64_t end = batch - first < L ? batch - first : L;
  const float *at = from->at + first * from->to_sample;
  for (int64_t f = 0; f < n; f++) {
    float *row = rows + (slots ? slots[f] : f) * L;
    if (end < L) memset(row, 0, sizeof(float) * L);
    for (int64_t s = 0; s < end; s++) row[s] = at[s * from->to_sample + f * from->to_feature];
  }
}

static void unpack(const float *rows, int64_t n, int64_t first, int64_t batch, const int32_t *slots,
                   const struct bw_train_array *to) {
  int64_t end = batch - first < L ? batch - first : L;
  float *at = to->at + first * to->to_sample;
  for (int64_t f = 0; f < n; f++) {
    const float *row = rows + (slots ? slots[f] : f) * L;
    for (int64_t s = 0; s < end; s++) at[s * to->to_sample + f * to->to_feature] = row[s];
  }
}

struct job {
  const struct plan *plan;
  const struct bw_train_array *x, *y;
  const float *const *learned;
  float *const *grad_learned;
  int64_t number;
};

/* A thread's share of n things, whole tiles of them. */
static int64_t share(const struct job *job, int64_t n, int64_t number) {
  int64_t tiles = (n + L - 1) / L, end = tiles * number / job->plan->n_threads * L;
  return end < n ? end : n;
}

/* Tables of a share of each layer's gates. */
static void make_tables(const struct job *job) {
  const struct plan *p = job->plan;
  float *softmax = p->softmax;
  for (int64_t i = 0, first = 0; i < p->stack->n_layers; first += p->stack->widths[++i]) {
    int64_t n = p->stack->widths[i + 1], begin = share(job, n, job->number), end = share(job, n, job->number + 1);
    if (p->stack->n_numbers == 16) {
      p->kernels->gates16(job->learned[i] + 16 * begin, end - begin, p->tables + 4 * (first + begin),
                          softmax + BW_TRAIN_KEPT * begin);
      softmax += BW_TRAIN_KEPT * whole_rows(n);
    } else {
      memcpy(p->tables + 4 * (first + begin), job->learned[i] + 4 * begin, sizeof(float) * 4 * (size_t)(end - begin));
    }
  }
}

/* Coefficients of a share of each layer's gates, in the order of both ways. */
static void order_coefficients(const struct job *job) {
  const struct plan *p = job->plan;
  const struct bw_train_stack *stack = p->stack;
  for (int back = 0; back < 2; back++)
    for (int64_t i = 0, first = 0; i < stack->n_layers; first += stack->widths[++i]) {
      int64_t n = stack->widths[i + 1], end = share(job, n, job->number + 1);
      const int32_t *which = (back ? stack->gates_back : stack->gates) + 4 * first + 3 * n;
      float *c = p->coefficients + 4 * (back * p->n_gates + first);
      for (int64_t g = share(job, n, job->number); g < end; g++) {
        const float *w = p->tables + 4 * (first + which[g]);
        float *to = c + 4 * g;
        to[0] = w[0], to[1] = w[2] - w[0], to[2] = w[1] - w[0], to[3] = w[3] - w[2] - w[1] + w[0];
      }
    }
}

/* A share of the sums of all threads: gradients of tables, in the order of the tables. */
static void order_sums(const struct job *job) {
  const struct plan *p = job->plan;
  const struct bw_train_stack *stack = p->stack;
  const float *sums = p->threads + 2 * (p->widest * L + SKEW);
  for (int64_t i = 0, first = 0; i < stack->n_layers; first += stack->widths[++i]) {
    int64_t n = stack->widths[i + 1], end = share(job, n, job->number + 1);
    const int32_t *which = stack->gates_back + 4 * first + 3 * n;
    float *to = stack->n_numbers == 16 ? p->tables + 4 * first : job->grad_learned[i];
    for (int64_t g = share(job, n, job->number); g < end; g++) {
      float s[4] = {0, 0, 0, 0}, *out = to + 4 * which[g];
      for (int64_t t = 0; t < p->n_threads; t++)
        for (int k = 0; k < 4; k++) s[k] += sums[t * p->each + 4 * (first + g) + k];
      out[0] = s[0] - s[1] - s[2] + s[3], out[1] = s[2] - s[3], out[2] = s[1] - s[3], out[3] = s[3];
    }
  }
}

/* From gradients of tables to those of a share of each layer's logits. */
static void back_to_logits(const struct job *job) {
  const struct plan *p = job->plan;
  const float *softmax = p->softmax;
  for (int64_t i = 0, first = 0; i < p->stack->n_layers; first += p->stack->widths[++i]) {
    int64_t n = p->stack->widths[i + 1], begin = share(job, n, job->number), end = share(job, n, job->number + 1);
    p->kernels->gates16_back(softmax + BW_TRAIN_KEPT * begin, p->tables + 4 * (first + begin), end - begin,
                             job->grad_learned[i] + 16 * begin);
    softmax += BW_TRAIN_KEPT * whole_rows(n);
  }
}

static void forward_blocks(const struct job *job) {
  const struct plan *p = job->plan;
  const struct bw_train_stack *stack = p->stack;
  float *result = p->threads + job->number * p->each;
  for (int64_t block = job->number; block < p->n_blocks; block += p->n_threads) {
    float *x = p->blocks + block * p->kept * L;
    pack(job->x, stack->widths[0], block * L, stack->batch, stack->slots, x);
    if (stack->n_groups) memset(result, 0, sizeof(float) * (size_t)(L * p->last));
    for (int64_t i = 0, first_gate = 0; i < stack->n_layers; i++) {
      struct bw_train_layer layer = layer_of(p, i, first_gate, 0);
      float *next = i == stack->n_layers - 1 ? result : x + stack->widths[i] * L;
      p->kernels->forward(&layer, x, next);
      x = next;
      first_gate += layer.n_gates;
    }
    unpack(result, p->last, block * L, stack->batch, 0, job->y);
  }
}

static void backward_blocks(const struct job *job) {
  const struct plan *p = job->plan;
  const struct bw_train_stack *stack = p->stack;
  float *from = p->threads + job->number * p->each, *to = from + p->widest * L + SKEW,
        *sums = to + p->widest * L + SKEW;
  memset(sums, 0, sizeof(float) * 4 * (size_t)p->n_gates);
  int64_t last = job->number + (p->n_blocks - 1 - job->number) / p->n_threads * p->n_threads;
  for (int64_t block = p->n_blocks ? last : -1; block >= 0; block -= p->n_threads) { /* kept last comes first */
    const float *x = p->blocks + (block + 1) * p->kept * L;
    pack(job->y, p->last, block * L, stack->batch, 0, from);
    for (int64_t i = stack->n_layers - 1, first_gate = p->n_gates; i >= 0; i--) {
      first_gate -= stack->widths[i + 1];
      x -= stack->widths[i] * L;
      struct bw_train_layer layer = layer_of(p, i, first_gate, 1);
      p->kernels->backward(&layer, x, from, stack->widths[i], sums + 4 * first_gate, i || job->x ? to : 0);
      float *other = from;
      from = to, to = other;
    }
    if (job->x) unpack(from, stack->widths[0], block * L, stack->batch, stack->slots, job->x);
  }
}

/* Numbers too small for the exponent cost a hundred times more than others; here they are zero. */
static unsigned flush_to_zero(void) {
#if defined(__SSE__)
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  return before;
#else
  return 0;
#endif
}

static void restore(unsigned before) {
#if defined(__SSE__)
  _mm_setcsr(before);
#else
  (void)before;
#endif
}

struct start {
  struct job job;
  void (*work)(const struct job *);
};

static void *run(void *argument) {
  const struct start *start = argument;
  unsigned before = flush_to_zero();
  start->work(&start->job);
  restore(before);
  return 0;
}

/* The work, once for each thread. A thread that cannot be had is done without: its share is done here. */
static void share_out(struct job job, void (*work)(const struct job *)) {
  struct start starts[MAX_THREADS];
  pthread_t threads[MAX_THREADS];
  int started[MAX_THREADS] = {0};
  int64_t n = job.plan->n_threads;
  for (int64_t t = n - 1; t >= 0; t--) {
    job.number = t;
    starts[t] = (struct start){job, work};
    started[t] = t && !pthread_create(&threads[t], 0, run, &starts[t]);
  }
  for (int64_t t = 0; t < n; t++)
    if (!started[t]) run(&starts[t]);
  for (int64_t t = 1; t < n; t++)
    if (started[t]) pthread_join(threads[t], 0);
}

void bw_train_forward(const struct bw_train_stack *stack, const struct bw_train_array *x, const float *const *learned,
                      const struct bw_train_array *y) {
  struct plan p = plan_of(stack);
  struct job job = {.plan = &p, .x = x, .y = y, .learned = learned};
  share_out(job, make_tables);
  share_out(job, order_coefficients);
  share_out(job, forward_blocks);
}

void bw_train_backward(const struct bw_train_stack *stack, const struct bw_train_array *grad_y,
                       float *const *grad_learned, const struct bw_train_array *grad_x) {
  struct plan p = plan_of(stack);
  struct job job = {.plan = &p, .x = grad_x, .y = grad_y, .grad_learned = grad_learned};
  share_out(job, backward_blocks);
  share_out(job, order_sums);
  if (stack->n_numbers == 16) share_out(job, back_to_logits);
}
