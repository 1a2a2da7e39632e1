/* What the rules share; the twin of ir/rules.py and ir/windows.py. */
#include <string.h>
#include "loader.h"

int bw_within(bw_wide value, bw_error *error) {
    BW_NEED(value >= -(bw_wide)BW_BOUND && value <= (bw_wide)BW_BOUND,
            "a value could go beyond 2^62; scale the input or the constants down");
    return BW_OK;
}

int bw_choice(int64_t index, int64_t n_choices, const char *name, bw_error *error) {
    BW_NEED(index >= 0 && index < n_choices, "attribute %s is %lld, expected 0..%lld", name, (long long)index,
            (long long)n_choices - 1);
    return BW_OK;
}

int bw_kind_of(const bw_type *x, unsigned kinds, bw_error *error) {
    static const char *const names[] = {"bits", "int", "float"};
    BW_NEED(kinds >> x->kind & 1, "cannot take %s", names[x->kind]);
    return BW_OK;
}

int bw_image(const bw_type *x, bw_error *error) {
    BW_NEED(x->ndim == 3, "takes [C,H,W], got [%u]; reshape it first", x->dims[0]);
    return BW_OK;
}

int bw_rows(const bw_op *op, int constant, const bw_type *x, bw_error *error) {
    BW_NEED(op->consts[constant].dims[0] == x->dims[0], "constant %d has %u rows for %u channels", constant,
            op->consts[constant].dims[0], x->dims[0]);
    return BW_OK;
}

/* Attributes of every window stand at the same places: kernel, stride, paddings, then dilation where there is one. */
int bw_output_size(const bw_op *op, bool dilated, const bw_type *x, bw_type *out, bw_error *error) {
    for (int axis = 0; axis < 2; axis++) {
        int64_t kernel = op->attrs[axis], stride = op->attrs[2 + axis], dilation = dilated ? op->attrs[8 + axis] : 1;
        int64_t before = op->attrs[4 + 2 * axis], after = op->attrs[5 + 2 * axis];
        BW_NEED(kernel >= 1 && kernel <= 1 << 15 && stride >= 1 && stride <= 1 << 15 && dilation >= 1 &&
                    dilation <= 1 << 15,
                "kernel %lld, stride %lld, dilation %lld: each must be in 1..32768", (long long)kernel,
                (long long)stride, (long long)dilation);
        BW_NEED(before >= 0 && before <= 1 << 15 && after >= 0 && after <= 1 << 15,
                "padding %lld, %lld: each must be in 0..32768", (long long)before, (long long)after);
        int64_t reach = (int64_t)x->dims[1 + axis] + before + after - dilation * (kernel - 1) - 1;
        BW_NEED(reach >= 0, "a window of %lld (dilation %lld) does not fit %u + padding", (long long)kernel,
                (long long)dilation, x->dims[1 + axis]);
        out->dims[1 + axis] = (uint32_t)(reach / stride + 1);
    }
    return BW_OK;
}
