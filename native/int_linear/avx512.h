/* What the kernels with AVX-512 registers share: how outputs are counted off, and what becomes of finished sums. */
#ifndef BW_INT_LINEAR_AVX512_H
#define BW_INT_LINEAR_AVX512_H

#include "gemm.h"

#include <immintrin.h>

#define ALWAYS static inline __attribute__((always_inline))

/* Packed: origin * (sum of weights) of each output, then panels of 32 outputs. */
static inline int32_t padded(int32_t n) { return (n + 31) / 32 * 32; }

/* 32 finished sums of one row: store, or threshold and pack. */
ALWAYS void emit(const bw_int_gemm *g, int64_t row, int32_t first, __m512i s0, __m512i s1) {
    char *out = g->out + (size_t)row * g->out_stride;
    int32_t left = g->n - first > 32 ? 32 : g->n - first;
    uint32_t inside = left == 32 ? 0xFFFFFFFF : (1u << left) - 1;
    if (g->out_kind == BW_OUT_I32) {
        _mm512_mask_storeu_epi32((int32_t *)(void *)out + first, (__mmask16)inside, s0);
        _mm512_mask_storeu_epi32((int32_t *)(void *)out + first + (left > 16 ? 16 : 0), (__mmask16)(inside >> 16), s1);
        return;
    }
    uint32_t bits = _mm512_cmpge_epi32_mask(s0, _mm512_maskz_loadu_epi32((__mmask16)inside, g->threshold + first));
    if (left > 16)
        bits |= (uint32_t)_mm512_cmpge_epi32_mask(s1, _mm512_maskz_loadu_epi32((__mmask16)(inside >> 16), g->threshold + first + 16)) << 16;
    if (g->flip)
        bits ^= (uint32_t)(g->flip[first / 64] >> first % 64);
    uint64_t word = bits & inside; /* the last panel of a row also clears what is left of its word */
    memcpy(out + first / 8, &word, first % 64 == 0 && left == g->n - first ? 8 : 4);
}

#endif
