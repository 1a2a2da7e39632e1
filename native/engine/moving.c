/* Moving values: reshape that moves memory, gather, concat, pad, patches. Everything but bits moves by its size. */
#include <stdlib.h>
#include "rows.h"

static inline void move(void *to, uint64_t i, const void *from, uint64_t j, const bw_slot *out, const bw_slot *x) {
    if (out->store == BW_STORE_BITS) bw_set_bit(to, i, bw_get_bit(from, j));
    else if (out->store == BW_STORE_I64) ((int64_t *)to)[i] = bw_get_int(from, x->store, j);
    else if (x->store == BW_STORE_U8) ((int32_t *)to)[i] = ((const uint8_t *)from)[j];
    else memcpy((uint32_t *)to + i, (const uint32_t *)from + j, 4);
}

/* Linear order c, h, w of both ends; each end's rows are its positions. */
static void run_reshape(const bw_step *step, bw_block *block) {
    const bw_slot *x = step->x, *out = step->out;
    const uint8_t *from = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    if (out->store == BW_STORE_BITS) memset(to, 0, block->n_samples * out->bytes);
    for (size_t s = 0; s < block->n_samples; s++, from += x->bytes, to += out->bytes) {
        uint64_t out_c = 0, out_p = 0;
        for (uint64_t c = 0; c < x->channels; c++)
            for (uint64_t p = 0; p < x->positions; p++) {
                if (out->store == BW_STORE_U8) to[out_p * out->row_bytes + out_c] = from[p * x->row_bytes + c];
                else move(to + out_p * out->row_bytes, out_c, from + p * x->row_bytes, c, out, x);
                if (++out_p == out->positions) {
                    out_p = 0;
                    out_c++;
                }
            }
    }
}

int bw_prepare_reshape(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan;
    (void)error;
    step->run = run_reshape;
    return BW_OK;
}

static void run_gather(const bw_step *step, bw_block *block) {
    const uint32_t *index = step->data;
    const uint8_t *from = bw_at(block, step->x);
    uint8_t *to = bw_at(block, step->out);
    const bw_slot *x = step->x, *out = step->out;
    uint64_t rows = block->n_samples * x->positions;
    if (out->store == BW_STORE_BITS) memset(to, 0, rows * out->row_bytes);
    for (uint64_t r = 0; r < rows; r++, from += x->row_bytes, to += out->row_bytes)
        for (uint32_t n = 0; n < out->channels; n++) move(to, n, from, index[n], out, x);
}

int bw_prepare_gather(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_const *constant = &step->op->consts[BW_GATHER_C_INDEX];
    uint32_t *index = step->data = bw_plan_alloc_array(plan, constant->n_values, sizeof *index);
    BW_HAVE(index);
    for (uint64_t i = 0; i < constant->n_values; i++) index[i] = (uint32_t)bw_const_int(constant, i);
    step->run = run_gather;
    return BW_OK;
}

/* Appends the channels of one row behind the first `at` of another. */
static void append_row(uint8_t *to, uint64_t at, const bw_slot *out, const uint8_t *from, const bw_slot *x) {
    if (out->store == BW_STORE_BITS) bw_append_bits((uint64_t *)to, at, (const uint64_t *)from, x->channels);
    else bw_copy_values(to + at * bw_store_size(out->store), out->store, from, x->store, x->channels);
}

static void run_concat(const bw_step *step, bw_block *block) {
    const bw_slot *out = step->out;
    uint8_t *to = bw_at(block, out);
    uint64_t rows = block->n_samples * out->positions, at = 0;
    memset(to, 0, rows * out->row_bytes);
    for (int i = 0; i < step->op->n_inputs; i++) {
        const bw_slot *x = step->inputs[i];
        const uint8_t *from = bw_at(block, x);
        for (uint64_t r = 0; r < rows; r++) append_row(to + r * out->row_bytes, at, out, from + r * x->row_bytes, x);
        at += x->channels;
    }
}

int bw_prepare_concat(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan;
    (void)error;
    step->run = run_concat;
    return BW_OK;
}

