/* The product of rows of integers and packed weights, shared by int_linear and int_conv2d.
 *
 * A row is stored in planes: x - origin in base 256 (unsigned bytes) or, from the range of x, as one or two int16 in base 2^16. The
 * planes' products are added from the highest down, sum = (sum << shift) + product, modulo 2^32, which is exact as the last sum fits
 * int32; then origin * (sum of the column's weights) joins. 64-bit results take the reference's loops. */
#ifndef BW_INT_GEMM_H
#define BW_INT_GEMM_H

#include "../kernels_store.h"

typedef enum {
    BW_PATH_ANY,    /* the reference's loops */
    BW_PATH_LOOKUP, /* bytes x signs: tables of the sums of 5 bytes, looked up by 5 weights */
    BW_PATH_BYTES,  /* bytes x int8 */
    BW_PATH_PAIRS   /* int16 x int16 */
} bw_path;

typedef struct {
    bw_path path;
    int planes, shift;
    int32_t origin;
    int64_t k;
    size_t plane_bytes, row_bytes; /* of a prepared row */
} bw_int_plan;

/* Weight k of output n, k counted as in the rows. */
typedef int64_t bw_int_weight(const bw_shape *shape, const void *canonical, int32_t n, int64_t k);

typedef struct {
    const bw_int_plan *plan;
    const char *rows;
    int64_t n_rows;
    const void *packed;
    int32_t n;
    bw_out out_kind; /* BW_OUT_I32 or BW_OUT_BITS */
    const int32_t *threshold;
    const uint64_t *flip;
    char *out;
    size_t out_stride;
    void *scratch;
} bw_int_gemm;

/* What an instruction set brings to run.h here and in int_conv2d. */
typedef struct {
    int32_t lookup_from;                                 /* outputs that pay for tables, INT32_MAX for never */
    int bytes_sign, bytes_i8;                            /* whether BW_PATH_BYTES takes these weights */
    size_t (*packed_bytes)(const bw_int_plan *plan, int32_t n); /* a multiple of 64 */
    void (*pack)(const bw_int_plan *plan, const bw_shape *shape, const void *canonical, bw_int_weight *weight, int32_t first, int32_t n,
                 void *packed);
    size_t (*scratch_bytes)(const bw_int_plan *plan, int32_t n);
    void (*gemm)(const bw_int_gemm *g);
    void (*finish)(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out); /* one position's N sums */
} bw_int_engine;

extern const bw_int_engine bw_int_engine_avx2, bw_int_engine_avx512, bw_int_engine_amx;

static inline size_t bw_int_round_up(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static inline bw_int_plan bw_int_plan_of(const bw_int_engine *engine, const bw_shape *s, int64_t k, int32_t outputs, int with_padding) {
    bw_int_plan p = {.path = BW_PATH_ANY, .planes = 1, .k = k};
    int64_t lo = s->input == BW_INPUT_BITS ? -1 : s->lo, hi = s->input == BW_INPUT_BITS ? 1 : s->hi;
    if (with_padding) {
        lo = s->pad_value < lo ? s->pad_value : lo;
        hi = s->pad_value > hi ? s->pad_value : hi;
    }
    if (s->out == BW_OUT_I64)
        return p;
    int sign = s->weight == BW_WEIGHT_SIGN, is_byte = hi - lo <= 255;
    if (sign && outputs >= engine->lookup_from)
        p.path = BW_PATH_LOOKUP;
    else if (is_byte && ((sign && engine->bytes_sign) || (s->weight == BW_WEIGHT_I8 && engine->bytes_i8)))
        p.path = BW_PATH_BYTES;
    else
        p.path = BW_PATH_PAIRS;
    if (p.path == BW_PATH_PAIRS) {
        p.shift = 16;
        p.planes = hi - lo <= 65535 ? 1 : 2;
        p.origin = p.planes == 2 || (lo >= INT16_MIN && hi <= INT16_MAX) ? 0 : (int32_t)(lo + 32768);
        p.plane_bytes = (size_t)(k + 1) / 2 * 4;
    } else {
        p.shift = 8;
        p.origin = lo >= 0 && hi <= 255 ? 0 : (int32_t)lo;
        int64_t range = hi - p.origin;
        p.planes = range < 1 << 8 ? 1 : range < 1 << 16 ? 2 : range < 1 << 24 ? 3 : 4;
        p.plane_bytes = p.path == BW_PATH_LOOKUP ? (size_t)(k + 4) / 5 * 5 + 8 : (size_t)(k + 3) / 4 * 4;
    }
    p.row_bytes = (size_t)p.planes * p.plane_bytes;
    return p;
}

/* n values from `x` (of bits: from its bit 0), to planes that lie `stride` bytes apart. */
static inline void bw_int_to_planes(const bw_int_plan *p, bw_input input, const void *x, int64_t n, char *to, size_t stride) {
    const uint32_t origin = (uint32_t)p->origin;
    if (p->path == BW_PATH_PAIRS) {
        for (int64_t i = 0; i < n; i++) {
            uint32_t v = input == BW_INPUT_U8    ? ((const uint8_t *)x)[i]
                         : input == BW_INPUT_I32 ? ((const uint32_t *)x)[i]
                                                 : (uint32_t)(2 * bw_bit(x, i) - 1);
            v -= origin;
            uint16_t low = (uint16_t)v, high = (uint16_t)((v - (uint32_t)(int32_t)(int16_t)low) >> 16);
            memcpy(to + 2 * i, &low, 2);
            if (p->planes == 2)
                memcpy(to + stride + 2 * (size_t)i, &high, 2);
        }
    } else if (input == BW_INPUT_U8) {
        if (origin == 0) {
            memcpy(to, x, (size_t)n);
        } else {
            for (int64_t i = 0; i < n; i++)
                to[i] = (char)(((const uint8_t *)x)[i] - (uint8_t)origin);
        }
        for (int plane = 1; plane < p->planes; plane++)
            for (int64_t i = 0; i < n; i++)
                to[(size_t)plane * stride + (size_t)i] = (char)((((const uint8_t *)x)[i] - origin) >> 8 * plane);
    } else {
        for (int plane = 0; plane < p->planes; plane++)
            for (int64_t i = 0; i < n; i++) {
                uint32_t v = input == BW_INPUT_I32 ? ((const uint32_t *)x)[i] : (uint32_t)(2 * bw_bit(x, i) - 1);
                to[(size_t)plane * stride + (size_t)i] = (char)((v - origin) >> 8 * plane);
            }
    }
}

/* A multiple of 16: whole tiles may be read. */
static inline int64_t bw_int_rows_at_once(const bw_int_plan *p, size_t out_bytes) {
    size_t rows = 65536 / p->row_bytes, out_rows = 131072 / out_bytes;
    rows = out_rows < rows ? out_rows : rows;
    return rows < 16 ? 16 : rows > 128 ? 128 : (int64_t)(rows & ~(size_t)15);
}

#endif
