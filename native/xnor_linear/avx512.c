/* xnor_linear with AVX-512 VPOPCNTDQ: blocks of 4 rows x 32 columns in registers, sums in 32-bit lanes, no horizontal sums.
 *
 * The bits in which two rows a and b differ are counted two 32-bit words at a time, by a full adder over words: the running parity
 * of a^b over the words so far is Sa^Sb, with Sa, Sb the running parities of a and b alone, prepared once. With s, t the parity
 * before and after a pair of words and x = a^b of its first, carry = (s == t ? x : s) is the bit that counts twice, so
 * differing = 2 * sum popcount(carry) + popcount(last parity). Both operands keep, of each pair, the first word and the parity after it.
 */
#include "run.h"

#include <immintrin.h>

#define ALWAYS static inline __attribute__((always_inline))

/* One word of one row and 16 columns: s is the parity before and t the one after it. Rows and columns beyond the block vanish, as
 * rows and cols are constants. Named variables, not arrays: gcc would keep arrays on the stack (no %rsp may stand in the loop). */
#define CELL(r, c, s, t)                                                                                        \
    if (r < rows && c < cols) {                                                                                 \
        t##r##c = _mm512_xor_si512(after##c, _mm512_set1_epi32(a[r * stride + 1]));                                  \
        __m512i x = _mm512_xor_si512(half##c, _mm512_set1_epi32(a[r * stride]));                                     \
        x = _mm512_ternarylogic_epi32(x, s##r##c, t##r##c, 0xD4); /* s == t ? x : s */                          \
        twos##r##c = _mm512_add_epi32(twos##r##c, _mm512_popcnt_epi32(x));                                      \
        __asm__ volatile("" : "+v"(twos##r##c)); /* keeps the order, so the registers suffice */                \
    }
#define WORD(s, t)                                                                                              \
    {                                                                                                           \
        __m512i half0 = _mm512_load_si512(b), after0 = _mm512_load_si512(b + 16 * cols), half1, after1;         \
        if (cols == 2)                                                                                          \
            half1 = _mm512_load_si512(b + 16), after1 = _mm512_load_si512(b + 48);                              \
        CELL(0, 0, s, t) CELL(0, 1, s, t) CELL(1, 0, s, t) CELL(1, 1, s, t)                                     \
        CELL(2, 0, s, t) CELL(2, 1, s, t) CELL(3, 0, s, t) CELL(3, 1, s, t)                                     \
        a += 2, b += 32 * cols;                                                                                 \
    }
#define EACH(DO) DO(0, 0) DO(0, 1) DO(1, 0) DO(1, 1) DO(2, 0) DO(2, 1) DO(3, 0) DO(3, 1)
#define START(r, c) __m512i twos##r##c = _mm512_setzero_si512(), s##r##c = twos##r##c, t##r##c;
#define END(r, c)                                                                                               \
    if (r < rows && c < cols)                                                                                   \
        t##r##c = _mm512_add_epi32(_mm512_add_epi32(twos##r##c, twos##r##c), _mm512_popcnt_epi32(s##r##c));
#define TO_MEMORY(r, c)                                                                                         \
    if (r < rows && c < cols)                                                                                   \
        _mm512_store_si512(to + r * to_stride + 64 * c, t##r##c);
#define TO_SUMS(r, c) _mm512_storeu_si512(to + r * to_stride + 64 * c, _mm512_sub_epi32(base, _mm512_add_epi32(t##r##c, t##r##c)));
#define TO_BITS(r)                                                                                              \
    {                                                                                                           \
        uint32_t bits = _cvtmask32_u32(_mm512_kunpackw(_mm512_cmple_epi32_mask(t##r##1, limits[1]),             \
                                                       _mm512_cmple_epi32_mask(t##r##0, limits[0])));           \
        bits ^= flip;                                                                                           \
        memcpy(to + r * to_stride, &bits, 4);                                                                   \
    }

/* Differing bits of `rows` rows and 16 * `cols` columns: to `to` as they are (DIFFERING), or as sums base - 2 * differing (SUMS), or
 * as bits differing <= limit (BITS), the last two for a whole block. */
typedef enum { DIFFERING, SUMS, BITS } bw_result;

ALWAYS void differing(const int32_t *a, const int32_t *b, int64_t words, int rows, int cols, bw_result result, char *to, size_t to_stride,
                      __m512i base, const __m512i *limits, uint32_t flip) {
    const int64_t stride = 2 * words;
    EACH(START)
    int64_t u = 0;
    for (; u + 2 <= words; u += 2) {
        WORD(s, t)
        WORD(t, s)
    }
    if (u < words) {
        WORD(s, t)
        s00 = t00, s01 = t01, s10 = t10, s11 = t11, s20 = t20, s21 = t21, s30 = t30, s31 = t31;
    }
    EACH(END)
    if (result == DIFFERING) {
        EACH(TO_MEMORY)
    } else if (result == SUMS) {
        EACH(TO_SUMS)
    } else {
        TO_BITS(0) TO_BITS(1) TO_BITS(2) TO_BITS(3)
    }
}

ALWAYS __m512i accumulate(bw_accumulator accumulator, __m512i s) {
    if (accumulator == BW_ACC_INT32)
        return s;
    if (accumulator == BW_ACC_WRAP8_HALF)
        s = _mm512_srai_epi32(s, 1);
    return _mm512_srai_epi32(_mm512_slli_epi32(s, 24), 24);
}

/* Differing bits become sums: accumulator, then store or threshold and pack. */
static void finish(const bw_xnor_gemm *g, int64_t row, int32_t first, int rows, const int32_t *sums) {
    int32_t left = g->n - first > 32 ? 32 : g->n - first;
    uint32_t inside = left == 32 ? 0xFFFFFFFF : (1u << left) - 1, flip = 0;
    if (g->flip)
        flip = (uint32_t)(g->flip[first / 64] >> first % 64) & inside;
    for (int r = 0; r < rows; r++, sums += 32) {
        char *out = g->out + (size_t)(row + r) * g->out_stride;
        const int32_t *fix = g->fix ? g->fix[row + r] : NULL;
        uint32_t bits = 0;
        for (int c = 0; 16 * c < left; c++) {
            __m512i s = _mm512_load_si512(sums + 16 * c);
            __mmask16 columns = (__mmask16)(inside >> 16 * c);
            s = _mm512_sub_epi32(_mm512_set1_epi32(g->base), _mm512_add_epi32(s, s));
            if (fix)
                s = _mm512_add_epi32(s, _mm512_loadu_si512(fix + g->fix_first + first + 16 * c));
            s = accumulate(g->accumulator, s);
            if (g->out_kind == BW_OUT_BITS) {
                __m512i threshold = _mm512_maskz_loadu_epi32(columns, g->threshold + first + 16 * c);
                bits |= (uint32_t)_mm512_mask_cmpge_epi32_mask(columns, s, threshold) << 16 * c;
            } else {
                _mm512_mask_storeu_epi32((int32_t *)(void *)out + first + 16 * c, columns, s);
            }
        }
        if (g->out_kind == BW_OUT_BITS) {
            uint64_t word = bits ^ flip; /* the last panel of a row also clears what is left of its word */
            memcpy(out + first / 8, &word, first % 64 == 0 && left == g->n - first ? 8 : 4);
        }
    }
}

ALWAYS void block(const bw_xnor_gemm *g, int64_t row, const int32_t *b, int32_t first, int rows, int cols) {
    _Alignas(64) int32_t sums[4 * 32];
    const int32_t *a = (const int32_t *)g->a + row * g->words * 2;
    differing(a, b, g->words, rows, cols, DIFFERING, (char *)sums, 128, _mm512_setzero_si512(), NULL, 0);
    finish(g, row, first, rows, sums);
}

static __attribute__((noinline)) void any_block(const bw_xnor_gemm *g, int64_t row, const int32_t *b, int32_t first, int64_t rows) {
    if (bw_panel_width(g->n, first) == 32) {
        if (rows >= 4)
            block(g, row, b, first, 4, 2);
        else if (rows == 3)
            block(g, row, b, first, 3, 2);
        else if (rows == 2)
            block(g, row, b, first, 2, 2);
        else
            block(g, row, b, first, 1, 2);
    } else {
        if (rows >= 4)
            block(g, row, b, first, 4, 1);
        else if (rows == 3)
            block(g, row, b, first, 3, 1);
        else if (rows == 2)
            block(g, row, b, first, 2, 1);
        else
            block(g, row, b, first, 1, 1);
    }
}

/* Blocks of 4 x 32 whose results need no more than a compare: what almost all of the time is spent on. */
static __attribute__((noinline)) void whole_blocks(const bw_xnor_gemm *g, int64_t row, int64_t end, const int32_t *b, int32_t first) {
    const int32_t *a = (const int32_t *)g->a + row * g->words * 2;
    char *out = g->out + (size_t)row * g->out_stride + (g->out_kind == BW_OUT_BITS ? first / 8 : first * 4);
    __m512i base = _mm512_set1_epi32(g->base), limits[2];
    if (g->out_kind == BW_OUT_I32) {
        for (; row < end; row += 4, a += 8 * g->words, out += 4 * g->out_stride)
            differing(a, b, g->words, 4, 2, SUMS, out, g->out_stride, base, limits, 0);
        return;
    }
    for (int c = 0; c < 2; c++) { /* base - 2 * differing >= t; a t out of reach is taken to the nearest that is too, lest it overflows */
        __m512i t = _mm512_loadu_si512(g->threshold + first + 16 * c);
        t = _mm512_max_epi32(_mm512_min_epi32(t, _mm512_set1_epi32(g->base + 1)), _mm512_set1_epi32(-g->base));
        limits[c] = _mm512_srai_epi32(_mm512_sub_epi32(base, t), 1);
    }
    uint32_t flip = g->flip ? (uint32_t)(g->flip[first / 64] >> first % 64) : 0;
    for (; row < end; row += 4, a += 8 * g->words, out += 4 * g->out_stride)
        differing(a, b, g->words, 4, 2, BITS, out, g->out_stride, base, limits, flip);
}

static int plain_rows(const bw_xnor_gemm *g, int64_t row) {
    return row + 4 <= g->rows && (!g->fix || !(g->fix[row] || g->fix[row + 1] || g->fix[row + 2] || g->fix[row + 3]));
}

static void gemm(const bw_xnor_gemm *g) {
    for (int32_t first = 0; first < g->n; first += BW_PANEL) {
        const int32_t *b = (const int32_t *)g->panels + (size_t)first * (size_t)g->words * 2;
        int whole = g->accumulator == BW_ACC_INT32 && g->n - first >= 32 && (g->out_kind == BW_OUT_I32 || g->n - first != 32 || first % 64);
        for (int64_t row = 0; row < g->rows; row += 4) {
            int64_t end = row;
            while (whole && plain_rows(g, end))
                end += 4;
            if (end > row) {
                whole_blocks(g, row, end, b, first);
                row = end;
            }
            if (row < g->rows)
                any_block(g, row, b, first, g->rows - row);
        }
    }
}

static size_t panels_bytes(int32_t n, int64_t words) { return (size_t)((n + 15) / 16 * 16) * (size_t)words * 8; }

static void pack_column(void *panels, int32_t n, int64_t words, int32_t column, const bw_weight_row *row) {
    int32_t first = column / BW_PANEL * BW_PANEL;
    int width = bw_panel_width(n, first);
    int32_t *p = (int32_t *)panels + (size_t)first * (size_t)words * 2 + (column - first);
    uint32_t parity = 0;
    for (int64_t u = 0; u < words; u++, p += 2 * width) {
        uint64_t w = row->word(row->shape, row->canonical, row->n, u);
        parity ^= (uint32_t)w ^ (uint32_t)(w >> 32);
        p[0] = (int32_t)(uint32_t)w;
        p[width] = (int32_t)parity;
    }
}

static size_t row_bytes(int64_t words) { return (size_t)words * 8; }

static void pack_row(void *prepared, int64_t words, const uint64_t *row) {
    uint64_t *p = prepared, parity = 0;
    for (int64_t u = 0; u < words; u++) {
        parity ^= row[u] ^ row[u] << 32; /* of which the upper half counts */
        p[u] = (uint32_t)row[u] | (parity & UINT64_C(0xFFFFFFFF00000000));
    }
}

static void finish_sums(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out) {
    uint64_t *words = out;
    for (int32_t first = 0; first < shape->out_channels; first += 16) {
        int32_t left = shape->out_channels - first;
        __mmask16 inside = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
        __m512i s = accumulate(shape->accumulator, _mm512_maskz_loadu_epi32(inside, sums + first));
        if (shape->out == BW_OUT_BITS) {
            uint64_t bits = _mm512_mask_cmpge_epi32_mask(inside, s, _mm512_maskz_loadu_epi32(inside, job->threshold + first));
            if (job->flip)
                bits ^= job->flip[first / 64] >> first % 64 & inside;
            words[first / 64] = (first % 64 ? words[first / 64] : 0) | bits << first % 64;
        } else {
            _mm512_mask_storeu_epi32((int32_t *)out + first, inside, s);
        }
    }
}

const bw_xnor_engine bw_xnor_engine_avx512 = {panels_bytes, pack_column, row_bytes, pack_row, gemm, finish_sums};

BW_XNOR_LINEAR_KERNEL(avx512)
