/* Types of logic tables: lut, lut_conv2d. */
#include "loader.h"

/* k, and for every table its entries and what it reads: table m reads signals before first + m * step. */
static int tables(const bw_op *op, int64_t k, const bw_const *wiring, const bw_const *table, uint64_t first,
                  uint64_t step, bw_error *error) {
    BW_NEED(k >= 1 && k <= 6, "k is %lld, expected 1..6", (long long)k);
    BW_NEED(wiring->dims[0] == table->dims[0] && wiring->dims[1] == k, "wiring is (%u, %u), expected (%u, %lld)",
            wiring->dims[0], wiring->dims[1], table->dims[0], (long long)k);
    for (uint64_t m = 0; m < table->n_values; m++) {
        uint64_t entries = (uint64_t)bw_const_int(table, m);
        BW_NEED(k == 6 || entries >> (1 << k) == 0, "table %llu has bits beyond its %d entries", (unsigned long long)m,
                1 << k);
        for (int64_t j = 0; j < k; j++) {
            uint64_t signal = (uint64_t)bw_const_int(wiring, m * (uint64_t)k + (uint64_t)j);
            BW_NEED(signal < first + m * step, "table %llu reads signal %llu, only %llu stand before it",
                    (unsigned long long)m, (unsigned long long)signal, (unsigned long long)(first + m * step));
        }
    }
    (void)op;
    return BW_OK;
}

int bw_rule_lut(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const bw_const *table = &op->consts[BW_LUT_C_TABLE];
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS, error));
    BW_TRY(tables(op, op->attrs[BW_LUT_K], &op->consts[BW_LUT_C_WIRING], table, x[0]->dims[0], 0, error));
    *out = *x[0];
    out->dims[0] = table->dims[0];
    return BW_OK;
}

int bw_rule_lut_conv2d(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error) {
    const bw_const *taps = &op->consts[BW_LUT_CONV2D_C_TAPS], *table = &op->consts[BW_LUT_CONV2D_C_TABLE];
    const bw_const *outputs = &op->consts[BW_LUT_CONV2D_C_OUTPUTS];
    int64_t pad_value = op->attrs[BW_LUT_CONV2D_PAD_VALUE];
    BW_TRY(bw_kind_of(x[0], 1 << BW_BITS, error));
    BW_TRY(bw_image(x[0], error));
    BW_TRY(tables(op, op->attrs[BW_LUT_CONV2D_K], &op->consts[BW_LUT_CONV2D_C_WIRING], table, taps->dims[0], 1, error));
    BW_NEED(pad_value == 0 || pad_value == 1, "pad_value is %lld, expected 0 or 1", (long long)pad_value);
    BW_NEED(taps->dims[1] == 3, "taps are (%u, %u), expected (T, 3) of channel, dy, dx", taps->dims[0], taps->dims[1]);
    for (uint64_t t = 0; t < taps->dims[0]; t++)
        BW_NEED(bw_const_int(taps, 3 * t) < x[0]->dims[0] && bw_const_int(taps, 3 * t + 1) < op->attrs[0] &&
                    bw_const_int(taps, 3 * t + 2) < op->attrs[1],
                "tap %llu leaves the channels or the window", (unsigned long long)t);
    for (uint64_t o = 0; o < outputs->n_values; o++)
        BW_NEED((uint64_t)bw_const_int(outputs, o) < (uint64_t)taps->dims[0] + table->dims[0],
                "output %llu names no signal", (unsigned long long)o);
    *out = *x[0];
    out->dims[0] = outputs->dims[0];
    return bw_output_size(op, false, x[0], out, error);
}
