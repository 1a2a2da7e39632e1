/* Rows of seeded projections: as matrices when a Program is planned, or made as they come. */
#include <stdlib.h>
#include "../project/generator.h"
#include "projection.h"

static inline int64_t value_at(const void *row, bw_store store, uint64_t j) {
    return store == BW_STORE_BITS ? 2 * (int64_t)bw_get_bit(row, j) - 1 : bw_get_int(row, store, j);
}

void bw_projection_run_rademacher(const bw_projection *d, const bw_vectors *v) {
    uint64_t key = bw_stream_key(d->seed, d->layer, 0);
    uint64_t *signs = (uint64_t *)v->scratch;
    memset(v->to, 0, v->n * v->to_bytes);
    for (uint64_t n = 0; n < d->n_out; n++) {
        const uint8_t *from = v->from;
        bw_rademacher_row(key, n, d->p, signs);
        for (uint64_t r = 0; r < v->n; r++, from += v->from_bytes) {
            int64_t sum = 0;
            for (uint64_t j = 0; j < d->p; j++)
                sum += bw_get_bit(signs, j) ? value_at(from, d->store, j) : -value_at(from, d->store, j);
            bw_set_bit(v->to + r * v->to_bytes, n, sum >= d->t[n]);
        }
    }
}

void bw_projection_run_gaussian(const bw_projection *d, const bw_vectors *v) {
    uint64_t key = bw_stream_key(d->seed, d->layer, 0);
    int8_t *weights = (int8_t *)v->scratch;
    memset(v->to, 0, v->n * v->to_bytes);
    for (uint64_t n = 0; n < d->n_out; n++) {
        const uint8_t *from = v->from;
        for (uint64_t j = 0; j < d->p; j++) weights[j] = bw_gaussian_entry(key, n * d->p + j);
        for (uint64_t r = 0; r < v->n; r++, from += v->from_bytes) {
            int64_t sum = 0;
            for (uint64_t j = 0; j < d->p; j++) sum += weights[j] * value_at(from, d->store, j);
            bw_set_bit(v->to + r * v->to_bytes, n, sum >= d->t[n]);
        }
    }
}

/* Row n of a transform of linear rounds: what it makes of each unit vector, by the transposed rounds. */
static void hadamard_row(const bw_projection *d, uint64_t n, int64_t *v) {
    uint64_t block = n / d->size;
    memset(v, 0, d->size * sizeof *v);
    v[n % d->size] = 1;
    for (uint64_t round = d->rounds; round-- > 0;) {
        bw_walsh_hadamard(v, d->size);
        uint64_t key = bw_stream_key(d->seed, d->layer, block * d->rounds + round);
        for (uint64_t j = 0; j < d->size; j++) v[j] *= bw_stream_sign(key, j);
    }
}

void *bw_projection_matrix(const bw_projection *d) {
    uint64_t key = bw_stream_key(d->seed, d->layer, 0), n_words = bw_words((int64_t)d->p);
    if (d->kind == BW_KIND_RADEMACHER) {
        uint64_t *signs = malloc(d->n_out * n_words * 8);
        for (uint64_t n = 0; signs && n < d->n_out; n++) bw_rademacher_row(key, n, d->p, signs + n * n_words);
        return signs;
    }
    int8_t *matrix = malloc(d->n_out * d->p);
    if (matrix && d->kind == BW_KIND_GAUSSIAN)
        for (uint64_t i = 0; i < d->n_out * d->p; i++) matrix[i] = bw_gaussian_entry(key, i);
    int64_t *v = d->kind == BW_KIND_HADAMARD ? malloc(d->size * sizeof *v) : NULL;
    bool fits = d->kind != BW_KIND_HADAMARD || v;
    for (uint64_t n = 0; matrix && v && fits && n < d->n_out; n++) {
        hadamard_row(d, n, v);
        for (uint64_t j = 0; j < d->p; j++) {
            fits = fits && v[j] >= -127 && v[j] <= 127;
            matrix[n * d->p + j] = (int8_t)v[j];
        }
    }
    free(v);
    if (fits) return matrix;
    free(matrix);
    return NULL;
}

static void hadamard_sums(const bw_projection *d, int64_t *v, int64_t *sums) {
    for (uint64_t block = 0; block * d->size < d->n_out; block++) {
        for (uint64_t j = 0; j < d->size; j++) v[j] = j < d->p;
        for (uint64_t round = 0; round < d->rounds; round++) {
            uint64_t key = bw_stream_key(d->seed, d->layer, block * d->rounds + round);
            for (uint64_t j = 0; j < d->size; j++) v[j] *= bw_stream_sign(key, j);
            bw_walsh_hadamard(v, d->size);
        }
        for (uint64_t j = 0; j < d->size && block * d->size + j < d->n_out; j++) sums[block * d->size + j] = v[j];
    }
}

bool bw_projection_sums(const bw_projection *d, int64_t *sums) {
    if (d->kind == BW_KIND_HADAMARD) {
        int64_t *v = malloc(d->size * sizeof *v);
        if (v) hadamard_sums(d, v, sums);
        free(v);
        return v != NULL;
    }
    uint64_t key = bw_stream_key(d->seed, d->layer, 0), n_words = bw_words((int64_t)d->p);
    for (uint64_t n = 0; n < d->n_out; n++) {
        sums[n] = 0;
        for (uint64_t j = 0; j < d->p; j++)
            sums[n] += d->kind == BW_KIND_GAUSSIAN ? bw_gaussian_entry(key, n * d->p + j)
                       : bw_stream_word(key, n * n_words + j / 64) >> j % 64 & 1 ? 1 : -1;
    }
    return true;
}
