/* int_conv2d on top of an instruction set's engine of int_linear: windows become rows, then one product a group. */
#ifndef BW_INT_CONV2D_RUN_H
#define BW_INT_CONV2D_RUN_H

#include "../int_linear/gemm.h"
#include "../xnor_conv2d/windows.h"

extern const bw_kernel bw_int_conv2d_reference;

/* Scratch: prepared rows; the image in planes, a pixel more being what lies outside; plain sums of all groups; the product's own. */
typedef struct {
    bw_int_plan plan;
    int64_t step;
    int32_t group_outputs;
    int sums; /* whether results need a pass of their own after all groups */
    size_t element, pixel, plane_image, group_bytes;
    size_t image_at, sums_at, gemm_at, end;
} bw_int_conv;

static inline bw_int_conv bw_int_conv_of(const bw_int_engine *engine, const bw_shape *s) {
    bw_int_conv c = {.group_outputs = s->out_channels / s->groups};
    c.plan = bw_int_plan_of(engine, s, bw_row_bits(s), c.group_outputs, 1);
    if (c.plan.path == BW_PATH_ANY)
        return c;
    c.step = bw_int_rows_at_once(&c.plan, bw_out_bytes(s));
    c.sums = s->groups > 1 && s->out == BW_OUT_BITS;
    c.element = c.plan.path == BW_PATH_PAIRS ? 2 : 1;
    c.pixel = (size_t)s->channels * c.element;
    c.plane_image = bw_int_round_up(((size_t)s->height * (size_t)s->width + 1) * c.pixel + 16);
    c.group_bytes = engine->packed_bytes(&c.plan, c.group_outputs);
    c.image_at = bw_int_round_up((size_t)c.step * c.plan.row_bytes + 64);
    c.sums_at = c.image_at + (size_t)c.plan.planes * c.plane_image;
    c.gemm_at = c.sums_at + (c.sums ? bw_int_round_up((size_t)c.step * (size_t)s->out_channels * 4) : 0);
    c.end = c.gemm_at + engine->scratch_bytes(&c.plan, c.group_outputs);
    return c;
}

/* Rows hold tap after tap, of each the channels; canonical weights channel after channel. */
static inline int64_t bw_int_conv_weight(const bw_shape *s, const void *canonical, int32_t n, int64_t k) {
    int64_t channels = bw_group_channels(s), taps = bw_taps(s);
    return bw_weight_at(s, (const char *)canonical + (size_t)n * bw_weight_row_bytes(s, bw_row_bits(s)), k % channels * taps + k / channels);
}

static inline size_t bw_int_conv_weight_bytes(const bw_int_engine *engine, const bw_shape *s) {
    bw_int_conv c = bw_int_conv_of(engine, s);
    return c.plan.path == BW_PATH_ANY ? bw_int_conv2d_reference.weight_bytes(s) : (size_t)s->groups * c.group_bytes;
}

static inline void bw_int_conv_pack(const bw_int_engine *engine, const bw_shape *s, const void *canonical, void *packed) {
    bw_int_conv c = bw_int_conv_of(engine, s);
    if (c.plan.path == BW_PATH_ANY) {
        bw_int_conv2d_reference.pack_weights(s, canonical, packed);
        return;
    }
    for (int32_t group = 0; group < s->groups; group++)
        engine->pack(&c.plan, s, canonical, bw_int_conv_weight, group * c.group_outputs, c.group_outputs,
                     (char *)packed + (size_t)group * c.group_bytes);
}

/* The image, and behind it a pixel of pad_value, in planes. */
static inline void bw_int_conv_image(const bw_int_conv *c, const bw_shape *s, const void *x, char *image) {
    size_t pixels = (size_t)s->height * (size_t)s->width;
    if (s->input == BW_INPUT_BITS) {
        for (size_t i = 0; i < pixels; i++)
            bw_int_to_planes(&c->plan, s->input, (const uint64_t *)x + i * bw_words(s->channels), s->channels, image + i * c->pixel,
                             c->plane_image);
    } else {
        bw_int_to_planes(&c->plan, s->input, x, (int64_t)pixels * s->channels, image, c->plane_image);
    }
    for (int32_t i = 0; i < s->channels; i++)
        bw_int_to_planes(&c->plan, BW_INPUT_I32, &s->pad_value, 1, image + pixels * c->pixel + (size_t)i * c->element, c->plane_image);
}

/* n bytes, and up to 15 more, which what follows will overwrite. */
static inline void bw_copy_over(char *to, const char *from, size_t n) {
    size_t i = 0;
    do {
        memcpy(to + i, from + i, 16);
        i += 16;
    } while (i < n);
}

