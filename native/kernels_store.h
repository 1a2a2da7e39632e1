/* What every kernel does with a finished sum, one value at a time: accumulator, then an integer or a threshold's bit. */
#ifndef BW_KERNELS_STORE_H
#define BW_KERNELS_STORE_H

#include "kernels.h"

#include <string.h>

static inline int bw_bit(const uint64_t *words, int64_t i) { return (int)(words[i >> 6] >> (i & 63) & 1); }

static inline int64_t bw_floor_half(int64_t s) { return (s - (s & 1)) / 2; }

static inline int64_t bw_accumulate(bw_accumulator accumulator, int64_t s) {
    if (accumulator == BW_ACC_INT32)
        return s;
    if (accumulator == BW_ACC_WRAP8_HALF)
        s = bw_floor_half(s);
    return ((s + 128) & 255) - 128;
}

/* Bytes of one position's outputs. */
static inline size_t bw_out_bytes(const bw_shape *s) {
    size_t n = (size_t)s->out_channels;
    return s->out == BW_OUT_BITS ? bw_words((int64_t)n) * 8 : s->out == BW_OUT_I64 ? n * 8 : n * 4;
}

/* Stores output n of a position at `out`; with n = 0, 1, 2, ... in order, so that bits find their word cleared. */
static inline void bw_store(const bw_shape *shape, const bw_job *job, void *out, int32_t n, int64_t sum) {
    int64_t s = bw_accumulate(shape->accumulator, sum);
    if (shape->out == BW_OUT_I32) {
        ((int32_t *)out)[n] = (int32_t)s;
    } else if (shape->out == BW_OUT_I64) {
        ((int64_t *)out)[n] = s;
    } else {
        uint64_t *words = out;
        uint64_t bit = (uint64_t)((s >= job->threshold[n]) ^ (job->flip ? bw_bit(job->flip, n) : 0));
        words[n >> 6] = (n & 63 ? words[n >> 6] : 0) | bit << (n & 63);
    }
}

/* Value i of a sample, whatever its type. */
static inline int64_t bw_input_at(const bw_shape *shape, const void *x, int64_t i) {
    return shape->input == BW_INPUT_BITS ? 2 * bw_bit(x, i) - 1
           : shape->input == BW_INPUT_U8 ? ((const uint8_t *)x)[i]
                                         : ((const int32_t *)x)[i];
}

static inline size_t bw_weight_row_bytes(const bw_shape *shape, int64_t k) {
    return shape->weight == BW_WEIGHT_SIGN ? bw_words(k) * 8 : (size_t)k * (shape->weight == BW_WEIGHT_I8 ? 1 : 2);
}

/* Weight k of a canonical row. */
static inline int64_t bw_weight_at(const bw_shape *shape, const void *row, int64_t k) {
    return shape->weight == BW_WEIGHT_SIGN ? 2 * bw_bit(row, k) - 1
           : shape->weight == BW_WEIGHT_I8 ? ((const int8_t *)row)[k]
                                           : ((const int16_t *)row)[k];
}

#endif
