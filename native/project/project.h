/* Rounds of random signs and Walsh-Hadamard transforms, down to bits. One table an instruction set; reference.c is the
 * specification. */
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

typedef struct {
    const char *name;
    uint64_t smallest; /* size */
    /* bit n of out is (row n of the transform >= t[n]); x has size values, v is scratch of as many. */
    void (*run32)(const bw_hadamard *h, const int32_t *x, int32_t *v, uint64_t *out);
    void (*run64)(const bw_hadamard *h, const int64_t *x, int64_t *v, uint64_t *out);
} bw_project_kernels;

const bw_project_kernels *bw_find_project_kernels(const char *isa); /* the reference where a set has none of its own */

#endif
