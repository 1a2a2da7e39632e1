/* Projections of 16 vectors of bytes at once, one a 32-bit lane, so that no stage of a transform crosses lanes.
 *
 * Numbers 4q .. 4q+3 of a vector are one lane's four bytes: a product with four int8 (vpdpbusd) takes the signs and the
 * first two stages of a Walsh-Hadamard transform together. What those stages make falls into four quarters, n modulo 4;
 * each goes through all its other stages, of both rounds, while it is in L1, and the last two stages of the second round
 * join the quarters again. Signs of the second round are complements, ~v = -v - 1: the caller's thresholds know it. */
#include <immintrin.h>
#include "project.h"

#define ALWAYS static inline __attribute__((always_inline))
typedef __m512i vec;

ALWAYS vec load(const int32_t *from) { return _mm512_load_si512(from); }
ALWAYS void store(int32_t *to, vec v) { _mm512_store_si512(to, v); }
ALWAYS vec every(const int32_t *number) { return _mm512_set1_epi32(*number); }

#define PAIR(a, b)                         \
    do {                                   \
        vec sum = _mm512_add_epi32(a, b);  \
        b = _mm512_sub_epi32(a, b);        \
        a = sum;                           \
    } while (0)

#define SIXTEEN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

/* Stages of 2^r registers, r = 1 .. 4. */
#define STAGES                                                                                       \
    if (r >= 1) { PAIR(v0, v1); PAIR(v2, v3); PAIR(v4, v5); PAIR(v6, v7);                            \
                  PAIR(v8, v9); PAIR(v10, v11); PAIR(v12, v13); PAIR(v14, v15); }                    \
    if (r >= 2) { PAIR(v0, v2); PAIR(v1, v3); PAIR(v4, v6); PAIR(v5, v7);                            \
                  PAIR(v8, v10); PAIR(v9, v11); PAIR(v12, v14); PAIR(v13, v15); }                    \
    if (r >= 3) { PAIR(v0, v4); PAIR(v1, v5); PAIR(v2, v6); PAIR(v3, v7);                            \
                  PAIR(v8, v12); PAIR(v9, v13); PAIR(v10, v14); PAIR(v11, v15); }                    \
    if (r >= 4) { PAIR(v0, v8); PAIR(v1, v9); PAIR(v2, v10); PAIR(v3, v11);                          \
                  PAIR(v4, v12); PAIR(v5, v13); PAIR(v6, v14); PAIR(v7, v15); }

/* What a pass reads: values, or products of bytes and the quarter's weights. */
typedef struct {
    const int32_t *x, *weights, *flip, *t;
    int32_t *v;
    uint16_t *planes; /* of 4 quarters: plane 4i + quarter */
} quarter;

/* One pass over 2^r values that lie `apart` from one another: [bytes in], stages, [signs, stages], [bits out]. */
ALWAYS void pass(const quarter *q, uint64_t i, uint64_t apart, int r, int in, int turn, int out) {
#define DECLARE(k) vec v##k = _mm512_setzero_si512();
#define LOAD(k)                                                                                                  \
    if (k < 1 << r)                                                                                              \
        v##k = in ? _mm512_dpbusd_epi32(_mm512_setzero_si512(), load(q->x + 16 * (i + k * apart)),               \
                                        every(q->weights + i + k * apart))                                       \
                  : load(q->v + 16 * (i + k * apart));
#define FLIP(k)                                                                                                  \
    if (k < 1 << r) v##k = _mm512_xor_si512(v##k, every(q->flip + i + k * apart));
