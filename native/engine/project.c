/* Seeded random projections. Where the rows are few numbers (gaussian, rademacher, small transforms) they are made when the
 * Program is planned and are the weights of int_linear's or xnor_linear's kernel; larger transforms run as transforms. What
 * fits neither (sums beyond int32, matrices beyond STORED) has its plain loops, rows of the generator made as they come. */
#include <stdlib.h>
#include "../project/project.h"
#include "rows.h"

enum { SMALL = 64 };                       /* transforms up to this size are matrices */
static const uint64_t STORED = 1u << 26;   /* largest matrix, in numbers */

typedef struct {
    uint64_t seed, layer, size; /* size: Q of hadamard */
    int64_t *t;
    bw_shape shape; /* as a linear layer, one sample a position */
    const bw_kernel *kernel;
    void *weights;
    int32_t *threshold;
    const bw_project_kernels *transforms;
    bw_hadamard hadamard;
    bool wide; /* 64-bit values */
} projection;

static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t key_of(const projection *d, uint64_t block) { return mix(mix(mix(d->seed) + d->layer) + block); }

static uint64_t word_of(uint64_t key, uint64_t i) { return mix(key + (i + 1) * 0x9E3779B97F4A7C15u); }

static int popcount(uint64_t word) { return __builtin_popcountll(word); }

static inline int64_t value_at(const void *row, bw_store store, uint64_t j) {
    return store == BW_STORE_BITS ? 2 * (int64_t)bw_get_bit(row, j) - 1 : bw_get_int(row, store, j);
}

static void rademacher_row(uint64_t key, uint64_t n, uint64_t p, uint64_t *signs) {
    uint64_t n_words = bw_words((int64_t)p);
    for (uint64_t k = 0; k < n_words; k++) signs[k] = word_of(key, n * n_words + k);
    if (p % 64) signs[n_words - 1] &= ((uint64_t)1 << p % 64) - 1;
}

static int8_t gaussian_entry(uint64_t key, uint64_t i) {
    return (int8_t)(popcount(word_of(key, 2 * i)) - popcount(word_of(key, 2 * i + 1)));
}

/* ---- rows made as they come ---- */

static void run_rademacher(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    uint64_t p = x->channels, rows = block->n_samples * x->positions, key = key_of(d, 0);
    uint64_t *signs = (uint64_t *)block->scratch;
    uint8_t *to = bw_at(block, out);
    memset(to, 0, rows * out->row_bytes);
    for (uint64_t n = 0; n < out->channels; n++) {
        const uint8_t *from = bw_at(block, x);
        rademacher_row(key, n, p, signs);
        for (uint64_t r = 0; r < rows; r++, from += x->row_bytes) {
            int64_t sum = 0;
            for (uint64_t j = 0; j < p; j++)
                sum += bw_get_bit(signs, j) ? value_at(from, x->store, j) : -value_at(from, x->store, j);
            bw_set_bit(to + r * out->row_bytes, n, sum >= d->t[n]);
        }
    }
}

static void run_gaussian(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    uint64_t p = x->channels, rows = block->n_samples * x->positions, key = key_of(d, 0);
    int8_t *weights = (int8_t *)block->scratch;
    uint8_t *to = bw_at(block, out);
    memset(to, 0, rows * out->row_bytes);
    for (uint64_t n = 0; n < out->channels; n++) {
        const uint8_t *from = bw_at(block, x);
        for (uint64_t j = 0; j < p; j++) weights[j] = gaussian_entry(key, n * p + j);
        for (uint64_t r = 0; r < rows; r++, from += x->row_bytes) {
            int64_t sum = 0;
            for (uint64_t j = 0; j < p; j++) sum += weights[j] * value_at(from, x->store, j);
            bw_set_bit(to + r * out->row_bytes, n, sum >= d->t[n]);
        }
    }
}

/* ---- rows stored: a linear layer ---- */

static void run_linear(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    bw_job job = {.weights = d->weights,
                  .x = bw_at(block, step->x),
                  .x_stride = step->x->row_bytes,
                  .out = bw_at(block, step->out),
                  .out_stride = step->out->row_bytes,
                  .samples = (int64_t)(block->n_samples * step->x->positions),
                  .row_end = 1,
                  .threshold = d->threshold,
                  .scratch = block->scratch};
    d->kernel->run(&d->shape, &job);
}

