/* xnor_conv2d on top of an instruction set's engine: windows become rows, some hundred at a time, then one product a group. */
#ifndef BW_XNOR_CONV2D_RUN_H
#define BW_XNOR_CONV2D_RUN_H

#include "../xnor_linear/gemm.h"
#include "windows.h"

/* An instruction set's faster way to the rows of windows ox .. ox+count-1 of output row oy, for whole words a tap (bw_row_is_taps):
 * out of image rows, image_row words apart: a zero word, then the row's words prepared by the engine's pack_row. It may read and write up to 64 bytes
 * behind what it needs. */
typedef void bw_place_rows(const bw_shape *shape, const uint64_t *image, size_t image_row, int32_t oy, int32_t ox, int64_t count,
                           void *prepared);

/* Packed weights: the panels of each group; then, for pad_value 0, tap sums [taps][fix_length]. */
typedef struct {
    int64_t words, step;
    int32_t group_outputs;
    int fixes, sums; /* whether sums need corrections at the border, and a pass of their own after all groups */
    size_t row_bytes, group_bytes, fix_length, image_row;
    size_t rows_at, fix_at, fix_rows_at, sums_at, row_at, image_at, end; /* places in scratch, in bytes */
} bw_conv_plan;

static inline bw_conv_plan bw_conv_plan_of(const bw_xnor_engine *engine, int places, const bw_shape *s) {
    bw_conv_plan p = {0};
    p.words = bw_row_words(s);
    p.row_bytes = engine->row_bytes(p.words);
    p.step = bw_rows_at_once(p.row_bytes, bw_out_bytes(s));
    p.group_outputs = s->out_channels / s->groups;
    p.group_bytes = engine->panels_bytes(p.group_outputs, p.words);
    p.fixes = s->pad_value == 0 && (s->pad_top | s->pad_bottom | s->pad_left | s->pad_right);
    p.sums = s->groups > 1 && s->out == BW_OUT_BITS;
    p.fix_length = bw_round_up(((size_t)s->out_channels + 16) * 4) / 4;
    size_t step = (size_t)p.step;
    p.fix_at = bw_round_up(step * p.row_bytes) + 64;
    p.fix_rows_at = p.fix_at + (p.fixes ? bw_round_up(step * sizeof(int32_t *)) : 0);
    p.sums_at = p.fix_rows_at + (p.fixes ? step * p.fix_length * 4 : 0);
    p.row_at = p.sums_at + (p.sums ? bw_round_up(step * (size_t)s->out_channels * 4) : 0);
    p.image_at = p.row_at + bw_round_up((size_t)p.words * 8);
    p.image_row = places && bw_row_is_taps(s) ? 1 + (size_t)s->width * bw_words(s->channels) : 0;
    p.end = p.image_at + bw_round_up((size_t)s->height * p.image_row * 8) + 64;
    return p;
}

static inline size_t bw_xnor_conv_weight_bytes(const bw_xnor_engine *engine, const bw_shape *s) {
    bw_conv_plan p = bw_conv_plan_of(engine, 0, s);
    return (size_t)s->groups * p.group_bytes + (p.fixes ? (size_t)bw_taps(s) * p.fix_length * 4 : 0);
}

static inline void bw_xnor_conv_pack(const bw_xnor_engine *engine, const bw_shape *s, const void *canonical, void *packed) {
    bw_conv_plan p = bw_conv_plan_of(engine, 0, s);
    memset(packed, 0, bw_xnor_conv_weight_bytes(engine, s));
    int32_t *tap_sums = (int32_t *)(void *)((char *)packed + (size_t)s->groups * p.group_bytes);
    for (int32_t n = 0; n < s->out_channels; n++) {
        bw_weight_row row = {bw_conv_weight_word, s, canonical, n};
        engine->pack_column((char *)packed + (size_t)(n / p.group_outputs) * p.group_bytes, p.group_outputs, p.words,
                            n % p.group_outputs, &row);
        for (int64_t tap = 0; p.fixes && tap < bw_taps(s); tap++)
            tap_sums[(size_t)tap * p.fix_length + n] = bw_tap_sum(s, canonical, n, tap);
    }
}

/* What the windows ox .. ox+count-1 of row oy lack for pad_value 0 where they reach over the border: the sums of the taps outside. */
static inline void bw_fixes(const bw_shape *s, const bw_conv_plan *p, int32_t oy, int32_t ox, int64_t count, const int32_t *tap_sums,
                            int32_t *fix_rows, const int32_t **fix) {
    bw_window w = bw_window_at(s, oy, ox);
    int whole_rows = w.ky.lo == 0 && w.ky.hi == s->kernel_h;
    for (int64_t i = 0; i < count; i++, w.x += s->stride_w, fix_rows += p->fix_length) {
        fix[i] = NULL;
        if (whole_rows && w.x >= 0 && w.x + (int64_t)(s->kernel_w - 1) * s->dilation_w < s->width)
            continue;
        w.kx = bw_inside(w.x, s->kernel_w, s->dilation_w, s->width);
        memset(fix_rows, 0, p->fix_length * 4);
        for (int32_t ky = 0; ky < s->kernel_h; ky++)
            for (int32_t kx = 0; kx < s->kernel_w; kx++)
                if (bw_window_outside(&w, ky, kx)) {
                    const int32_t *sums = tap_sums + (size_t)(ky * s->kernel_w + kx) * p->fix_length;
                    for (size_t n = 0; n < p->fix_length; n++)
                        fix_rows[n] += sums[n];
                }
        fix[i] = fix_rows;
    }
}

