/* Types and ranges of sums of products: xnor_*, int_*, count, project. */
#include "loader.h"

static int conv_shape(const bw_op *op, const bw_type *x, bw_type *out, bw_error *error) {
    const bw_const *w = &op->consts[0];
    int64_t groups = op->attrs[BW_XNOR_CONV2D_GROUPS];
    BW_TRY(bw_image(x, error));
    BW_NEED(groups >= 1 && groups <= x->dims[0] && x->dims[0] % groups == 0, "groups %lld do not divide %u channels",
            (long long)groups, x->dims[0]);
    BW_NEED(w->dims[0] % groups == 0, "groups %lld do not divide %u output channels", (long long)groups, w->dims[0]);
    BW_NEED(w->dims[1] == x->dims[0] / groups && w->dims[2] == op->attrs[0] && w->dims[3] == op->attrs[1],
            "weights are (%u, %u, %u, %u), expected (O, %u, kernel_h, kernel_w)", w->dims[0], w->dims[1], w->dims[2],
            w->dims[3], (unsigned)(x->dims[0] / groups));
    out->ndim = 3;
    out->dims[0] = w->dims[0];
    return bw_output_size(op, true, x, out, error);
}

static int linear_shape(const bw_op *op, const bw_type *x, bw_type *out, bw_error *error) {
    const bw_const *w = &op->consts[0];
    BW_NEED(x->ndim == 1 && x->dims[0] == w->dims[1], "weights take %u values, got %u in %u axes", w->dims[1],
            x->dims[0], x->ndim);
    out->ndim = 1;
    out->dims[0] = w->dims[0];
    return BW_OK;
}

static int accumulated(const bw_op *op, int64_t accumulator, bw_type *out, bw_error *error) {
    BW_TRY(bw_choice(accumulator, 3, "accumulator", error));
    int64_t n_products = (int64_t)(op->consts[0].n_values / op->consts[0].dims[0]);
    out->kind = BW_INT;
    out->lo = accumulator == BW_ACCUMULATOR_INT32 ? -n_products : -128;
    out->hi = accumulator == BW_ACCUMULATOR_INT32 ? n_products : 127;
    return BW_OK;
}

int bw_rule_xnor_linear(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS, error));
    BW_TRY(accumulated(op, op->attrs[BW_XNOR_LINEAR_ACCUMULATOR], out, error));
    return linear_shape(op, x[0], out, error);
}

int bw_rule_xnor_conv2d(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    int64_t pad_value = op->attrs[BW_XNOR_CONV2D_PAD_VALUE];
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS, error));
    BW_NEED(pad_value >= -1 && pad_value <= 1, "pad_value is %lld, expected -1, 0 or +1", (long long)pad_value);
    BW_TRY(accumulated(op, op->attrs[BW_XNOR_CONV2D_ACCUMULATOR], out, error));
    return conv_shape(op, x[0], out, error);
}

/* Smallest and largest sum over the outputs, for inputs in lo..hi. */
static int weighted_hull(const bw_op *op, int64_t lo, int64_t hi, bw_type *out, bw_error *error) {
    const bw_const *w = &op->consts[0];
    uint64_t n_products = w->n_values / w->dims[0];
    bw_wide least = 0, most = 0;
    for (uint64_t n = 0; n < w->dims[0]; n++) {
        bw_wide positive = 0, negative = 0;
        for (uint64_t k = 0; k < n_products; k++) {
            int64_t weight = bw_const_int(w, n * n_products + k);
            if (w->dtype == BW_DTYPE_BIT) weight = 2 * weight - 1;
            *(weight < 0 ? &negative : &positive) += weight;
        }
        bw_wide reach = (positive - negative) * bw_max(lo < 0 ? -lo : lo, hi < 0 ? -hi : hi);
        BW_TRY(bw_within(reach, error)); /* no partial sum leaves it either, in any order */
        bw_wide bottom = positive * lo + negative * hi, top = positive * hi + negative * lo;
        if (n == 0 || bottom < least) least = bottom;
        if (n == 0 || top > most) most = top;
    }
    BW_TRY(bw_within(least, error));
    BW_TRY(bw_within(most, error));
    out->kind = BW_INT;
    out->lo = (int64_t)least;
    out->hi = (int64_t)most;
    return BW_OK;
}

static int int_input(const bw_op *op, const bw_type *x, int64_t *lo, int64_t *hi, bw_error *error) {
    BW_TRY(bw_kind_of(x, 1 << BW_BITS | 1 << BW_INT, error));
    bool bits = x->kind == BW_BITS;
    BW_NEED(!bits || op->consts[0].dtype != BW_DTYPE_BIT, "bits with 1-bit weights are xnor_linear or xnor_conv2d");
    *lo = bits ? -1 : x->lo;
    *hi = bits ? 1 : x->hi;
    BW_NEED(INT32_MIN <= *lo && *hi <= INT32_MAX, "takes ints within int32; clip or shift them first");
    return BW_OK;
}

int bw_rule_int_linear(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    int64_t lo = 0, hi = 0;
    BW_TRY(int_input(op, x[0], &lo, &hi, error));
    BW_TRY(linear_shape(op, x[0], out, error));
    return weighted_hull(op, lo, hi, out, error);
}

