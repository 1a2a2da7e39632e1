/* Sums of products: the shape a kernel needs, weights in canonical order, and the threshold fused to it. */
#include <stdlib.h>
#include "rows.h"

typedef struct {
    bw_shape shape;
    const bw_kernel *kernel;
    void *weights;
    int32_t *threshold;
    uint64_t *flip;
} sum_data;

static void run_sum(const bw_step *step, bw_block *block) {
    const sum_data *d = step->data;
    bw_job job = {.weights = d->weights,
                  .x = bw_at(block, step->x),
                  .x_stride = step->x->bytes,
                  .out = bw_at(block, step->out),
                  .out_stride = step->out->bytes,
                  .samples = (int64_t)block->n_samples,
                  .row_begin = 0,
                  .row_end = (int32_t)step->out->height,
                  .threshold = d->threshold,
                  .flip = d->flip,
                  .scratch = block->scratch};
    d->kernel->run(&d->shape, &job);
}

static void set_window(bw_shape *s, const bw_op *op, const bw_slot *x) {
    const int64_t *a = op->attrs;
    s->height = (int32_t)x->height;
    s->width = (int32_t)x->width;
    s->kernel_h = (int32_t)a[BW_XNOR_CONV2D_KERNEL_H];
    s->kernel_w = (int32_t)a[BW_XNOR_CONV2D_KERNEL_W];
    s->stride_h = (int32_t)a[BW_XNOR_CONV2D_STRIDE_H];
    s->stride_w = (int32_t)a[BW_XNOR_CONV2D_STRIDE_W];
    s->pad_top = (int32_t)a[BW_XNOR_CONV2D_PAD_TOP];
    s->pad_bottom = (int32_t)a[BW_XNOR_CONV2D_PAD_BOTTOM];
    s->pad_left = (int32_t)a[BW_XNOR_CONV2D_PAD_LEFT];
    s->pad_right = (int32_t)a[BW_XNOR_CONV2D_PAD_RIGHT];
    s->dilation_h = (int32_t)a[BW_XNOR_CONV2D_DILATION_H];
    s->dilation_w = (int32_t)a[BW_XNOR_CONV2D_DILATION_W];
    s->groups = (int32_t)a[BW_XNOR_CONV2D_GROUPS];
    s->pad_value = (int32_t)a[BW_XNOR_CONV2D_PAD_VALUE];
}

_Static_assert((int)BW_XNOR_CONV2D_PAD_VALUE == (int)BW_INT_CONV2D_PAD_VALUE,
               "both convolutions share their window's places");
_Static_assert((int)BW_ACCUMULATOR_WRAP8_HALF == (int)BW_ACC_WRAP8_HALF &&
                   (int)BW_ACCUMULATOR_WRAP8 == (int)BW_ACC_WRAP8,
               "accumulators");

/* Bits of an image read by a linear layer: each position's channels are padded to whole words. */
static uint64_t row_values(const bw_slot *x, bool linear) {
    if (!linear) return 0;
    return x->store == BW_STORE_BITS && x->positions > 1 ? x->positions * bw_words(x->channels) * 64
                                                         : x->positions * x->channels;
}

/* Where weight k of a row, in the Program's order (c, h, w), stands when x lies as positions of channels. */
static uint64_t place_of(const bw_slot *x, uint64_t k) {
    uint64_t c = k / x->positions, p = k % x->positions;
    return p * (x->store == BW_STORE_BITS ? bw_words(x->channels) * 64 : x->channels) + c;
}

static void put_weight(void *canonical, const bw_shape *s, uint64_t n_values, uint64_t row, uint64_t k,
                       int64_t weight) {
    if (s->weight == BW_WEIGHT_SIGN)
        bw_set_bit((uint64_t *)canonical + row * bw_words((int64_t)n_values), k, (uint64_t)weight);
    else if (s->weight == BW_WEIGHT_I8) ((int8_t *)canonical)[row * n_values + k] = (int8_t)weight;
    else ((int16_t *)canonical)[row * n_values + k] = (int16_t)weight;
}

/* NULL without memory. Where the file's own bytes are canonical they are used as they are. */
static const void *canonical_weights(const bw_const *w, const bw_shape *s, const bw_slot *x, bool linear,
                                     void **owned) {
    bool moved = linear && x->positions > 1;
    *owned = NULL;
    if (!moved && w->dtype != BW_DTYPE_I4) return w->data;
    uint64_t n_values = moved ? row_values(x, true) : w->n_values / w->dims[0];
    uint64_t n_read = w->n_values / w->dims[0];
    size_t row_bytes =
        s->weight == BW_WEIGHT_SIGN ? bw_words((int64_t)n_values) * 8 : n_values * (s->weight == BW_WEIGHT_I8 ? 1 : 2);
    *owned = calloc(w->dims[0], row_bytes);
    for (uint64_t n = 0; *owned && n < w->dims[0]; n++)
        for (uint64_t k = 0; k < n_read; k++)
            put_weight(*owned, s, n_values, n, moved ? place_of(x, k) : k, bw_const_int(w, n * n_read + k));
    return *owned;
}

