/* The product of rows of bits and packed weights, shared by xnor_linear and xnor_conv2d.
 *
 * Counting the bits in which two rows a and b differ, two 32-bit words at a time (a full adder over words; "parity trick"): the running
 * parity of a^b over the words so far is Sa^Sb with Sa, Sb the running parities of a and of b alone, prepared once. With s and t the parity before
 * and after a pair and x = a^b of its first word, carry = (s == t ? x : s) counts twice:
 * differing = 2 * sum popcount(carry) + popcount(last parity). So both operands keep, of each pair, the first word and the parity after the pair.
 */
#ifndef BW_XNOR_GEMM_H
#define BW_XNOR_GEMM_H

#include "../kernels_store.h"

typedef struct {
    const int32_t *a;          /* rows, prepared: [rows][words][first half, parity] */
    int64_t rows, words;       /* words of 64 bits in a row */
    const int32_t *panels;     /* bw_xnor_pack_column's */
    int32_t n;                 /* columns */
    int32_t base;              /* the sum is base - 2 * differing bits (+ fix) */
    const int32_t *const *fix; /* NULL, or of each row NULL or n int32 added to its sums, readable up to a multiple of 16 */
    bw_accumulator accumulator;
    bw_out out_kind; /* BW_OUT_I32 or BW_OUT_BITS */
    const int32_t *threshold;
    const uint64_t *flip;
    char *out;
    size_t out_stride; /* bytes from a row to the next */
} bw_xnor_gemm;

void bw_xnor_gemm_avx512(const bw_xnor_gemm *g);

/* Panels of 32 columns, the last of 16 if so many do: [panel][word][first half of each column, parity of each column]. */
#define BW_PANEL 32

static inline size_t bw_xnor_panels_bytes(int64_t n, int64_t words) { return (size_t)((n + 15) / 16 * 16) * (size_t)words * 8; }

static inline int bw_panel_width(int32_t n, int32_t first) { return n - first > 16 ? 32 : 16; }

/* Puts one row of weights (a column of the product) into its panel. */
static inline void bw_xnor_pack_column(int32_t *panels, int32_t n, int64_t words, int32_t column, const uint64_t *row) {
    int32_t first = column / BW_PANEL * BW_PANEL;
    int width = bw_panel_width(n, first);
    int32_t *p = panels + (size_t)first * (size_t)words * 2 + (column - first);
    uint32_t parity = 0;
    for (int64_t u = 0; u < words; u++, p += 2 * width) {
        parity ^= (uint32_t)row[u] ^ (uint32_t)(row[u] >> 32);
        p[0] = (int32_t)(uint32_t)row[u];
        p[width] = (int32_t)parity;
    }
}

/* Prepares one row. */
static inline void bw_xnor_pack_row(int32_t *prepared, int64_t words, const uint64_t *row) {
    uint64_t parity = 0;
    for (int64_t u = 0; u < words; u++) {
        parity ^= row[u] ^ row[u] << 32; /* of which the upper half counts */
        uint64_t both = (uint32_t)row[u] | (parity & 0xFFFFFFFF00000000u);
        memcpy(prepared + 2 * u, &both, 8);
    }
}

/* Rows that are prepared and multiplied at once: they, and what they give, stay in L1 and L2 while the panels pass by. */
static inline int64_t bw_xnor_rows_at_once(int64_t words, size_t out_bytes) {
    int64_t rows = 65536 / (words * 8), out_rows = 131072 / (int64_t)out_bytes;
    rows = rows < out_rows || out_rows < 32 ? rows : out_rows;
    return rows < 4 ? 4 : rows > 256 ? 256 : rows & ~(int64_t)3;
}

#endif
