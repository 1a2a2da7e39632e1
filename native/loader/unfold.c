/* The short form of the file, version 2, written out as version 1, which the rest of the loader reads. */
#include <string.h>
#include "loader.h"

typedef struct {
    const uint8_t *at, *end;
} cursor;

/* What is written; with bytes NULL it is only counted. */
typedef struct {
    uint8_t *bytes;
    uint64_t n;
} writer;

static void put(writer *w, const void *bytes, uint64_t n) {
    if (w->bytes) memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static void put_zeros(writer *w, uint64_t n) {
    if (w->bytes) memset(w->bytes + w->n, 0, n);
    w->n += n;
}

/* Seven bits a byte, the low ones first; bit 7 says that more follow. The shortest spelling only. */
static int number(cursor *c, uint64_t largest, uint64_t *value, bw_error *error) {
    uint8_t byte;
    unsigned shift = 0;
    *value = 0;
    for (;;) {
        BW_NEED(c->at < c->end, "the records end before it does");
        byte = *c->at++;
        BW_NEED(shift < 63 || byte < 2, "a number of more than 64 bits");
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
        shift += 7;
    }
    BW_NEED(byte || !shift, "a number with a superfluous byte");
    BW_NEED(*value <= largest, "the number %llu, the largest is %llu", (unsigned long long)*value,
            (unsigned long long)largest);
    return BW_OK;
}

/* A constant: its entry of 40 bytes, and its rows, padded, behind the blobs so far. */
static int constant(cursor *records, cursor *blobs, uint8_t *entry, writer *out, bw_error *error) {
    bw_const c = {0};
    uint64_t value;
    memset(entry, 0, 40);
    BW_TRY(number(records, 255, &value, error));
    if (!value) return BW_OK;
    BW_NEED(value <= BW_DTYPE_F32, "dtype %llu is unknown", (unsigned long long)value);
    c.dtype = (uint8_t)value;
    BW_TRY(number(records, 4, &value, error));
    c.ndim = (uint8_t)value;
    BW_NEED(c.ndim, "a constant without axes");
    uint64_t left = (uint64_t)(blobs->end - blobs->at);
    c.n_values = 1;
    for (int axis = 0; axis < c.ndim; axis++) {
        BW_TRY(number(records, UINT32_MAX, &value, error));
        BW_NEED(value, "a constant is empty");
        c.dims[axis] = (uint32_t)value;
        BW_NEED(!__builtin_mul_overflow(c.n_values, value, &c.n_values) && c.n_values / 8 <= left,
                "a constant is larger than its file");
    }
    bw_rows_of(&c, 1);
    uint64_t used = c.row_bytes;
    BW_NEED(used <= left && c.n_rows <= left / used, "a constant lies outside the blobs");
    bw_rows_of(&c, 8);
    put_zeros(out, -out->n & 63);
    uint64_t offset = out->n, n_bytes = c.n_rows * c.row_bytes;
    for (uint64_t row = 0; row < c.n_rows; row++, blobs->at += used) {
        put(out, blobs->at, used);
        put_zeros(out, c.row_bytes - used);
    }
    entry[0] = c.dtype;
    entry[1] = c.ndim;
    memcpy(entry + 4, c.dims, 16);
    memcpy(entry + 24, &offset, 8);
    memcpy(entry + 32, &n_bytes, 8);
    return BW_OK;
}

static int record(cursor *records, cursor *blobs, uint32_t own, writer *out, writer *out_blobs, bw_error *error) {
    uint8_t bytes[56 + 4 * BW_MAX_INPUTS + 8 * BW_MAX_ATTRS + 40 * BW_MAX_CONSTS] = {0};
    uint64_t code, version, n_inputs, value;
    BW_TRY(number(records, UINT16_MAX, &code, error));
    BW_NEED(code < BW_N_OPS, "code %llu is unknown; this loader knows 0..%u", (unsigned long long)code, BW_N_OPS - 1);
    const bw_op_spec *spec = &bw_op_specs[code];
    BW_TRY(number(records, UINT16_MAX, &version, error));
    BW_TRY(number(records, BW_MAX_INPUTS, &n_inputs, error));
    uint16_t head[8] = {(uint16_t)code, (uint16_t)version, 0, 0, (uint16_t)n_inputs, spec->n_attrs, spec->n_consts, 0};
    for (uint64_t i = 0; i < n_inputs; i++) {
        BW_TRY(number(records, own, &value, error));
        BW_NEED(value, "reads its own value");
        uint32_t input = own - (uint32_t)value;
        memcpy(bytes + 56 + 4 * i, &input, 4);
    }
    uint32_t n = 56 + (uint32_t)(n_inputs + 1) / 2 * 8;
    for (int i = 0; i < spec->n_attrs; i++, n += 8) {
        BW_TRY(number(records, UINT64_MAX, &value, error));
        value = value >> 1 ^ (0 - (value & 1)); /* 0, 1, 2, 3, ... stand for 0, -1, 1, -2, ... */
        memcpy(bytes + n, &value, 8);
    }
    for (int i = 0; i < spec->n_consts; i++, n += 40)
        BW_TRY(constant(records, blobs, bytes + n, out_blobs, error));
    memcpy(bytes, head, 16);
    memcpy(bytes + 4, &n, 4);
    memcpy(bytes + 16, &own, 4);
    put(out, bytes, n);
    return BW_OK;
}

int bw_unfold(const bw_layout *file, uint32_t n_ops, uint8_t *bytes, bw_layout *image, bw_error *error) {
    cursor records = {file->bytes + file->records, file->bytes + file->records + file->records_bytes};
    cursor blobs = {file->bytes + file->blobs, file->bytes + file->blobs + file->blobs_bytes};
    writer out = {bytes, 0}, out_blobs = {bytes ? bytes + image->blobs : NULL, 0};
    for (uint32_t own = 0; own < n_ops; own++) {
        int status = record(&records, &blobs, own, &out, &out_blobs, error);
        if (status) {
            bw_fail_in(error, own, "record");
            return status;
        }
    }
    BW_NEED(records.at == records.end, "the records go on behind the last operation");
    BW_NEED(blobs.at == blobs.end, "the blobs go on behind the last constant");
    uint64_t blobs_at = (out.n + 63) / 64 * 64;
    *image = (bw_layout){bytes, 0, out.n, 0, 0, blobs_at, out_blobs.n, blobs_at + out_blobs.n};
    return BW_OK;
}
