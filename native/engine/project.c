/* Seeded random projections. Where the rows are few numbers (gaussian, rademacher, small transforms) they are made when the
 * Program is planned and are the weights of int_linear's or xnor_linear's kernel; larger transforms run as transforms. What
 * fits neither (sums beyond int32, matrices beyond STORED) has its plain loops, rows of the generator made as they come. */
#include <stdlib.h>
#include "../project/generator.h"
#include "projection.h"

enum { SMALL = 64 };                       /* transforms up to this size are matrices */
static const uint64_t STORED = 1u << 26;   /* largest matrix, in numbers */

/* ---- rows stored: a linear layer ---- */

static void run_linear(const bw_projection *d, const bw_vectors *v) {
    bw_job job = {.weights = d->weights,
                  .x = v->from,
                  .x_stride = v->from_bytes,
                  .out = v->to,
                  .out_stride = v->to_bytes,
                  .samples = (int64_t)v->n,
                  .row_end = 1,
                  .threshold = d->threshold,
                  .scratch = v->scratch};
    d->kernel->run(&d->shape, &job);
}

static int32_t within_int32(int64_t t) { return (int32_t)bw_min(bw_max(t, INT32_MIN), INT32_MAX); }

static int prepare_linear(bw_plan *plan, bw_projection *d, bool *done, bw_error *error) {
    bool rademacher = d->kind == BW_KIND_RADEMACHER, bits = d->store == BW_STORE_BITS;
    void *matrix = bw_projection_matrix(d);
    if (!matrix) return BW_OK;
    bw_shape *s = &d->shape;
    *s = (bw_shape){.channels = (int32_t)d->p,
                    .height = 1,
                    .width = 1,
                    .out_channels = (int32_t)d->n_out,
                    .kernel_h = 1,
                    .kernel_w = 1,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .groups = 1,
                    .input = bits ? BW_INPUT_BITS : d->store == BW_STORE_U8 ? BW_INPUT_U8 : BW_INPUT_I32,
                    .lo = (int32_t)d->lo,
                    .hi = (int32_t)d->hi,
                    .weight = rademacher ? BW_WEIGHT_SIGN : BW_WEIGHT_I8,
                    .out = BW_OUT_BITS};
    d->kernel = rademacher && bits ? plan->kernels->xnor_linear : plan->kernels->int_linear;
    d->weights = bw_plan_alloc(plan, d->kernel->weight_bytes(s));
    d->threshold = bw_plan_alloc_array(plan, d->n_out, sizeof *d->threshold);
    if (d->weights) d->kernel->pack_weights(s, matrix, d->weights);
    free(matrix);
    BW_HAVE(d->weights && d->threshold);
    for (uint64_t n = 0; n < d->n_out; n++) d->threshold[n] = within_int32(d->t[n]);
    d->scratch_bytes = d->kernel->scratch_bytes(s);
    d->run = run_linear;
    *done = true;
    return BW_OK;
}

/* ---- transforms ---- */

static inline int64_t value_at(const void *row, bw_store store, uint64_t j) {
    return store == BW_STORE_BITS ? 2 * (int64_t)bw_get_bit(row, j) - 1 : bw_get_int(row, store, j);
}

static void run_hadamard(const bw_projection *d, const bw_vectors *v) {
    const uint8_t *from = v->from;
    uint8_t *to = v->to;
    int64_t *v64 = (int64_t *)v->scratch;
    int32_t *v32 = (int32_t *)v->scratch;
    memset(v->scratch, 0, d->size * (d->wide ? 8 : 4));
    for (uint64_t r = 0; r < v->n; r++, from += v->from_bytes, to += v->to_bytes) {
        if (d->wide) {
            for (uint64_t j = 0; j < d->p; j++) v64[j] = value_at(from, d->store, j);
            d->transforms->run64(&d->hadamard, v64, v64 + d->size, (uint64_t *)to);
            continue;
        }
        if (d->store == BW_STORE_I32) memcpy(v32, from, d->p * sizeof *v32);
        else if (d->store == BW_STORE_U8)
            for (uint64_t j = 0; j < d->p; j++) v32[j] = from[j];
        else
            for (uint64_t j = 0; j < d->p; j++) v32[j] = (int32_t)value_at(from, d->store, j);
        d->transforms->run32(&d->hadamard, v32, v32 + d->size, (uint64_t *)to);
    }
}

static int prepare_hadamard(bw_plan *plan, bw_projection *d, bw_error *error) {
    bw_hadamard *h = &d->hadamard;
    *h = (bw_hadamard){.size = d->size,
                       .n_blocks = (d->n_out + d->size - 1) / d->size,
                       .n_words = bw_words((int64_t)d->n_out),
                       .rounds = (int)d->rounds,
                       .shift = (int)d->shift};
    int32_t *flip = bw_plan_alloc_array(plan, h->n_blocks * d->rounds * d->size, sizeof *flip);
    void *t = bw_plan_alloc_array(plan, h->n_blocks * d->size, d->wide ? 8 : 4);
    BW_HAVE(flip && t);
    for (uint64_t i = 0; i < h->n_blocks * d->rounds; i++) {
        uint64_t key = bw_stream_key(d->seed, d->layer, i);
        for (uint64_t j = 0; j < d->size; j++) flip[i * d->size + j] = bw_stream_sign(key, j) < 0 ? -1 : 0;
    }
    for (uint64_t n = 0; n < h->n_blocks * d->size; n++) {
        int64_t threshold = n < d->n_out ? d->t[n] : INT64_MAX;
        if (d->wide) ((int64_t *)t)[n] = threshold;
        else ((int32_t *)t)[n] = within_int32(threshold);
    }
    h->flip = flip;
    h->t = t;
    d->transforms = bw_find_project_kernels(plan->kernels->others);
    if (d->size < d->transforms->smallest) d->transforms = bw_find_project_kernels("reference");
    d->scratch_bytes = 2 * d->size * (d->wide ? 8 : 4);
    d->run = run_hadamard;
    return BW_OK;
}

