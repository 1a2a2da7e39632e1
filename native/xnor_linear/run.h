/* xnor_linear on top of an instruction set's engine. */
#ifndef BW_XNOR_LINEAR_RUN_H
#define BW_XNOR_LINEAR_RUN_H

#include "gemm.h"

static inline uint64_t bw_linear_weight_word(const bw_shape *shape, const void *canonical, int32_t n, int64_t u) {
    return ((const uint64_t *)canonical)[(size_t)n * bw_words(shape->channels) + (size_t)u];
}

static inline size_t bw_xnor_linear_weight_bytes(const bw_xnor_engine *engine, const bw_shape *shape) {
    return engine->panels_bytes(shape->out_channels, (int64_t)bw_words(shape->channels));
}

static inline void bw_xnor_linear_pack(const bw_xnor_engine *engine, const bw_shape *shape, const void *canonical, void *packed) {
    memset(packed, 0, bw_xnor_linear_weight_bytes(engine, shape));
    for (int32_t n = 0; n < shape->out_channels; n++) {
        bw_weight_row row = {bw_linear_weight_word, shape, canonical, n};
        engine->pack_column(packed, shape->out_channels, (int64_t)bw_words(shape->channels), n, &row);
    }
}

static inline size_t bw_xnor_linear_scratch_bytes(const bw_xnor_engine *engine, const bw_shape *shape) {
    size_t row_bytes = engine->row_bytes((int64_t)bw_words(shape->channels));
    return (size_t)bw_rows_at_once(row_bytes, bw_out_bytes(shape)) * row_bytes;
}

static inline void bw_xnor_linear_run(const bw_xnor_engine *engine, const bw_shape *shape, const bw_job *job) {
    int64_t words = (int64_t)bw_words(shape->channels);
    size_t row_bytes = engine->row_bytes(words);
    int64_t step = bw_rows_at_once(row_bytes, bw_out_bytes(shape));
    bw_xnor_gemm g = {
        .a = job->scratch, .words = words, .panels = job->weights, .n = shape->out_channels, .base = shape->channels,
        .accumulator = shape->accumulator, .out_kind = shape->out, .threshold = job->threshold, .flip = job->flip,
        .out_stride = job->out_stride,
    };
    for (int64_t row = 0; row < job->samples; row += step) {
        const char *x = (const char *)job->x + (size_t)row * job->x_stride;
        g.rows = job->samples - row < step ? job->samples - row : step;
        g.out = (char *)job->out + (size_t)row * job->out_stride;
        for (int64_t r = 0; r < g.rows; r++)
            engine->pack_row((char *)job->scratch + (size_t)r * row_bytes, words, (const void *)(x + (size_t)r * job->x_stride));
        engine->gemm(&g);
    }
}

#define BW_XNOR_LINEAR_KERNEL(isa)                                                                                      \
    static size_t weight_bytes(const bw_shape *shape) { return bw_xnor_linear_weight_bytes(&bw_xnor_engine_##isa, shape); } \
    static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {                               \
        bw_xnor_linear_pack(&bw_xnor_engine_##isa, shape, canonical, packed);                                            \
    }                                                                                                                    \
    static size_t scratch_bytes(const bw_shape *shape) { return bw_xnor_linear_scratch_bytes(&bw_xnor_engine_##isa, shape); } \
    static void run(const bw_shape *shape, const bw_job *job) { bw_xnor_linear_run(&bw_xnor_engine_##isa, shape, job); } \
    const bw_kernel bw_xnor_linear_##isa = {weight_bytes, pack_weights, scratch_bytes, run};

#endif
