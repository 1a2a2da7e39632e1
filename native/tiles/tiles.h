/* Elementwise rules on tiles of int64, so that no intermediate can overflow. Plain loops, compiled once an instruction
 * set: template.h is included by reference.c, avx2.c, ... and the compiler does the rest. */
#ifndef BW_TILES_H
#define BW_TILES_H

#include <stddef.h>
#include <stdint.h>

enum { BW_TILE = 256 };
typedef enum { BW_TILE_AFFINE, BW_TILE_PRELU, BW_TILE_CLIP, BW_TILE_ADD, BW_TILE_ADD_CONSTANT } bw_tile_kind;

/* Constants of BW_TILE or more places each; mul is the slope of x >= 0 and neg that of x < 0. */
typedef struct {
    bw_tile_kind kind;
    int64_t *mul, *neg, *add, *shift;
    int64_t lo, hi;
} bw_tile_rule;

typedef struct {
    const char *name;
    void (*widen_u8)(int64_t *to, const uint8_t *from, size_t n);
    void (*widen_i32)(int64_t *to, const int32_t *from, size_t n);
    void (*narrow_i32)(int32_t *to, const int64_t *from, size_t n);
    /* x[i] becomes the rule's value with the constants at at + i; y is the second value of BW_TILE_ADD. */
    void (*apply)(const bw_tile_rule *rule, size_t at, size_t n, int64_t *x, const int64_t *y);
    /* One byte of 0 or 1 a value: x[i] >= t[i]. */
    void (*compare)(uint8_t *to, const int32_t *x, const int32_t *t, size_t n);
    void (*max)(int32_t *most, const int32_t *x, size_t n);
} bw_tiles;

const bw_tiles *bw_find_tiles(const char *isa); /* the plain ones where an instruction set has none of its own */

#endif
