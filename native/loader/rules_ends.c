/* Types of the two ends: input and output. */
#include "loader.h"

int bw_rule_input(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    (void)x;
    const int64_t *attrs = op->attrs;
    BW_TRY(bw_choice(attrs[BW_INPUT_VALUE], 3, "value", error));
    BW_NEED(attrs[BW_INPUT_NDIM] == 1 || attrs[BW_INPUT_NDIM] == 3, "ndim is %lld, expected 1 or 3",
            (long long)attrs[BW_INPUT_NDIM]);
    out->kind = (uint8_t)attrs[BW_INPUT_VALUE];
    out->ndim = (uint8_t)attrs[BW_INPUT_NDIM];
    for (int i = 0; i < 3; i++) {
        int64_t dim = attrs[BW_INPUT_DIM0 + i];
        if (i < out->ndim) BW_NEED(dim >= 1 && dim <= UINT32_MAX, "dim%d is %lld", i, (long long)dim);
        else BW_NEED(dim == 0, "dim%d is unused and must be 0", i);
        out->dims[i] = (uint32_t)dim;
    }
    out->lo = attrs[BW_INPUT_LO];
    out->hi = attrs[BW_INPUT_HI];
    if (out->kind == BW_INT)
        BW_NEED(INT32_MIN <= out->lo && out->lo <= out->hi && out->hi <= INT32_MAX,
                "range %lld..%lld, expected lo <= hi within int32", (long long)out->lo, (long long)out->hi);
    else BW_NEED(!out->lo && !out->hi, "the range of bits and floats is 0, 0");
    return BW_OK;
}

int bw_rule_output(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    (void)op;
    BW_TRY(bw_kind_of(x[0], 1 << BW_INT, error));
    BW_NEED(x[0]->ndim == 1, "scores must be [C]; reshape or pool them first");
    *out = *x[0];
    return BW_OK;
}
