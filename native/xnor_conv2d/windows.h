/* Windows of an image of bits as rows of a product. Which words such a row has is the layer's choice:
 *   BW_ROW_DENSE  bit (ky * kernel_w + kx) * C/groups + c, without gaps
 *   BW_ROW_TAPS   the words of each pixel (of all channels), tap after tap; their padding bits stay 0. One group only.
 * A pad_value of 0 puts zero bits, which count as -1; bw_window_outside tells where, to correct the sums. */
#ifndef BW_WINDOWS_H
#define BW_WINDOWS_H

#include "../kernels_store.h"

static inline int32_t bw_group_channels(const bw_shape *s) { return s->channels / s->groups; }
static inline int64_t bw_taps(const bw_shape *s) { return (int64_t)s->kernel_h * s->kernel_w; }
static inline int64_t bw_row_bits(const bw_shape *s) { return bw_taps(s) * bw_group_channels(s); }

/* Whole words are faster to gather; they win unless they would make the product twice as long. */
static inline int bw_row_is_taps(const bw_shape *s) {
    return s->groups == 1 && bw_taps(s) * (int64_t)bw_words(s->channels) < 2 * (int64_t)bw_words(bw_row_bits(s));
}

static inline int64_t bw_row_words(const bw_shape *s) {
    return bw_row_is_taps(s) ? bw_taps(s) * (int64_t)bw_words(s->channels) : (int64_t)bw_words(bw_row_bits(s));
}

/* Taps lo .. hi-1 of n lie inside an image axis of that size; the first tap lies at `first`. */
typedef struct {
    int32_t lo, hi;
} bw_span;

static inline bw_span bw_inside(int64_t first, int32_t n, int32_t dilation, int32_t size) {
    if (first >= 0 && first + (int64_t)(n - 1) * dilation < size)
        return (bw_span){0, n};
    int64_t lo = first >= 0 ? 0 : (-first + dilation - 1) / dilation, hi = first >= size ? 0 : (size - first + dilation - 1) / dilation;
    hi = hi > n ? n : hi;
    return (bw_span){(int32_t)(lo < hi ? lo : hi), (int32_t)hi};
}

typedef struct bw_window {
    int64_t y, x; /* of the first tap */
    bw_span ky, kx;
} bw_window;

static inline bw_window bw_window_at(const bw_shape *s, int32_t oy, int32_t ox) {
    bw_window w = {(int64_t)oy * s->stride_h - s->pad_top, (int64_t)ox * s->stride_w - s->pad_left, {0, 0}, {0, 0}};
    w.ky = bw_inside(w.y, s->kernel_h, s->dilation_h, s->height);
    w.kx = bw_inside(w.x, s->kernel_w, s->dilation_w, s->width);
    return w;
}

static inline int bw_window_outside(const bw_window *w, int32_t ky, int32_t kx) {
    return ky < w->ky.lo || ky >= w->ky.hi || kx < w->kx.lo || kx >= w->kx.hi;
}

/* n <= 64 bits from bit `first`. */
static inline uint64_t bw_bits_at(const uint64_t *words, int64_t first, int n) {
    int shift = (int)(first & 63);
    uint64_t bits = words[first >> 6] >> shift;
    if (shift + n > 64)
        bits |= words[(first >> 6) + 1] << (64 - shift);
    return n == 64 ? bits : bits & ((UINT64_C(1) << n) - 1);
}

/* The row of one window for one group, bw_row_words(s) words; x is the image. */
static inline void bw_window_row(const bw_shape *s, const uint64_t *x, const bw_window *w, int32_t group, uint64_t *row) {
    int32_t n = bw_group_channels(s), taps_apart = bw_row_is_taps(s), filled = 0;
    size_t pixel = bw_words(s->channels);
    uint64_t word = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++)
        for (int32_t kx = 0; kx < s->kernel_w; kx++) {
            const uint64_t *at = NULL;
            if (!bw_window_outside(w, ky, kx))
                at = x + (size_t)((w->y + (int64_t)ky * s->dilation_h) * s->width + w->x + (int64_t)kx * s->dilation_w) * pixel;
            for (int32_t c = 0; c < n; c += 64) {
                int bits = n - c < 64 ? n - c : 64;
                uint64_t v = at                  ? bw_bits_at(at, (int64_t)group * n + c, bits)
                             : s->pad_value == 1 ? ~UINT64_C(0) >> (64 - bits)
                                                 : 0;
                if (taps_apart) {
                    *row++ = v;
                    continue;
                }
                word |= v << filled;
                filled += bits;
                if (filled >= 64) {
                    *row++ = word;
                    filled -= 64;
                    word = filled ? v >> (bits - filled) : 0;
                }
            }
        }
    if (filled)
        *row = word;
}

/* Word u of the row of weights of output n, from the canonical order (channel, row, column). */
static inline uint64_t bw_conv_weight_word(const bw_shape *s, const void *canonical, int32_t n, int64_t u) {
    const uint64_t *w = (const uint64_t *)canonical + (size_t)n * bw_words(bw_row_bits(s));
    int64_t channels = bw_group_channels(s), taps = bw_taps(s);
    int64_t tap_bits = bw_row_is_taps(s) ? 64 * (int64_t)bw_words(s->channels) : channels;
    uint64_t word = 0;
    for (int64_t j = 0; j < 64; j++) {
        int64_t tap = (64 * u + j) / tap_bits, c = (64 * u + j) % tap_bits;
        if (tap < taps && c < channels)
            word |= (uint64_t)bw_bit(w, c * taps + tap) << j;
    }
    return word;
}

/* Sum of the signs of one tap of output n: what a place left out of the sum would have taken away as -1. */
static inline int32_t bw_tap_sum(const bw_shape *s, const void *canonical, int32_t n, int64_t tap) {
    const uint64_t *w = (const uint64_t *)canonical + (size_t)n * bw_words(bw_row_bits(s));
    int32_t sum = 0;
    for (int32_t c = 0; c < bw_group_channels(s); c++)
        sum += 2 * bw_bit(w, c * bw_taps(s) + tap) - 1;
    return sum;
}

#endif
