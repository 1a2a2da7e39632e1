/* Kernels of `project`: rounds of random signs and Walsh-Hadamard transforms, down to bits, one vector at a time; and
 * projections of 16 vectors of bytes at once. One table an instruction set; reference.c is the specification. */
#ifndef BW_PROJECT_H
#define BW_PROJECT_H

#include <stddef.h>
#include <stdint.h>

/* Blocks of `size` rows one after another; size is a power of two, 64 or more for the vector kernels. */
typedef struct {
    uint64_t size, n_blocks, n_words; /* words of n_out bits; rows behind them have the largest threshold */
    int rounds, shift;
    const int32_t *flip; /* [block][round][size]: -1 where the sign is -1, else 0 */
    const void *t;       /* [n_blocks * size] thresholds, int32_t or int64_t as the values are */
} bw_hadamard;

/* The same for BW_BATCH vectors of bytes side by side, one a lane. x: [quads][lanes][4 bytes], numbers 4q .. 4q+3; quads
 * a power of two for transforms, x itself a multiple of 16 quads. Bit l of planes[n] is (row n of vector l >= t[n]).
 * A matrix: n_rows (even) of 4 * quads int8, quads up to 16. Else blocks of 1 or 2 rounds of transforms of `size` =
 * 4 * quads, 64 to 16,384: the first signs and the first two stages are products with four bytes, those of rows
 * n = k modulo 4 in weights[block][k][quad]. Signs of the second round are complements, -v - 1: t holds the rest. */
enum { BW_BATCH = 16 };
typedef struct {
    uint64_t quads, n_rows, size; /* size 0: a matrix */
    int rounds;
    const int32_t *weights; /* four int8 each; [n_rows][quads] or [block][4][quads] */
    const int32_t *flip;    /* of the second round, [block][4][quads] as weights: -1 or 0 */
    const int32_t *t;       /* [n_rows] */
} bw_batch;

typedef struct {
    void (*run)(const bw_batch *b, const int32_t *x, int32_t *v, uint16_t *planes); /* v: [size][lanes] */
    void (*arrange)(const uint8_t *rows, size_t stride, uint64_t quads, int32_t *x); /* rows of whole 64 bytes */
    /* n_words of each of the first `lanes` vectors, to rows stride bytes apart. */
    void (*unravel)(const uint16_t *planes, uint64_t n_words, int lanes, uint8_t *out, size_t stride);
} bw_batch_kernels;

typedef struct {
    const char *name;
    uint64_t smallest; /* size */
    /* bit n of out is (row n of the transform >= t[n]); x has size values, v is scratch of as many. */
    void (*run32)(const bw_hadamard *h, const int32_t *x, int32_t *v, uint64_t *out);
    void (*run64)(const bw_hadamard *h, const int64_t *x, int64_t *v, uint64_t *out);
} bw_project_kernels;

const bw_project_kernels *bw_find_project_kernels(const char *isa); /* the reference where a set has none of its own */
const bw_batch_kernels *bw_find_batch_kernels(const char *isa);     /* NULL where a set has none */

#endif
