/* Logic: lut, lut_conv2d, count; one bit at a time. */
#include "rows.h"

typedef struct {
    uint64_t n_tables, n_taps, n_outputs;
    int64_t k;
    uint32_t *wiring, *taps, *outputs;
    uint64_t *table;
    uint32_t *start;
    uint8_t *invert;
    int64_t *offset;
} logic;

static uint32_t *numbers(bw_plan *plan, const bw_const *c) {
    uint32_t *values = bw_plan_alloc_array(plan, c->n_values, sizeof *values);
    for (uint64_t i = 0; values && i < c->n_values; i++) values[i] = (uint32_t)bw_const_int(c, i);
    return values;
}

static uint64_t *entries(bw_plan *plan, const bw_const *c) {
    uint64_t *values = bw_plan_alloc_array(plan, c->n_values, sizeof *values);
    for (uint64_t i = 0; values && i < c->n_values; i++) values[i] = (uint64_t)bw_const_int(c, i);
    return values;
}

static void run_lut(const bw_step *step, bw_block *block) {
    const logic *d = step->data;
    const uint8_t *from = bw_at(block, step->x);
    uint8_t *to = bw_at(block, step->out);
    for (uint64_t r = 0; r < block->n_samples * step->x->positions;
         r++, from += step->x->row_bytes, to += step->out->row_bytes) {
        memset(to, 0, step->out->row_bytes);
        const uint32_t *wire = d->wiring;
        for (uint64_t g = 0; g < d->n_tables; g++) {
            uint64_t address = 0;
            for (int64_t j = 0; j < d->k; j++) address = address << 1 | bw_get_bit(from, *wire++);
            bw_set_bit(to, g, d->table[g] >> address & 1);
        }
    }
}

int bw_prepare_lut(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_const *consts = step->op->consts;
    logic *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->k = step->op->attrs[BW_LUT_K];
    d->n_tables = consts[BW_LUT_C_TABLE].n_values;
    d->wiring = numbers(plan, &consts[BW_LUT_C_WIRING]);
    d->table = entries(plan, &consts[BW_LUT_C_TABLE]);
    BW_HAVE(d->wiring && d->table);
    step->run = run_lut;
    return BW_OK;
}

static uint8_t tap(const bw_step *step, const uint8_t *image, const uint32_t *t, int64_t row, int64_t column) {
    const bw_slot *x = step->x;
    int64_t y = row + t[1], z = column + t[2];
    if (y < 0 || y >= x->height || z < 0 || z >= x->width) return (uint8_t)step->op->attrs[BW_LUT_CONV2D_PAD_VALUE];
    return (uint8_t)bw_get_bit(image + (uint64_t)(y * x->width + z) * x->row_bytes, t[0]);
}

static void run_lut_conv2d(const bw_step *step, bw_block *block) {
    const logic *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    const int64_t *a = step->op->attrs;
    const uint8_t *image = bw_at(block, x);
    uint8_t *to = bw_at(block, out), *signals = block->scratch;
    for (size_t s = 0; s < block->n_samples; s++, image += x->bytes)
        for (uint64_t p = 0; p < out->positions; p++, to += out->row_bytes) {
            int64_t row = (int64_t)(p / out->width) * a[BW_LUT_CONV2D_STRIDE_H] - a[BW_LUT_CONV2D_PAD_TOP];
            int64_t column = (int64_t)(p % out->width) * a[BW_LUT_CONV2D_STRIDE_W] - a[BW_LUT_CONV2D_PAD_LEFT];
            for (uint64_t t = 0; t < d->n_taps; t++) signals[t] = tap(step, image, d->taps + 3 * t, row, column);
            const uint32_t *wire = d->wiring;
            for (uint64_t m = 0; m < d->n_tables; m++) {
                uint64_t address = 0;
                for (int64_t j = 0; j < d->k; j++) address = address << 1 | signals[*wire++];
                signals[d->n_taps + m] = d->table[m] >> address & 1;
            }
            memset(to, 0, out->row_bytes);
            for (uint64_t o = 0; o < d->n_outputs; o++) bw_set_bit(to, o, signals[d->outputs[o]]);
        }
}

int bw_prepare_lut_conv2d(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_const *consts = step->op->consts;
    logic *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->k = step->op->attrs[BW_LUT_CONV2D_K];
    d->n_taps = consts[BW_LUT_CONV2D_C_TAPS].dims[0];
    d->n_tables = consts[BW_LUT_CONV2D_C_TABLE].n_values;
    d->n_outputs = consts[BW_LUT_CONV2D_C_OUTPUTS].n_values;
    d->taps = numbers(plan, &consts[BW_LUT_CONV2D_C_TAPS]);
    d->wiring = numbers(plan, &consts[BW_LUT_CONV2D_C_WIRING]);
    d->table = entries(plan, &consts[BW_LUT_CONV2D_C_TABLE]);
    d->outputs = numbers(plan, &consts[BW_LUT_CONV2D_C_OUTPUTS]);
    BW_HAVE(d->taps && d->wiring && d->table && d->outputs);
    step->scratch_bytes = d->n_taps + d->n_tables;
    step->run = run_lut_conv2d;
    return BW_OK;
}

static void run_count(const bw_step *step, bw_block *block) {
    const logic *d = step->data;
    const bw_slot *out = step->out;
    const uint8_t *from = bw_at(block, step->x);
    uint8_t *to = bw_at(block, out);
    for (size_t s = 0; s < block->n_samples; s++, from += step->x->bytes, to += out->bytes)
        for (uint64_t g = 0; g < out->channels; g++) {
            int64_t sum = d->offset[g];
            for (uint32_t i = d->start[g]; i < d->start[g + 1]; i++)
                sum += (int64_t)bw_get_bit(from, d->wiring[i]) ^ d->invert[i];
            if (out->store == BW_STORE_I32) ((int32_t *)to)[g] = (int32_t)sum;
            else ((int64_t *)to)[g] = sum;
        }
}

int bw_prepare_count(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_const *consts = step->op->consts, *invert = &consts[BW_COUNT_C_INVERT];
    logic *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->start = numbers(plan, &consts[BW_COUNT_C_START]);
    d->wiring = numbers(plan, &consts[BW_COUNT_C_SIGNAL]);
    d->offset = (int64_t *)entries(plan, &consts[BW_COUNT_C_OFFSET]);
    d->invert = bw_plan_alloc(plan, invert->n_values);
    BW_HAVE(d->start && d->wiring && d->offset && d->invert);
    for (uint64_t i = 0; i < invert->n_values; i++) d->invert[i] = (uint8_t)bw_const_int(invert, i);
    step->run = run_count;
    return BW_OK;
}
