/* Type of an operation's value from those of its inputs, and the steps it costs; the twin of ir/checker.py. */
#include <string.h>
#include "loader.h"

static bw_rule *const rules[BW_N_OPS] = {
    [BW_OP_INPUT] = bw_rule_input,
    [BW_OP_THRESHOLD] = bw_rule_threshold,
    [BW_OP_DIGITIZE] = bw_rule_digitize,
    [BW_OP_XNOR_LINEAR] = bw_rule_xnor_linear,
    [BW_OP_XNOR_CONV2D] = bw_rule_xnor_conv2d,
    [BW_OP_INT_LINEAR] = bw_rule_int_linear,
    [BW_OP_INT_CONV2D] = bw_rule_int_conv2d,
    [BW_OP_LUT] = bw_rule_lut,
    [BW_OP_LUT_CONV2D] = bw_rule_lut_conv2d,
    [BW_OP_COUNT] = bw_rule_count,
    [BW_OP_PROJECT] = bw_rule_project,
    [BW_OP_AFFINE] = bw_rule_affine,
    [BW_OP_PRELU] = bw_rule_prelu,
    [BW_OP_CLIP] = bw_rule_clip,
    [BW_OP_ADD] = bw_rule_add,
    [BW_OP_MAX_POOL2D] = bw_rule_max_pool2d,
    [BW_OP_SUM_POOL2D] = bw_rule_sum_pool2d,
    [BW_OP_PATCHES] = bw_rule_patches,
    [BW_OP_GATHER] = bw_rule_gather,
    [BW_OP_RESHAPE] = bw_rule_reshape,
    [BW_OP_CONCAT] = bw_rule_concat,
    [BW_OP_PAD] = bw_rule_pad,
    [BW_OP_TO_INT] = bw_rule_to_int,
    [BW_OP_OUTPUT] = bw_rule_output,
};

int bw_derive(const bw_op *op, uint32_t number, uint32_t n_ops, const bw_type *types, const bw_limits *limits,
              bw_type *out, bw_error *error) {
    const bw_type *x[BW_MAX_INPUTS];
    BW_NEED((op->code == BW_OP_INPUT) == (number == 0), "input is the first operation, and only it");
    BW_NEED((op->code == BW_OP_OUTPUT) == (number == n_ops - 1), "output is the last operation, and only it");
    for (int i = 0; i < op->n_inputs; i++) x[i] = &types[op->inputs[i]];
    memset(out, 0, sizeof *out);
    BW_TRY(rules[op->code](op, x, out, error));
    bw_wide n_values = 1;
    for (int i = 0; i < out->ndim; i++) n_values *= out->dims[i];
    if (n_values > (bw_wide)limits->tensor)
        return bw_fail(error, BW_TOO_LARGE, "its value passes the limit of %llu in one tensor",
                       (unsigned long long)limits->tensor);
    BW_NEED(n_values >= 1, "its value is empty; every axis needs at least 1");
    out->n_values = (uint64_t)n_values;
    if (out->kind == BW_INT) {
        BW_TRY(bw_within(out->lo, error));
        BW_TRY(bw_within(out->hi, error));
    }
    return BW_OK;
}

bw_wide bw_steps(const bw_op *op, const bw_type *types, const bw_type *out) {
    const bw_const *c = op->consts;
    bw_wide positions = out->ndim == 3 ? (bw_wide)out->dims[1] * out->dims[2] : 1;
    switch (op->code) {
    case BW_OP_XNOR_LINEAR:
    case BW_OP_XNOR_CONV2D:
    case BW_OP_INT_LINEAR:
    case BW_OP_INT_CONV2D: return (bw_wide)c[0].n_values * positions;
    case BW_OP_LUT: return (bw_wide)(c[BW_LUT_C_WIRING].n_values + c[BW_LUT_C_TABLE].n_values) * positions;
    case BW_OP_LUT_CONV2D:
        return (bw_wide)(c[BW_LUT_CONV2D_C_WIRING].n_values + c[BW_LUT_CONV2D_C_TABLE].n_values) * positions;
    case BW_OP_MAX_POOL2D:
    case BW_OP_SUM_POOL2D: return (bw_wide)out->n_values * op->attrs[0] * op->attrs[1];
    case BW_OP_COUNT: return c[BW_COUNT_C_SIGNAL].n_values;
    case BW_OP_PROJECT: {
        bw_wide p = types[op->inputs[0]].dims[0], n = out->dims[0], q = 1, length = 1;
        if (op->attrs[BW_PROJECT_KIND] != BW_KIND_HADAMARD) return n * p * positions;
        for (; q < p; q *= 2) length++;
        return (n + q - 1) / q * q * (length + 1) * op->attrs[BW_PROJECT_ROUNDS] * positions;
    }
    case BW_OP_THRESHOLD:
    case BW_OP_DIGITIZE: return (bw_wide)types[op->inputs[0]].n_values * c[0].dims[1];
    default: return out->n_values;
    }
}
