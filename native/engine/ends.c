/* The two ends: the caller's input checked and packed, the scores handed back. */
#include <math.h>
#include "rows.h"

typedef struct {
    bool check; /* the range is narrower than the dtype */
    bool copy;
    int64_t lo, hi;
    bw_store from;
    bw_step planes; /* its run is NULL unless bits become planes */
} input_data;

static void bad(bw_block *block, size_t sample, uint64_t at) {
    if (block->bad) return;
    block->bad = true;
    block->bad_sample = block->first_sample + sample;
    block->bad_at = at;
}

static bool ints_good(const uint8_t *x, bw_store store, uint64_t n, int64_t lo, int64_t hi) {
    if (store == BW_STORE_U8) {
        uint8_t most = 0, least = 255;
        for (uint64_t i = 0; i < n; i++) {
            most = x[i] > most ? x[i] : most;
            least = x[i] < least ? x[i] : least;
        }
        return n == 0 || (least >= lo && most <= hi);
    }
    const int32_t *v = (const int32_t *)x;
    int32_t most = INT32_MIN, least = INT32_MAX;
    for (uint64_t i = 0; i < n; i++) {
        most = v[i] > most ? v[i] : most;
        least = v[i] < least ? v[i] : least;
    }
    return n == 0 || (least >= lo && most <= hi);
}

static bool value_good(const uint8_t *x, bw_store store, uint64_t i, int64_t lo, int64_t hi) {
    if (store == BW_STORE_F32) return !isnan(((const float *)x)[i]);
    int64_t v = bw_get_int(x, store, i);
    return v >= lo && v <= hi;
}

static bool floats_good(const float *x, uint64_t n) {
    uint32_t nan = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, x + i, 4);
        nan |= (uint32_t)((word & 0x7fffffffu) > 0x7f800000u);
    }
    return !nan;
}

static void check_input(const input_data *d, const bw_plan *plan, bw_block *block) {
    uint64_t n_values = plan->program->types[0].n_values, n = n_values * block->n_samples;
    bool good = d->from == BW_STORE_F32 ? floats_good((const float *)block->input, n)
                                        : ints_good(block->input, d->from, n, d->lo, d->hi);
    for (uint64_t i = 0; !good && i < n; i++)
        if (!value_good(block->input, d->from, i, d->lo, d->hi)) {
            bad(block, i / n_values, i % n_values);
            return;
        }
}

/* The caller's planes become channels last: one position after another. */
static void take_sample(const bw_slot *out, bw_store from, const uint8_t *x, uint8_t *to) {
    uint64_t positions = out->positions, size = bw_store_size(from);
    if (out->store != BW_STORE_BITS) {
        if (bw_is_linear(out)) memcpy(to, x, out->bytes);
        else if (size == 1)
            for (uint64_t p = 0; p < positions; p++)
                for (uint32_t c = 0; c < out->channels; c++) to[p * out->channels + c] = x[c * positions + p];
        else
            for (uint64_t p = 0; p < positions; p++)
                for (uint32_t c = 0; c < out->channels; c++)
                    memcpy(to + 4 * (p * out->channels + c), x + 4 * (c * positions + p), 4);
        return;
    }
    uint8_t tile[64];
    for (uint64_t p = 0; p < positions; p++)
        for (uint32_t c = 0; c < out->channels; c += 64) {
            uint32_t n = out->channels - c < 64 ? out->channels - c : 64;
            const uint8_t *bytes = x + c;
            if (positions > 1) {
                for (uint32_t i = 0; i < n; i++) tile[i] = x[(c + i) * positions + p];
                bytes = tile;
            }
            uint64_t word = bw_word_of(bytes, n);
            memcpy(to + p * out->row_bytes + c / 8, &word, 8);
        }
}

static void run_input(const bw_step *step, bw_block *block) {
    const input_data *d = step->data;
    if (d->check) check_input(d, block->plan, block);
    if (block->bad || !d->copy) return;
    if (d->planes.run) {
        d->planes.run(&d->planes, block);
        return;
    }
    uint8_t *to = bw_at(block, step->out);
    for (size_t s = 0; s < block->n_samples; s++)
        take_sample(step->out, d->from, block->input + s * block->plan->input_bytes, to + s * step->out->bytes);
}

int bw_prepare_input(bw_plan *plan, bw_step *step, bw_error *error) {
    bw_slot *slot = &plan->slots[0];
    const bw_type *t = &plan->program->types[0];
    input_data *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->from = t->kind == BW_BITS ? BW_STORE_U8 : slot->store;
    d->lo = t->kind == BW_BITS ? 0 : t->lo;
    d->hi = t->kind == BW_BITS ? 1 : t->hi;
    d->check = !(d->from == BW_STORE_U8 ? d->lo == 0 && d->hi == 255
                                        : d->from == BW_STORE_I32 && d->lo == INT32_MIN && d->hi == INT32_MAX);
    d->copy = t->kind == BW_BITS || !bw_is_linear(slot) || plan->flags & BW_KEEP;
    if (!d->copy) slot->place = BW_IN_INPUT;
    if (slot->store == BW_STORE_PLANES) {
        d->planes = *step;
        BW_TRY(bw_prepare_input_planes(plan, &d->planes, error));
        step->scratch_bytes = d->planes.scratch_bytes;
    }
    step->run = run_input;
    return BW_OK;
}

static void run_output(const bw_step *step, bw_block *block) {
    bw_copy_values(block->scores, block->plan->scores_store, bw_at(block, step->x), step->x->store,
                   block->n_samples * step->x->channels);
    if (block->plan->flags & BW_KEEP)
        memcpy(bw_at(block, step->out), block->scores, block->n_samples * step->out->bytes);
}

int bw_prepare_output(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)error;
    bw_slot *root = &plan->slots[step->x->root];
    bool direct = !(plan->flags & BW_KEEP) && root->place == BW_IN_ARENA && root->store == plan->scores_store &&
                  root->bytes == plan->scores_bytes;
    if (direct) root->place = BW_IN_SCORES;
    else step->run = run_output;
    if (!(plan->flags & BW_KEEP)) plan->slots[step->operation].place = BW_NOWHERE;
    return BW_OK;
}
