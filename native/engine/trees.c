/* Tables at every position: lut of an image, lut_conv2d, and an OR of windows behind them. One net of one position,
 * run at each with its sources moved along; an image with padding is copied into its frame first. */
#include <stdlib.h>
#include <string.h>
#include "rows.h"

typedef struct {
    const bw_net *net;
    uint64_t frame_height, frame_width; /* of the image with its padding */
    uint64_t top, left;
    int64_t stride_h, stride_w;
    uint64_t height, width; /* positions */
    bool framed, pad_value;
    const int64_t *pool; /* attributes of the pool, or NULL */
    size_t slots_at;     /* planes of scratch before those of the net */
} trees;

static const uint8_t *frame(const bw_step *step, bw_block *block) {
    const trees *d = step->data;
    const bw_slot *x = step->x;
    const size_t width = block->lanes->width;
    const uint8_t *from = bw_at(block, x);
    if (!d->framed) return from;
    uint8_t *to = block->scratch;
    block->lanes->fill(to, d->pad_value, x->channels * d->frame_height * d->frame_width);
    for (uint64_t c = 0; c < x->channels; c++)
        for (uint64_t y = 0; y < x->height; y++, from += x->width * width)
            memcpy(to + ((c * d->frame_height + d->top + y) * d->frame_width + d->left) * width, from,
                   x->width * width);
    return block->scratch;
}

static void run_trees(const bw_step *step, bw_block *block) {
    const trees *d = step->data;
    const bw_slot *out = step->out;
    const size_t width = block->lanes->width;
    const uint8_t *image = frame(step, block);
    uint8_t *slots = block->scratch + d->slots_at * width, *to = bw_at(block, out);
    const int64_t *a = d->pool;
    for (int64_t y = 0; y < out->height; y++)
        for (int64_t z = 0; z < out->width; z++, to += width) {
            int64_t top = a ? y * a[BW_MAX_POOL2D_STRIDE_H] - a[BW_MAX_POOL2D_PAD_TOP] : y;
            int64_t left = a ? z * a[BW_MAX_POOL2D_STRIDE_W] - a[BW_MAX_POOL2D_PAD_LEFT] : z;
            int64_t y1 = bw_min(top + (a ? a[BW_MAX_POOL2D_KERNEL_H] : 1), (int64_t)d->height);
            int64_t z1 = bw_min(left + (a ? a[BW_MAX_POOL2D_KERNEL_W] : 1), (int64_t)d->width);
            bool take_in = false;
            for (int64_t i = bw_max(top, 0); i < y1; i++)
                for (int64_t j = bw_max(left, 0); j < z1; j++, take_in = true) {
                    const uint8_t *source =
                        image + (uint64_t)(i * d->stride_h * (int64_t)d->frame_width + j * d->stride_w) * width;
                    block->lanes->gates(d->net, source, slots, NULL, 0);
                    block->lanes->copy(to, out->positions, d->net->outputs, d->net->n_outputs, source, slots, take_in);
                }
            if (!take_in) /* a window of padding alone */
                for (uint64_t c = 0; c < out->channels; c++)
                    block->lanes->fill(to + c * out->positions * width, false, 1);
        }
}

static void *take(void *plan, uint64_t n, size_t size) { return bw_plan_alloc_array(plan, n, size); }

