/* Sums that go straight into a threshold: found here, and closed to one comparison on the sum, exact by search.
 *
 * sum -> [max pool] -> monotone elementwise steps -> threshold of one bit a channel: the bit is a monotone function of
 * the sum, so it switches at most once between the ends of the sum's range. max(s) >= t is the OR of s >= t: the pool
 * acts on bits. Elementwise steps that no sum takes are gathered into chains that run in one pass.
 */
#include <stdlib.h>
#include "engine.h"

bool bw_is_sum(int code) {
    return code == BW_OP_XNOR_LINEAR || code == BW_OP_XNOR_CONV2D || code == BW_OP_INT_LINEAR ||
           code == BW_OP_INT_CONV2D;
}

static const bw_fusion none = {.threshold = -1, .pool = -1, .project = -1, .patches = -1};

static bool is_monotone(const bw_op *op) {
    if (op->code == BW_OP_AFFINE || op->code == BW_OP_CLIP) return true;
    if (op->code == BW_OP_ADD) return op->n_inputs == 1 && op->consts[BW_ADD_C_B].ndim == 1;
    if (op->code != BW_OP_PRELU) return false;
    for (uint32_t c = 0; c < op->consts[0].dims[0]; c++) {
        int64_t pos = bw_const_int(&op->consts[BW_PRELU_C_POS], c), neg = bw_const_int(&op->consts[BW_PRELU_C_NEG], c);
        if (!((pos >= 0 && neg >= 0) || (pos <= 0 && neg <= 0))) return false;
    }
    return true;
}

static bool find_fusion(const bw_program *p, const bw_analysis *a, uint32_t sum, bw_fusion *f) {
    const bw_type *type = &p->types[sum];
    *f = none;
    if (!bw_is_sum(p->ops[sum].code) || type->lo < INT32_MIN || type->hi >= INT32_MAX) return false;
    for (uint32_t v = sum; a->n_readers[v] == 1;) {
        uint32_t reader = a->reader[v];
        const bw_op *op = &p->ops[reader];
        if (op->code == BW_OP_THRESHOLD) {
            if (op->consts[BW_THRESHOLD_C_T].dims[1] != 1) return false;
            f->threshold = reader;
            return true;
        }
        if (op->code == BW_OP_MAX_POOL2D && v == sum) f->pool = reader;
        else if (is_monotone(op) && f->n_chain < BW_CHAIN) f->chain[f->n_chain++] = reader;
        else return false;
        v = reader;
    }
    return false;
}

bool bw_is_elementwise(int code) {
    return code == BW_OP_AFFINE || code == BW_OP_PRELU || code == BW_OP_CLIP || code == BW_OP_ADD;
}

/* An elementwise operation and those behind it that alone read what it makes. The chain runs in the place of its last
 * operation, where the other values that it adds have been made. */
static void find_chain(const bw_program *p, bw_analysis *a, uint32_t first, bool alone) {
    bw_fusion f = none;
    f.chain[f.n_chain++] = first;
    uint32_t last = first;
    while (!alone && a->n_readers[last] == 1 && f.n_chain < BW_CHAIN) {
        uint32_t reader = a->reader[last];
        if (!bw_is_elementwise(p->ops[reader].code) || a->skip[reader] || a->fusions[reader].n_chain) break;
        a->skip[last] = true;
        f.chain[f.n_chain++] = last = reader;
    }
    a->fusions[last] = f;
}

/* A pool whose windows do not overlap, right behind tables at every position. */
static void find_or(const bw_program *p, bw_analysis *a, uint32_t tables) {
    const bool images = p->types[tables].ndim == 3;
    if (!images || (p->ops[tables].code != BW_OP_LUT && p->ops[tables].code != BW_OP_LUT_CONV2D)) return;
    if (a->n_readers[tables] != 1) return;
    const bw_op *pool = &p->ops[a->reader[tables]];
    if (pool->code != BW_OP_MAX_POOL2D || pool->attrs[BW_MAX_POOL2D_STRIDE_H] < pool->attrs[BW_MAX_POOL2D_KERNEL_H] ||
        pool->attrs[BW_MAX_POOL2D_STRIDE_W] < pool->attrs[BW_MAX_POOL2D_KERNEL_W])
        return;
    a->fusions[tables].pool = a->reader[tables];
}

