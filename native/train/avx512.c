#include <immintrin.h>

#include "kernels.h"
#define NAME(x) x##_avx512
#define SAME(number) ((row)_mm512_set1_ps(number))
#define MULADD(a, b, c) ((row)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define SCALED(p, n) ((row)_mm512_scalef_ps((__m512)(p), (__m512)(n)))
#define MAX(a, b) ((row)_mm512_max_ps((__m512)(a), (__m512)(b)))

/* Values of 32 samples one after the other; gradients of samples i and i + 16 as the two halves of word i. */
#define HAS_HALF 1
#define HALF_GET(at, to)                                                    \
  ((to)[0] = (row)_mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(at))), \
   (to)[1] = (row)_mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(at) + 1)))
#define HALF_OF(numbers) _mm512_cvtps_ph((__m512)(numbers), _MM_FROUND_TO_NEAREST_INT)
#define HALF_PUT(from, at) \
  (_mm256_store_si256((__m256i *)(at), HALF_OF((from)[0])), _mm256_store_si256((__m256i *)(at) + 1, HALF_OF((from)[1])))
#define UPPER _mm512_set1_epi32((int)0xffff0000)
#define ROUNDED(numbers) _mm512_add_epi32((__m512i)(numbers), _mm512_set1_epi32(0x8000))
#define GRAD_GET(at, to)                                                                   \
  ((to)[0] = (row)_mm512_slli_epi32(_mm512_load_si512(at), 16), \
   (to)[1] = (row)_mm512_and_si512(_mm512_load_si512(at), UPPER))
#define GRAD_PUT(from, at) /* 0xe4: the second where the mask is 0, else the first */ \
  _mm512_store_si512(at, _mm512_ternarylogic_epi32(ROUNDED((from)[1]), _mm512_srli_epi32(ROUNDED((from)[0]), 16), \
                                                   UPPER, 0xe4))

#include "shuffle512.h"
#define SUM4(r0, r1, r2, r3, to) sum4((__m512)(r0), (__m512)(r1), (__m512)(r2), (__m512)(r3), to)
#define TRANSPOSE(rows) transpose16((__m512 *)(rows))
#define FOUR_ROWS(each, rows) four_rows(each, (__m512 *)(rows))
#define FOUR_EACH(rows, each) four_each((const __m512 *)(rows), each)
#include "layers.h"
#include "moves.h"
#include "tables.h"
