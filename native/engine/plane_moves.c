/* Moving planes: gather, concat, pad, patches by lists of planes; max_pool2d as OR. reshape moves nothing. */
#include "rows.h"

typedef struct {
    bw_signal *signals; /* of every output plane; of concat those of all inputs in turn */
} moved;

static void run_copy(const bw_step *step, bw_block *block) {
    const moved *d = step->data;
    const bw_signal *signals = d->signals;
    uint8_t *to = bw_at(block, step->out);
    const int n_parts = step->op->code == BW_OP_CONCAT ? step->n_inputs : 1;
    for (int i = 0; i < n_parts; i++) {
        const uint64_t n = n_parts > 1 ? bw_n_planes(step->inputs[i]) : bw_n_planes(step->out);
        const uint8_t *from = bw_at(block, step->inputs[i]);
        block->lanes->copy(to, 1, signals, n, from, from, false);
        to += n * block->lanes->width;
        signals += n;
    }
}

static bw_signal plane(uint64_t number) { return (bw_signal){(uint32_t)number, BW_BASE_SOURCE, false}; }
static bw_signal constant(int64_t bit) { return (bw_signal){0, BW_BASE_ZERO, bit != 0}; }

/* Plane (c, y, z) of x, or what lies outside. */
static bw_signal at(const bw_slot *x, int64_t c, int64_t y, int64_t z, int64_t outside) {
    if (c < 0 || c >= x->channels || y < 0 || y >= x->height || z < 0 || z >= x->width) return constant(outside);
    return plane(((uint64_t)c * x->height + (uint64_t)y) * x->width + (uint64_t)z);
}

static bw_signal source_of(const bw_step *step, int64_t c, int64_t y, int64_t z) {
    const bw_slot *x = step->x;
    const int64_t *a = step->op->attrs;
    if (step->op->code == BW_OP_GATHER) return at(x, bw_const_int(&step->op->consts[0], (uint64_t)c), y, z, 0);
    if (step->op->code == BW_OP_PAD)
        return at(x, c - a[BW_PAD_PAD_BEFORE], y - a[BW_PAD_PAD_TOP], z - a[BW_PAD_PAD_LEFT], a[BW_PAD_PAD_VALUE]);
    const int64_t kw = a[BW_PATCHES_KERNEL_W], kernel = a[BW_PATCHES_KERNEL_H] * kw;
    return at(x, c / kernel,
              y * a[BW_PATCHES_STRIDE_H] - a[BW_PATCHES_PAD_TOP] + c % kernel / kw * a[BW_PATCHES_DILATION_H],
              z * a[BW_PATCHES_STRIDE_W] - a[BW_PATCHES_PAD_LEFT] + c % kernel % kw * a[BW_PATCHES_DILATION_W],
              a[BW_PATCHES_PAD_VALUE]);
}

int bw_prepare_move_planes(bw_plan *plan, bw_step *step, bw_error *error) {
    moved *d = step->data = bw_plan_alloc(plan, sizeof *d);
    const bw_slot *out = step->out;
    BW_HAVE(d);
    d->signals = bw_plan_alloc_array(plan, bw_n_planes(out), sizeof *d->signals);
    BW_HAVE(d->signals);
    step->run = run_copy;
    uint64_t n = 0;
    if (step->op->code == BW_OP_CONCAT) {
        for (int i = 0; i < step->n_inputs; i++)
            for (uint64_t j = 0; j < bw_n_planes(step->inputs[i]); j++) d->signals[n++] = plane(j);
        return BW_OK;
    }
    for (int64_t c = 0; c < out->channels; c++)
        for (int64_t y = 0; y < out->height; y++)
            for (int64_t z = 0; z < out->width; z++) d->signals[n++] = source_of(step, c, y, z);
    return BW_OK;
}

static void run_pool(const bw_step *step, bw_block *block) {
    const bw_slot *x = step->x, *out = step->out;
    const int64_t *a = step->op->attrs;
    const size_t width = block->lanes->width;
    const uint8_t *from = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    for (uint64_t c = 0; c < out->channels; c++, from += x->positions * width)
        for (int64_t y = 0; y < out->height; y++)
            for (int64_t z = 0; z < out->width; z++, to += width) {
                int64_t top = y * a[BW_MAX_POOL2D_STRIDE_H] - a[BW_MAX_POOL2D_PAD_TOP];
                int64_t left = z * a[BW_MAX_POOL2D_STRIDE_W] - a[BW_MAX_POOL2D_PAD_LEFT];
                int64_t y1 = bw_min(top + a[BW_MAX_POOL2D_KERNEL_H], x->height);
                int64_t z1 = bw_min(left + a[BW_MAX_POOL2D_KERNEL_W], x->width);
                block->lanes->fill(to, false, 1);
                for (int64_t i = bw_max(top, 0); i < y1; i++)
                    for (int64_t j = bw_max(left, 0); j < z1; j++)
                        block->lanes->take_in(to, from + (size_t)(i * x->width + j) * width);
            }
}

int bw_prepare_pool_planes(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan, (void)error;
    step->run = run_pool;
    return BW_OK;
}
