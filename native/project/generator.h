/* Rows of a seeded projection, straight from their counters (docs/program.md, the bit generator). */
#ifndef BW_PROJECT_GENERATOR_H
#define BW_PROJECT_GENERATOR_H

#include <stdint.h>

static inline uint64_t bw_mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint64_t bw_stream_key(uint64_t seed, uint64_t layer, uint64_t block) {
    return bw_mix(bw_mix(bw_mix(seed) + layer) + block);
}

static inline uint64_t bw_stream_word(uint64_t key, uint64_t i) { return bw_mix(key + (i + 1) * 0x9E3779B97F4A7C15u); }

static inline int bw_stream_sign(uint64_t key, uint64_t j) { return bw_stream_word(key, j / 64) >> j % 64 & 1 ? 1 : -1; }

static inline int8_t bw_gaussian_entry(uint64_t key, uint64_t i) {
    return (int8_t)(__builtin_popcountll(bw_stream_word(key, 2 * i)) - __builtin_popcountll(bw_stream_word(key, 2 * i + 1)));
}

/* Row n of p signs, one bit each, 1 for +1. */
static inline void bw_rademacher_row(uint64_t key, uint64_t n, uint64_t p, uint64_t *signs) {
    uint64_t n_words = (p + 63) / 64;
    for (uint64_t k = 0; k < n_words; k++) signs[k] = bw_stream_word(key, n * n_words + k);
    if (p % 64) signs[n_words - 1] &= ((uint64_t)1 << p % 64) - 1;
}

/* The unnormalised Walsh-Hadamard transform of v, size a power of two. */
static inline void bw_walsh_hadamard(int64_t *v, uint64_t size) {
    for (uint64_t half = 1; half < size; half *= 2)
        for (uint64_t j = 0; j < size; j++)
            if (!(j & half)) {
                int64_t a = v[j], b = v[j + half];
                v[j] = a + b;
                v[j + half] = a - b;
            }
}

#endif
