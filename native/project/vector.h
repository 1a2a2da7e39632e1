/* The transform on registers of LANES int32, for files that define LANES, vec, SWAP and LANES_WITH or STAGE itself, and
 * uint32_t at_least(vec x, const int32_t *t), the bits x[i] >= t[i].
 *
 * First the stages inside a register, together with signs (lane i meets lane i ^ h); then eight registers at a time, three
 * stages in one pass over memory; the last one or two stages where they do not come out even. */
#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS vec load(const int32_t *from) {
    vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

ALWAYS void store(int32_t *to, vec v) { memcpy(to, &v, sizeof v); }

/* One stage inside registers: lane i becomes x[i ^ h] + x[i], minus where i has the bit h. */
#ifndef STAGE
#define STAGE(v, h)                                                                    \
    do {                                                                               \
        vec other = SWAP(v, h), minus = LANES_WITH(h);                                 \
        v = other + ((v ^ minus) - minus);                                             \
    } while (0)
#endif

ALWAYS vec in_register(vec v) {
    STAGE(v, 1);
    STAGE(v, 2);
    STAGE(v, 4);
#if LANES == 16
    STAGE(v, 8);
#endif
    return v;
}

#define PAIR(a, b)                                                                     \
    do {                                                                               \
        vec sum = a + b;                                                               \
        b = a - b;                                                                     \
        a = sum;                                                                       \
    } while (0)

/* Stages half, 2*half, 4*half. */
ALWAYS void eight(int32_t *v, uint64_t half) {
    vec a = load(v), b = load(v + half), c = load(v + 2 * half), d = load(v + 3 * half), e = load(v + 4 * half),
        f = load(v + 5 * half), g = load(v + 6 * half), h = load(v + 7 * half);
    PAIR(a, b); PAIR(c, d); PAIR(e, f); PAIR(g, h);
    PAIR(a, c); PAIR(b, d); PAIR(e, g); PAIR(f, h);
    PAIR(a, e); PAIR(b, f); PAIR(c, g); PAIR(d, h);
    store(v, a), store(v + half, b), store(v + 2 * half, c), store(v + 3 * half, d);
    store(v + 4 * half, e), store(v + 5 * half, f), store(v + 6 * half, g), store(v + 7 * half, h);
}

ALWAYS void two(int32_t *v, uint64_t half) {
    vec a = load(v), b = load(v + half);
    PAIR(a, b);
    store(v, a), store(v + half, b);
}

static void run32(const bw_hadamard *h, const int32_t *restrict x, int32_t *restrict v, uint64_t *restrict out) {
    const int32_t *t = h->t, *flip = h->flip;
    const uint64_t size = h->size;
    for (uint64_t block = 0; block < h->n_blocks; block++, t += size) {
        for (int round = 0; round < h->rounds; round++, flip += size) {
            const int32_t *from = round ? v : x;
            const int shift = round ? h->shift : 0;
            for (uint64_t j = 0; j < size; j += LANES) {
                vec minus = load(flip + j);
                store(v + j, in_register(((load(from + j) >> shift) ^ minus) - minus));
            }
            uint64_t half = LANES;
            for (; 4 * half < size; half *= 8)
                for (uint64_t i = 0; i < size; i += 8 * half)
                    for (uint64_t j = i; j < i + half; j += LANES) eight(v + j, half);
            for (; half < size; half *= 2)
                for (uint64_t i = 0; i < size; i += 2 * half)
                    for (uint64_t j = i; j < i + half; j += LANES) two(v + j, half);
        }
        for (uint64_t j = 0, word = block * (size / 64); j < size && word < h->n_words; j += 64, word++) {
            uint64_t bits = 0;
            for (int lane = 0; lane < 64; lane += LANES)
                bits |= (uint64_t)at_least(load(v + j + lane), t + j + lane) << lane;
            out[word] = bits;
        }
    }
}

#define T int64_t
#define NAME run64
#include "plain.h"
