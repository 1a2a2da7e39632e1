/* A seeded projection made ready: vectors of one store in, bits out. */
#ifndef BW_PROJECTION_H
#define BW_PROJECTION_H

#include "../project/project.h"
#include "rows.h"

typedef struct bw_projection bw_projection;

/* Some vectors, rows of numbers (or of bits) some bytes apart, and rows of words for what becomes of them. */
typedef struct {
    const uint8_t *from;
    uint8_t *to;
    size_t from_bytes, to_bytes;
    uint64_t n;
    uint8_t *scratch;
} bw_vectors;

struct bw_projection {
    uint64_t kind, seed, layer, rounds, shift;
    uint64_t p, n_out, size; /* size: Q of hadamard */
    bw_store store;
    int64_t lo, hi;  /* of the numbers as stored; bits are read as signs */
    int64_t *t;      /* [n_out] */
    bool wide;       /* sums beyond int32 */
    void (*run)(const bw_projection *d, const bw_vectors *v);
    size_t scratch_bytes;

    bw_shape shape; /* as a linear layer, one sample a vector */
    const bw_kernel *kernel;
    void *weights;
    int32_t *threshold;
    const bw_project_kernels *transforms;
    bw_hadamard hadamard;
    const bw_batch_kernels *batches; /* NULL: vectors go one by one. */
    bw_batch batch;
};

/* project_rows.c: rows of few numbers, made when the Program is planned. The sum of each
 * row's numbers, int64 [n_out]; false without memory. */
void *bw_projection_matrix(const bw_projection *d); /* canonical int8 or signs; NULL without memory or beyond int8 */
bool bw_projection_sums(const bw_projection *d, int64_t *sums);
void bw_projection_run_gaussian(const bw_projection *d, const bw_vectors *v);   /* rows made as they come */
void bw_projection_run_rademacher(const bw_projection *d, const bw_vectors *v);

/* project.c. First prepare: what the operation says, of vectors of p numbers. Then move, where stored numbers u stand
 * for base + step * u: thresholds for these instead; only of linear rounds. Then plan, with store, lo, hi set: d->run. */
int bw_projection_prepare(bw_plan *plan, bw_projection *d, const bw_op *op, uint64_t p, bw_error *error);
int bw_projection_move(bw_projection *d, int64_t base, int64_t step, bw_error *error);
int bw_projection_plan(bw_plan *plan, bw_projection *d, bw_error *error);
bool bw_projection_is_linear(const bw_projection *d);
uint64_t bw_projection_bound(const bw_projection *d); /* the largest size of a sum, over all rounds */

/* project_batch.c: 16 vectors of bytes at once, where this set of kernels has it: d->batches, else NULL. v: rows of whole
 * 64 bytes, zeros behind p, and as many rows as come to a multiple of 16. */
int bw_projection_plan_batch(bw_plan *plan, bw_projection *d, bw_error *error);
size_t bw_projection_batch_scratch(const bw_projection *d);
void bw_projection_run_batch(const bw_projection *d, const bw_vectors *v);

#endif
