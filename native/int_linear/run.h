/* int_linear on top of an instruction set's engine. */
#ifndef BW_INT_LINEAR_RUN_H
#define BW_INT_LINEAR_RUN_H

#include "gemm.h"

extern const bw_kernel bw_int_linear_reference;

static inline bw_int_plan bw_int_linear_plan(const bw_int_engine *engine, const bw_shape *s) {
    return bw_int_plan_of(engine, s, s->channels, s->out_channels, 0);
}

static inline int64_t bw_int_linear_weight(const bw_shape *s, const void *canonical, int32_t n, int64_t k) {
    return bw_weight_at(s, (const char *)canonical + (size_t)n * bw_weight_row_bytes(s, s->channels), k);
}

static inline size_t bw_int_linear_weight_bytes(const bw_int_engine *engine, const bw_shape *s) {
    bw_int_plan p = bw_int_linear_plan(engine, s);
    return p.path == BW_PATH_ANY ? bw_int_linear_reference.weight_bytes(s) : engine->packed_bytes(&p, s->out_channels);
}

static inline void bw_int_linear_pack(const bw_int_engine *engine, const bw_shape *s, const void *canonical, void *packed) {
    bw_int_plan p = bw_int_linear_plan(engine, s);
    if (p.path == BW_PATH_ANY)
        bw_int_linear_reference.pack_weights(s, canonical, packed);
    else
        engine->pack(&p, s, canonical, bw_int_linear_weight, 0, s->out_channels, packed);
}

static inline size_t bw_int_linear_rows_bytes(const bw_int_plan *p, const bw_shape *s) {
    return bw_int_round_up((size_t)bw_int_rows_at_once(p, bw_out_bytes(s)) * p->row_bytes + 64);
}

static inline size_t bw_int_linear_scratch_bytes(const bw_int_engine *engine, const bw_shape *s) {
    bw_int_plan p = bw_int_linear_plan(engine, s);
    return p.path == BW_PATH_ANY ? 0 : bw_int_linear_rows_bytes(&p, s) + engine->scratch_bytes(&p, s->out_channels);
}

static inline void bw_int_linear_run(const bw_int_engine *engine, const bw_shape *s, const bw_job *job) {
    bw_int_plan p = bw_int_linear_plan(engine, s);
    if (p.path == BW_PATH_ANY) {
        bw_int_linear_reference.run(s, job);
        return;
    }
    int64_t step = bw_int_rows_at_once(&p, bw_out_bytes(s));
    size_t element = p.path == BW_PATH_PAIRS ? 2 : 1, used = (size_t)p.k * element;
    bw_int_gemm g = {
        .plan = &p, .rows = job->scratch, .packed = job->weights, .n = s->out_channels, .out_kind = s->out, .threshold = job->threshold,
        .flip = job->flip, .out_stride = job->out_stride, .scratch = (char *)job->scratch + bw_int_linear_rows_bytes(&p, s),
    };
    for (int64_t row = 0; row < job->samples; row += step) {
        g.n_rows = job->samples - row < step ? job->samples - row : step;
        g.out = (char *)job->out + (size_t)row * job->out_stride;
        for (int64_t r = 0; r < g.n_rows; r++) {
            char *to = (char *)job->scratch + (size_t)r * p.row_bytes;
            bw_int_to_planes(&p, s->input, (const char *)job->x + (size_t)(row + r) * job->x_stride, p.k, to, p.plane_bytes);
            for (int plane = 0; plane < p.planes; plane++)
                memset(to + (size_t)plane * p.plane_bytes + used, 0, p.plane_bytes - used);
        }
        engine->gemm(&g);
    }
}

#define BW_INT_LINEAR_KERNEL(isa)                                                                                             \
    static size_t weight_bytes(const bw_shape *shape) { return bw_int_linear_weight_bytes(&bw_int_engine_##isa, shape); }     \
    static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {                                    \
        bw_int_linear_pack(&bw_int_engine_##isa, shape, canonical, packed);                                                   \
    }                                                                                                                         \
    static size_t scratch_bytes(const bw_shape *shape) { return bw_int_linear_scratch_bytes(&bw_int_engine_##isa, shape); }   \
    static void run(const bw_shape *shape, const bw_job *job) { bw_int_linear_run(&bw_int_engine_##isa, shape, job); }        \
    const bw_kernel bw_int_linear_##isa = {weight_bytes, pack_weights, scratch_bytes, run};

#endif
