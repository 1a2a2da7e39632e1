/* Planes of WIDTH bytes; the including file names its instruction set: #define ISA avx2, #define WIDTH 32. May be
 * included several times, once a width. */
#include <string.h>
#include "logic.h"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define BW_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#define GLUE_(name, isa, width) name##_##isa##_##width
#define GLUE(name, isa, width) GLUE_(name, isa, width)
#define NAME(name) GLUE(bw_planes_##name, ISA, WIDTH)
#define V NAME(vector)
#if WIDTH == 8
typedef uint64_t V __attribute__((may_alias));
#else
typedef uint64_t V __attribute__((vector_size(WIDTH), may_alias));
#endif

/* sum and two more bits of the same weight -> sum, and what goes to the next weight. */
static inline V NAME(full_add)(V *sum, V a, V b) {
    const V both = *sum ^ a, carry = (*sum & a) | (both & b);
    *sum = both ^ b;
    return carry;
}

static inline void NAME(ripple)(V *sum, size_t from, size_t to, V carry) {
    for (size_t k = from; k < to; k++) {
        const V next = sum[k] & carry;
        sum[k] ^= carry;
        carry = next;
    }
}

/* Four gates at a time, their numbers at fixed distances: fewest instructions. Loads are what limits: four numbers of
 * 16 bits come as one word. */
#define ONE_GATE(i, n_inputs, value)                                      \
    {                                                                     \
        const V a = A[at[(i) * n_inputs]], b = B[at[(i) * n_inputs + 1]]; \
        to[i] = value(a, b, C[at[(i) * n_inputs + n_inputs - 1]]);        \
    }
#define TWO_GATES(i, value)                                       \
    {                                                             \
        uint64_t word;                                            \
        memcpy(&word, at + 2 * (i), 8);                           \
        const V a = A[word & 0xffff], b = B[word >> 16 & 0xffff]; \
        to[i] = value(a, b, a);                                   \
        const V c = A[word >> 32 & 0xffff], d = B[word >> 48];    \
        to[i + 1] = value(c, d, c);                               \
    }
#define EACH_GATE(n_inputs, value)                                          \
    for (; left >= 4; left -= 4, at += 4 * n_inputs, to += 4) {             \
        if (n_inputs == 2 && sizeof *at == 2 && BW_LITTLE_ENDIAN) {         \
            TWO_GATES(0, value)                                             \
            TWO_GATES(2, value)                                             \
        } else {                                                            \
            ONE_GATE(0, n_inputs, value)                                    \
            ONE_GATE(1, n_inputs, value)                                    \
            ONE_GATE(2, n_inputs, value)                                    \
            ONE_GATE(3, n_inputs, value)                                    \
        }                                                                   \
    }                                                                       \
    for (; left; left--, at += n_inputs, to++) ONE_GATE(0, n_inputs, value) \
    break
#define IS_AND(a, b, c) a & b
#define IS_AND_NOT(a, b, c) a & ~b
#define IS_OR(a, b, c) a | b
#define IS_XOR(a, b, c) a ^ b
#define IS_MUX(a, b, c) (a & b) | (~a & c)
#define IS_MUX_NOT(a, b, c) (a & ~b) | (~a & c)

/* Carry-save adders: sixteen signals become one carry of weight 16; the rest by two and by one. */
#define DEFINE_COUNT(name, number)                                                             \
    static void name(V *sum, size_t n_planes, const V *x, const number *at, size_t n) {        \
        size_t i = 0;                                                                          \
        if (n >= 16) {                                                                         \
            V one = sum[0], two = sum[1], four = sum[2], eight = sum[3];                       \
            for (; i + 16 <= n; i += 16, at += 16) {                                           \
                V fours[2], eights[2];                                                         \
                _Pragma("GCC unroll 2") for (size_t half = 0; half < 2; half++) {              \
                    _Pragma("GCC unroll 2") for (size_t quarter = 0; quarter < 2; quarter++) { \
                        const number *s = at + 8 * half + 4 * quarter;                         \
                        const V a = NAME(full_add)(&one, x[s[0]], x[s[1]]);                    \
                        const V b = NAME(full_add)(&one, x[s[2]], x[s[3]]);                    \
                        fours[quarter] = NAME(full_add)(&two, a, b);                           \
                    }                                                                          \
                    eights[half] = NAME(full_add)(&four, fours[0], fours[1]);                  \
                }                                                                              \
                NAME(ripple)(sum, 4, n_planes, NAME(full_add)(&eight, eights[0], eights[1]));  \
            }                                                                                  \
            sum[0] = one;                                                                      \
            sum[1] = two;                                                                      \
            sum[2] = four;                                                                     \
            sum[3] = eight;                                                                    \
        }                                                                                      \
        for (; i + 2 <= n; i += 2, at += 2) {                                                  \
            V one = sum[0];                                                                    \
            const V carry = NAME(full_add)(&one, x[at[0]], x[at[1]]);                          \
            sum[0] = one;                                                                      \
            NAME(ripple)(sum, 1, n_planes, carry);                                             \
        }                                                                                      \
        if (i < n) NAME(ripple)(sum, 0, n_planes, x[at[0]]);                                   \
    }