static void fill_row(uint8_t *to, const bw_slot *out, uint64_t n, int64_t value) {
    if (out->store == BW_STORE_I32)
        for (uint64_t i = 0; i < n; i++) ((int32_t *)to)[i] = (int32_t)value;
    else if (out->store == BW_STORE_I64)
        for (uint64_t i = 0; i < n; i++) ((int64_t *)to)[i] = value;
    else if (value)
        for (uint64_t i = 0; i < n; i++) bw_set_bit(to, i, 1);
}

static void run_pad(const bw_step *step, bw_block *block) {
    const int64_t *a = step->op->attrs;
    const bw_slot *x = step->x, *out = step->out;
    int64_t value = a[BW_PAD_PAD_VALUE], top = a[BW_PAD_PAD_TOP], left = a[BW_PAD_PAD_LEFT];
    uint64_t before = (uint64_t)a[BW_PAD_PAD_BEFORE], after = (uint64_t)a[BW_PAD_PAD_AFTER];
    const uint8_t *from = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    for (size_t s = 0; s < block->n_samples; s++)
        for (int64_t y = 0; y < out->height; y++)
            for (int64_t z = 0; z < out->width; z++, to += out->row_bytes) {
                bool inside = y >= top && y < top + (int64_t)x->height && z >= left && z < left + (int64_t)x->width;
                memset(to, 0, out->row_bytes);
                if (!inside) {
                    fill_row(to, out, out->channels, value);
                    continue;
                }
                if (out->store != BW_STORE_BITS) {
                    fill_row(to, out, before, value);
                    append_row(to, before, out, from, x);
                    fill_row(to + (before + x->channels) * bw_store_size(out->store), out, after, value);
                } else {
                    for (uint64_t i = 0; value && i < before; i++) bw_set_bit(to, i, 1);
                    append_row(to, before, out, from, x);
                    for (uint64_t i = 0; value && i < after; i++) bw_set_bit(to, before + x->channels + i, 1);
                }
                from += x->row_bytes;
            }
}

int bw_prepare_pad(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan;
    (void)error;
    step->run = run_pad;
    return BW_OK;
}

static void run_patches(const bw_step *step, bw_block *block) {
    const int64_t *a = step->op->attrs;
    const bw_slot *x = step->x, *out = step->out;
    int64_t kh = a[BW_PATCHES_KERNEL_H], kw = a[BW_PATCHES_KERNEL_W], value = a[BW_PATCHES_PAD_VALUE];
    const uint8_t *image = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    for (size_t s = 0; s < block->n_samples; s++, image += x->bytes)
        for (uint64_t p = 0; p < out->positions; p++, to += out->row_bytes) {
            int64_t row = (int64_t)(p / out->width) * a[BW_PATCHES_STRIDE_H] - a[BW_PATCHES_PAD_TOP];
            int64_t column = (int64_t)(p % out->width) * a[BW_PATCHES_STRIDE_W] - a[BW_PATCHES_PAD_LEFT];
            memset(to, 0, out->row_bytes);
            fill_row(to, out, out->channels, out->store == BW_STORE_BITS ? 0 : value);
            for (int64_t w = 0; w < kh * kw; w++) {
                int64_t y = row + w / kw * a[BW_PATCHES_DILATION_H], z = column + w % kw * a[BW_PATCHES_DILATION_W];
                bool inside = y >= 0 && y < x->height && z >= 0 && z < x->width;
                const uint8_t *from = inside ? image + (uint64_t)(y * x->width + z) * x->row_bytes : NULL;
                for (uint64_t c = 0; c < x->channels; c++) {
                    uint64_t at = c * (uint64_t)(kh * kw) + (uint64_t)w;
                    if (from) move(to, at, from, c, out, x);
                    else if (out->store == BW_STORE_BITS) bw_set_bit(to, at, (uint64_t)value);
                }
            }
        }
}

int bw_prepare_patches(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan;
    (void)error;
    step->run = run_patches;
    return BW_OK;
}
