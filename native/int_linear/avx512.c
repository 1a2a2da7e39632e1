/* int_linear with AVX-512.
 *
 * Bytes x signs, many outputs: of every 5 bytes of a row all 32 signed sums stand in one register (16 bits each); 5 weights of an output
 * are an index into it, so one permutation adds 5 products for each of 32 outputs. (vpermb with pairs of indices: twice as fast as
 * vpermw.) 24 such sums stay within int16 (24 * 5 * 255 < 32768); then they join the 32-bit sums. Five bytes that are 0 in all rows
 * of a block are left out. Everything else: vpdpbusd and vpdpwssd on blocks of 4 rows x 32 outputs.
 */
#include "avx512.h"
#include "run.h"

#define VBMI __attribute__((target("avx512vbmi"))) /* every CPU with VPOPCNTDQ and VNNI has it */

static size_t steps_of(const bw_int_plan *p) { return p->path == BW_PATH_LOOKUP ? (size_t)(p->k + 4) / 5 : p->plane_bytes / 4; }

static size_t packed_bytes(const bw_int_plan *p, int32_t n) {
    return (size_t)padded(n) * 4 + steps_of(p) * (size_t)padded(n) * (p->path == BW_PATH_LOOKUP ? 2 : 4);
}

/* Lookup: output c of a panel is lane 2c (c < 16) or 2c - 31 (else), so that even and odd lanes widen to outputs in order. Bits 1-4 of an
 * index i are the weights of bytes 0-3, bit 0 is 0 for a weight +1 of byte 4; the lane holds the places 2i, 2i + 1 of the entry's bytes. */
static void pack(const bw_int_plan *p, const bw_shape *shape, const void *canonical, bw_int_weight *weight, int32_t first, int32_t n,
                 void *packed) {
    size_t steps = steps_of(p);
    int32_t *offset = packed;
    char *panels = (char *)packed + (size_t)padded(n) * 4;
    memset(packed, 0, packed_bytes(p, n));
    for (int32_t column = 0; column < n; column++) {
        int32_t c = column % 32;
        char *panel = panels + (size_t)(column - c) * steps * (p->path == BW_PATH_LOOKUP ? 2 : 4);
        uint32_t sum = 0;
        for (int64_t k = 0; k < p->k; k++) {
            int64_t w = weight(shape, canonical, first + column, k);
            sum += (uint32_t)w;
            if (p->path == BW_PATH_LOOKUP) {
                uint16_t *index = (uint16_t *)(void *)panel + k / 5 * 32 + (c < 16 ? 2 * c : 2 * c - 31);
                int byte = (int)(k % 5), bit = byte == 4 ? w < 0 : w > 0;
                *index = (uint16_t)(*index | bit * 0x0202 << (byte == 4 ? 0 : byte + 1) | 0x0100);
            } else if (p->path == BW_PATH_BYTES) {
                ((int8_t *)panel)[(k / 4 * 32 + c) * 4 + k % 4] = (int8_t)w;
            } else {
                ((int16_t *)(void *)panel)[(k / 2 * 32 + c) * 2 + k % 2] = (int16_t)w;
            }
        }
        offset[column] = (int32_t)(sum * (uint32_t)p->origin);
    }
}

/* ---- lookup ---- */

#define AT_ONCE 24 /* fives between two widenings */

typedef struct {
    int16_t tables[AT_ONCE][8][32]; /* of each five bytes, of each row */
    int16_t start[8];
} bw_tables;

/* Tables of `rows` rows for the fives listed. Table entry i is sum_j sign_j * byte_j over bytes 0-3, signs from bits 1-4 of i, plus
 * twice byte 4 where bit 0 is 0; so `start` takes byte 4 away once. */
ALWAYS void make_tables(const char *row, size_t row_bytes, int rows, const int32_t *list, int fives, bw_tables *t) {
    static const int8_t FOUR[64] __attribute__((aligned(64))) = {
#define SIGNS(d) (d) & 1 ? 1 : -1, (d) & 2 ? 1 : -1, (d) & 4 ? 1 : -1, (d) & 8 ? 1 : -1
        SIGNS(0), SIGNS(1), SIGNS(2),  SIGNS(3),  SIGNS(4),  SIGNS(5),  SIGNS(6),  SIGNS(7),
        SIGNS(8), SIGNS(9), SIGNS(10), SIGNS(11), SIGNS(12), SIGNS(13), SIGNS(14), SIGNS(15)};
    const __m512i four = _mm512_load_si512(FOUR), fifth = _mm512_set1_epi32(2);
    for (int r = 0; r < rows; r++, row += row_bytes) {
        int start = 0;
        for (int i = 0; i < fives; i++) {
            const char *bytes = row + 5 * (size_t)list[i];
            int32_t low, high;
            memcpy(&low, bytes, 4);
            memcpy(&high, bytes + 4, 4);
            __m512i pairs = _mm512_maddubs_epi16(_mm512_set1_epi32(low), four);
            __m512i last = _mm512_maddubs_epi16(_mm512_set1_epi32(high), fifth);
            __m512i sums = _mm512_add_epi16(_mm512_add_epi16(pairs, last), _mm512_rol_epi32(pairs, 16));
            _mm512_store_si512(t->tables[i][r], sums);
            start -= high & 255;
        }
        t->start[r] = (int16_t)start;
    }
}

