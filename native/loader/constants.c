/* Constants: their place in the file, their padding, and how to read one value. */
#include <stdlib.h>
#include <string.h>
#include "loader.h"

static const uint8_t dtype_bits[] = {0, 1, 4, 8, 8, 16, 16, 32, 32, 64, 64, 32};

static bool padding_is_zero(const bw_const *c) {
    uint64_t used = c->row_values * dtype_bits[c->dtype];
    for (uint64_t row = 0; row < c->n_rows; row++) {
        const uint8_t *bytes = c->data + row * c->row_bytes;
        uint64_t byte = used / 8;
        if (used % 8 && bytes[byte++] >> used % 8) return false;
        for (; byte < c->row_bytes; byte++)
            if (bytes[byte]) return false;
    }
    return true;
}

void bw_rows_of(bw_const *c, unsigned multiple) {
    bool packed = c->dtype == BW_DTYPE_BIT || c->dtype == BW_DTYPE_I4;
    c->n_rows = packed && c->ndim >= 2 ? c->dims[0] : 1;
    c->row_values = c->n_values / c->n_rows;
    c->row_bytes = (c->row_values * dtype_bits[c->dtype] + 7) / 8;
    if (packed) c->row_bytes = (c->row_bytes + multiple - 1) / multiple * multiple;
}

int bw_read_const(const bw_layout *file, const uint8_t *entry, const bw_op_spec *spec, int index, bw_const *c,
                  bw_error *error) {
    uint64_t offset, n_bytes;
    memset(c, 0, sizeof *c);
    static const uint8_t absent[40];
    if (!memcmp(entry, absent, 40)) {
        BW_NEED(spec->consts[index].optional, "constant %d is missing", index);
        return BW_OK;
    }
    c->dtype = entry[0];
    c->ndim = entry[1];
    memcpy(c->dims, entry + 4, 16);
    memcpy(&offset, entry + 24, 8);
    memcpy(&n_bytes, entry + 32, 8);
    BW_NEED(!entry[2] && !entry[3] && !memcmp(entry + 20, absent, 4), "constant %d: an unused byte is not 0", index);
    BW_NEED(c->dtype >= 1 && c->dtype <= BW_DTYPE_F32 && (spec->consts[index].dtypes >> c->dtype & 1),
            "constant %d has dtype %u, which the table does not list", index, c->dtype);
    BW_NEED(c->ndim <= 4 && (spec->consts[index].axes >> c->ndim & 1), "constant %d has %u axes", index, c->ndim);
    c->n_values = 1;
    for (int axis = 0; axis < 4; axis++) {
        if (axis >= c->ndim) {
            BW_NEED(c->dims[axis] == 0, "constant %d: an unused dim is not 0", index);
            continue;
        }
        BW_NEED(c->dims[axis] >= 1, "constant %d is empty", index);
        BW_NEED(!__builtin_mul_overflow(c->n_values, (uint64_t)c->dims[axis], &c->n_values) &&
                    c->n_values <= file->file_bytes * 8,
                "constant %d is larger than its file", index);
    }
    bw_rows_of(c, 8);
    BW_NEED(!__builtin_mul_overflow(c->n_rows, c->row_bytes, &c->n_bytes) && c->n_bytes == n_bytes,
            "constant %d has %llu bytes, its shape needs %llu", index, (unsigned long long)n_bytes,
            (unsigned long long)c->n_bytes);
    BW_NEED(offset % 64 == 0, "constant %d begins at %llu, not a multiple of 64", index, (unsigned long long)offset);
    BW_NEED(offset <= file->blobs_bytes && n_bytes <= file->blobs_bytes - offset, "constant %d lies outside the blobs",
            index);
    c->data = file->bytes + file->blobs + offset;
    bool packed = c->dtype == BW_DTYPE_BIT || c->dtype == BW_DTYPE_I4;
    if (packed) BW_NEED(padding_is_zero(c), "constant %d: padding of a row is not 0", index);
    return BW_OK;
}