static int set_threshold(bw_plan *plan, bw_step *step, sum_data *d, const bw_fusion *f, int32_t surplus,
                         bw_error *error) {
    uint32_t n = (uint32_t)d->shape.out_channels;
    d->threshold = bw_plan_alloc_array(plan, n, sizeof *d->threshold);
    d->flip = bw_plan_alloc(plan, bw_words(n) * 8);
    BW_HAVE(d->threshold && d->flip);
    uint64_t any = 0;
    for (uint32_t c = 0; c < n; c++) {
        bool flip;
        bw_switch_point(plan->program, step->operation, f, c, &d->threshold[c], &flip);
        d->threshold[c] += surplus;
        bw_set_bit(d->flip, c, flip);
        any |= flip;
    }
    if (f->pool >= 0 || !any) d->flip = NULL; /* behind a pool the flips come last */
    return BW_OK;
}

static int prepare(bw_plan *plan, bw_step *step, const bw_fusion *fusion, bool rows, bw_error *error) {
    const bw_op *op = step->op;
    const bw_const *w = &op->consts[0];
    const bw_slot *x = step->x;
    bool linear = op->code == BW_OP_XNOR_LINEAR || op->code == BW_OP_INT_LINEAR;
    bool xnor = op->code == BW_OP_XNOR_LINEAR || op->code == BW_OP_XNOR_CONV2D;
    uint64_t n_products = w->n_values / w->dims[0];
    BW_NEED(n_products < 1u << 29 && row_values(x, linear) < 1u << 29 && w->dims[0] < 1u << 24 &&
                x->channels < 1u << 24,
            "%llu products in one sum are more than the kernels take", (unsigned long long)n_products);
    sum_data *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    bw_shape *s = &d->shape;
    *s = (bw_shape){.channels = (int32_t)(linear ? row_values(x, true) : x->channels),
                    .height = 1,
                    .width = 1,
                    .out_channels = (int32_t)w->dims[0],
                    .kernel_h = 1,
                    .kernel_w = 1,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .groups = 1};
    if (!linear && !rows) set_window(s, op, x);
    const bw_type *t = &plan->program->types[op->inputs[0]];
    s->input = x->store == BW_STORE_BITS ? BW_INPUT_BITS : x->store == BW_STORE_U8 ? BW_INPUT_U8 : BW_INPUT_I32;
    s->lo = t->kind == BW_BITS ? -1 : (int32_t)t->lo;
    s->hi = t->kind == BW_BITS ? 1 : (int32_t)t->hi;
    s->weight = w->dtype == BW_DTYPE_BIT ? BW_WEIGHT_SIGN : w->dtype == BW_DTYPE_I16 ? BW_WEIGHT_I16 : BW_WEIGHT_I8;
    if (xnor)
        s->accumulator =
            (bw_accumulator)op->attrs[linear ? (int)BW_XNOR_LINEAR_ACCUMULATOR : (int)BW_XNOR_CONV2D_ACCUMULATOR];
    s->out = fusion ? BW_OUT_BITS : step->out->store == BW_STORE_I64 ? BW_OUT_I64 : BW_OUT_I32;
    const bw_kernels *set = plan->kernels;
    d->kernel = op->code == BW_OP_XNOR_LINEAR || rows ? set->xnor_linear
                : op->code == BW_OP_XNOR_CONV2D ? set->xnor_conv2d
                : op->code == BW_OP_INT_LINEAR  ? set->int_linear
                                                : set->int_conv2d;
    if (fusion) BW_TRY(set_threshold(plan, step, d, fusion, linear ? s->channels - (int32_t)n_products : 0, error));
    d->weights = bw_plan_alloc(plan, d->kernel->weight_bytes(s));
    BW_HAVE(d->weights);
    void *owned;
    const void *canonical = canonical_weights(w, s, x, linear, &owned);
    BW_HAVE(canonical);
    d->kernel->pack_weights(s, canonical, d->weights);
    free(owned);
    step->scratch_bytes = d->kernel->scratch_bytes(s);
    step->run = run_sum;
    return BW_OK;
}

int bw_prepare_sum(bw_plan *plan, bw_step *step, const bw_fusion *fusion, bw_error *error) {
    return prepare(plan, step, fusion, false, error);
}

/* Of xnor_linear, and of xnor_conv2d with windows of one place. */
int bw_prepare_rows(bw_plan *plan, bw_step *step, const bw_fusion *fusion, bw_error *error) {
    return prepare(plan, step, fusion, true, error);
}

void bw_run_rows(const bw_step *step, const void *x, size_t x_stride, void *out, size_t out_stride, uint64_t n,
                 uint8_t *scratch) {
    const sum_data *d = step->data;
    bw_job job = {.weights = d->weights,
                  .x = x,
                  .x_stride = x_stride,
                  .out = out,
                  .out_stride = out_stride,
                  .samples = (int64_t)n,
                  .row_end = 1,
                  .threshold = d->threshold,
                  .flip = d->flip,
                  .scratch = scratch};
    d->kernel->run(&d->shape, &job);
}
