/* int_linear with AVX2: bytes x signs by pmaddubsw, whose sums of two products stay in int16 for 64 steps (64 * 510 < 32768); all
 * else as int16 x int16 by pmaddwd. */
#include "run.h"

#include <immintrin.h>

#define ALWAYS static inline __attribute__((always_inline))

/* Packed: origin * (sum of weights) of each output, then panels of 32 outputs: [two values of the row][output][two weights]. */
static int32_t padded(int32_t n) { return (n + 31) / 32 * 32; }

static size_t weight_size(const bw_int_plan *p) { return p->path == BW_PATH_BYTES ? 1 : 2; }

static size_t packed_bytes(const bw_int_plan *p, int32_t n) { return (size_t)padded(n) * (4 + p->plane_bytes); }

static void pack(const bw_int_plan *p, const bw_shape *shape, const void *canonical, bw_int_weight *weight, int32_t first, int32_t n,
                 void *packed) {
    int32_t *offset = packed;
    memset(packed, 0, packed_bytes(p, n));
    for (int32_t column = 0; column < n; column++) {
        int32_t c = column % 32;
        char *panel = (char *)packed + (size_t)padded(n) * 4 + (size_t)(column - c) * p->plane_bytes;
        uint32_t sum = 0;
        for (int64_t k = 0; k < p->k; k++) {
            int16_t w = (int16_t)weight(shape, canonical, first + column, k);
            size_t place = (size_t)(k / 2 * 64 + 2 * c + k % 2);
            sum += (uint32_t)(int32_t)w;
            if (weight_size(p) == 1)
                panel[place] = (char)w;
            else
                memcpy(panel + 2 * place, &w, 2);
        }
        offset[column] = (int32_t)(sum * (uint32_t)p->origin);
    }
}

static void emit(bw_out out_kind, const int32_t *threshold, const uint64_t *flip, const int32_t *sums, int32_t first, int32_t n, char *out) {
    int32_t left = n - first > 32 ? 32 : n - first;
    if (out_kind == BW_OUT_I32) {
        memcpy(out + (size_t)first * 4, sums, (size_t)left * 4);
        return;
    }
    uint64_t bits = 0;
    for (int32_t c = 0; c < left; c++)
        bits |= (uint64_t)(sums[c] >= threshold[first + c]) << c;
    if (flip)
        bits ^= flip[first / 64] >> first % 64 & (left == 32 ? 0xFFFFFFFF : (UINT64_C(1) << left) - 1);
    /* the last panel of a row also clears what is left of its word */
    memcpy(out + first / 8, &bits, first % 64 == 0 && left == n - first ? 8 : 4);
}

ALWAYS void add_to(uint32_t *sums, __m256i values) {
    __m256i *at = (__m256i *)(void *)sums;
    _mm256_store_si256(at, _mm256_add_epi32(_mm256_load_si256(at), values));
}

#define EACH(DO) DO(0, 0) DO(0, 1) DO(1, 0) DO(1, 1) DO(2, 0) DO(2, 1) DO(3, 0) DO(3, 1)
#define ZERO(r, c) __m256i s##r##c = _mm256_setzero_si256();
#define BYTES(r)                                                                                      \
    if (r < rows) {                                                                                   \
        int16_t two;                                                                                  \
        memcpy(&two, a + (size_t)r * row_bytes + 2 * u, 2);                                           \
        __m256i x = _mm256_set1_epi16(two);                                                           \
        s##r##0 = _mm256_add_epi16(s##r##0, _mm256_maddubs_epi16(x, b0));                             \
        s##r##1 = _mm256_add_epi16(s##r##1, _mm256_maddubs_epi16(x, b1));                             \
    }
