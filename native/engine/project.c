/* Seeded random projections: rows of the generator made once a block of samples, or rounds of Walsh-Hadamard. */
#include "rows.h"

typedef struct {
    uint64_t seed, layer, size; /* size: Q of hadamard */
    int64_t *t;
} projection;

static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t key_of(const projection *d, uint64_t block) { return mix(mix(mix(d->seed) + d->layer) + block); }

static uint64_t word_of(uint64_t key, uint64_t i) { return mix(key + (i + 1) * 0x9E3779B97F4A7C15u); }

static int popcount(uint64_t word) { return __builtin_popcountll(word); }

static inline int64_t value_at(const void *row, bw_store store, uint64_t j) {
    return store == BW_STORE_BITS ? 2 * (int64_t)bw_get_bit(row, j) - 1 : bw_get_int(row, store, j);
}

/* Bits by signs: p minus twice the places that differ. */
static int64_t sign_sum(const uint64_t *x, const uint64_t *signs, uint64_t p) {
    int64_t differing = 0;
    for (uint64_t k = 0; k < bw_words((int64_t)p); k++) differing += popcount(x[k] ^ signs[k]);
    return (int64_t)p - 2 * differing;
}

static void run_rademacher(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    uint64_t p = x->channels, n_words = bw_words((int64_t)p), rows = block->n_samples * x->positions,
             key = key_of(d, 0);
    uint64_t *signs = (uint64_t *)block->scratch;
    uint8_t *to = bw_at(block, out);
    memset(to, 0, rows * out->row_bytes);
    for (uint64_t n = 0; n < out->channels; n++) {
        const uint8_t *from = bw_at(block, x);
        for (uint64_t k = 0; k < n_words; k++) signs[k] = word_of(key, n * n_words + k);
        if (p % 64) signs[n_words - 1] &= ((uint64_t)1 << p % 64) - 1;
        for (uint64_t r = 0; r < rows; r++, from += x->row_bytes) {
            int64_t sum = 0;
            if (x->store == BW_STORE_BITS) sum = sign_sum((const uint64_t *)from, signs, p);
            else
                for (uint64_t j = 0; j < p; j++)
                    sum += bw_get_bit(signs, j) ? bw_get_int(from, x->store, j) : -bw_get_int(from, x->store, j);
            bw_set_bit(to + r * out->row_bytes, n, sum >= d->t[n]);
        }
    }
}

static void run_gaussian(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    uint64_t p = x->channels, rows = block->n_samples * x->positions, key = key_of(d, 0);
    int8_t *weights = (int8_t *)block->scratch;
    uint8_t *to = bw_at(block, out);
    memset(to, 0, rows * out->row_bytes);
    for (uint64_t n = 0; n < out->channels; n++) {
        const uint8_t *from = bw_at(block, x);
        for (uint64_t j = 0; j < p; j++) {
            uint64_t i = n * p + j;
            weights[j] = (int8_t)(popcount(word_of(key, 2 * i)) - popcount(word_of(key, 2 * i + 1)));
        }
        for (uint64_t r = 0; r < rows; r++, from += x->row_bytes) {
            int64_t sum = 0;
            for (uint64_t j = 0; j < p; j++) sum += weights[j] * value_at(from, x->store, j);
            bw_set_bit(to + r * out->row_bytes, n, sum >= d->t[n]);
        }
    }
}

static void walsh_hadamard(int64_t *v, uint64_t size) {
    for (uint64_t half = 1; half < size; half *= 2)
        for (uint64_t i = 0; i < size; i += 2 * half)
            for (uint64_t j = i; j < i + half; j++) {
                int64_t a = v[j], b = v[j + half];
                v[j] = a + b;
                v[j + half] = a - b;
            }
}

static void flip_signs(int64_t *v, uint64_t size, uint64_t key) {
    uint64_t word = 0;
    for (uint64_t j = 0; j < size; j++) {
        if (j % 64 == 0) word = word_of(key, j / 64);
        if (!(word >> j % 64 & 1)) v[j] = -v[j];
    }
}

static void run_hadamard(const bw_step *step, bw_block *block) {
    const projection *d = step->data;
    const bw_slot *x = step->x, *out = step->out;
    int64_t rounds = step->op->attrs[BW_PROJECT_ROUNDS], shift = step->op->attrs[BW_PROJECT_SHIFT],
            *v = (int64_t *)block->scratch;
    const uint8_t *from = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    for (uint64_t r = 0; r < block->n_samples * x->positions; r++, from += x->row_bytes, to += out->row_bytes) {
        memset(to, 0, out->row_bytes);
        for (uint64_t first = 0; first < out->channels; first += d->size) {
            for (uint64_t j = 0; j < d->size; j++) v[j] = j < x->channels ? value_at(from, x->store, j) : 0;
            for (int64_t round = 0; round < rounds; round++) {
                flip_signs(v, d->size, key_of(d, first / d->size * (uint64_t)rounds + (uint64_t)round));
                walsh_hadamard(v, d->size);
                for (uint64_t j = 0; round + 1 < rounds && j < d->size; j++) v[j] >>= shift;
            }
            for (uint64_t j = 0; j < d->size && first + j < out->channels; j++)
                bw_set_bit(to, first + j, v[j] >= d->t[first + j]);
        }
    }
}

int bw_prepare_project(bw_plan *plan, bw_step *step, bw_error *error) {
    const int64_t *a = step->op->attrs;
    const bw_const *t = &step->op->consts[BW_PROJECT_C_T];
    projection *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->seed = (uint64_t)a[BW_PROJECT_SEED];
    d->layer = (uint64_t)a[BW_PROJECT_LAYER];
    d->t = bw_plan_alloc_array(plan, step->out->channels, sizeof *d->t);
    BW_HAVE(d->t);
    for (uint64_t n = 0; t->dtype && n < t->n_values; n++) d->t[n] = bw_const_int(t, n);
    for (d->size = 1; d->size < step->x->channels;) d->size *= 2;
    bool hadamard = a[BW_PROJECT_KIND] == BW_KIND_HADAMARD;
    step->scratch_bytes = hadamard ? d->size * sizeof(int64_t) : (size_t)step->x->channels + 8;
    step->run = hadamard ? run_hadamard : a[BW_PROJECT_KIND] == BW_KIND_GAUSSIAN ? run_gaussian : run_rademacher;
    return BW_OK;
}
