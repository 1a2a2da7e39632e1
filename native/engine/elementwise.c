/* Value by value on ints: affine, prelu, clip, add, to_int. Works in tiles of int64, so no intermediate can overflow. */
#include "rows.h"

enum { TILE = 256 };

/* Constants as int64, one a channel (or, for add, one a place of the sample as it lies in memory). */
typedef struct {
    int64_t *a, *b, *c, *d;
    bool per_place;
    int64_t lo, hi;
} params;

typedef void tile_rule(const params *p, size_t at, size_t n, const int64_t *restrict x, const int64_t *restrict y, int64_t *restrict out);

static inline void each(const bw_step *step, bw_block *block, tile_rule *rule) {
    const params *p = step->data;
    const bw_slot *x = step->x, *y = step->y, *out = step->out;
    uint64_t row = p->per_place ? out->positions * out->channels : out->channels;
    uint64_t rows = block->n_samples * out->positions * out->channels / row;
    const uint8_t *from = bw_at(block, x), *second = y ? bw_at(block, y) : NULL;
    uint8_t *to = bw_at(block, out);
    int64_t tx[TILE], ty[TILE], tout[TILE];
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t c = 0; c < row; c += TILE) {
            size_t n = row - c < TILE ? row - c : TILE;
            uint64_t at = r * row + c;
            bw_widen(tx, from + at * bw_store_size(x->store), x->store, n);
            if (second) bw_widen(ty, second + at * bw_store_size(y->store), y->store, n);
            rule(p, c, n, tx, ty, tout);
            bw_narrow(to + at * bw_store_size(out->store), out->store, tout, n);
        }
}

#define RULE(name, formula)                                                                                              \
    static void name##_tile(const params *p, size_t at, size_t n, const int64_t *restrict x, const int64_t *restrict y,  \
                            int64_t *restrict out) {                                                                     \
        (void)p; (void)at; (void)y;                                                                                      \
        for (size_t i = 0; i < n; i++) out[i] = formula;                                                                 \
    }                                                                                                                    \
    static void run_##name(const bw_step *step, bw_block *block) { each(step, block, name##_tile); }

RULE(affine, (x[i] * p->a[at + i] + p->b[at + i]) >> p->c[at + i])
RULE(prelu, (x[i] * (x[i] >= 0 ? p->a : p->d)[at + i] + p->b[at + i]) >> p->c[at + i])
RULE(clip, x[i] < p->lo ? p->lo : x[i] > p->hi ? p->hi : x[i])
RULE(add, x[i] + y[i])
RULE(add_constant, x[i] + p->a[at + i])

static int64_t *channels_of(bw_plan *plan, const bw_const *constant) {
    int64_t *values = bw_plan_alloc_array(plan, constant->n_values, sizeof *values);
    for (uint64_t i = 0; values && i < constant->n_values; i++) values[i] = bw_const_int(constant, i);
    return values;
}

int bw_prepare_affine(bw_plan *plan, bw_step *step, bw_error *error) {
    params *p = step->data = bw_plan_alloc(plan, sizeof *p);
    BW_HAVE(p);
    p->a = channels_of(plan, &step->op->consts[BW_AFFINE_C_MUL]);
    p->b = channels_of(plan, &step->op->consts[BW_AFFINE_C_ADD]);
    p->c = channels_of(plan, &step->op->consts[BW_AFFINE_C_SHIFT]);
    BW_HAVE(p->a && p->b && p->c);
    step->run = run_affine;
    return BW_OK;
}

int bw_prepare_prelu(bw_plan *plan, bw_step *step, bw_error *error) {
    params *p = step->data = bw_plan_alloc(plan, sizeof *p);
    BW_HAVE(p);
    p->a = channels_of(plan, &step->op->consts[BW_PRELU_C_POS]);
    p->d = channels_of(plan, &step->op->consts[BW_PRELU_C_NEG]);
    p->b = channels_of(plan, &step->op->consts[BW_PRELU_C_ADD]);
    p->c = channels_of(plan, &step->op->consts[BW_PRELU_C_SHIFT]);
    BW_HAVE(p->a && p->b && p->c && p->d);
    step->run = run_prelu;
    return BW_OK;
}

int bw_prepare_clip(bw_plan *plan, bw_step *step, bw_error *error) {
    params *p = step->data = bw_plan_alloc(plan, sizeof *p);
    BW_HAVE(p);
    p->lo = step->op->attrs[BW_CLIP_LO];
    p->hi = step->op->attrs[BW_CLIP_HI];
    step->run = run_clip;
    return BW_OK;
}

int bw_prepare_add(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_const *b = &step->op->consts[BW_ADD_C_B];
    params *p = step->data = bw_plan_alloc(plan, sizeof *p);
    BW_HAVE(p);
    step->run = step->y ? run_add : run_add_constant;
    p->per_place = b->ndim == 3;
    if (step->y) return BW_OK;
    p->a = bw_plan_alloc_array(plan, b->n_values, sizeof *p->a);
    BW_HAVE(p->a);
    uint64_t positions = p->per_place ? step->out->positions : 1, channels = step->out->channels;
    for (uint64_t c = 0; c < channels; c++)
        for (uint64_t at = 0; at < positions; at++) p->a[at * channels + c] = bw_const_int(b, c * positions + at);
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