#define WIDEN(r, c)                                                                                   \
    if (r < rows) {                                                                                   \
        add_to(sums[r] + 16 * c, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(s##r##c)));             \
        add_to(sums[r] + 16 * c + 8, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(s##r##c, 1)));    \
    }

ALWAYS void bytes_product(const char *a, size_t row_bytes, const char *b, size_t steps, int rows, uint32_t sums[4][32]) {
    for (size_t begin = 0; begin < steps; begin += 64) {
        size_t end = begin + 64 < steps ? begin + 64 : steps;
        EACH(ZERO)
        for (size_t u = begin; u < end; u++) {
            __m256i b0 = _mm256_load_si256((const __m256i *)(const void *)(b + 64 * u));
            __m256i b1 = _mm256_load_si256((const __m256i *)(const void *)(b + 64 * u + 32));
            BYTES(0) BYTES(1) BYTES(2) BYTES(3)
        }
        EACH(WIDEN)
    }
}

#define PAIRS(r)                                                                                      \
    if (r < rows) {                                                                                   \
        int32_t two;                                                                                  \
        memcpy(&two, a + (size_t)r * row_bytes + 4 * u, 4);                                           \
        __m256i x = _mm256_set1_epi32(two);                                                           \
        s##r##0 = _mm256_add_epi32(s##r##0, _mm256_madd_epi16(x, b0));                                \
        s##r##1 = _mm256_add_epi32(s##r##1, _mm256_madd_epi16(x, b1));                                \
    }
#define ADD(r, c)                                                                                     \
    if (r < rows)                                                                                     \
        add_to(sums[r] + half + 8 * c, s##r##c);

ALWAYS void pairs_product(const char *a, size_t row_bytes, const char *b, size_t steps, int rows, uint32_t sums[4][32]) {
    for (int half = 0; half < 32; half += 16) {
        const char *weights = b + 4 * half;
        EACH(ZERO)
        for (size_t u = 0; u < steps; u++) {
            __m256i b0 = _mm256_load_si256((const __m256i *)(const void *)(weights + 128 * u));
            __m256i b1 = _mm256_load_si256((const __m256i *)(const void *)(weights + 128 * u + 32));
            PAIRS(0) PAIRS(1) PAIRS(2) PAIRS(3)
        }
        EACH(ADD)
    }
}

ALWAYS void product(const bw_int_plan *p, const char *a, const char *b, int rows, uint32_t sums[4][32]) {
    if (p->path == BW_PATH_BYTES)
        bytes_product(a, p->row_bytes, b, p->plane_bytes / 2, rows, sums);
    else
        pairs_product(a, p->row_bytes, b, p->plane_bytes / 4, rows, sums);
}

static void gemm(const bw_int_gemm *g) {
    const bw_int_plan *p = g->plan;
    for (int32_t first = 0; first < g->n; first += 32) {
        const uint32_t *offset = (const uint32_t *)g->packed + first;
        const char *b = (const char *)g->packed + (size_t)padded(g->n) * 4 + (size_t)first * p->plane_bytes;
        for (int64_t row = 0; row < g->n_rows; row += 4) {
            _Alignas(32) uint32_t sums[4][32] = {{0}};
            int64_t rows = g->n_rows - row < 4 ? g->n_rows - row : 4;
            for (int plane = p->planes - 1; plane >= 0; plane--) {
                const char *a = g->rows + (size_t)row * p->row_bytes + (size_t)plane * p->plane_bytes;
                for (int64_t r = 0; r < rows && plane < p->planes - 1; r++)
                    for (int c = 0; c < 32; c++)
                        sums[r][c] <<= p->shift;
                if (rows == 4)
                    product(p, a, b, 4, sums);
                else if (rows == 3)
                    product(p, a, b, 3, sums);
                else if (rows == 2)
                    product(p, a, b, 2, sums);
                else
                    product(p, a, b, 1, sums);
            }
            for (int64_t r = 0; r < rows; r++) {
                for (int c = 0; c < 32; c++)
                    sums[r][c] += offset[c];
                emit(g->out_kind, g->threshold, g->flip, (const int32_t *)sums[r], first, g->n, g->out + (size_t)(row + r) * g->out_stride);
            }
        }
    }
}

static size_t gemm_scratch_bytes(const bw_int_plan *p, int32_t n) {
    (void)p, (void)n;
    return 0;
}

static void finish(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out) {
    for (int32_t first = 0; first < shape->out_channels; first += 32)
        emit(shape->out, job->threshold, job->flip, sums + first, first, shape->out_channels, out);
}

const bw_int_engine bw_int_engine_avx2 = {INT32_MAX, 1, 0, packed_bytes, pack, gemm_scratch_bytes, gemm, finish};

BW_INT_LINEAR_KERNEL(avx2)
