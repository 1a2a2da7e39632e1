/* Types and ranges of pooling and of moving values: pools, patches, gather, reshape, concat, pad. */
#include "loader.h"

static int pool_shape(const bw_op *op, const bw_type *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_image(x, error));
    BW_TRY(bw_output_size(op, false, x, out, error));
    for (int axis = 0; axis < 2; axis++)
        BW_NEED(bw_max(op->attrs[4 + 2 * axis], op->attrs[5 + 2 * axis]) < op->attrs[axis],
                "padding reaches kernel %lld; a window could be empty", (long long)op->attrs[axis]);
    return BW_OK;
}

static int widen(const bw_type *x, int64_t pad_value, bool pads, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x, 1 << BW_BITS | 1 << BW_INT, error));
    if (x->kind == BW_BITS) {
        BW_NEED(pad_value == 0 || pad_value == 1, "pad_value is %lld, expected 0 or 1 for bits", (long long)pad_value);
    } else if (pads) {
        out->lo = bw_min(x->lo, pad_value);
        out->hi = bw_max(x->hi, pad_value);
    }
    return BW_OK;
}

int bw_rule_max_pool2d(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS | 1 << BW_INT, error));
    *out = *x[0];
    return pool_shape(op, x[0], out, error);
}

int bw_rule_sum_pool2d(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x[0], 1 << BW_INT, error));
    *out = *x[0];
    BW_TRY(pool_shape(op, x[0], out, error));
    int64_t places = op->attrs[0] * op->attrs[1];
    bw_wide lo = (bw_wide)places * x[0]->lo, hi = (bw_wide)places * x[0]->hi;
    const int64_t *pads = &op->attrs[BW_SUM_POOL2D_PAD_TOP];
    if (pads[0] || pads[1] || pads[2] || pads[3]) {
        lo = lo > 0 ? 0 : lo;
        hi = hi < 0 ? 0 : hi;
    }
    BW_TRY(bw_within(lo, error));
    BW_TRY(bw_within(hi, error));
    out->lo = (int64_t)lo;
    out->hi = (int64_t)hi;
    return BW_OK;
}

int bw_rule_patches(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const int64_t *pads = &op->attrs[BW_PATCHES_PAD_TOP];
    *out = *x[0];
    BW_TRY(bw_image(x[0], error));
    BW_TRY(widen(x[0], op->attrs[BW_PATCHES_PAD_VALUE], pads[0] || pads[1] || pads[2] || pads[3], out, error));
    BW_TRY(bw_output_size(op, true, x[0], out, error));
    uint64_t rows = (uint64_t)x[0]->dims[0] * (uint64_t)(op->attrs[0] * op->attrs[1]); /* 2^32 * 2^30 at most */
    BW_NEED(rows <= UINT32_MAX, "%llu rows are too many", (unsigned long long)rows);
    out->dims[0] = (uint32_t)rows;
    return BW_OK;
}

int bw_rule_gather(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const bw_const *index = &op->consts[BW_GATHER_C_INDEX];
    for (uint64_t i = 0; i < index->n_values; i++)
        BW_NEED(bw_const_int(index, i) < x[0]->dims[0], "index %lld of only %u", (long long)bw_const_int(index, i),
                x[0]->dims[0]);
    *out = *x[0];
    out->dims[0] = index->dims[0];
    return BW_OK;
}

int bw_rule_reshape(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    int64_t ndim = op->attrs[BW_RESHAPE_NDIM];
    *out = *x[0];
    BW_NEED(ndim == 1 || ndim == 3, "ndim is %lld, expected 1 or 3", (long long)ndim);
    out->ndim = (uint8_t)ndim;
    bw_wide n_values = 1;
    for (int i = 0; i < 3; i++) {
        int64_t dim = op->attrs[BW_RESHAPE_DIM0 + i];
        if (i < ndim) BW_NEED(dim >= 1 && dim <= UINT32_MAX, "dim%d is %lld", i, (long long)dim);
        else BW_NEED(dim == 0, "dim%d is unused and must be 0", i);
        out->dims[i] = (uint32_t)dim;
        if (i < ndim) n_values *= dim;
    }
    BW_NEED(n_values == (bw_wide)x[0]->n_values, "the new shape does not hold the %llu values of the input",
            (unsigned long long)x[0]->n_values);
    return BW_OK;
}

int bw_rule_concat(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    uint64_t channels = 0;
    *out = *x[0];
    for (int i = 0; i < op->n_inputs; i++) {
        BW_NEED(x[i]->kind == out->kind && x[i]->ndim == out->ndim && x[i]->dims[1] == out->dims[1] &&
                    x[i]->dims[2] == out->dims[2],
                "kind, axes or sizes of input %d differ from those of input 0", i);
        channels += x[i]->dims[0];
        out->lo = bw_min(out->lo, x[i]->lo);
        out->hi = bw_max(out->hi, x[i]->hi);
    }
    BW_NEED(channels <= UINT32_MAX, "%llu channels are too many", (unsigned long long)channels);
    out->dims[0] = (uint32_t)channels;
    return BW_OK;
}

int bw_rule_pad(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const int64_t *pads = op->attrs; /* before, after, top, bottom, left, right */
    bool any = false;
    *out = *x[0];
    for (int i = 0; i < 6; i++) {
        BW_NEED(pads[i] >= 0 && pads[i] <= 1 << 24, "a padding leaves 0..2^24");
        BW_NEED(i < 2 || x[0]->ndim == 3 || pads[i] == 0, "rows and columns cannot be padded on [C]");
        any = any || pads[i];
    }
    BW_TRY(widen(x[0], op->attrs[BW_PAD_PAD_VALUE], any, out, error));
    for (int axis = 0; axis < x[0]->ndim; axis++) {
        uint64_t dim = (uint64_t)pads[2 * axis] + x[0]->dims[axis] + (uint64_t)pads[2 * axis + 1];
        BW_NEED(dim <= UINT32_MAX, "%llu along an axis are too many", (unsigned long long)dim);
        out->dims[axis] = (uint32_t)dim;
    }
    return BW_OK;
}