DEFINE_COUNT(NAME(count_narrow), uint16_t)
DEFINE_COUNT(NAME(count_wide), uint32_t)
#undef DEFINE_COUNT

#define DEFINE_GATES(name, number, count)                                                                              \
    static void name(const bw_net *net, const void *source, void *slots, const uint8_t *ahead, size_t n_ahead) {       \
        const V *const bases[2] = {slots, source};                                                                     \
        const number *at = net->index;                                                                                 \
        const bw_run_of_gates *run = net->runs, *end = run + net->n_runs;                                              \
        const bw_run_of_gates *fetch_from = run + net->n_runs / 2; /* what the first half reads would be in its way */ \
        const uint8_t *ahead_end = ahead + n_ahead;                                                                    \
        const size_t step = (n_ahead / 64 / (net->n_runs / 2 + 1) + 1) * 64;                                           \
        for (; run < end; run++) {                                                                                     \
            if (run >= fetch_from)                                                                                     \
                for (const uint8_t *stop = ahead + step; ahead < ahead_end && ahead < stop; ahead += 64)               \
                    __builtin_prefetch(ahead, 0, 2);                                                                   \
            const V *A = bases[run->base[0]], *B = bases[run->base[1] & 1], *C = bases[run->base[2]];                  \
            V *to = (V *)slots + run->to;                                                                              \
            size_t left = run->n;                                                                                      \
            switch (run->kind) {                                                                                       \
            case BW_GATE_AND: EACH_GATE(2, IS_AND);                                                                    \
            case BW_GATE_AND_NOT: EACH_GATE(2, IS_AND_NOT);                                                            \
            case BW_GATE_OR: EACH_GATE(2, IS_OR);                                                                      \
            case BW_GATE_XOR: EACH_GATE(2, IS_XOR);                                                                    \
            case BW_GATE_MUX: EACH_GATE(3, IS_MUX);                                                                    \
            case BW_GATE_MUX_NOT: EACH_GATE(3, IS_MUX_NOT);                                                            \
            case BW_GATE_CLEAR: memset(to, 0, left * sizeof(V)); break;                                                \
            case BW_GATE_COUNT:                                                                                        \
                count(to, run->base[1], A, at, left);                                                                  \
                at += left;                                                                                            \
                break;                                                                                                 \
            }                                                                                                          \
        }                                                                                                              \
    }

DEFINE_GATES(NAME(gates_narrow), uint16_t, NAME(count_narrow))
DEFINE_GATES(NAME(gates_wide), uint32_t, NAME(count_wide))
#undef DEFINE_GATES
#undef EACH_GATE
#undef ONE_GATE
#undef TWO_GATES
#undef IS_AND
#undef IS_AND_NOT
#undef IS_OR
#undef IS_XOR
#undef IS_MUX
#undef IS_MUX_NOT

static void NAME(gates)(const bw_net *net, const void *source, void *slots, const uint8_t *ahead, size_t n_ahead) {
    if (net->wide) NAME(gates_wide)(net, source, slots, ahead, n_ahead);
    else NAME(gates_narrow)(net, source, slots, ahead, n_ahead);
}

static inline V NAME(all)(bool bit) { return (V){0} - (uint64_t)bit; }

static inline V NAME(of)(const bw_signal *s, const V *const *bases) {
    return bases[s->base][s->index] ^ NAME(all)(s->invert);
}

