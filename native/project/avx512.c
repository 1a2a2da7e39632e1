#include <immintrin.h>
#include "project.h"

#define LANES 16
typedef int32_t vec __attribute__((vector_size(64)));

#define SWAP(v, h)                                                                                         \
    __builtin_shufflevector(v, v, 0 ^ (h), 1 ^ (h), 2 ^ (h), 3 ^ (h), 4 ^ (h), 5 ^ (h), 6 ^ (h), 7 ^ (h), \
                            8 ^ (h), 9 ^ (h), 10 ^ (h), 11 ^ (h), 12 ^ (h), 13 ^ (h), 14 ^ (h), 15 ^ (h))
/* lanes whose number has the bit h */
#define WITH(h) (__mmask16)((h) == 1 ? 0xAAAA : (h) == 2 ? 0xCCCC : (h) == 4 ? 0xF0F0 : 0xFF00)
#define STAGE(v, h)                                                                                        \
    do {                                                                                                   \
        __m512i other = (__m512i)SWAP(v, h), sum = _mm512_add_epi32(other, (__m512i)v);                    \
        v = (vec)_mm512_mask_sub_epi32(sum, WITH(h), other, (__m512i)v);                                   \
    } while (0)

static inline uint32_t at_least(vec x, const int32_t *t) {
    return _mm512_cmpge_epi32_mask((__m512i)x, _mm512_loadu_si512(t));
}

#include "vector.h"

extern const bw_project_kernels bw_project_avx512;
const bw_project_kernels bw_project_avx512 = {"avx512", 64, run32, run64};