int64_t bw_const_int(const bw_const *c, uint64_t i) {
    union {
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        int64_t i64;
    } v;
    switch (c->dtype) {
    case BW_DTYPE_BIT: {
        const uint8_t *row = c->n_rows == 1 ? c->data : c->data + i / c->row_values * c->row_bytes;
        if (c->n_rows != 1) i %= c->row_values;
        return row[i / 8] >> i % 8 & 1;
    }
    case BW_DTYPE_I4: {
        const uint8_t *row = c->n_rows == 1 ? c->data : c->data + i / c->row_values * c->row_bytes;
        if (c->n_rows != 1) i %= c->row_values;
        return (int64_t)((row[i / 2] >> i % 2 * 4 & 15) ^ 8) - 8;
    }
    case BW_DTYPE_U8: return c->data[i];
    case BW_DTYPE_I8: memcpy(&v, c->data + i, 1); return v.i8;
    case BW_DTYPE_U16: memcpy(&v, c->data + 2 * i, 2); return v.u16;
    case BW_DTYPE_I16: memcpy(&v, c->data + 2 * i, 2); return v.i16;
    case BW_DTYPE_U32: memcpy(&v, c->data + 4 * i, 4); return v.u32;
    case BW_DTYPE_I32: memcpy(&v, c->data + 4 * i, 4); return v.i32;
    default: memcpy(&v, c->data + 8 * i, 8); return v.i64;
    }
}

float bw_const_float(const bw_const *c, uint64_t i) {
    float value;
    memcpy(&value, c->data + 4 * i, 4);
    return value;
}

void bw_const_hull(const bw_const *c, int64_t *lo, int64_t *hi) {
    *lo = *hi = bw_const_int(c, 0);
    for (uint64_t i = 1; i < c->n_values; i++) {
        int64_t value = bw_const_int(c, i);
        *lo = bw_min(*lo, value);
        *hi = bw_max(*hi, value);
    }
}

typedef struct {
    uint64_t begin, end;
} span;

static int by_begin(const void *a, const void *b) {
    const span *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Constants do not overlap, so that memory stays in proportion to the file; bytes between them are 0. */
static int check_spans(const bw_layout *file, const span *spans, size_t n, bw_error *error) {
    uint64_t at = 0;
    for (size_t i = 0; i <= n; i++) {
        BW_NEED(spans[i].begin >= at, "two constants overlap at byte %llu of the blobs",
                (unsigned long long)spans[i].begin);
        for (; at < spans[i].begin; at++)
            BW_NEED(!file->bytes[file->blobs + at], "byte %llu of the blobs belongs to no constant and is not 0",
                    (unsigned long long)at);
        at = spans[i].end;
    }
    return BW_OK;
}

int bw_check_spans(const bw_layout *file, const bw_op *ops, uint32_t n_ops, bw_error *error) {
    size_t n = 0;
    for (uint32_t o = 0; o < n_ops; o++)
        for (int c = 0; c < BW_MAX_CONSTS; c++) n += ops[o].consts[c].dtype != BW_DTYPE_NONE;
    span *spans = malloc((n + 1) * sizeof *spans);
    if (!spans) return bw_fail(error, BW_NO_MEMORY, "no memory to load the Program");
    n = 0;
    for (uint32_t o = 0; o < n_ops; o++)
        for (int c = 0; c < BW_MAX_CONSTS; c++) {
            const bw_const *constant = &ops[o].consts[c];
            uint64_t begin = constant->dtype ? (uint64_t)(constant->data - file->bytes) - file->blobs : 0;
            if (constant->dtype) spans[n++] = (span){begin, begin + constant->n_bytes};
        }
    qsort(spans, n, sizeof *spans, by_begin);
    spans[n] = (span){file->blobs_bytes, file->blobs_bytes};
    int status = check_spans(file, spans, n, error);
    free(spans);
    return status;
}