static inline void bw_int_conv_row(const bw_int_conv *c, const bw_shape *s, const char *image, const bw_window *w, int32_t group, char *row) {
    size_t tap = (size_t)bw_group_channels(s) * c->element, first = (size_t)group * tap;
    size_t outside = (size_t)s->height * (size_t)s->width * c->pixel;
    int together = s->groups == 1 && s->dilation_w == 1;
    for (int plane = 0; plane < c->plan.planes; plane++, image += c->plane_image, row += c->plan.plane_bytes) {
        char *to = row;
        for (int32_t ky = 0; ky < s->kernel_h; ky++) {
            int64_t y = w->y + (int64_t)ky * s->dilation_h;
            for (int32_t kx = 0; kx < s->kernel_w;) {
                int32_t taps = 1;
                if (bw_window_outside(w, ky, kx)) {
                    bw_copy_over(to, image + outside + first, tap);
                } else {
                    if (together)
                        taps = w->kx.hi - kx;
                    int64_t x = w->x + (int64_t)kx * s->dilation_w;
                    bw_copy_over(to, image + (size_t)(y * s->width + x) * c->pixel + first, (size_t)taps * tap);
                }
                to += (size_t)taps * tap;
                kx += taps;
            }
        }
        memset(to, 0, c->plan.plane_bytes - (size_t)(to - row));
    }
}

static inline void bw_int_conv_run(const bw_int_engine *engine, const bw_shape *s, const bw_job *job) {
    bw_int_conv c = bw_int_conv_of(engine, s);
    if (c.plan.path == BW_PATH_ANY) {
        bw_int_conv2d_reference.run(s, job);
        return;
    }
    char *scratch = job->scratch, *image = scratch + c.image_at;
    int32_t out_width = bw_out_width(s);
    size_t unit = bw_out_bytes(s);
    bw_int_gemm g = {
        .plan = &c.plan, .rows = scratch, .n = c.group_outputs, .out_kind = c.sums ? BW_OUT_I32 : s->out, .threshold = job->threshold,
        .flip = job->flip, .out_stride = c.sums ? (size_t)s->out_channels * 4 : unit, .scratch = scratch + c.gemm_at,
    };
    int64_t begin = (int64_t)job->row_begin * out_width, end = (int64_t)job->row_end * out_width;
    for (int64_t i = 0; i < job->samples; i++) {
        char *out = (char *)job->out + (size_t)i * job->out_stride;
        if (begin < end)
            bw_int_conv_image(&c, s, (const char *)job->x + (size_t)i * job->x_stride, image);
        for (int64_t first = begin; first < end; first += c.step) {
            g.n_rows = end - first < c.step ? end - first : c.step;
            for (int32_t group = 0; group < s->groups; group++) {
                for (int64_t r = 0; r < g.n_rows; r++) {
                    bw_window w = bw_window_at(s, (int32_t)((first + r) / out_width), (int32_t)((first + r) % out_width));
                    bw_int_conv_row(&c, s, image, &w, group, scratch + (size_t)r * c.plan.row_bytes);
                }
                g.packed = (const char *)job->weights + (size_t)group * c.group_bytes;
                g.out = (c.sums ? scratch + c.sums_at : out + (size_t)first * unit) + (size_t)group * (size_t)c.group_outputs * 4;
                engine->gemm(&g);
            }
            for (int64_t r = 0; c.sums && r < g.n_rows; r++)
                engine->finish(s, job, (const int32_t *)(void *)(scratch + c.sums_at) + (size_t)r * (size_t)s->out_channels,
                               out + (size_t)(first + r) * unit);
        }
    }
}

#define BW_INT_CONV2D_KERNEL(isa)                                                                                             \
    static size_t weight_bytes(const bw_shape *shape) { return bw_int_conv_weight_bytes(&bw_int_engine_##isa, shape); }       \
    static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {                                    \
        bw_int_conv_pack(&bw_int_engine_##isa, shape, canonical, packed);                                                     \
    }                                                                                                                         \
    static size_t scratch_bytes(const bw_shape *shape) { return bw_int_conv_of(&bw_int_engine_##isa, shape).end; }            \
    static void run(const bw_shape *shape, const bw_job *job) { bw_int_conv_run(&bw_int_engine_##isa, shape, job); }          \
    const bw_kernel bw_int_conv2d_##isa = {weight_bytes, pack_weights, scratch_bytes, run};

#endif
