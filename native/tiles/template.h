/* The loops of tiles.h; the including file names its instruction set: #define ISA avx2. */
#include "tiles.h"

static void widen_u8(int64_t *restrict to, const uint8_t *restrict from, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = from[i];
}

static void widen_i32(int64_t *restrict to, const int32_t *restrict from, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = from[i];
}

static void narrow_i32(int32_t *restrict to, const int64_t *restrict from, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = (int32_t)from[i];
}

static void affine(int64_t *restrict x, const int64_t *restrict mul, const int64_t *restrict add,
                   const int64_t *restrict shift, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (x[i] * mul[i] + add[i]) >> shift[i];
}

static void prelu(int64_t *restrict x, const int64_t *restrict pos, const int64_t *restrict neg,
                  const int64_t *restrict add, const int64_t *restrict shift, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t slope = x[i] >= 0 ? pos[i] : neg[i];
        x[i] = (x[i] * slope + add[i]) >> shift[i];
    }
}

static void clip(int64_t *restrict x, int64_t lo, int64_t hi, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t low = x[i] < lo ? lo : x[i];
        x[i] = low > hi ? hi : low;
    }
}

static void add(int64_t *restrict x, const int64_t *restrict y, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] += y[i];
}

static void apply(const bw_tile_rule *rule, size_t at, size_t n, int64_t *x, const int64_t *y) {
    switch (rule->kind) {
    case BW_TILE_AFFINE: affine(x, rule->mul + at, rule->add + at, rule->shift + at, n); break;
    case BW_TILE_PRELU: prelu(x, rule->mul + at, rule->neg + at, rule->add + at, rule->shift + at, n); break;
    case BW_TILE_CLIP: clip(x, rule->lo, rule->hi, n); break;
    case BW_TILE_ADD: add(x, y, n); break;
    case BW_TILE_ADD_CONSTANT: add(x, rule->add + at, n); break;
    }
}

static void compare(uint8_t *restrict to, const int32_t *restrict x, const int32_t *restrict t, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = x[i] >= t[i];
}

static void max(int32_t *restrict most, const int32_t *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) most[i] = x[i] > most[i] ? x[i] : most[i];
}

#define TABLE_NAME_(isa) bw_tiles_##isa
#define TABLE_NAME(isa) TABLE_NAME_(isa)
#define TEXT_(isa) #isa
#define TEXT(isa) TEXT_(isa)
extern const bw_tiles TABLE_NAME(ISA);
const bw_tiles TABLE_NAME(ISA) = {TEXT(ISA), widen_u8, widen_i32, narrow_i32, apply, compare, max};