/* Nodes of the taps, then of the tables; a lut's taps are the channels. */
static int make_net(bw_plan *plan, bw_step *step, trees *d, bw_error *error) {
    const bw_op *op = step->op;
    const bool windows = op->code == BW_OP_LUT_CONV2D;
    const bw_const *wiring = &op->consts[windows ? (int)BW_LUT_CONV2D_C_WIRING : (int)BW_LUT_C_WIRING];
    const bw_const *table = &op->consts[windows ? (int)BW_LUT_CONV2D_C_TABLE : (int)BW_LUT_C_TABLE];
    const bw_const *taps = &op->consts[BW_LUT_CONV2D_C_TAPS], *outputs = &op->consts[BW_LUT_CONV2D_C_OUTPUTS];
    const int k = (int)op->attrs[windows ? (int)BW_LUT_CONV2D_K : (int)BW_LUT_K];
    const uint64_t n_taps = windows ? taps->dims[0] : step->x->channels, n_tables = table->n_values;
    const uint64_t n_outputs = windows ? outputs->n_values : n_tables;
    bw_netlist list;
    bw_netlist_begin(&list);
    uint32_t *literals = malloc((n_taps + n_tables) * sizeof *literals);
    uint32_t *wanted = malloc(n_outputs * sizeof *wanted);
    if (literals && wanted) {
        for (uint64_t t = 0; t < n_taps; t++) {
            const uint64_t c = windows ? (uint64_t)bw_const_int(taps, 3 * t) : t;
            const uint64_t y = windows ? (uint64_t)bw_const_int(taps, 3 * t + 1) : 0;
            const uint64_t z = windows ? (uint64_t)bw_const_int(taps, 3 * t + 2) : 0;
            literals[t] = bw_net_source(&list, (uint32_t)((c * d->frame_height + y) * d->frame_width + z));
        }
        for (uint64_t m = 0; m < n_tables; m++) {
            uint32_t in[6];
            for (int j = 0; j < k; j++) in[j] = literals[bw_const_int(wiring, m * (uint64_t)k + (uint64_t)j)];
            literals[n_taps + m] = bw_net_table(&list, (uint64_t)bw_const_int(table, m), k, in);
        }
        for (uint64_t o = 0; o < n_outputs; o++)
            wanted[o] = literals[windows ? (uint64_t)bw_const_int(outputs, o) : n_taps + o];
        d->net = bw_schedule(&list, &(bw_wanted){.outputs = wanted, .n_outputs = n_outputs, .first = (size_t[]){0}},
                             take, plan);
    }
    free(literals);
    free(wanted);
    bw_netlist_free(&list);
    BW_HAVE(d->net);
    return BW_OK;
}

int bw_prepare_trees(bw_plan *plan, bw_step *step, int64_t pool, bw_error *error) {
    const bw_op *op = step->op;
    const int64_t *a = op->attrs;
    const bw_slot *x = step->x;
    const bw_type *type = &plan->program->types[step->operation];
    trees *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    *d = (trees){.frame_height = x->height, .frame_width = x->width, .stride_h = 1, .stride_w = 1,
                 .height = type->dims[1], .width = type->dims[2]};
    if (op->code == BW_OP_LUT_CONV2D) {
        d->top = (uint64_t)a[BW_LUT_CONV2D_PAD_TOP];
        d->left = (uint64_t)a[BW_LUT_CONV2D_PAD_LEFT];
        d->frame_height += d->top + (uint64_t)a[BW_LUT_CONV2D_PAD_BOTTOM];
        d->frame_width += d->left + (uint64_t)a[BW_LUT_CONV2D_PAD_RIGHT];
        d->stride_h = a[BW_LUT_CONV2D_STRIDE_H];
        d->stride_w = a[BW_LUT_CONV2D_STRIDE_W];
        d->pad_value = a[BW_LUT_CONV2D_PAD_VALUE] != 0;
        d->framed = d->frame_height != x->height || d->frame_width != x->width;
    }
    const uint64_t frame_planes = d->framed ? x->channels * d->frame_height * d->frame_width : 0;
    if (frame_planes > 1u << 22)
        return bw_fail(error, BW_TOO_LARGE, "%llu values of the image with its padding; pad less",
                       (unsigned long long)frame_planes);
    if (pool >= 0) d->pool = plan->program->ops[pool].attrs;
    BW_TRY(make_net(plan, step, d, error));
    d->slots_at = frame_planes;
    step->scratch_bytes = (frame_planes + d->net->n_slots) * BW_PLANE_MOST;
    step->run = run_trees;
    return BW_OK;
}