/* Row n of a transform of linear rounds: what it makes of each unit vector, by the transposed rounds. */
static void hadamard_row(const projection *d, uint64_t n, uint64_t rounds, int64_t *v) {
    uint64_t block = n / d->size;
    memset(v, 0, d->size * sizeof *v);
    v[n % d->size] = 1;
    for (uint64_t round = rounds; round-- > 0;) {
        for (uint64_t half = 1; half < d->size; half *= 2)
            for (uint64_t j = 0; j < d->size; j++)
                if (!(j & half)) {
                    int64_t a = v[j], b = v[j + half];
                    v[j] = a + b;
                    v[j + half] = a - b;
                }
        uint64_t key = key_of(d, block * rounds + round);
        for (uint64_t j = 0; j < d->size; j++)
            if (!(word_of(key, j / 64) >> j % 64 & 1)) v[j] = -v[j];
    }
}

/* The matrix in canonical order, int8_t or bits; NULL without memory or where a number is beyond int8_t. */
static void *matrix_of(const projection *d, const bw_step *step, uint64_t p, uint64_t n_out) {
    uint64_t kind = (uint64_t)step->op->attrs[BW_PROJECT_KIND], key = key_of(d, 0), n_words = bw_words((int64_t)p);
    if (kind == BW_KIND_RADEMACHER) {
        uint64_t *signs = malloc(n_out * n_words * 8);
        for (uint64_t n = 0; signs && n < n_out; n++) rademacher_row(key, n, p, signs + n * n_words);
        return signs;
    }
    int8_t *matrix = malloc(n_out * p);
    if (matrix && kind == BW_KIND_GAUSSIAN)
        for (uint64_t i = 0; i < n_out * p; i++) matrix[i] = gaussian_entry(key, i);
    for (uint64_t n = 0; matrix && kind == BW_KIND_HADAMARD && n < n_out; n++) {
        int64_t v[SMALL];
        hadamard_row(d, n, (uint64_t)step->op->attrs[BW_PROJECT_ROUNDS], v);
        for (uint64_t j = 0; j < p; j++) {
            if (v[j] < -127 || v[j] > 127) {
                free(matrix);
                return NULL;
            }
            matrix[n * p + j] = (int8_t)v[j];
        }
    }
    return matrix;
}

static int prepare_linear(bw_plan *plan, bw_step *step, projection *d, const bw_type *t, bool *done, bw_error *error) {
    const bw_slot *x = step->x, *out = step->out;
    bool rademacher = step->op->attrs[BW_PROJECT_KIND] == BW_KIND_RADEMACHER, bits = x->store == BW_STORE_BITS;
    void *matrix = matrix_of(d, step, x->channels, out->channels);
    if (!matrix) return BW_OK;
    bw_shape *s = &d->shape;
    *s = (bw_shape){.channels = (int32_t)x->channels,
                    .height = 1,
                    .width = 1,
                    .out_channels = (int32_t)out->channels,
                    .kernel_h = 1,
                    .kernel_w = 1,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .groups = 1,
                    .input = bits ? BW_INPUT_BITS : x->store == BW_STORE_U8 ? BW_INPUT_U8 : BW_INPUT_I32,
                    .lo = bits ? -1 : (int32_t)t->lo,
                    .hi = bits ? 1 : (int32_t)t->hi,
                    .weight = rademacher ? BW_WEIGHT_SIGN : BW_WEIGHT_I8,
                    .out = BW_OUT_BITS};
    d->kernel = rademacher && bits ? plan->kernels->xnor_linear : plan->kernels->int_linear;
    d->weights = bw_plan_alloc(plan, d->kernel->weight_bytes(s));
    d->threshold = bw_plan_alloc_array(plan, out->channels, sizeof *d->threshold);
    if (d->weights) d->kernel->pack_weights(s, matrix, d->weights);
    free(matrix);
    BW_HAVE(d->weights && d->threshold);
    for (uint64_t n = 0; n < out->channels; n++)
        d->threshold[n] = (int32_t)(d->t[n] > INT32_MAX ? INT32_MAX : d->t[n] < INT32_MIN ? INT32_MIN : d->t[n]);
    step->scratch_bytes = d->kernel->scratch_bytes(s);
    step->run = run_linear;
    *done = true;
    return BW_OK;
}

/* ---- transforms ---- */

static void run_hadamard(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    const uint8_t *from = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    int64_t *v64 = (int64_t *)block->scratch;
    int32_t *v32 = (int32_t *)block->scratch;
    memset(block->scratch, 0, d->size * (d->wide ? 8 : 4));
    for (uint64_t r = 0; r < block->n_samples * x->positions; r++, from += x->row_bytes, to += out->row_bytes) {
        if (d->wide) {
            for (uint64_t j = 0; j < x->channels; j++) v64[j] = value_at(from, x->store, j);
            d->transforms->run64(&d->hadamard, v64, v64 + d->size, (uint64_t *)to);
            continue;
        }
        if (x->store == BW_STORE_I32) memcpy(v32, from, x->channels * sizeof *v32);
        else if (x->store == BW_STORE_U8)
            for (uint64_t j = 0; j < x->channels; j++) v32[j] = from[j];
        else
            for (uint64_t j = 0; j < x->channels; j++) v32[j] = (int32_t)value_at(from, x->store, j);
        d->transforms->run32(&d->hadamard, v32, v32 + d->size, (uint64_t *)to);
    }
}