/* [windows ->] projection -> sum, each the only reader of the one before. */
static void find_embedding(const bw_program *p, bw_analysis *a, uint32_t sum) {
    bw_fusion *f = &a->fusions[sum];
    if (!bw_is_sum(p->ops[sum].code)) return;
    const uint32_t project = p->ops[sum].inputs[0];
    if (a->n_readers[project] != 1 || !bw_is_embedding(p, project, sum)) return;
    f->project = project;
    a->skip[project] = true;
    const uint32_t windows = p->ops[project].inputs[0];
    if (a->n_readers[windows] != 1 || !bw_gives_windows(p, windows)) return;
    f->patches = windows;
    a->skip[windows] = true;
}

void bw_find_fusions(const bw_plan *plan, bw_analysis *a) {
    const bw_program *p = plan->program;
    for (uint32_t i = 0; i < p->n_ops; i++) a->fusions[i] = none;
    for (uint32_t i = 0; i < p->n_ops; i++) {
        bw_fusion f;
        bool alone = plan->flags & BW_NO_FUSE;
        if (bw_is_elementwise(p->ops[i].code) && !a->skip[i] && !a->fusions[i].n_chain) find_chain(p, a, i, alone);
        if (!alone && plan->logic) find_or(p, a, i);
        if (alone) continue;
        if (!find_fusion(p, a, i, &f)) {
            find_embedding(p, a, i);
            continue;
        }
        a->fusions[i] = f;
        find_embedding(p, a, i);
        a->skip[f.threshold] = true;
        if (f.pool >= 0) a->skip[f.pool] = true;
        for (int k = 0; k < f.n_chain; k++) a->skip[f.chain[k]] = true;
    }
}

static bool bit_of(const bw_program *p, const bw_fusion *f, uint32_t c, int64_t x) {
    for (int k = 0; k < f->n_chain; k++) {
        const bw_op *op = &p->ops[f->chain[k]];
        const bw_const *consts = op->consts;
        if (op->code == BW_OP_CLIP) {
            x = bw_min(bw_max(x, op->attrs[BW_CLIP_LO]), op->attrs[BW_CLIP_HI]);
        } else if (op->code == BW_OP_ADD) {
            x += bw_const_int(&consts[BW_ADD_C_B], c);
        } else if (op->code == BW_OP_AFFINE) {
            x = (x * bw_const_int(&consts[BW_AFFINE_C_MUL], c) + bw_const_int(&consts[BW_AFFINE_C_ADD], c)) >>
                bw_const_int(&consts[BW_AFFINE_C_SHIFT], c);
        } else {
            int64_t slope = bw_const_int(&consts[x >= 0 ? BW_PRELU_C_POS : BW_PRELU_C_NEG], c);
            x = (x * slope + bw_const_int(&consts[BW_PRELU_C_ADD], c)) >> bw_const_int(&consts[BW_PRELU_C_SHIFT], c);
        }
    }
    const bw_op *last = &p->ops[f->threshold];
    return (x >= bw_const_int(&last->consts[BW_THRESHOLD_C_T], c)) !=
           (bw_const_int(&last->consts[BW_THRESHOLD_C_FLIP], c) != 0);
}

/* bit = (sum >= *threshold) XOR *flip, for every sum in its range. */
void bw_switch_point(const bw_program *p, uint32_t sum, const bw_fusion *f, uint32_t c, int32_t *threshold,
                     bool *flip) {
    int64_t below = p->types[sum].lo, above = p->types[sum].hi;
    bool first = bit_of(p, f, c, below), last = bit_of(p, f, c, above);
    *flip = first;
    if (first == last) {
        *threshold = (int32_t)above + 1; /* never met */
        return;
    }
    while (above - below > 1) {
        int64_t middle = below + (above - below) / 2;
        *(bit_of(p, f, c, middle) == first ? &below : &above) = middle;
    }
    *threshold = (int32_t)above;
}
