/* xnor_conv2d with AVX-512: the product of xnor_linear/avx512.c, and windows cut out of image rows that are prepared once. */
#include "run.h"

#include <immintrin.h>

#define PARITY UINT64_C(0xFFFFFFFF00000000)

void bw_place_row_avx512(const bw_shape *shape, const uint64_t *image, const struct bw_window *window, void *prepared);

/* A run of n words of a prepared row, whose running parity becomes `parity` before it. */
static inline uint64_t *place(uint64_t *to, const uint64_t *from, int64_t n, int is_first, uint64_t *parity) {
    uint64_t change = *parity ^ (is_first ? 0 : from[-1] & PARITY);
    __m512i changes = _mm512_set1_epi64((long long)change);
    for (int64_t i = 0; i < n; i += 8) {
        __mmask8 inside = n - i >= 8 ? 0xFF : (__mmask8)((1u << (n - i)) - 1);
        _mm512_mask_storeu_epi64(to + i, inside, _mm512_xor_si512(changes, _mm512_maskz_loadu_epi64(inside, from + i)));
    }
    *parity = change ^ (from[n - 1] & PARITY);
    return to + n;
}

/* As many pixels outside the image. */
static inline uint64_t *fill(const bw_shape *s, uint64_t *to, int64_t pixels, uint64_t *parity) {
    int64_t pixel = (int64_t)bw_words(s->channels);
    for (int64_t i = 0; i < pixels * pixel; i++) {
        uint64_t word = 0;
        if (s->pad_value == 1)
            word = i % pixel == pixel - 1 && s->channels % 64 ? (UINT64_C(1) << s->channels % 64) - 1 : ~UINT64_C(0);
        *parity ^= (word ^ word << 32) & PARITY;
        *to++ = (uint32_t)word | *parity;
    }
    return to;
}

void bw_place_row_avx512(const bw_shape *s, const uint64_t *image, const struct bw_window *w, void *prepared) {
    size_t pixel = bw_words(s->channels), image_row = bw_round_up((size_t)s->width * pixel * 8) / 8;
    uint64_t *to = prepared, parity = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ky++) {
        if (ky < w->ky.lo || ky >= w->ky.hi) {
            to = fill(s, to, s->kernel_w, &parity);
            continue;
        }
        const uint64_t *row = image + (size_t)(w->y + (int64_t)ky * s->dilation_h) * image_row;
        to = fill(s, to, w->kx.lo, &parity);
        /* neighbouring pixels are one run */
        int32_t together = s->dilation_w == 1 ? w->kx.hi - w->kx.lo : 1;
        for (int32_t kx = w->kx.lo; kx < w->kx.hi; kx += together) {
            int64_t x = w->x + (int64_t)kx * s->dilation_w;
            to = place(to, row + (size_t)x * pixel, together * (int64_t)pixel, x == 0, &parity);
        }
        to = fill(s, to, s->kernel_w - w->kx.hi, &parity);
    }
}

static size_t weight_bytes(const bw_shape *shape) { return bw_xnor_conv_weight_bytes(&bw_xnor_engine_avx512, shape); }

static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {
    bw_xnor_conv_pack(&bw_xnor_engine_avx512, shape, canonical, packed);
}

static size_t scratch_bytes(const bw_shape *shape) { return bw_conv_plan_of(&bw_xnor_engine_avx512, shape).end; }

static void run(const bw_shape *shape, const bw_job *job) { bw_xnor_conv_run(&bw_xnor_engine_avx512, shape, job); }

const bw_kernel bw_xnor_conv2d_avx512 = {weight_bytes, pack_weights, scratch_bytes, run};
