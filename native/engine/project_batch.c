/* Projections of 16 vectors of bytes at once: tables for the kernels of project/batch_*.c, and runs of any length. */
#include <stdlib.h>
#include "../project/generator.h"
#include "projection.h"

enum { LEAST = 64, MOST = 4096, QUADS = 16 }; /* sizes of transforms; of matrices at most so many quads */

static int32_t four(const int8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

static int32_t within_int32(int64_t t) { return (int32_t)bw_min(bw_max(t, INT32_MIN), INT32_MAX); }

static int plan_matrix(bw_plan *plan, bw_projection *d, bw_error *error) {
    bw_batch *b = &d->batch;
    *b = (bw_batch){.quads = (d->p + 3) / 4, .n_rows = bw_words((int64_t)d->n_out) * 64};
    int32_t *weights = bw_plan_alloc_array(plan, b->n_rows * b->quads, sizeof *weights);
    int32_t *t = bw_plan_alloc_array(plan, b->n_rows, sizeof *t);
    void *matrix = bw_projection_matrix(d);
    bool ok = weights && t;
    for (uint64_t n = 0; matrix && ok && n < d->n_out; n++) {
        int8_t *row = (int8_t *)(weights + n * b->quads);
        for (uint64_t j = 0; j < d->p; j++)
            row[j] = d->kind == BW_KIND_RADEMACHER
                         ? (int8_t)(2 * (int)bw_get_bit((uint64_t *)matrix + n * bw_words((int64_t)d->p), j) - 1)
                         : ((int8_t *)matrix)[n * d->p + j];
    }
    for (uint64_t n = 0; ok && n < b->n_rows; n++) t[n] = n < d->n_out ? within_int32(d->t[n]) : INT32_MAX;
    if (!matrix) d->batches = NULL; /* numbers beyond int8 */
    free(matrix);
    BW_HAVE(ok);
    b->weights = weights;
    b->t = t;
    return BW_OK;
}

/* Number j's sign in round `round` of a block. */
static int sign_of(const bw_projection *d, uint64_t block, uint64_t round, uint64_t j) {
    return bw_stream_sign(bw_stream_key(d->seed, d->layer, block * d->rounds + round), j);
}

/* Signs and first two stages: what row k of four makes of bytes 4q .. 4q+3. Second signs in the order of the quarters; in t
 * what their complements leave out, a transform of ones where the sign is -1. */
static void fill_block(const bw_projection *d, uint64_t block, int32_t *weights, int32_t *flip, int32_t *t, int64_t *ones) {
    const uint64_t quads = d->size / 4;
    const int64_t bound = (int64_t)bw_projection_bound(d) + 1;
    for (uint64_t k = 0; k < 4; k++)
        for (uint64_t q = 0; q < quads; q++) {
            int8_t row[4];
            for (uint64_t i = 0; i < 4; i++)
                row[i] = (int8_t)(sign_of(d, block, 0, 4 * q + i) * (__builtin_parityll(k & i) ? -1 : 1));
            weights[k * quads + q] = four(row);
        }
    for (uint64_t j = 0; j < d->size; j++) ones[j] = 0;
    for (uint64_t j = 0; d->rounds == 2 && j < d->size; j++) {
        ones[j] = sign_of(d, block, 1, j) < 0;
        flip[j % 4 * quads + j / 4] = -(int32_t)ones[j];
    }
    if (d->rounds == 2) bw_walsh_hadamard(ones, d->size);
    for (uint64_t j = 0, n = block * d->size; j < d->size; j++, n++)
        t[j] = n < d->n_out ? (int32_t)(bw_min(bw_max(d->t[n], -bound), bound) - ones[j]) : INT32_MAX;
}

static int plan_transforms(bw_plan *plan, bw_projection *d, bw_error *error) {
    bw_batch *b = &d->batch;
    uint64_t n_blocks = (d->n_out + d->size - 1) / d->size;
    *b = (bw_batch){.quads = d->size / 4, .n_rows = n_blocks * d->size, .size = d->size, .rounds = (int)d->rounds};
    int32_t *weights = bw_plan_alloc_array(plan, b->n_rows, sizeof *weights);
    int32_t *flip = bw_plan_alloc_array(plan, b->n_rows, sizeof *flip);
    int32_t *t = bw_plan_alloc_array(plan, b->n_rows, sizeof *t);
    int64_t *ones = malloc(d->size * sizeof *ones);
    bool ok = weights && flip && t && ones;
    for (uint64_t block = 0; ok && block < n_blocks; block++)
        fill_block(d, block, weights + block * d->size, flip + block * d->size, t + block * d->size, ones);
    free(ones);
    BW_HAVE(ok);
    b->weights = weights;
    b->flip = flip;
    b->t = t;
    return BW_OK;
}

int bw_projection_plan_batch(bw_plan *plan, bw_projection *d, bw_error *error) {
    bool small = d->p <= 4 * QUADS && bw_projection_is_linear(d);
    bool transforms = d->kind == BW_KIND_HADAMARD && bw_projection_is_linear(d) && d->rounds <= 2 && d->size >= LEAST &&
                      d->size <= MOST;
    if (bw_projection_bound(d) + d->size + 1 >= INT32_MAX) return BW_OK;
    d->batches = bw_find_batch_kernels(plan->kernels->others);
    if (d->batches && small) BW_TRY(plan_matrix(plan, d, error));
    if (!small || !d->batches) d->batches = transforms ? bw_find_batch_kernels(plan->kernels->others) : NULL;
    else return BW_OK;
    return d->batches ? plan_transforms(plan, d, error) : BW_OK;
}

/* x, values, planes. */
static size_t x_bytes(const bw_projection *d) { return (d->batch.quads + 15) / 16 * 16 * BW_BATCH * 4; }

size_t bw_projection_batch_scratch(const bw_projection *d) {
    return x_bytes(d) + d->batch.size * BW_BATCH * 4 + (d->batch.n_rows * 2 + 63) / 64 * 64;
}

void bw_projection_run_batch(const bw_projection *d, const bw_vectors *v) {
    int32_t *x = (int32_t *)v->scratch, *values = (int32_t *)(v->scratch + x_bytes(d));
    uint16_t *planes = (uint16_t *)(values + d->batch.size * BW_BATCH);
    const uint64_t used = (d->p + 3) / 4;
    memset(x, 0, x_bytes(d));
    for (uint64_t first = 0; first < v->n; first += BW_BATCH) {
        int lanes = v->n - first < BW_BATCH ? (int)(v->n - first) : BW_BATCH;
        d->batches->arrange(v->from + first * v->from_bytes, v->from_bytes, used, x);
        d->batches->run(&d->batch, x, values, planes);
        d->batches->unravel(planes, bw_words((int64_t)d->n_out), lanes, v->to + first * v->to_bytes, v->to_bytes);
    }
}
