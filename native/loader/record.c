/* One record of the file: counts, code, inputs, attributes, constants, and the type it states. */
#include <string.h>
#include "loader.h"

static uint16_t u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t u32(const uint8_t *p) { return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16; }

static int read_type(const uint8_t *record, bw_type *stated, bw_error *error) {
    memset(stated, 0, sizeof *stated);
    stated->kind = record[20];
    stated->ndim = record[21];
    for (int i = 0; i < 3; i++) stated->dims[i] = u32(record + 24 + 4 * i);
    memcpy(&stated->lo, record + 40, 8);
    memcpy(&stated->hi, record + 48, 8);
    BW_NEED(stated->kind <= BW_FLOAT, "its kind is %u, expected 0, 1 or 2", stated->kind);
    BW_NEED(!u16(record + 22) && !u32(record + 36), "an unused byte of the record is not 0");
    return BW_OK;
}

static int read_body(const bw_layout *file, const uint8_t *record, uint64_t n_bytes, const bw_op_spec *spec,
                     uint32_t number, uint32_t *inputs, bw_op *op, bw_type *stated, bw_error *error) {
    unsigned n_inputs = u16(record + 8);
    BW_NEED(u16(record + 2) == spec->version, "version %u of the operation, this loader knows %u", u16(record + 2),
            spec->version);
    BW_NEED(n_inputs >= spec->least_inputs && n_inputs <= spec->most_inputs, "takes %u to %u inputs, got %u",
            spec->least_inputs, spec->most_inputs, n_inputs);
    BW_NEED(u16(record + 10) == spec->n_attrs, "%u attributes, expected %u", u16(record + 10), spec->n_attrs);
    BW_NEED(u16(record + 12) == spec->n_consts, "%u constants, expected %u", u16(record + 12), spec->n_consts);
    BW_NEED(!u16(record + 14), "an unused byte of the record is not 0");
    BW_NEED(u32(record + 16) == number, "makes value %u, expected its own number", u32(record + 16));
    uint64_t inputs_bytes = (n_inputs + 1) / 2 * 8;
    uint64_t expected = 56 + inputs_bytes + 8u * spec->n_attrs + 40u * spec->n_consts;
    BW_NEED(n_bytes == expected, "its record has %llu bytes, expected %llu", (unsigned long long)n_bytes,
            (unsigned long long)expected);
    BW_TRY(read_type(record, stated, error));
    op->n_inputs = (uint16_t)n_inputs;
    op->inputs = inputs;
    for (unsigned i = 0; i < n_inputs; i++) {
        inputs[i] = u32(record + 56 + 4 * i);
        BW_NEED(inputs[i] < number, "reads value %u, but only values before %u exist", inputs[i], number);
    }
    BW_NEED(n_inputs % 2 == 0 || !u32(record + 56 + 4 * n_inputs), "an unused byte of the record is not 0");
    const uint8_t *attrs = record + 56 + inputs_bytes;
    memcpy(op->attrs, attrs, 8u * spec->n_attrs);
    const uint8_t *consts = attrs + 8 * spec->n_attrs;
    for (int i = 0; i < spec->n_consts; i++)
        BW_TRY(bw_read_const(file, consts + 40 * i, spec, i, &op->consts[i], error));
    return BW_OK;
}

int bw_read_record(const bw_layout *file, const uint8_t *record, uint64_t available, uint32_t number, uint32_t *inputs,
                   bw_op *op, bw_type *stated, uint64_t *n_bytes, bw_error *error) {
    memset(op, 0, sizeof *op);
    BW_NEED(available >= 56, "operation %u: the records end before it does", number);
    op->code = u16(record);
    *n_bytes = u32(record + 4);
    BW_NEED(*n_bytes >= 56 && *n_bytes <= available && *n_bytes % 8 == 0,
            "operation %u: its record claims %llu of %llu bytes left", number, (unsigned long long)*n_bytes,
            (unsigned long long)available);
    BW_NEED(op->code < BW_N_OPS, "operation %u: code %u is unknown; this loader knows 0..%u", number, op->code,
            BW_N_OPS - 1);
    const bw_op_spec *spec = &bw_op_specs[op->code];
    int status = read_body(file, record, *n_bytes, spec, number, inputs, op, stated, error);
    if (status) bw_fail_in(error, number, spec->name);
    return status;
}
