#include <immintrin.h>

#include "kernels.h"
#define NAME(x) x##_avx512
#define SAME(number) ((row)_mm512_set1_ps(number))
#define MULADD(a, b, c) ((row)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define KEPT(old, at) ((row)_mm512_maskz_load_ps((__mmask16)(0 - (old)), at))

/* Half rows: values in [0, 1] as float16, gradients, whose exponents run low, as the upper half of a float32. */
#define HAS_HALF 1
#define VALUE_GET(at, i) ((row)_mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(at) + (i))))
#define VALUE_SET(at, i, values) \
  _mm256_store_si256((__m256i *)(at) + (i), _mm512_cvtps_ph((__m512)(values), _MM_FROUND_TO_NEAREST_INT))
#define GRAD_KEPT(old, at, i)                    \
  ((row)_mm512_maskz_slli_epi32((__mmask16)(0 - (old)), \
                                _mm512_cvtepu16_epi32(_mm256_load_si256((const __m256i *)(at) + (i))), 16))
#define GRAD_SET(at, i, values)                                                                             \
  _mm256_store_si256((__m256i *)(at) + (i), _mm512_cvtepi32_epi16(_mm512_srli_epi32(                        \
                         _mm512_add_epi32((__m512i)(values), _mm512_set1_epi32(0x8000)), 16)))

/* The four sums, added to four floats: each step halves what is left of all four at once. */
static inline void sum4(__m512 r0, __m512 r1, __m512 r2, __m512 r3, float *to) {
  __m512 r01 = _mm512_add_ps(_mm512_unpacklo_ps(r0, r1), _mm512_unpackhi_ps(r0, r1));
  __m512 r23 = _mm512_add_ps(_mm512_unpacklo_ps(r2, r3), _mm512_unpackhi_ps(r2, r3));
  __m512 all = _mm512_add_ps(_mm512_shuffle_ps(r01, r23, 0x44), _mm512_shuffle_ps(r01, r23, 0xee));
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  _mm_storeu_ps(to, _mm_add_ps(quarter, _mm_loadu_ps(to)));
}
#define SUM4(r0, r1, r2, r3, to) sum4((__m512)(r0), (__m512)(r1), (__m512)(r2), (__m512)(r3), to)
#define MAX(a, b) ((row)_mm512_max_ps((__m512)(a), (__m512)(b)))

/* 4 x 4 blocks of 4 x 4 numbers: within the blocks by pairs and pairs of pairs, then the blocks. */
static inline void transpose16(__m512 *rows) {
  __m512 half[16];
  for (int i = 0; i < 16; i += 4) {
    __m512d p0 = (__m512d)_mm512_unpacklo_ps(rows[i], rows[i + 1]);
    __m512d p1 = (__m512d)_mm512_unpackhi_ps(rows[i], rows[i + 1]);
    __m512d p2 = (__m512d)_mm512_unpacklo_ps(rows[i + 2], rows[i + 3]);
    __m512d p3 = (__m512d)_mm512_unpackhi_ps(rows[i + 2], rows[i + 3]);
    half[i] = (__m512)_mm512_unpacklo_pd(p0, p2), half[i + 1] = (__m512)_mm512_unpackhi_pd(p0, p2);
    half[i + 2] = (__m512)_mm512_unpacklo_pd(p1, p3), half[i + 3] = (__m512)_mm512_unpackhi_pd(p1, p3);
  }
  for (int i = 0; i < 4; i++) {
    __m512 q0 = _mm512_shuffle_f32x4(half[i], half[i + 4], 0x88), q1 = _mm512_shuffle_f32x4(half[i], half[i + 4], 0xdd);
    __m512 q2 = _mm512_shuffle_f32x4(half[i + 8], half[i + 12], 0x88);
    __m512 q3 = _mm512_shuffle_f32x4(half[i + 8], half[i + 12], 0xdd);
    rows[i] = _mm512_shuffle_f32x4(q0, q2, 0x88), rows[i + 8] = _mm512_shuffle_f32x4(q0, q2, 0xdd);
    rows[i + 4] = _mm512_shuffle_f32x4(q1, q3, 0x88), rows[i + 12] = _mm512_shuffle_f32x4(q1, q3, 0xdd);
  }
}
#define TRANSPOSE(rows) transpose16((__m512 *)(rows))
#include "layers.h"
#include "softmax.h"
