/* Planes of WIDTH bytes; the including file names its instruction set: #define ISA avx2, #define WIDTH 32. May be
 * included several times, once a width. */
#include <string.h>
#include "logic.h"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define GLUE_(name, isa, width) name##_##isa##_##width
#define GLUE(name, isa, width) GLUE_(name, isa, width)
#define NAME(name) GLUE(bw_planes_##name, ISA, WIDTH)
#define V NAME(vector)
enum { NAME(words) = WIDTH / 8 };

#if WIDTH == 8
typedef uint64_t V __attribute__((may_alias));
#else
typedef uint64_t V __attribute__((vector_size(WIDTH), may_alias));
#endif

#define EACH_GATE(n_inputs, value)                   \
    _Pragma("GCC unroll 4") for (size_t i = 0; i < n; i++, at += n_inputs) { \
        const V a = A[at[0]], b = B[at[1]];          \
        to[i] = value;                               \
    }                                                \
    break

#define DEFINE_GATES(name, number)                                                                                  \
    static void name(const bw_net *net, const void *source, void *slots) {                                          \
        const V *const bases[2] = {slots, source};                                                                  \
        const number *at = net->index;                                                                              \
        const bw_run_of_gates *run = net->runs, *end = run + net->n_runs;                                           \
        for (; run < end; run++) {                                                                                  \
            const V *A = bases[run->base[0]], *B = bases[run->base[1]], *C = bases[run->base[2]];                   \
            V *to = (V *)slots + run->to;                                                                           \
            const size_t n = run->n;                                                                                \
            switch (run->kind) {                                                                                    \
            case BW_GATE_AND: EACH_GATE(2, a & b);                                                                  \
            case BW_GATE_AND_NOT: EACH_GATE(2, a & ~b);                                                             \
            case BW_GATE_OR: EACH_GATE(2, a | b);                                                                   \
            case BW_GATE_XOR: EACH_GATE(2, a ^ b);                                                                  \
            case BW_GATE_MUX: EACH_GATE(3, C[at[2]] ^ (a & (b ^ C[at[2]])));                                        \
            case BW_GATE_MUX_NOT: EACH_GATE(3, C[at[2]] ^ (a & ~(b ^ C[at[2]])));                                   \
            }                                                                                                       \
        }                                                                                                           \
    }

DEFINE_GATES(NAME(gates_narrow), uint16_t)
DEFINE_GATES(NAME(gates_wide), uint32_t)
#undef DEFINE_GATES
#undef EACH_GATE

static void NAME(gates)(const bw_net *net, const void *source, void *slots) {
    if (net->wide) NAME(gates_wide)(net, source, slots);
    else NAME(gates_narrow)(net, source, slots);
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

static void NAME(add_up)(void *sum, const bw_signal *signals, size_t n, const void *source, const void *slots) {
    const V zero = {0};
    const V *const bases[3] = {slots, source, &zero};
    V *to = sum, one = zero, two = zero, four = zero, eight = zero;
    size_t i = 0, n_planes = 4;
    while (n >> n_planes) n_planes++;
    for (size_t k = 0; k < n_planes; k++) to[k] = zero;
    for (; i + 16 <= n; i += 16) {
        V fours[2], eights[2];
#pragma GCC unroll 2
        for (size_t half = 0; half < 2; half++) {
#pragma GCC unroll 2
            for (size_t quarter = 0; quarter < 2; quarter++) {
                const bw_signal *s = signals + i + 8 * half + 4 * quarter;
                const V a = NAME(full_add)(&one, NAME(of)(s, bases), NAME(of)(s + 1, bases));
                const V b = NAME(full_add)(&one, NAME(of)(s + 2, bases), NAME(of)(s + 3, bases));
                fours[quarter] = NAME(full_add)(&two, a, b);
            }
            eights[half] = NAME(full_add)(&four, fours[0], fours[1]);
        }
        NAME(ripple)(to, 4, n_planes, NAME(full_add)(&eight, eights[0], eights[1]));
    }
    to[0] = one;
    to[1] = two;
    to[2] = four;
    to[3] = eight;
    for (; i < n; i++) NAME(ripple)(to, 0, n_planes, NAME(of)(signals + i, bases));
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
    uint8_t tail[64] = {0};
    for (size_t s = 0; s < n; s++, x += x_stride) {
        uint64_t *word = (uint64_t *)((uint8_t *)to + s % 64 * WIDTH) + s / 64;
        for (size_t b = 0; b < whole; b++, word += block_stride / 8)
            *word = NAME(compare64)(x + 64 * b, t + 64 * b);
        if (!rest) continue;
        memcpy(tail, x + 64 * whole, rest);
        *word = NAME(compare64)(tail, t + 64 * whole);
    }
}

extern const bw_lanes NAME(lanes);
const bw_lanes NAME(lanes) = {WIDTH,         NAME(gates),     NAME(copy),   NAME(spread), NAME(take_in), NAME(fill),
                              NAME(transpose), NAME(add_up), NAME(compare)};

#undef V
#undef NAME
#undef GLUE
#undef GLUE_
