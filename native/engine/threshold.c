/* Comparisons: threshold (bits), digitize (how many are met), and the flips that a fused pool leaves for last. */
#include "rows.h"

typedef struct {
    uint32_t n_thresholds; /* of a channel */
    int64_t *t;            /* [C][J] */
    float *f;              /* the same for floats */
    int32_t *narrow;       /* for int32 values: clamped to 32 bits; NULL if x is wider */
    uint64_t *flip;
} comparisons;

static inline uint8_t met(const comparisons *d, const uint8_t *row, bw_store store, uint64_t c, uint64_t i) {
    if (store == BW_STORE_F32) return ((const float *)row)[c] >= d->f[i];
    return bw_get_int(row, store, c) >= d->t[i];
}

static void run_threshold(const bw_step *step, bw_block *block) {
    const comparisons *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    const uint8_t *row = bw_at(block, x);
    uint64_t *words = (uint64_t *)bw_at(block, out);
    uint64_t n_words = bw_words(out->channels);
    uint8_t bytes[64];
    for (uint64_t r = 0; r < block->n_samples * x->positions; r++, row += x->row_bytes)
        for (uint64_t k = 0; k < n_words; k++) {
            uint64_t first = 64 * k, n = out->channels - first < 64 ? out->channels - first : 64;
            if (d->narrow && d->n_thresholds == 1)
                block->plan->tiles->compare(bytes, (const int32_t *)row + first, d->narrow + first, n);
            else
                for (uint64_t i = 0; i < n; i++)
                    bytes[i] = met(d, row, x->store, (first + i) / d->n_thresholds, first + i);
            *words++ = bw_word_of(bytes, n) ^ d->flip[k];
        }
}

/* Sorted thresholds: those met are the first ones. */
static void run_digitize(const bw_step *step, bw_block *block) {
    const comparisons *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    const uint8_t *row = bw_at(block, x);
    int32_t *to = (int32_t *)bw_at(block, out);
    for (uint64_t r = 0; r < block->n_samples * x->positions; r++, row += x->row_bytes, to += out->channels)
        for (uint64_t c = 0; c < x->channels; c++) {
            uint32_t low = 0, high = d->n_thresholds;
            while (low < high) {
                uint32_t middle = (low + high) / 2;
                if (met(d, row, x->store, c, c * d->n_thresholds + middle)) low = middle + 1;
                else high = middle;
            }
            to[c] = (int32_t)low;
        }
}

static int read_thresholds(bw_plan *plan, bw_step *step, comparisons *d, bw_error *error) {
    const bw_const *t = &step->op->consts[0];
    BW_HAVE(d);
    d->n_thresholds = t->dims[1];
    if (t->dtype == BW_DTYPE_F32) d->f = bw_plan_alloc_array(plan, t->n_values, sizeof *d->f);
    else d->t = bw_plan_alloc_array(plan, t->n_values, sizeof *d->t);
    BW_HAVE(d->f || d->t);
    for (uint64_t i = 0; i < t->n_values; i++) {
        if (d->f) d->f[i] = bw_const_float(t, i);
        else d->t[i] = bw_const_int(t, i);
    }
    return BW_OK;
}

/* t above every int32 would need one more bit: then all values stay wide. */
static void narrow(bw_plan *plan, comparisons *d, uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        if (d->t[i] > INT32_MAX) return;
    d->narrow = bw_plan_alloc_array(plan, n, sizeof *d->narrow);
    for (uint64_t i = 0; d->narrow && i < n; i++) d->narrow[i] = d->t[i] < INT32_MIN ? INT32_MIN : (int32_t)d->t[i];
}

int bw_prepare_threshold(bw_plan *plan, bw_step *step, bw_error *error) {
    comparisons *d = step->data = bw_plan_alloc(plan, sizeof *d);
    const bw_const *flip = &step->op->consts[BW_THRESHOLD_C_FLIP];
    BW_TRY(read_thresholds(plan, step, d, error));
    d->flip = bw_plan_alloc(plan, flip->n_bytes);
    BW_HAVE(d->flip);
    memcpy(d->flip, flip->data, flip->n_bytes);
    if (step->x->store == BW_STORE_I32) narrow(plan, d, flip->n_values);
    step->run = run_threshold;
    return BW_OK;
}

int bw_prepare_digitize(bw_plan *plan, bw_step *step, bw_error *error) {
    comparisons *d = step->data = bw_plan_alloc(plan, sizeof *d);
    step->run = run_digitize;
    return read_thresholds(plan, step, d, error);
}

static void run_flip(const bw_step *step, bw_block *block) {
    const uint64_t *flip = step->data;
    uint64_t n_words = bw_words(step->out->channels);
    uint64_t *words = (uint64_t *)bw_at(block, step->out);
    for (uint64_t r = 0; r < block->n_samples * step->out->positions; r++)
        for (uint64_t k = 0; k < n_words; k++) *words++ ^= flip[k];
}

int bw_prepare_flip(bw_plan *plan, bw_step *step, const uint64_t *flip) {
    (void)plan;
    step->data = (void *)flip;
    step->run = run_flip;
    return BW_OK;
}
