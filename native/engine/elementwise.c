/* Value by value on ints: affine, prelu, clip, add; and to_int. A chain of them runs over each tile in one pass.
 *
 * Memory is taken as one long row, tile by tile; constants of few channels are repeated until they fill a tile. */
#include "rows.h"

typedef struct {
    uint64_t period; /* tiles begin anew after so many values: the constants repeat */
    int n_rules;
    bw_tile_rule rules[BW_CHAIN];
    const bw_slot *second[BW_CHAIN]; /* the other value of BW_TILE_ADD */
} chain_data;

static void widen(const bw_tiles *tiles, int64_t *to, const uint8_t *from, bw_store store, uint64_t at, size_t n) {
    if (store == BW_STORE_U8) tiles->widen_u8(to, from + at, n);
    else if (store == BW_STORE_I32) tiles->widen_i32(to, (const int32_t *)from + at, n);
    else memcpy(to, (const int64_t *)from + at, n * sizeof *to);
}

static void narrow(const bw_tiles *tiles, uint8_t *to, bw_store store, uint64_t at, const int64_t *from, size_t n) {
    if (store == BW_STORE_I32) tiles->narrow_i32((int32_t *)to + at, from, n);
    else memcpy((int64_t *)to + at, from, n * sizeof *from);
}

static void run_chain(const bw_step *step, bw_block *block) {
    const chain_data *d = step->data;
    const bw_tiles *tiles = block->plan->tiles;
    const uint8_t *from = bw_at(block, step->x), *second[BW_CHAIN];
    uint8_t *to = bw_at(block, step->out);
    uint64_t total = block->n_samples * step->out->positions * step->out->channels;
    _Alignas(64) int64_t x[BW_TILE], y[BW_TILE];
    for (int k = 0; k < d->n_rules; k++) second[k] = d->second[k] ? bw_at(block, d->second[k]) : NULL;
    for (uint64_t at = 0, place = 0; at < total;) {
        uint64_t left = d->period - place < total - at ? d->period - place : total - at;
        size_t n = left < BW_TILE ? left : BW_TILE;
        widen(tiles, x, from, step->x->store, at, n);
        for (int k = 0; k < d->n_rules; k++) {
            if (second[k]) widen(tiles, y, second[k], d->second[k]->store, at, n);
            tiles->apply(&d->rules[k], place, n, x, y);
        }
        narrow(tiles, to, step->out->store, at, x, n);
        at += n;
        place = place + n == d->period ? 0 : place + n;
    }
}

static int64_t *repeated(bw_plan *plan, const bw_const *constant, uint64_t period) {
    int64_t *values = bw_plan_alloc_array(plan, period, sizeof *values);
    for (uint64_t i = 0; values && i < period; i++) values[i] = bw_const_int(constant, i % constant->n_values);
    return values;
}

/* A constant of the sample's shape, in the order in which the sample lies. */
static int64_t *by_place(bw_plan *plan, const bw_const *b, const bw_slot *out) {
    int64_t *values = bw_plan_alloc_array(plan, b->n_values, sizeof *values);
    for (uint64_t c = 0; values && c < out->channels; c++)
        for (uint64_t p = 0; p < out->positions; p++)
            values[p * out->channels + c] = bw_const_int(b, c * out->positions + p);
    return values;
}

static int set_rule(bw_plan *plan, const bw_op *op, const bw_slot *out, uint64_t period, bw_tile_rule *r,
                    bw_error *error) {
    const bw_const *c = op->consts;
    switch (op->code) {
    case BW_OP_AFFINE:
        *r = (bw_tile_rule){BW_TILE_AFFINE,
                            repeated(plan, &c[BW_AFFINE_C_MUL], period),
                            NULL,
                            repeated(plan, &c[BW_AFFINE_C_ADD], period),
                            repeated(plan, &c[BW_AFFINE_C_SHIFT], period),
                            0,
                            0};
        BW_HAVE(r->mul && r->add && r->shift);
        break;
    case BW_OP_PRELU:
        *r = (bw_tile_rule){BW_TILE_PRELU,
                            repeated(plan, &c[BW_PRELU_C_POS], period),
                            repeated(plan, &c[BW_PRELU_C_NEG], period),
                            repeated(plan, &c[BW_PRELU_C_ADD], period),
                            repeated(plan, &c[BW_PRELU_C_SHIFT], period),
                            0,
                            0};
        BW_HAVE(r->mul && r->neg && r->add && r->shift);
        break;
    case BW_OP_CLIP:
        *r = (bw_tile_rule){.kind = BW_TILE_CLIP, .lo = op->attrs[BW_CLIP_LO], .hi = op->attrs[BW_CLIP_HI]};
        break;
    default:
        r->kind = op->n_inputs == 2 ? BW_TILE_ADD : BW_TILE_ADD_CONSTANT;
        if (op->n_inputs == 2) break;
        r->add = c[BW_ADD_C_B].ndim == 3 ? by_place(plan, &c[BW_ADD_C_B], out) : repeated(plan, &c[BW_ADD_C_B], period);
        BW_HAVE(r->add);
    }
    return BW_OK;
}

/* The period: whole channels as often as they fit a tile, or the whole sample where a constant has its shape. */
static uint64_t period_of(const bw_program *p, const bw_slot *out, const uint32_t *operations, int n) {
    uint64_t channels = out->channels;
    for (int k = 0; k < n; k++) {
        const bw_op *op = &p->ops[operations[k]];
        if (op->code == BW_OP_ADD && op->consts[BW_ADD_C_B].ndim == 3) return channels * out->positions;
    }
    return channels < BW_TILE ? channels * (BW_TILE / channels) : channels;
}

int bw_prepare_chain(bw_plan *plan, bw_step *step, const uint32_t *operations, int n, bw_error *error) {
    const bw_program *p = plan->program;
    chain_data *d = step->data = bw_plan_alloc(plan, sizeof *d);
    const bw_slot **inputs = bw_plan_alloc_array(plan, (uint64_t)n + 1, sizeof *inputs);
    BW_HAVE(d && inputs);
    d->n_rules = n;
    d->period = period_of(p, step->out, operations, n);
    uint32_t value = p->ops[operations[0]].inputs[0];
    inputs[step->n_inputs++] = step->x = &plan->slots[value];
    for (int k = 0; k < n; k++) {
        const bw_op *op = &p->ops[operations[k]];
        BW_TRY(set_rule(plan, op, step->out, d->period, &d->rules[k], error));
        if (op->n_inputs == 2)
            inputs[step->n_inputs++] = d->second[k] = &plan->slots[op->inputs[op->inputs[0] == value]];
        value = operations[k];
    }
    step->inputs = inputs;
    step->run = run_chain;
    return BW_OK;
}

static void run_to_int(const bw_step *step, bw_block *block) {
    const bw_slot *x = step->x, *out = step->out;
    int32_t zero = -(int32_t)step->op->attrs[BW_TO_INT_MODE], one = 1;
    const uint8_t *from = bw_at(block, x);
    int32_t *to = (int32_t *)bw_at(block, out);
    for (uint64_t r = 0; r < block->n_samples * x->positions; r++, from += x->row_bytes, to += out->channels)
        for (uint32_t c = 0; c < out->channels; c++) to[c] = bw_get_bit(from, c) ? one : zero;
}

int bw_prepare_to_int(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan;
    (void)error;
    step->run = run_to_int;
    return BW_OK;
}
