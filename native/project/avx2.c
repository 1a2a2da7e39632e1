#include <immintrin.h>
#include "project.h"

#define LANES 8
typedef int32_t vec __attribute__((vector_size(32)));

#define SWAP(v, h)                                                                                        \
    __builtin_shufflevector(v, v, 0 ^ (h), 1 ^ (h), 2 ^ (h), 3 ^ (h), 4 ^ (h), 5 ^ (h), 6 ^ (h), 7 ^ (h))
#define MINUS(i, h) ((i) & (h) ? -1 : 0)
#define LANES_WITH(h)                                                                                     \
    {MINUS(0, h), MINUS(1, h), MINUS(2, h), MINUS(3, h), MINUS(4, h), MINUS(5, h), MINUS(6, h), MINUS(7, h)}

static inline uint32_t at_least(vec x, const int32_t *t) {
    __m256i below = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)(const void *)t), (__m256i)x);
    return ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(below)) & 255;
}

#include "vector.h"

extern const bw_project_kernels bw_project_avx2;
const bw_project_kernels bw_project_avx2 = {"avx2", 64, run32, run64};
