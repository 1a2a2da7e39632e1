/* xnor_conv2d with AVX-512: the product of xnor_linear/avx512.c, and windows cut out of image rows that are prepared once. */
#include "run.h"

#include <immintrin.h>

#define PARITY UINT64_C(0xFFFFFFFF00000000)

/* A run of n words of a prepared row, put where the running parity is `parity`; gives that after it. May write 7 words more. */
static inline uint64_t run_of(uint64_t *to, const uint64_t *from, int64_t n, uint64_t parity) {
    uint64_t change = (parity ^ from[-1]) & PARITY;
    __m512i changes = _mm512_set1_epi64((long long)change);
    int64_t i = 0;
    do {
        _mm512_storeu_si512(to + i, _mm512_xor_si512(changes, _mm512_loadu_si512(from + i)));
        i += 8;
    } while (i < n);
    return change ^ from[n - 1];
}

/* As many pixels outside the image. */
static inline uint64_t *fill(const bw_shape *s, uint64_t *to, int64_t pixels, uint64_t *parity) {
    int64_t pixel = (int64_t)bw_words(s->channels);
    for (int64_t i = 0; i < pixels * pixel; i++) {
        uint64_t word = 0;
        if (s->pad_value == 1)
            word = i % pixel == pixel - 1 && s->channels % 64 ? (UINT64_C(1) << s->channels % 64) - 1 : ~UINT64_C(0);
        *parity ^= word ^ word << 32;
        *to++ = (uint32_t)word | (*parity & PARITY);
    }
    return to;
}

/* A window that reaches over the border, or whose taps are apart. */
static void place_any(const bw_shape *s, const uint64_t *image, size_t image_row, const bw_window *w, uint64_t *to) {
    size_t pixel = bw_words(s->channels);
    uint64_t parity = 0;
    int32_t together = s->dilation_w == 1 ? w->kx.hi - w->kx.lo : 1; /* neighbouring pixels are one run */
    for (int32_t ky = 0; ky < s->kernel_h; ky++) {
        if (ky < w->ky.lo || ky >= w->ky.hi) {
            to = fill(s, to, s->kernel_w, &parity);
            continue;
        }
        const uint64_t *row = image + (size_t)(w->y + (int64_t)ky * s->dilation_h) * image_row + 1;
        to = fill(s, to, w->kx.lo, &parity);
        for (int32_t kx = w->kx.lo; kx < w->kx.hi; kx += together, to += (size_t)together * pixel)
            parity = run_of(to, row + (size_t)(w->x + (int64_t)kx * s->dilation_w) * pixel, together * (int64_t)pixel, parity);
        to = fill(s, to, s->kernel_w - w->kx.hi, &parity);
    }
}

static void place(const bw_shape *s, const uint64_t *image, size_t image_row, int32_t oy, int32_t ox, int64_t count, void *prepared) {
    size_t pixel = bw_words(s->channels), words = (size_t)bw_row_words(s);
    int64_t run = s->kernel_w * (int64_t)pixel, kernel_h = s->kernel_h;
    size_t row_step = (size_t)s->dilation_h * image_row;
    bw_window w = bw_window_at(s, oy, ox);
    int whole_rows = w.ky.lo == 0 && w.ky.hi == s->kernel_h && s->dilation_w == 1;
    uint64_t *to = prepared;
    for (int64_t i = 0; i < count; i++, w.x += s->stride_w, to += words) {
        if (whole_rows && w.x >= 0 && w.x + s->kernel_w <= s->width) {
            const uint64_t *from = image + (size_t)w.y * image_row + 1 + (size_t)w.x * pixel;
            uint64_t parity = 0, *at = to;
            for (int64_t ky = 0; ky < kernel_h; ky++, from += row_step, at += run)
                parity = run_of(at, from, run, parity);
        } else {
            w.kx = bw_inside(w.x, s->kernel_w, s->dilation_w, s->width);
            place_any(s, image, image_row, &w, to);
        }
    }
}

BW_XNOR_CONV2D_KERNEL(avx512, place)
