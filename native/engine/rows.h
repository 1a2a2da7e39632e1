/* Rows of values of any store: widening, narrowing, and bits. */
#ifndef BW_ROWS_H
#define BW_ROWS_H

#include <string.h>
#include "engine.h"

static inline void bw_widen(int64_t *restrict to, const void *from, bw_store store, size_t n) {
    if (store == BW_STORE_U8)
        for (size_t i = 0; i < n; i++) to[i] = ((const uint8_t *)from)[i];
    else if (store == BW_STORE_I32)
        for (size_t i = 0; i < n; i++) to[i] = ((const int32_t *)from)[i];
    else memcpy(to, from, n * sizeof *to);
}

static inline void bw_narrow(void *to, bw_store store, const int64_t *restrict from, size_t n) {
    if (store == BW_STORE_U8)
        for (size_t i = 0; i < n; i++) ((uint8_t *)to)[i] = (uint8_t)from[i];
    else if (store == BW_STORE_I32)
        for (size_t i = 0; i < n; i++) ((int32_t *)to)[i] = (int32_t)from[i];
    else memcpy(to, from, n * sizeof *from);
}

static inline size_t bw_store_size(bw_store store) { return store == BW_STORE_U8 ? 1 : store == BW_STORE_I64 ? 8 : 4; }

static inline int64_t bw_get_int(const void *from, bw_store store, uint64_t i) {
    return store == BW_STORE_U8    ? ((const uint8_t *)from)[i]
           : store == BW_STORE_I32 ? ((const int32_t *)from)[i]
                                   : ((const int64_t *)from)[i];
}

static inline uint64_t bw_get_bit(const void *words, uint64_t i) {
    return ((const uint64_t *)words)[i >> 6] >> (i & 63) & 1;
}

static inline void bw_set_bit(void *words, uint64_t i, uint64_t bit) { ((uint64_t *)words)[i >> 6] |= bit << (i & 63); }

/* A word from up to 64 bytes of 0 and 1; in the multiplication each byte's bit meets its place in the top byte. */
static inline uint64_t bw_word_of(const uint8_t *bytes, size_t n) {
    uint64_t word = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t eight;
        memcpy(&eight, bytes + i, 8);
        word |= (eight * 0x0102040810204080u >> 56) << i;
    }
    for (; i < n; i++) word |= (uint64_t)bytes[i] << i;
    return word;
}

/* Puts n bits of `from` behind the first `at` bits of `to`, whose further bits are 0. */
static inline void bw_append_bits(uint64_t *to, uint64_t at, const uint64_t *from, uint64_t n) {
    unsigned shift = at & 63;
    to += at >> 6;
    uint64_t n_words = (n + 63) / 64;
    for (uint64_t k = 0; k < n_words; k++) {
        uint64_t left = n - 64 * k, word = left >= 64 ? from[k] : from[k] & (((uint64_t)1 << left) - 1);
        to[k] |= word << shift;
        if (shift && left + shift > 64) to[k + 1] |= word >> (64 - shift);
    }
}

/* Copies n values of one store (not bits) to another that holds them. */
static inline void bw_copy_values(void *to, bw_store to_store, const void *from, bw_store from_store, size_t n) {
    if (to_store == from_store) {
        memcpy(to, from, n * bw_store_size(to_store));
        return;
    }
    int64_t tile[256];
    for (size_t i = 0; i < n; i += 256) {
        size_t m = n - i < 256 ? n - i : 256;
        bw_widen(tile, (const uint8_t *)from + i * bw_store_size(from_store), from_store, m);
        bw_narrow((uint8_t *)to + i * bw_store_size(to_store), to_store, tile, m);
    }
}

#endif