/* ---- any ---- */

static uint64_t root_of(uint64_t n) { /* rounded up */
    uint64_t root = 0;
    while (root * root < n) root++;
    return root;
}

/* Of Walsh-Hadamard rounds without a shift also by lengths: a round makes a vector sqrt(size) times as long. */
uint64_t bw_projection_bound(const bw_projection *d) {
    uint64_t most = (uint64_t)bw_max(-d->lo, d->hi), m = most;
    if (d->kind == BW_KIND_GAUSSIAN) return 64 * m * d->p;
    if (d->kind == BW_KIND_RADEMACHER) return m * d->p;
    for (uint64_t round = 0; round < d->rounds; round++) {
        if (round) m = (m >> d->shift) + 1;
        m *= d->size;
    }
    if (!bw_projection_is_linear(d) || d->rounds > 2) return m;
    uint64_t length = most * root_of(d->p) * (d->rounds == 2 ? d->size : root_of(d->size));
    return length < m ? length : m;
}

bool bw_projection_is_linear(const bw_projection *d) {
    return d->kind != BW_KIND_HADAMARD || d->rounds == 1 || d->shift == 0;
}

int bw_projection_move(bw_projection *d, int64_t base, int64_t step, bw_error *error) {
    if (base == 0 && step == 1) return BW_OK;
    int64_t *sums = malloc(d->n_out * sizeof *sums);
    bool ok = sums && bw_projection_sums(d, sums);
    for (uint64_t n = 0; ok && n < d->n_out; n++) {
        bw_wide t = (bw_wide)d->t[n] - (bw_wide)base * sums[n];
        t = t > 0 ? (t + step - 1) / step : -(-t / step); /* rounded up */
        d->t[n] = t > INT64_MAX ? INT64_MAX : t < INT64_MIN ? INT64_MIN : (int64_t)t;
    }
    free(sums);
    BW_HAVE(ok);
    return BW_OK;
}

int bw_projection_prepare(bw_plan *plan, bw_projection *d, const bw_op *op, uint64_t p, bw_error *error) {
    const int64_t *a = op->attrs;
    const bw_const *t = &op->consts[BW_PROJECT_C_T];
    d->kind = (uint64_t)a[BW_PROJECT_KIND];
    d->seed = (uint64_t)a[BW_PROJECT_SEED];
    d->layer = (uint64_t)a[BW_PROJECT_LAYER];
    d->n_out = (uint64_t)a[BW_PROJECT_N_OUT];
    d->p = p;
    if (d->kind == BW_KIND_HADAMARD) {
        d->rounds = (uint64_t)a[BW_PROJECT_ROUNDS];
        d->shift = (uint64_t)a[BW_PROJECT_SHIFT];
    }
    for (d->size = 1; d->size < p;) d->size *= 2;
    d->t = bw_plan_alloc_array(plan, d->n_out, sizeof *d->t);
    BW_HAVE(d->t);
    for (uint64_t n = 0; t->dtype && n < t->n_values; n++) d->t[n] = bw_const_int(t, n);
    return BW_OK;
}

int bw_projection_plan(bw_plan *plan, bw_projection *d, bw_error *error) {
    bool hadamard = d->kind == BW_KIND_HADAMARD;
    bool linear = !hadamard || (d->size <= SMALL && bw_projection_is_linear(d));
    d->wide = bw_projection_bound(d) >= INT32_MAX;
    if (linear && !d->wide && d->p * d->n_out <= STORED) {
        bool done = false;
        BW_TRY(prepare_linear(plan, d, &done, error));
        if (done) return BW_OK;
    }
    if (hadamard) return prepare_hadamard(plan, d, error);
    d->scratch_bytes = (size_t)d->p + 8;
    d->run = d->kind == BW_KIND_GAUSSIAN ? bw_projection_run_gaussian : bw_projection_run_rademacher;
    return BW_OK;
}

static void run_project(const bw_step *step, bw_block *block) {
    const bw_slot *x = step->x, *out = step->out;
    const bw_projection *d = step->data;
    bw_vectors v = {bw_at(block, x), bw_at(block, out), x->row_bytes, out->row_bytes, block->n_samples * x->positions,
                    block->scratch};
    d->run(d, &v);
}

int bw_prepare_project(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_type *type = &plan->program->types[step->op->inputs[0]];
    bw_projection *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->store = step->x->store;
    d->lo = type->kind == BW_BITS ? -1 : type->lo;
    d->hi = type->kind == BW_BITS ? 1 : type->hi;
    BW_TRY(bw_projection_prepare(plan, d, step->op, step->x->channels, error));
    BW_TRY(bw_projection_plan(plan, d, error));
    step->scratch_bytes = d->scratch_bytes;
    step->run = run_project;
    return BW_OK;
}
