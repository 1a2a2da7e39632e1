/* Types and ranges value by value: threshold, digitize, affine, prelu, clip, add, to_int. */
#include <math.h>
#include "loader.h"

static int thresholds(const bw_op *op, const bw_type *x, bool sorted, bw_error *error) {
    const bw_const *t = &op->consts[0];
    BW_TRY(bw_kind_of(x, 1 << BW_INT | 1 << BW_FLOAT, error));
    BW_TRY(bw_rows(op, 0, x, error));
    bool is_float = t->dtype == BW_DTYPE_F32;
    BW_NEED(is_float == (x->kind == BW_FLOAT), "thresholds and values must both be floats or both ints");
    for (uint64_t i = 0; i < t->n_values; i++) {
        BW_NEED(!is_float || !isnan(bw_const_float(t, i)), "a threshold is NaN");
        if (!sorted || i % t->dims[1] == 0) continue;
        bool ordered =
            is_float ? bw_const_float(t, i - 1) <= bw_const_float(t, i) : bw_const_int(t, i - 1) <= bw_const_int(t, i);
        BW_NEED(ordered, "thresholds are not sorted along their second axis");
    }
    return BW_OK;
}

int bw_rule_threshold(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(thresholds(op, x[0], false, error));
    uint64_t n_bits = op->consts[BW_THRESHOLD_C_T].n_values;
    BW_NEED(op->consts[BW_THRESHOLD_C_FLIP].n_values == n_bits, "flip has %u bits for %llu outputs",
            op->consts[BW_THRESHOLD_C_FLIP].dims[0], (unsigned long long)n_bits);
    *out = *x[0];
    out->kind = BW_BITS;
    out->dims[0] = (uint32_t)n_bits; /* equals a u32 dim of flip */
    out->lo = out->hi = 0;
    return BW_OK;
}

int bw_rule_digitize(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(thresholds(op, x[0], true, error));
    uint32_t most = op->consts[BW_DIGITIZE_C_T].dims[1];
    BW_NEED(most <= 32767, "%u thresholds, the limit is 32767", most);
    *out = *x[0];
    out->kind = BW_INT;
    out->lo = 0;
    out->hi = most;
    return BW_OK;
}

/* Widens out's range by floor((value * mul + add) / 2^shift). */
static int corner(int64_t value, int64_t mul, int64_t add, int64_t shift, bool first, bw_type *out, bw_error *error) {
    bw_wide product = (bw_wide)value * mul, sum = product + add;
    BW_TRY(bw_within(product, error));
    BW_TRY(bw_within(sum, error));
    int64_t end = (int64_t)sum >> shift;
    out->lo = first ? end : bw_min(out->lo, end);
    out->hi = first ? end : bw_max(out->hi, end);
    return BW_OK;
}

int bw_rule_affine(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x[0], 1 << BW_INT, error));
    for (int i = 0; i < 3; i++) BW_TRY(bw_rows(op, i, x[0], error));
    *out = *x[0];
    for (uint32_t c = 0; c < x[0]->dims[0]; c++) {
        int64_t mul = bw_const_int(&op->consts[BW_AFFINE_C_MUL], c),
                add = bw_const_int(&op->consts[BW_AFFINE_C_ADD], c);
        int64_t shift = bw_const_int(&op->consts[BW_AFFINE_C_SHIFT], c);
        BW_NEED(shift <= 31, "a shift leaves 0..31");
        BW_TRY(corner(x[0]->lo, mul, add, shift, c == 0, out, error));
        BW_TRY(corner(x[0]->hi, mul, add, shift, false, out, error));
    }
    return BW_OK;
}

int bw_rule_prelu(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x[0], 1 << BW_INT, error));
    for (int i = 0; i < 4; i++) BW_TRY(bw_rows(op, i, x[0], error));
    *out = *x[0];
    int64_t corners[4] = {x[0]->lo, x[0]->hi, -1, 0};
    int n_corners = x[0]->lo < 0 && x[0]->hi >= 0 ? 4 : 2;
    for (uint32_t c = 0; c < x[0]->dims[0]; c++) {
        int64_t add = bw_const_int(&op->consts[BW_PRELU_C_ADD], c),
                shift = bw_const_int(&op->consts[BW_PRELU_C_SHIFT], c);
        BW_NEED(shift <= 31, "a shift leaves 0..31");
        for (int i = 0; i < n_corners; i++) {
            int64_t slope = bw_const_int(&op->consts[corners[i] >= 0 ? BW_PRELU_C_POS : BW_PRELU_C_NEG], c);
            BW_TRY(corner(corners[i], slope, add, shift, c == 0 && i == 0, out, error));
        }
    }
    return BW_OK;
}

int bw_rule_clip(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    int64_t lo = op->attrs[BW_CLIP_LO], hi = op->attrs[BW_CLIP_HI];
    BW_TRY(bw_kind_of(x[0], 1 << BW_INT, error));
    BW_NEED(lo <= hi, "lo %lld is above hi %lld", (long long)lo, (long long)hi);
    *out = *x[0];
    out->lo = bw_min(bw_max(x[0]->lo, lo), hi);
    out->hi = bw_min(bw_max(x[0]->hi, lo), hi);
    return BW_OK;
}

int bw_rule_add(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const bw_const *b = &op->consts[BW_ADD_C_B];
    int64_t lo, hi;
    BW_TRY(bw_kind_of(x[0], 1 << BW_INT, error));
    BW_NEED((op->n_inputs == 2) == (b->dtype == BW_DTYPE_NONE),
            "takes either a second value or the constant b, not both or neither");
    *out = *x[0];
    if (op->n_inputs == 2) {
        BW_TRY(bw_kind_of(x[1], 1 << BW_INT, error));
        bool same = x[0]->ndim == x[1]->ndim;
        for (int i = 0; i < 3; i++) same = same && x[0]->dims[i] == x[1]->dims[i];
        BW_NEED(same, "shapes of the two values differ");
        lo = x[1]->lo;
        hi = x[1]->hi;
    } else {
        bool same = b->ndim == 1 || b->ndim == x[0]->ndim;
        for (int i = 0; i < b->ndim; i++) same = same && b->dims[i] == x[0]->dims[i];
        BW_NEED(same, "constant b must have the shape of x, or [C]");
        bw_const_hull(b, &lo, &hi);
    }
    BW_TRY(bw_within((bw_wide)x[0]->lo + lo, error));
    BW_TRY(bw_within((bw_wide)x[0]->hi + hi, error));
    out->lo = x[0]->lo + lo;
    out->hi = x[0]->hi + hi;
    return BW_OK;
}

int bw_rule_to_int(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS, error));
    BW_TRY(bw_choice(op->attrs[BW_TO_INT_MODE], 2, "mode", error));
    *out = *x[0];
    out->kind = BW_INT;
    out->lo = -op->attrs[BW_TO_INT_MODE];
    out->hi = 1;
    return BW_OK;
}