/* Positions first .. first+rows-1 (row-major) of one image. */
static inline void bw_conv_rows(const bw_xnor_engine *engine, bw_place_rows *place, const bw_shape *s, const bw_conv_plan *p, const bw_job *job,
                                const uint64_t *x, int64_t first, int64_t rows, char *out) {
    char *scratch = job->scratch, *prepared = scratch + p->rows_at;
    const int32_t *tap_sums = (const void *)((const char *)job->weights + (size_t)s->groups * p->group_bytes);
    const int32_t **fix = (const int32_t **)(void *)(scratch + p->fix_at);
    int32_t *sums = (int32_t *)(void *)(scratch + p->sums_at), *fix_rows = (int32_t *)(void *)(scratch + p->fix_rows_at);
    uint64_t *row = (uint64_t *)(void *)(scratch + p->row_at);
    int32_t out_width = bw_out_width(s);
    size_t unit = bw_out_bytes(s);
    bw_xnor_gemm g = {
        .a = prepared, .rows = rows, .words = p->words, .n = p->group_outputs, .base = (int32_t)bw_row_bits(s),
        .accumulator = p->sums ? BW_ACC_INT32 : s->accumulator, .out_kind = p->sums ? BW_OUT_I32 : s->out,
        .threshold = job->threshold, .flip = job->flip, .out_stride = p->sums ? (size_t)s->out_channels * 4 : unit,
    };
    for (int32_t group = 0; group < s->groups; group++) {
        for (int64_t r = 0, position = first; r < rows;) {
            int32_t oy = (int32_t)(position / out_width), ox = (int32_t)(position % out_width);
            int64_t count = out_width - ox < rows - r ? out_width - ox : rows - r; /* what is left of this output row */
            if (p->image_row)
                place(s, (const uint64_t *)(void *)(scratch + p->image_at), p->image_row, oy, ox, count,
                      prepared + (size_t)r * p->row_bytes);
            for (int64_t i = 0; i < count && !p->image_row; i++) {
                bw_window w = bw_window_at(s, oy, ox + (int32_t)i);
                bw_window_row(s, x, &w, group, row);
                engine->pack_row(prepared + (size_t)(r + i) * p->row_bytes, p->words, row);
            }
            if (p->fixes && group == 0)
                bw_fixes(s, p, oy, ox, count, tap_sums, fix_rows + (size_t)r * p->fix_length, fix + r);
            r += count, position += count;
        }
        g.panels = (const char *)job->weights + (size_t)group * p->group_bytes;
        g.fix = p->fixes ? fix : NULL;
        g.fix_first = (size_t)group * (size_t)p->group_outputs;
        g.out = (p->sums ? (char *)sums : out) + (size_t)group * (size_t)p->group_outputs * 4;
        engine->gemm(&g);
    }
    for (int64_t r = 0; p->sums && r < rows; r++)
        engine->finish(s, job, sums + (size_t)r * (size_t)s->out_channels, out + (size_t)r * unit);
}

static inline void bw_xnor_conv_run(const bw_xnor_engine *engine, bw_place_rows *place, const bw_shape *s, const bw_job *job) {
    bw_conv_plan p = bw_conv_plan_of(engine, place != NULL, s);
    int64_t out_width = bw_out_width(s), begin = job->row_begin * out_width, end = job->row_end * out_width;
    int64_t top = (int64_t)job->row_begin * s->stride_h - s->pad_top;
    int64_t bottom = (int64_t)(job->row_end - 1) * s->stride_h - s->pad_top + (int64_t)(s->kernel_h - 1) * s->dilation_h;
    for (int64_t i = 0; i < job->samples; i++) {
        const uint64_t *x = (const void *)((const char *)job->x + (size_t)i * job->x_stride);
        char *out = (char *)job->out + (size_t)i * job->out_stride;
        for (int64_t y = top < 0 ? 0 : top; p.image_row && y <= bottom && y < s->height; y++) {
            uint64_t *row = (uint64_t *)(void *)((char *)job->scratch + p.image_at) + (size_t)y * p.image_row;
            row[0] = 0;
            engine->pack_row(row + 1, (int64_t)p.image_row - 1, x + (size_t)y * (p.image_row - 1));
        }
        for (int64_t first = begin; first < end; first += p.step)
            bw_conv_rows(engine, place, s, &p, job, x, first, end - first < p.step ? end - first : p.step,
                         out + (size_t)first * bw_out_bytes(s));
    }
}

#define BW_XNOR_CONV2D_KERNEL(isa, place)                                                                                   \
    static size_t weight_bytes(const bw_shape *shape) { return bw_xnor_conv_weight_bytes(&bw_xnor_engine_##isa, shape); }    \
    static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {                                   \
        bw_xnor_conv_pack(&bw_xnor_engine_##isa, shape, canonical, packed);                                                  \
    }                                                                                                                        \
    static size_t scratch_bytes(const bw_shape *shape) {                                                                     \
        return bw_conv_plan_of(&bw_xnor_engine_##isa, (bw_place_rows *)place != NULL, shape).end;                            \
    }                                                                                                                        \
    static void run(const bw_shape *shape, const bw_job *job) { bw_xnor_conv_run(&bw_xnor_engine_##isa, place, shape, job); } \
    const bw_kernel bw_xnor_conv2d_##isa = {weight_bytes, pack_weights, scratch_bytes, run};

#endif