#define ROWS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define BEGIN(r) __m512i sum##r = _mm512_set1_epi16(t->start[r]);
#define LOOK(r)                                                                                              \
    if (r < rows)                                                                                            \
        sum##r = _mm512_add_epi16(sum##r, _mm512_permutexvar_epi8(index, _mm512_load_si512(table + 32 * r)));
/* even lanes are outputs 0-15, odd lanes 16-31 */
#define WIDEN(r)                                                                                             \
    if (r < rows) {                                                                                          \
        int32_t *at = sums + 32 * r;                                                                         \
        __m512i s0 = is_first ? _mm512_setzero_si512() : _mm512_load_si512(at);                              \
        __m512i s1 = is_first ? _mm512_setzero_si512() : _mm512_load_si512(at + 16);                         \
        if (shift)                                                                                           \
            s0 = _mm512_slli_epi32(s0, 8), s1 = _mm512_slli_epi32(s1, 8);                                    \
        s0 = _mm512_dpwssd_epi32(s0, sum##r, even);                                                          \
        s1 = _mm512_dpwssd_epi32(s1, sum##r, odd);                                                           \
        if (is_last) {                                                                                       \
            emit(g, row + r, first, _mm512_add_epi32(s0, o0), _mm512_add_epi32(s1, o1));                     \
        } else {                                                                                             \
            _mm512_store_si512(at, s0);                                                                      \
            _mm512_store_si512(at + 16, s1);                                                                 \
        }                                                                                                    \
    }

/* The fives listed, for all outputs of `rows` rows. */
VBMI ALWAYS void look_up(const bw_int_gemm *g, int64_t row, int rows, const bw_tables *t, const int32_t *list, int fives, int is_first,
                    int is_last, int shift, int32_t *all_sums) {
    const __m512i even = _mm512_set1_epi32(1), odd = _mm512_set1_epi32(1 << 16);
    const size_t steps = steps_of(g->plan);
    const uint16_t *panels = (const uint16_t *)g->packed + (size_t)padded(g->n) * 2;
    for (int32_t first = 0; first < g->n; first += 32) {
        const uint16_t *panel = panels + (size_t)first * steps;
        const int16_t *table = t->tables[0][0];
        __m512i o0 = _mm512_load_si512((const int32_t *)g->packed + first);
        __m512i o1 = _mm512_load_si512((const int32_t *)g->packed + first + 16);
        int32_t *sums = all_sums + 8 * (size_t)first;
        ROWS(BEGIN)
        for (int i = 0; i < fives; i++, table += 32 * 8) {
            __m512i index = _mm512_load_si512(panel + (size_t)list[i] * 32);
            ROWS(LOOK)
        }
        ROWS(WIDEN)
    }
}

/* Fives in which some row has a byte that is not 0. */
ALWAYS int32_t used_fives(const char *rows, size_t row_bytes, int n_rows, int32_t steps, int32_t *list) {
    int32_t used = 0;
    for (int32_t i = 0; i < steps; i++, rows += 5) {
        uint64_t any = 0;
        for (int r = 0; r < n_rows; r++) {
            uint64_t bytes;
            memcpy(&bytes, rows + (size_t)r * row_bytes, 8);
            any |= bytes;
        }
        list[used] = i;
        used += (any & UINT64_C(0xFFFFFFFFFF)) != 0;
    }
    return used;
}

/* `rows` rows: plane after plane, some fives at a time. */
VBMI ALWAYS void look_up_rows(const bw_int_gemm *g, int64_t row, int rows) {
    const bw_int_plan *p = g->plan;
    bw_tables *t = g->scratch;
    int32_t *sums = (int32_t *)(void *)((char *)g->scratch + bw_int_round_up(sizeof(bw_tables)));
    int32_t *list = sums + 8 * (size_t)padded(g->n);
    int shift = 0, is_first = 1;
    for (int plane = p->planes - 1; plane >= 0; plane--) {
        const char *bytes = g->rows + (size_t)row * p->row_bytes + (size_t)plane * p->plane_bytes;
        int32_t used = used_fives(bytes, p->row_bytes, rows, (int32_t)steps_of(p), list), done = 0;
        do {
            int fives = used - done < AT_ONCE ? used - done : AT_ONCE;
            int is_last = plane == 0 && done + fives == used;
            make_tables(bytes, p->row_bytes, rows, list + done, fives, t);
            look_up(g, row, rows, t, list + done, fives, is_first, is_last, shift, sums);
            done += fives;
            is_first = shift = 0;
        } while (done < used);
        shift = 1;
    }
}

VBMI static __attribute__((noinline)) void look_up_8(const bw_int_gemm *g, int64_t row) { look_up_rows(g, row, 8); }
VBMI static __attribute__((noinline)) void look_up_4(const bw_int_gemm *g, int64_t row) { look_up_rows(g, row, 4); }
VBMI static __attribute__((noinline)) void look_up_2(const bw_int_gemm *g, int64_t row) { look_up_rows(g, row, 2); }
VBMI static __attribute__((noinline)) void look_up_1(const bw_int_gemm *g, int64_t row) { look_up_rows(g, row, 1); }

/* ---- products ---- */

#define GRID(DO) DO(0, 0) DO(0, 1) DO(1, 0) DO(1, 1) DO(2, 0) DO(2, 1) DO(3, 0) DO(3, 1)
#define ZERO(r, c) __m512i s##r##c = _mm512_setzero_si512();
#define SHIFT(r, c) s##r##c = _mm512_slli_epi32(s##r##c, shift);
#define PRODUCT(r)                                                                                           \
    if (r < rows) {                                                                                          \
        __m512i x = _mm512_set1_epi32(a[(size_t)r * stride + u]);                                            \
        s##r##0 = is_bytes ? _mm512_dpbusd_epi32(s##r##0, x, b0) : _mm512_dpwssd_epi32(s##r##0, x, b0);      \
        s##r##1 = is_bytes ? _mm512_dpbusd_epi32(s##r##1, x, b1) : _mm512_dpwssd_epi32(s##r##1, x, b1);      \
    }
#define EMIT(r)                                                                                              \
    if (r < rows)                                                                                            \
        emit(g, row + r, first, _mm512_add_epi32(s##r##0, o0), _mm512_add_epi32(s##r##1, o1));

ALWAYS void product(const bw_int_gemm *g, int64_t row, int32_t first, int rows, int is_bytes) {
    const bw_int_plan *p = g->plan;
    const size_t steps = p->plane_bytes / 4, stride = p->row_bytes / 4;
    const int shift = p->shift;
    const int32_t *offset = (const int32_t *)g->packed + first;
    const int32_t *panel = (const int32_t *)g->packed + padded(g->n) + (size_t)first * steps;
    GRID(ZERO)
    for (int plane = p->planes - 1; plane >= 0; plane--) {
        const int32_t *a = (const int32_t *)(const void *)(g->rows + (size_t)row * p->row_bytes + (size_t)plane * p->plane_bytes);
        const int32_t *b = panel;
        GRID(SHIFT)
        for (size_t u = 0; u < steps; u++, b += 32) {
            __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + 16);
            PRODUCT(0) PRODUCT(1) PRODUCT(2) PRODUCT(3)
        }
    }
    __m512i o0 = _mm512_load_si512(offset), o1 = _mm512_load_si512(offset + 16);
    EMIT(0) EMIT(1) EMIT(2) EMIT(3)
}

ALWAYS void products(const bw_int_gemm *g, int is_bytes) {
    for (int32_t first = 0; first < g->n; first += 32)
        for (int64_t row = 0; row < g->n_rows; row += 4) {
            int64_t rows = g->n_rows - row;
            if (rows >= 4)
                product(g, row, first, 4, is_bytes);
            else if (rows == 3)
                product(g, row, first, 3, is_bytes);
            else if (rows == 2)
                product(g, row, first, 2, is_bytes);
            else
                product(g, row, first, 1, is_bytes);
        }
}

static void gemm(const bw_int_gemm *g) {
    if (g->plan->path == BW_PATH_BYTES) {
        products(g, 1);
    } else if (g->plan->path == BW_PATH_PAIRS) {
        products(g, 0);
    } else {
        for (int64_t row = 0, rows; (rows = g->n_rows - row) > 0;)
            if (rows >= 8)
                look_up_8(g, row), row += 8;
            else if (rows >= 4)
                look_up_4(g, row), row += 4;
            else if (rows >= 2)
                look_up_2(g, row), row += 2;
            else
                look_up_1(g, row), row += 1;
    }
}

static size_t gemm_scratch_bytes(const bw_int_plan *p, int32_t n) {
    if (p->path != BW_PATH_LOOKUP)
        return 0;
    return bw_int_round_up(sizeof(bw_tables)) + 8 * (size_t)padded(n) * 4 + bw_int_round_up((steps_of(p) + 1) * 4);
}

static void finish(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out) {
    bw_int_gemm g = {.n = shape->out_channels, .out_kind = shape->out, .threshold = job->threshold, .flip = job->flip, .out = out};
    for (int32_t first = 0; first < g.n; first += 32) {
        int32_t left = g.n - first > 32 ? 32 : g.n - first;
        uint32_t inside = left == 32 ? 0xFFFFFFFF : (1u << left) - 1;
        emit(&g, 0, first, _mm512_maskz_loadu_epi32((__mmask16)inside, sums + first),
             _mm512_maskz_loadu_epi32((__mmask16)(inside >> 16), sums + first + (left > 16 ? 16 : 0)));
    }
}

const bw_int_engine bw_int_engine_avx512 = {96, 1, 1, packed_bytes, pack, gemm_scratch_bytes, gemm, finish};

BW_INT_LINEAR_KERNEL(avx512)
