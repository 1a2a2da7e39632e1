#include <immintrin.h>
#include "project.h"

#define LANES 16
typedef int32_t vec __attribute__((vector_size(64)));

#define SWAP(v, h)                                                                                         \
    __builtin_shufflevector(v, v, 0 ^ (h), 1 ^ (h), 2 ^ (h), 3 ^ (h), 4 ^ (h), 5 ^ (h), 6 ^ (h), 7 ^ (h), \
                            8 ^ (h), 9 ^ (h), 10 ^ (h), 11 ^ (h), 12 ^ (h), 13 ^ (h), 14 ^ (h), 15 ^ (h))
#define MINUS(i, h) ((i) & (h) ? -1 : 0)
#define LANES_WITH(h)                                                                                      \
    {MINUS(0, h), MINUS(1, h), MINUS(2, h),  MINUS(3, h),  MINUS(4, h),  MINUS(5, h),  MINUS(6, h),  MINUS(7, h), \
     MINUS(8, h), MINUS(9, h), MINUS(10, h), MINUS(11, h), MINUS(12, h), MINUS(13, h), MINUS(14, h), MINUS(15, h)}

static inline uint32_t at_least(vec x, const int32_t *t) {
    return _mm512_cmpge_epi32_mask((__m512i)x, _mm512_loadu_si512(t));
}

#include "vector.h"

extern const bw_project_kernels bw_project_avx512;
const bw_project_kernels bw_project_avx512 = {"avx512", 64, run32, run64};