static void NAME(copy)(void *to, size_t to_step, const bw_signal *signals, size_t n, const void *source,
                       const void *slots, bool take_in) {
    const V zero = {0};
    const V *const bases[3] = {slots, source, &zero};
    V *out = to;
    if (take_in)
        for (size_t i = 0; i < n; i++, out += to_step) *out |= NAME(of)(signals + i, bases);
    else
        for (size_t i = 0; i < n; i++, out += to_step) *out = NAME(of)(signals + i, bases);
}

static void NAME(spread)(void *to, const void *rows, size_t n, const uint32_t *at, const uint8_t *rule) {
    for (size_t i = 0; i < n; i++)
        ((V *)to)[at[i]] =
            (((const V *)rows)[i] & NAME(all)(!(rule[i] & BW_PLANE_ZERO))) ^ NAME(all)(rule[i] & BW_PLANE_FLIP);
}

static void NAME(take_in)(void *to, const void *from) { *(V *)to |= *(const V *)from; }

static void NAME(fill)(void *to, bool bit, size_t n_planes) { memset(to, bit ? 255 : 0, n_planes * WIDTH); }

/* Three stages of swapping halves, of 4, 2 and 1 rows among the 8 rows `step` apart, and as many `step`s of bits. */
static inline void NAME(eight)(V *rows, size_t step) {
    static const uint64_t low[6] = {0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f,
                                    0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};
    V x[8];
    const int first = step == 8 ? 5 : 2;
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) x[i] = rows[i * step];
#pragma GCC unroll 3
    for (int stage = 0; stage < 3; stage++) {
        const size_t apart = (size_t)4 >> stage;
        const uint64_t shift = apart * step, mask = low[first - stage];
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            if (!(i & apart)) {
                const V swap = (x[i] >> shift ^ x[i + apart]) & mask;
                x[i + apart] ^= swap;
                x[i] ^= swap << shift;
            }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) rows[i * step] = x[i];
}

static void NAME(transpose)(void *rows) {
    for (size_t i = 0; i < 8; i++) NAME(eight)((V *)rows + i, 8);
    for (size_t i = 0; i < 8; i++) NAME(eight)((V *)rows + 8 * i, 1);
}

static inline uint64_t NAME(compare64)(const uint8_t *x, const uint8_t *t) {
#if defined(__AVX512BW__)
    return _mm512_cmpge_epu8_mask(_mm512_loadu_si512(x), _mm512_loadu_si512(t));
#elif defined(__AVX2__)
    uint64_t word = 0;
    for (int half = 0; half < 2; half++) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)x + half);
        const __m256i w = _mm256_loadu_si256((const __m256i *)t + half);
        word |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, w), v)) << 32 * half;
    }
    return word;
#else
    uint64_t word = 0;
    for (int j = 0; j < 64; j++) word |= (uint64_t)(x[j] >= t[j]) << j;
    return word;
#endif
}

static void NAME(compare)(void *to, size_t block_stride, const uint8_t *x, size_t x_stride, size_t n, const uint8_t *t,
                          size_t n_bytes) {
    const size_t whole = n_bytes / 64, rest = n_bytes % 64;
#if defined(__AVX512BW__)
    const __mmask64 some = ((uint64_t)1 << rest) - 1;
#else
    uint8_t tail[64] = {0};
#endif
    for (size_t r = 0; r < 64; r++) /* whole rows at a time: of all samples whose words stand in one plane */
        for (size_t s = r; s < n; s += 64) {
            const uint8_t *from = x + s * x_stride;
            uint64_t *word = (uint64_t *)((uint8_t *)to + r * WIDTH) + s / 64;
            for (size_t b = 0; b < whole; b++, word += block_stride / 8)
                *word = NAME(compare64)(from + 64 * b, t + 64 * b);
            if (!rest) continue;
#if defined(__AVX512BW__)
            *word = _mm512_mask_cmpge_epu8_mask(some, _mm512_maskz_loadu_epi8(some, from + 64 * whole),
                                                _mm512_loadu_si512(t + 64 * whole));
#else
            memcpy(tail, from + 64 * whole, rest);
            *word = NAME(compare64)(tail, t + 64 * whole);
#endif
        }
}

extern const bw_lanes NAME(lanes);
const bw_lanes NAME(lanes) = {WIDTH,         NAME(gates),     NAME(copy),      NAME(spread), NAME(take_in),
                              NAME(fill),    NAME(transpose), NAME(compare)};

#undef V
#undef NAME
#undef GLUE
#undef GLUE_
#undef BW_LITTLE_ENDIAN