#define STORE(k)                                                                                                 \
    if (k < 1 << r) store(q->v + 16 * (i + k * apart), v##k);
#define BITS(k)                                                                                                  \
    if (k < 1 << r)                                                                                              \
        q->planes[4 * (i + k * apart)] = (uint16_t)_mm512_cmpge_epi32_mask(v##k, every(q->t + 4 * (i + k * apart)));
    SIXTEEN(DECLARE)
    SIXTEEN(LOAD)
    STAGES
    if (turn) {
        SIXTEEN(FLIP)
        STAGES
    }
    if (out) {
        SIXTEEN(BITS)
    } else {
        SIXTEEN(STORE)
    }
#undef DECLARE
#undef LOAD
#undef FLIP
#undef STORE
#undef BITS
}

/* Passes over a whole quarter of `size` values; values of a pass lie `apart`, from bit log2(apart) on. */
ALWAYS void passes(const quarter *q, uint64_t size, uint64_t apart, int r, int in, int turn, int out) {
    for (uint64_t base = 0; base < size; base += apart << r)
        for (uint64_t i = base; i < base + apart; i++) pass(q, i, apart, r, in, turn, out);
}

#define BY_WIDTH(in, turn, out)                                          \
    do {                                                                 \
        if (r == 1) passes(q, size, apart, 1, in, turn, out);            \
        else if (r == 2) passes(q, size, apart, 2, in, turn, out);       \
        else if (r == 3) passes(q, size, apart, 3, in, turn, out);       \
        else passes(q, size, apart, 4, in, turn, out);                   \
    } while (0)

static __attribute__((noinline)) void bytes_in(const quarter *q, uint64_t size, uint64_t apart, int r) { BY_WIDTH(1, 0, 0); }
static __attribute__((noinline)) void middle(const quarter *q, uint64_t size, uint64_t apart, int r) { BY_WIDTH(0, 0, 0); }
static __attribute__((noinline)) void turn(const quarter *q, uint64_t size, uint64_t apart, int r) { BY_WIDTH(0, 1, 0); }
static __attribute__((noinline)) void bits_out(const quarter *q, uint64_t size, uint64_t apart, int r) { BY_WIDTH(0, 0, 1); }

/* The stages of a quarter in groups of up to four: at least two groups. */
static int groups_of(uint64_t size, uint64_t *apart, int *width) {
    int stages = __builtin_ctzll(size), n = stages > 8 ? 3 : 2, done = 0;
    for (int g = 0; g < n; g++) {
        width[g] = (stages - done + n - g - 1) / (n - g);
        apart[g] = (uint64_t)1 << done;
        done += width[g];
    }
    return n;
}

/* The last two stages of a second round, across the quarters, and the bits. */
static __attribute__((noinline)) void join(const int32_t *v, const int32_t *t, uint64_t size, uint16_t *planes) {
    for (uint64_t i = 0; i < size; i++, v += 16, t += 4, planes += 4) {
        vec a = load(v), b = load(v + 16 * size), c = load(v + 32 * size), d = load(v + 48 * size);
        PAIR(a, b);
        PAIR(c, d);
        PAIR(a, c);
        PAIR(b, d);
        planes[0] = (uint16_t)_mm512_cmpge_epi32_mask(a, every(t));
        planes[1] = (uint16_t)_mm512_cmpge_epi32_mask(b, every(t + 1));
        planes[2] = (uint16_t)_mm512_cmpge_epi32_mask(c, every(t + 2));
        planes[3] = (uint16_t)_mm512_cmpge_epi32_mask(d, every(t + 3));
    }
}

static void transforms(const bw_batch *b, const int32_t *x, int32_t *v, uint16_t *planes) {
    uint64_t apart[3];
    int width[3], n = groups_of(b->quads, apart, width);
    const int32_t *weights = b->weights, *flip = b->flip, *t = b->t;
    for (uint64_t first = 0; first < b->n_rows; first += b->size, t += b->size, planes += b->size) {
        for (uint64_t k = 0; k < 4; k++, weights += b->quads) {
            quarter q = {x, weights, flip, t + k, b->rounds == 2 ? v + 16 * k * b->quads : v, planes + k};
            bytes_in(&q, b->quads, apart[0], width[0]);
            for (int g = 1; g + 1 < n; g++) middle(&q, b->quads, apart[g], width[g]);
            if (b->rounds == 1) {
                bits_out(&q, b->quads, apart[n - 1], width[n - 1]);
                continue;
            }
            turn(&q, b->quads, apart[n - 1], width[n - 1]);
            for (int g = n - 1; g-- > 0;) middle(&q, b->quads, apart[g], width[g]);
            flip += b->quads;
        }
        if (b->rounds == 2) join(v, t, b->quads, planes);
    }
}

/* Two rows at a time, all bytes in registers. */
ALWAYS void matrix_rows(const bw_batch *b, const int32_t *x, uint16_t *planes, int quads) {
#define TAKE(k) const vec x##k = k < quads ? load(x + 16 * k) : _mm512_setzero_si512();
#define PRODUCT(k)                                                        \
    if (k < quads) {                                                      \
        s0 = _mm512_dpbusd_epi32(s0, x##k, every(w + k));                 \
        s1 = _mm512_dpbusd_epi32(s1, x##k, every(w + quads + k));         \
    }
    SIXTEEN(TAKE)
    const int32_t *w = b->weights, *t = b->t;
    for (uint64_t n = 0; n < b->n_rows; n += 2, w += 2 * quads) {
        vec s0 = _mm512_setzero_si512(), s1 = s0;
        SIXTEEN(PRODUCT)
        planes[n] = (uint16_t)_mm512_cmpge_epi32_mask(s0, every(t + n));
        planes[n + 1] = (uint16_t)_mm512_cmpge_epi32_mask(s1, every(t + n + 1));
    }
#undef TAKE
#undef PRODUCT
}

#define CASE(k) case k: matrix_rows(b, x, planes, k); break;

static void batch(const bw_batch *b, const int32_t *x, int32_t *v, uint16_t *planes) {
    if (b->size) {
        transforms(b, x, v, planes);
        return;
    }
    switch (b->quads) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
        CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16)
    }
}

/* 16 x 16 numbers of 32 bits at a time, turned over: at first pairs, then fours within 128 bits, then the parts of 128 bits. */
static void arrange(const uint8_t *rows, size_t stride, uint64_t quads, int32_t *x) {
    for (uint64_t at = 0; at < quads; at += 16, x += 256) {
        vec a[16], b[16];
        for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_si512(rows + (size_t)i * stride + 4 * at);
        for (int i = 0; i < 16; i += 2) {
            b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
            b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
        }
        for (int i = 0; i < 16; i += 4) { /* a[i + k]: number k of each 128 bits of rows i .. i + 3 */
            a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
            a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
            a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
            a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
        }
        for (int k = 0; k < 4; k++) {
            vec low02 = _mm512_shuffle_i32x4(a[k], a[4 + k], 0x88), low13 = _mm512_shuffle_i32x4(a[k], a[4 + k], 0xDD);
            vec high02 = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0x88), high13 = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0xDD);
            store(x + 16 * k, _mm512_shuffle_i32x4(low02, high02, 0x88));
            store(x + 16 * (k + 4), _mm512_shuffle_i32x4(low13, high13, 0x88));
            store(x + 16 * (k + 8), _mm512_shuffle_i32x4(low02, high02, 0xDD));
            store(x + 16 * (k + 12), _mm512_shuffle_i32x4(low13, high13, 0xDD));
        }
    }
}

/* 64 planes become a word of each lane: bytes of the lower and of the upper 8 lanes, and of these their top bits, one after another. */
static void unravel(const uint16_t *planes, uint64_t n_words, int lanes, uint8_t *out, size_t stride) {
    const vec bytes = _mm512_set1_epi16(255);
    const vec order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    for (uint64_t word = 0; word < n_words; word++, planes += 64, out += 8) {
        vec a = _mm512_loadu_si512(planes), b = _mm512_loadu_si512(planes + 32);
        vec half[2] = {_mm512_packus_epi16(_mm512_and_si512(a, bytes), _mm512_and_si512(b, bytes)),
                       _mm512_packus_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8))};
        for (int h = 0; h < 2 && 8 * h < lanes; h++) {
            vec v = _mm512_permutexvar_epi64(order, half[h]);
            for (int lane = 8 * h + 7; lane >= 8 * h; lane--, v = _mm512_add_epi8(v, v))
                if (lane < lanes) *(uint64_t *)(void *)(out + (size_t)lane * stride) = _cvtmask64_u64(_mm512_movepi8_mask(v));
        }
    }
}

extern const bw_batch_kernels bw_batch_avx512;
const bw_batch_kernels bw_batch_avx512 = {batch, arrange, unravel};
