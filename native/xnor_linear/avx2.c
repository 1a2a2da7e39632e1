/* xnor_linear with AVX2: the bits in which 4 bits of a row and 4 weights differ are looked up (pshufb) in one of 16 tables, which the
 * row chooses, at the place that the weights of each of 32 columns choose. Counts stay in bytes for 31 steps of at most 8. */
#include "run.h"

#include <immintrin.h>

#define ALWAYS static inline __attribute__((always_inline))

/* DIFFER[a][b]: bits in which a and b differ. */
#define C(x) (((x) & 1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))
#define R(a) {C(a), C(a ^ 1), C(a ^ 2), C(a ^ 3), C(a ^ 4), C(a ^ 5), C(a ^ 6), C(a ^ 7), C(a ^ 8), C(a ^ 9), C(a ^ 10), C(a ^ 11), \
              C(a ^ 12), C(a ^ 13), C(a ^ 14), C(a ^ 15)}
static const uint8_t DIFFER[16][16] __attribute__((aligned(64))) = {R(0), R(1), R(2),  R(3),  R(4),  R(5),  R(6),  R(7),
                                                                    R(8), R(9), R(10), R(11), R(12), R(13), R(14), R(15)};

/* Panels of 32 columns, [eight bits of the row][column], a byte each. */
static size_t panels_bytes(int32_t n, int64_t words) { return (size_t)((n + 31) / 32 * 32) * (size_t)words * 8; }

static void pack_column(void *panels, int32_t n, int64_t words, int32_t column, const bw_weight_row *row) {
    uint8_t *p = (uint8_t *)panels + (size_t)(column / 32 * 32) * (size_t)words * 8 + column % 32;
    (void)n;
    for (int64_t u = 0; u < words; u++) {
        uint64_t w = row->word(row->shape, row->canonical, row->n, u);
        for (int i = 0; i < 8; i++, p += 32)
            *p = (uint8_t)(w >> 8 * i);
    }
}

static size_t row_bytes(int64_t words) { return (size_t)words * 8; }

static void pack_row(void *prepared, int64_t words, const uint64_t *row) { memcpy(prepared, row, (size_t)words * 8); }

ALWAYS __m256i table(int a) { return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(const void *)DIFFER[a])); }

/* Widens 32 bytes and adds them to 32 sums. */
ALWAYS void widen(int32_t *sums, __m256i counts) {
    __m128i half[2] = {_mm256_castsi256_si128(counts), _mm256_extracti128_si256(counts, 1)};
    for (int i = 0; i < 4; i++) {
        __m128i bytes = i % 2 ? _mm_srli_si128(half[i / 2], 8) : half[i / 2];
        __m256i *at = (__m256i *)(void *)(sums + 8 * i);
        _mm256_store_si256(at, _mm256_add_epi32(_mm256_load_si256(at), _mm256_cvtepu8_epi32(bytes)));
    }
}

#define COUNT(r)                                                                                  \
    if (r < rows) {                                                                               \
        int byte = a[(size_t)r * bytes + (size_t)i];                                              \
        n##r = _mm256_add_epi8(n##r, _mm256_shuffle_epi8(table(byte & 15), low));                 \
        n##r = _mm256_add_epi8(n##r, _mm256_shuffle_epi8(table(byte >> 4), high));                \
    }

/* Differing bits of `rows` rows and 32 columns. */
ALWAYS void differing(const uint8_t *a, const uint8_t *b, size_t bytes, int rows, int32_t sums[4][32]) {
    const __m256i nibble = _mm256_set1_epi8(15);
    memset(sums, 0, 4 * 32 * sizeof(int32_t));
    for (size_t begin = 0; begin < bytes; begin += 31) {
        size_t end = begin + 31 < bytes ? begin + 31 : bytes;
        __m256i n0 = _mm256_setzero_si256(), n1 = n0, n2 = n0, n3 = n0;
        for (size_t i = begin; i < end; i++) {
            __m256i weights = _mm256_load_si256((const __m256i *)(const void *)(b + 32 * i));
            __m256i low = _mm256_and_si256(weights, nibble), high = _mm256_and_si256(_mm256_srli_epi16(weights, 4), nibble);
            COUNT(0) COUNT(1) COUNT(2) COUNT(3)
        }
        widen(sums[0], n0);
        if (rows > 1)
            widen(sums[1], n1);
        if (rows > 2)
            widen(sums[2], n2);
        if (rows > 3)
            widen(sums[3], n3);
    }
}

/* left <= 32 sums of one position from column `first`: accumulator, then store or threshold and pack. */
static void emit(bw_accumulator accumulator, bw_out out_kind, const int32_t *threshold, const uint64_t *flip, const int32_t *sums,
                 int32_t first, int32_t n, char *out) {
    int32_t left = n - first > 32 ? 32 : n - first, s[32];
    for (int32_t c = 0; c < left; c++)
        s[c] = (int32_t)bw_accumulate(accumulator, sums[c]);
    if (out_kind == BW_OUT_I32) {
        memcpy(out + (size_t)first * 4, s, (size_t)left * 4);
        return;
    }
    uint64_t bits = 0;
    for (int32_t c = 0; c < left; c++)
        bits |= (uint64_t)(s[c] >= threshold[first + c]) << c;
    if (flip)
        bits ^= flip[first / 64] >> first % 64 & (left == 32 ? 0xFFFFFFFF : (UINT64_C(1) << left) - 1);
    /* the last panel of a row also clears what is left of its word */
    memcpy(out + first / 8, &bits, first % 64 == 0 && left == n - first ? 8 : 4);
}

static void gemm(const bw_xnor_gemm *g) {
    size_t bytes = (size_t)g->words * 8;
    for (int32_t first = 0; first < g->n; first += 32) {
        const uint8_t *b = (const uint8_t *)g->panels + (size_t)first * bytes;
        int32_t left = g->n - first > 32 ? 32 : g->n - first;
        for (int64_t row = 0; row < g->rows; row += 4) {
            const uint8_t *a = (const uint8_t *)g->a + (size_t)row * bytes;
            _Alignas(32) int32_t sums[4][32];
            int64_t rows = g->rows - row < 4 ? g->rows - row : 4;
            if (rows == 4)
                differing(a, b, bytes, 4, sums);
            else if (rows == 3)
                differing(a, b, bytes, 3, sums);
            else if (rows == 2)
                differing(a, b, bytes, 2, sums);
            else
                differing(a, b, bytes, 1, sums);
            for (int64_t r = 0; r < rows; r++) {
                const int32_t *fix = g->fix && g->fix[row + r] ? g->fix[row + r] + g->fix_first + first : NULL;
                for (int32_t c = 0; c < 32; c++)
                    sums[r][c] = g->base - 2 * sums[r][c];
                for (int32_t c = 0; fix && c < left; c++)
                    sums[r][c] += fix[c];
                emit(g->accumulator, g->out_kind, g->threshold, g->flip, sums[r], first, g->n, g->out + (size_t)(row + r) * g->out_stride);
            }
        }
    }
}

static void finish(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out) {
    for (int32_t first = 0; first < shape->out_channels; first += 32)
        emit(shape->accumulator, shape->out, job->threshold, job->flip, sums + first, first, shape->out_channels, out);
}

const bw_xnor_engine bw_xnor_engine_avx2 = {panels_bytes, pack_column, row_bytes, pack_row, gemm, finish};

BW_XNOR_LINEAR_KERNEL(avx2)