static int prepare_hadamard(bw_plan *plan, bw_step *step, projection *d, bw_error *error) {
    bw_hadamard *h = &d->hadamard;
    uint64_t n_out = step->out->channels, rounds = (uint64_t)step->op->attrs[BW_PROJECT_ROUNDS];
    *h = (bw_hadamard){.size = d->size,
                       .n_blocks = (n_out + d->size - 1) / d->size,
                       .n_words = bw_words((int64_t)n_out),
                       .rounds = (int)rounds,
                       .shift = (int)step->op->attrs[BW_PROJECT_SHIFT]};
    int32_t *flip = bw_plan_alloc_array(plan, h->n_blocks * rounds * d->size, sizeof *flip);
    void *t = bw_plan_alloc_array(plan, h->n_blocks * d->size, d->wide ? 8 : 4);
    BW_HAVE(flip && t);
    for (uint64_t i = 0; i < h->n_blocks * rounds; i++) {
        uint64_t key = key_of(d, i), word = 0;
        for (uint64_t j = 0; j < d->size; j++) {
            if (j % 64 == 0) word = word_of(key, j / 64);
            flip[i * d->size + j] = word >> j % 64 & 1 ? 0 : -1;
        }
    }
    for (uint64_t n = 0; n < h->n_blocks * d->size; n++) {
        int64_t threshold = n < n_out ? d->t[n] : INT64_MAX;
        if (d->wide) ((int64_t *)t)[n] = threshold;
        else ((int32_t *)t)[n] = (int32_t)(threshold > INT32_MAX ? INT32_MAX : threshold < INT32_MIN ? INT32_MIN : threshold);
    }
    h->flip = flip;
    h->t = t;
    d->transforms = bw_find_project_kernels(plan->kernels->name);
    if (d->size < d->transforms->smallest) d->transforms = bw_find_project_kernels("reference");
    step->scratch_bytes = 2 * d->size * (d->wide ? 8 : 4);
    step->run = run_hadamard;
    return BW_OK;
}

/* The largest size of a sum, over all rounds; the loader has seen to it that it stays within 2^62. */
static uint64_t bound_of(const bw_step *step, const projection *d, const bw_type *t) {
    const int64_t *a = step->op->attrs;
    uint64_t m = 1;
    if (t->kind != BW_BITS) m = (uint64_t)(-t->lo > t->hi ? -t->lo : t->hi);
    if (a[BW_PROJECT_KIND] == BW_KIND_GAUSSIAN) return 64 * m * step->x->channels;
    if (a[BW_PROJECT_KIND] == BW_KIND_RADEMACHER) return m * step->x->channels;
    for (int64_t round = 0; round < a[BW_PROJECT_ROUNDS]; round++) {
        if (round) m = (m >> a[BW_PROJECT_SHIFT]) + 1;
        m *= d->size;
    }
    return m;
}

int bw_prepare_project(bw_plan *plan, bw_step *step, bw_error *error) {
    const int64_t *a = step->op->attrs;
    const bw_const *t = &step->op->consts[BW_PROJECT_C_T];
    const bw_type *type = &plan->program->types[step->op->inputs[0]];
    projection *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->seed = (uint64_t)a[BW_PROJECT_SEED];
    d->layer = (uint64_t)a[BW_PROJECT_LAYER];
    d->t = bw_plan_alloc_array(plan, step->out->channels, sizeof *d->t);
    BW_HAVE(d->t);
    for (uint64_t n = 0; t->dtype && n < t->n_values; n++) d->t[n] = bw_const_int(t, n);
    for (d->size = 1; d->size < step->x->channels;) d->size *= 2;
    bool hadamard = a[BW_PROJECT_KIND] == BW_KIND_HADAMARD;
    bool linear = !hadamard || (d->size <= SMALL && (a[BW_PROJECT_ROUNDS] == 1 || a[BW_PROJECT_SHIFT] == 0));
    d->wide = bound_of(step, d, type) >= INT32_MAX;
    if (linear && !d->wide && (uint64_t)step->x->channels * step->out->channels <= STORED) {
        bool done = false;
        BW_TRY(prepare_linear(plan, step, d, type, &done, error));
        if (done) return BW_OK;
    }
    if (hadamard) return prepare_hadamard(plan, step, d, error);
    step->scratch_bytes = (size_t)step->x->channels + 8;
    step->run = a[BW_PROJECT_KIND] == BW_KIND_GAUSSIAN ? run_gaussian : run_rademacher;
    return BW_OK;
}
