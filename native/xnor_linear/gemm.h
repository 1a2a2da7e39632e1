/* The product of rows of bits and packed weights, shared by xnor_linear and xnor_conv2d. */
#ifndef BW_XNOR_GEMM_H
#define BW_XNOR_GEMM_H

#include "../kernels_store.h"

typedef struct {
    const void *a;             /* rows, each prepared by pack_row, one after another */
    int64_t rows, words;       /* words of 64 bits in a row */
    const void *panels;        /* pack_column's */
    int32_t n;                 /* columns */
    int32_t base;              /* the sum is base - 2 * differing bits (+ fix) */
    const int32_t *const *fix; /* NULL, or of each row NULL or what to add to its sums, from fix_first, 16 at a time */
    size_t fix_first;
    bw_accumulator accumulator;
    bw_out out_kind; /* BW_OUT_I32 or BW_OUT_BITS */
    const int32_t *threshold;
    const uint64_t *flip;
    char *out;
    size_t out_stride; /* bytes from a row to the next */
} bw_xnor_gemm;

/* Panels of 32 columns, the last of 16 if so many do: [panel][word][first half of each column, parity of each column]. */
#define BW_PANEL 32

static inline int bw_panel_width(int32_t n, int32_t first) { return n - first > 16 ? 32 : 16; }

/* A row of weights, word by word. */
typedef struct {
    uint64_t (*word)(const bw_shape *shape, const void *canonical, int32_t n, int64_t u);
    const bw_shape *shape;
    const void *canonical;
    int32_t n;
} bw_weight_row;

/* What an instruction set brings to xnor_linear/run.h and xnor_conv2d/run.h. */
typedef struct {
    size_t (*panels_bytes)(int32_t n, int64_t words); /* a multiple of 64 */
    void (*pack_column)(void *panels, int32_t n, int64_t words, int32_t column, const bw_weight_row *row);
    size_t (*row_bytes)(int64_t words);
    void (*pack_row)(void *prepared, int64_t words, const uint64_t *row);
    void (*gemm)(const bw_xnor_gemm *g);
    void (*finish)(const bw_shape *shape, const bw_job *job, const int32_t *sums, void *out); /* one position's N plain sums */
} bw_xnor_engine;

extern const bw_xnor_engine bw_xnor_engine_avx2, bw_xnor_engine_avx512;

static inline size_t bw_round_up(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* Rows that are prepared and multiplied at once: they, and what they give, stay in L1 and L2 while the panels pass by. */
static inline int64_t bw_rows_at_once(size_t row_bytes, size_t out_bytes) {
    size_t rows = 65536 / row_bytes, out_rows = 131072 / out_bytes;
    if (out_rows < rows)
        rows = out_rows < 32 ? 32 < rows ? 32 : rows : out_rows;
    return rows < 4 ? 4 : rows > 256 ? 256 : (int64_t)(rows & ~(size_t)3);
}

#endif