int bw_rule_int_conv2d(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    int64_t lo = 0, hi = 0, pad_value = op->attrs[BW_INT_CONV2D_PAD_VALUE];
    BW_TRY(int_input(op, x[0], &lo, &hi, error));
    BW_TRY(conv_shape(op, x[0], out, error));
    if (x[0]->kind == BW_BITS)
        BW_NEED(pad_value >= -1 && pad_value <= 1, "pad_value is %lld, expected -1, 0 or +1 for bits",
                (long long)pad_value);
    BW_NEED(INT32_MIN <= pad_value && pad_value <= INT32_MAX, "pad_value is %lld, beyond int32", (long long)pad_value);
    const int64_t *pads = &op->attrs[BW_INT_CONV2D_PAD_TOP];
    if (pads[0] || pads[1] || pads[2] || pads[3]) {
        lo = bw_min(lo, pad_value);
        hi = bw_max(hi, pad_value);
    }
    return weighted_hull(op, lo, hi, out, error);
}

int bw_rule_count(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const bw_const *start = &op->consts[BW_COUNT_C_START], *signal = &op->consts[BW_COUNT_C_SIGNAL];
    const bw_const *offset = &op->consts[BW_COUNT_C_OFFSET];
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS, error));
    BW_NEED(x[0]->ndim == 1, "takes bits [S]; reshape it first");
    BW_NEED(start->n_values == offset->n_values + 1, "start has %u entries for %u groups, expected one more",
            start->dims[0], offset->dims[0]);
    BW_NEED(op->consts[BW_COUNT_C_INVERT].n_values == signal->n_values, "invert must have a bit for each of %u signals",
            signal->dims[0]);
    int64_t before = bw_const_int(start, 0), last = bw_const_int(start, start->n_values - 1);
    BW_NEED(before == 0 && last == (int64_t)signal->n_values, "start runs %lld..%lld, expected 0..%u",
            (long long)before, (long long)last, signal->dims[0]);
    for (uint64_t i = 0; i < signal->n_values; i++)
        BW_NEED(bw_const_int(signal, i) < x[0]->dims[0], "signal %lld of only %u", (long long)bw_const_int(signal, i),
                x[0]->dims[0]);
    for (uint64_t g = 0; g < offset->n_values; g++) {
        int64_t low = bw_const_int(offset, g), next = bw_const_int(start, g + 1);
        BW_NEED(next >= before, "start decreases");
        bw_wide top = (bw_wide)low + (next - before);
        BW_TRY(bw_within(low, error));
        BW_TRY(bw_within(top, error));
        out->lo = g == 0 ? low : bw_min(out->lo, low);
        out->hi = g == 0 ? (int64_t)top : bw_max(out->hi, (int64_t)top);
        before = next;
    }
    out->kind = BW_INT;
    out->ndim = 1;
    out->dims[0] = offset->dims[0];
    return BW_OK;
}

int bw_rule_project(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const int64_t *a = op->attrs;
    const bw_const *t = &op->consts[BW_PROJECT_C_T];
    int64_t n = a[BW_PROJECT_N_OUT], p = x[0]->dims[0], rounds = a[BW_PROJECT_ROUNDS], shift = a[BW_PROJECT_SHIFT];
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS | 1 << BW_INT, error));
    BW_TRY(bw_choice(a[BW_PROJECT_KIND], 3, "kind", error));
    BW_NEED(n >= 1 && n <= 1 << 24, "n_out is %lld, expected 1..2^24", (long long)n);
    BW_NEED(a[BW_PROJECT_LAYER] >= 0 && a[BW_PROJECT_LAYER] <= UINT32_MAX, "layer is %lld, expected 0..2^32-1",
            (long long)a[BW_PROJECT_LAYER]);
    bw_wide reach =
        x[0]->kind == BW_BITS ? 1 : bw_max(x[0]->lo < 0 ? -x[0]->lo : x[0]->lo, x[0]->hi < 0 ? -x[0]->hi : x[0]->hi);
    if (a[BW_PROJECT_KIND] == BW_KIND_HADAMARD) {
        BW_NEED(rounds >= 1 && rounds <= 8, "rounds is %lld, expected 1..8", (long long)rounds);
        BW_NEED(shift >= 0 && shift <= 31, "shift is %lld, expected 0..31", (long long)shift);
        int64_t q = 1;
        while (q < p) q *= 2;
        for (int64_t r = 0; r < rounds; r++) {
            reach *= q;
            BW_TRY(bw_within(reach, error));
            if (r + 1 < rounds) reach = -(-reach >> shift); /* floor of the negative end is the larger one */
        }
    } else {
        BW_NEED(rounds == 0 && shift == 0, "rounds and shift belong to hadamard; others take 0, 0");
        BW_TRY(bw_within(reach * p * (a[BW_PROJECT_KIND] == BW_KIND_GAUSSIAN ? 64 : 1), error));
    }
    BW_NEED(!t->dtype || t->dims[0] == n, "t has %u thresholds for %lld outputs", t->dims[0], (long long)n);
    *out = *x[0];
    out->kind = BW_BITS;
    out->dims[0] = (uint32_t)n;
    out->lo = out->hi = 0;
    return BW_OK;
}
