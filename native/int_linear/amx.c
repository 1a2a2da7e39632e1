/* int_linear with AMX: unsigned bytes x signed bytes in tiles, 32 rows x 32 outputs at a time. Few rows, values that take several
 * planes and int16 go the way of avx512.c, whose packing stands first; behind its tables of signs the same weights as bytes.
 *
 * A tile holds 16 rows of 64 bytes: of the rows 16 times 64 values, of a panel 16 fours of values for 16 outputs, of the sums 16 x 16.
 * The last values of a row, fewer than 64, have tiles of their own size.
 */
#include "avx512.h"
#include "run.h"

enum { FEW = 8 }; /* rows that tiles do not pay for */

/* Numbers of tiles, spelt as the assembler has them. 0 to 3: sums, two by two. */
#define A 4
#define B 5
#define LAST_A 6
#define LAST_B 7

static int tiled(const bw_int_plan *p) { return p->planes == 1 && (p->path == BW_PATH_BYTES || p->path == BW_PATH_LOOKUP); }

static size_t fours_of(const bw_int_plan *p) { return (size_t)(p->k + 3) / 4; }

static size_t panels_at(const bw_int_plan *p, int32_t n) {
    return p->path == BW_PATH_LOOKUP ? bw_int_engine_avx512.packed_bytes(p, n) : (size_t)padded(n) * 4;
}

static size_t packed_bytes(const bw_int_plan *p, int32_t n) {
    size_t bytes = bw_int_engine_avx512.packed_bytes(p, n);
    return tiled(p) && p->path == BW_PATH_LOOKUP ? bytes + fours_of(p) * (size_t)padded(n) * 4 : bytes;
}

static void pack(const bw_int_plan *p, const bw_shape *shape, const void *canonical, bw_int_weight *weight, int32_t first, int32_t n,
                 void *packed) {
    bw_int_engine_avx512.pack(p, shape, canonical, weight, first, n, packed);
    if (!tiled(p) || p->path != BW_PATH_LOOKUP)
        return;
    int8_t *panels = (int8_t *)packed + panels_at(p, n);
    memset(panels, 0, packed_bytes(p, n) - panels_at(p, n));
    for (int32_t column = 0; column < n; column++) {
        int32_t c = column % 32;
        int8_t *panel = panels + (size_t)(column - c) * fours_of(p) * 4;
        for (int64_t k = 0; k < p->k; k++)
            panel[(k / 4 * 32 + c) * 4 + k % 4] = (int8_t)weight(shape, canonical, first + column, k);
    }
}

/* 16 * tall rows and 32 outputs, to `sums` of 32 a row. */
ALWAYS void multiply(const char *rows, size_t row_bytes, const int8_t *panel, size_t fours, int tall, int32_t *sums) {
    const char *below = rows + 16 * row_bytes;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
#define STEP(a, b)                                                                                           \
    do {                                                                                                     \
        _tile_loadd(a, rows, row_bytes);                                                                     \
        _tile_loadd(b, panel, 128);                                                                          \
        _tile_dpbusd(0, a, b);                                                                               \
        _tile_loadd(b, panel + 64, 128);                                                                     \
        _tile_dpbusd(1, a, b);                                                                               \
        if (tall == 2) {                                                                                     \
            _tile_loadd(a, below, row_bytes);                                                                \
            _tile_dpbusd(3, a, b);                                                                           \
            _tile_loadd(b, panel, 128);                                                                      \
            _tile_dpbusd(2, a, b);                                                                           \
        }                                                                                                    \
    } while (0)
    size_t u = 0;
    for (; u + 16 <= fours; u += 16, rows += 64, below += 64, panel += 64 * 32)
        STEP(A, B);
    if (u < fours)
        STEP(LAST_A, LAST_B);
    _tile_stored(0, sums, 128);
    _tile_stored(1, sums + 16, 128);
    if (tall == 2) {
        _tile_stored(2, sums + 16 * 32, 128);
        _tile_stored(3, sums + 16 * 32 + 16, 128);
    }
}

static void configure(size_t fours) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } tiles = {.palette = 1};
    for (int i = 0; i < 8; i++)
        tiles.rows[i] = 16, tiles.row_bytes[i] = 64;
    if (fours % 16) {
        tiles.row_bytes[LAST_A] = (uint16_t)(fours % 16 * 4);
        tiles.rows[LAST_B] = (uint8_t)(fours % 16);
    }
    _tile_loadconfig(&tiles);
}

static void gemm(const bw_int_gemm *g) {
    const bw_int_plan *p = g->plan;
    if (!tiled(p) || g->n_rows < FEW) {
        bw_int_engine_avx512.gemm(g);
        return;
    }
    const size_t fours = fours_of(p);
    const int8_t *panels = (const int8_t *)g->packed + panels_at(p, g->n);
    int32_t sums[32 * 32] __attribute__((aligned(64)));
    configure(fours);
    for (int32_t first = 0; first < g->n; first += 32) {
        const int8_t *panel = panels + (size_t)first * fours * 4;
        __m512i o0 = _mm512_load_si512((const int32_t *)g->packed + first);
        __m512i o1 = _mm512_load_si512((const int32_t *)g->packed + first + 16);
        for (int64_t row = 0; row < g->n_rows; row += 32) {
            const char *rows = g->rows + (size_t)row * p->row_bytes;
            int64_t left = g->n_rows - row < 32 ? g->n_rows - row : 32;
            if (left > 16)
                multiply(rows, p->row_bytes, panel, fours, 2, sums);
            else
                multiply(rows, p->row_bytes, panel, fours, 1, sums);
            for (int64_t r = 0; r < left; r++)
                emit(g, row + r, first, _mm512_add_epi32(_mm512_load_si512(sums + 32 * r), o0),
                     _mm512_add_epi32(_mm512_load_si512(sums + 32 * r + 16), o1));
        }
    }
    _tile_release();
}

static size_t gemm_scratch_bytes(const bw_int_plan *p, int32_t n) { return bw_int_engine_avx512.scratch_bytes(p, n); }

static void finish(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out) {
    bw_int_engine_avx512.finish(shape, job, sums, out);
}

const bw_int_engine bw_int_engine_amx = {96, 1, 1, packed_bytes, pack, gemm_scratch_bytes, gemm, finish};

BW_INT_LINEAR_KERNEL(amx)
