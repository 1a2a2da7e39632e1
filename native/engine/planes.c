/* Bits as planes: which values lie so, the way there and back, and thresholds that write them at once. */
#include <string.h>
#include "rows.h"

enum { MOST_PLANES = 1 << 22, ROWS = 64, CHUNK = 16 };

static bool moves(int code) {
    return code == BW_OP_GATHER || code == BW_OP_RESHAPE || code == BW_OP_CONCAT || code == BW_OP_PAD ||
           code == BW_OP_PATCHES || code == BW_OP_MAX_POOL2D;
}

static bool is_logic(int code) { return code == BW_OP_LUT || code == BW_OP_LUT_CONV2D || code == BW_OP_COUNT; }

/* Whether logic is a good part of the work, and not so much that its net would not fit. */
bool bw_worth_planes(const bw_program *p) {
    double logic = 0, others = 0;
    uint64_t planes = 0;
    for (uint32_t i = 0; i < p->n_ops; i++) {
        const bw_op *op = &p->ops[i];
        double steps = (double)bw_steps(op, p->types, &p->types[i]);
        bool bits = op->code == BW_OP_XNOR_LINEAR || op->code == BW_OP_XNOR_CONV2D;
        if (!is_logic(op->code)) others += steps / (bits ? 400 : 30);
        else logic += steps;
        if (p->types[i].kind == BW_BITS) planes += p->types[i].n_values;
        if (op->code == BW_OP_LUT) planes += op->consts[BW_LUT_C_TABLE].n_values << op->attrs[BW_LUT_K] / 2;
        if (op->code == BW_OP_LUT_CONV2D)
            planes += op->consts[BW_LUT_CONV2D_C_TABLE].n_values << op->attrs[BW_LUT_CONV2D_K] / 2;
        if (op->code == BW_OP_COUNT) planes += op->consts[BW_COUNT_C_SIGNAL].n_values;
        if (planes > MOST_PLANES) return false;
    }
    return logic > 0 && logic > others / 16;
}

void bw_choose_planes(const bw_plan *plan, bw_analysis *a) {
    const bw_program *p = plan->program;
    if (!plan->logic) return;
    for (uint32_t i = p->n_ops; i-- > 0;) { /* first: who reads planes */
        const bw_op *op = &p->ops[i];
        if (is_logic(op->code) || (moves(op->code) && a->planes[i] && !a->skip[i]))
            for (int j = 0; j < op->n_inputs; j++) a->planes[op->inputs[j]] = p->types[op->inputs[j]].kind == BW_BITS;
    }
    for (uint32_t i = 0; i < p->n_ops; i++) { /* then: who makes them */
        const bw_op *op = &p->ops[i];
        bool wanted = a->planes[i];
        a->planes[i] = false;
        if (p->types[i].kind != BW_BITS || a->skip[i]) continue;
        if (op->code == BW_OP_LUT || op->code == BW_OP_LUT_CONV2D) a->planes[i] = true;
        if (op->code == BW_OP_THRESHOLD || op->code == BW_OP_INPUT) a->planes[i] = wanted;
        if (!moves(op->code)) continue;
        a->planes[i] = wanted;
        for (int j = 0; j < op->n_inputs; j++) a->planes[i] |= a->planes[op->inputs[j]];
    }
    for (uint32_t i = 0; i < p->n_ops; i++) /* an OR that the tables before it take along */
        if (a->planes[i] && a->fusions[i].pool >= 0) a->skip[a->fusions[i].pool] = true;
}

uint64_t bw_n_planes(const bw_slot *slot) { return slot->channels * slot->positions; }

static uint64_t *word_of(const bw_block *block, void *rows, size_t sample) {
    return (uint64_t *)((uint8_t *)rows + sample % 64 * block->lanes->width) + sample / 64;
}

/* 64 channels of a position at a time: words of samples become rows of a square, and the square is transposed. */
static void run_to_planes(const bw_step *step, bw_block *block) {
    const bw_slot *x = step->x, *out = step->out;
    const uint8_t *from = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    for (uint64_t p = 0; p < x->positions; p++)
        for (uint64_t first = 0; first < x->channels; first += ROWS) {
            for (size_t s = 0; s < block->n_samples; s++)
                memcpy(word_of(block, block->scratch, s), from + s * x->bytes + p * x->row_bytes + first / 8, 8);
            block->lanes->transpose(block->scratch);
            for (uint64_t r = 0; r < ROWS && first + r < x->channels; r++)
                memcpy(to + ((first + r) * x->positions + p) * block->lanes->width,
                       block->scratch + r * block->lanes->width, block->lanes->width);
        }
}

static void run_to_rows(const bw_step *step, bw_block *block) {
    const bw_slot *x = step->x, *out = step->out;
    uint8_t *to = bw_at(block, out);
    const size_t width = block->lanes->width;
    for (uint64_t p = 0; p < out->positions; p++)
        for (uint64_t first = 0; first < out->channels; first += ROWS) {
            for (uint64_t r = 0; r < ROWS; r++) {
                if (first + r >= out->channels) memset(block->scratch + r * width, 0, width);
                else memcpy(block->scratch + r * width, bw_plane(block, x, (first + r) * out->positions + p), width);
            }
            block->lanes->transpose(block->scratch);
            for (size_t s = 0; s < block->n_samples; s++)
                memcpy(to + s * out->bytes + p * out->row_bytes + first / 8, word_of(block, block->scratch, s), 8);
        }
}

static const bw_slot *convert(bw_plan *plan, uint32_t value, bw_store store) {
    const bw_slot *x = &plan->slots[value];
    if ((x->store == BW_STORE_PLANES) == (store == BW_STORE_PLANES)) return x;
    bw_slot *out = &plan->slots[plan->program->n_ops + value];
    if (out->place == BW_IN_ARENA) return out; /* made already */
    bw_slot_shape(out, store, x->channels, x->height, x->width);
    out->root = plan->program->n_ops + value;
    out->place = BW_IN_ARENA;
    bw_step *step = bw_new_step(plan, value, x, out);
    step->scratch_bytes = ROWS * BW_PLANE_MOST;
    step->run = store == BW_STORE_PLANES ? run_to_planes : run_to_rows;
    return out;
}

const bw_slot *bw_as_planes(bw_plan *plan, uint32_t value) {
    return convert(plan, value, BW_STORE_PLANES);
}

const bw_slot *bw_as_rows(bw_plan *plan, uint32_t value) {
    return convert(plan, value, BW_STORE_BITS);
}

/* Values m of a sample as they lie in memory; J thresholds each, the arrays below being [J][n_values]. */
typedef struct {
    uint64_t n_values;
    uint32_t n_thresholds;
    uint8_t *bytes;   /* thresholds of bytes */
    int32_t *narrow;  /* of int32 within its range */
    int64_t *wide;
    float *floats;
    uint32_t *to;     /* plane */
    uint8_t *rule;
} comparisons;

static bool met(const comparisons *d, const uint8_t *x, bw_store store, uint64_t m, uint64_t at) {
    if (store == BW_STORE_F32) return ((const float *)x)[m] >= d->floats[at];
    return bw_get_int(x, store, m) >= d->wide[at];
}

/* `n` values from m on, up to 64, as a word. */
static uint64_t word(const bw_block *block, const comparisons *d, const uint8_t *x, bw_store store, uint64_t m,
                     uint64_t at, uint64_t n) {
    uint8_t bytes[ROWS];
    if (d->narrow) block->plan->tiles->compare(bytes, (const int32_t *)x + m, d->narrow + at, n);
    else
        for (uint64_t i = 0; i < n; i++) bytes[i] = met(d, x, store, m + i, at + i);
    return bw_word_of(bytes, n);
}

static void compare(const bw_step *step, bw_block *block, const uint8_t *x, size_t x_stride, bw_store store,
                    size_t block_stride, uint64_t m, uint64_t n, uint32_t j) {
    const comparisons *d = step->data;
    const uint64_t at = j * d->n_values + m;
    if (d->bytes) {
        block->lanes->compare(block->scratch, block_stride, x + m, x_stride, block->n_samples, d->bytes + at, n);
        return;
    }
    for (size_t s = 0; s < block->n_samples; s++, x += x_stride)
        for (uint64_t i = 0; i < n; i += ROWS)
            *word_of(block, block->scratch + i / ROWS * block_stride, s) =
                word(block, d, x, store, m + i, at + i, n - i < ROWS ? n - i : ROWS);
}

static void compare_all(const bw_step *step, bw_block *block, const uint8_t *x, size_t x_stride, bw_store store) {
    const comparisons *d = step->data;
    uint8_t *to = bw_at(block, step->out);
    const size_t block_stride = ROWS * block->lanes->width + 64; /* not a power of two: rows of all would collide */
    for (uint32_t j = 0; j < d->n_thresholds; j++)
        for (uint64_t m = 0; m < d->n_values; m += CHUNK * ROWS) {
            const uint64_t n = d->n_values - m < CHUNK * ROWS ? d->n_values - m : CHUNK * ROWS;
            compare(step, block, x, x_stride, store, block_stride, m, n, j);
            for (uint64_t i = 0; i < n; i += ROWS) {
                uint8_t *rows = block->scratch + i / ROWS * block_stride;
                const uint64_t at = j * d->n_values + m + i;
                block->lanes->transpose(rows);
                block->lanes->spread(to, rows, n - i < ROWS ? n - i : ROWS, d->to + at, d->rule + at);
            }
        }
}

static void run_threshold(const bw_step *step, bw_block *block) {
    compare_all(step, block, bw_at(block, step->x), step->x->bytes, step->x->store);
}

static void set_threshold(comparisons *d, bw_store store, uint64_t at, const bw_const *t, uint64_t i) {
    if (store == BW_STORE_F32) {
        d->floats[at] = bw_const_float(t, i);
        return;
    }
    int64_t threshold = bw_const_int(t, i);
    int64_t lo = d->bytes ? 0 : INT32_MIN, hi = d->bytes ? 255 : INT32_MAX;
    if (threshold > hi && !d->wide) d->rule[at] |= BW_PLANE_ZERO;
    threshold = threshold < lo && !d->wide ? lo : threshold > hi && !d->wide ? hi : threshold;
    if (d->bytes) d->bytes[at] = (uint8_t)threshold;
    else if (d->narrow) d->narrow[at] = (int32_t)threshold;
    else d->wide[at] = threshold;
}

static int take_arrays(bw_plan *plan, comparisons *d, bw_store store, bw_error *error) {
    const uint64_t n = d->n_values * d->n_thresholds;
    d->to = bw_plan_alloc_array(plan, n, sizeof *d->to);
    d->rule = bw_plan_alloc(plan, n);
    if (store == BW_STORE_U8) d->bytes = bw_plan_alloc(plan, n + ROWS);
    if (store == BW_STORE_I32) d->narrow = bw_plan_alloc_array(plan, n, sizeof *d->narrow);
    if (store == BW_STORE_I64) d->wide = bw_plan_alloc_array(plan, n, sizeof *d->wide);
    if (store == BW_STORE_F32) d->floats = bw_plan_alloc_array(plan, n, sizeof *d->floats);
    BW_HAVE(d->to && d->rule && (d->bytes || d->narrow || d->wide || d->floats));
    return BW_OK;
}

static size_t compare_scratch(const comparisons *d) {
    const uint64_t blocks = (d->n_values + ROWS - 1) / ROWS;
    return (blocks < CHUNK ? blocks : CHUNK) * (ROWS * BW_PLANE_MOST + 64);
}

int bw_prepare_threshold_planes(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_const *t = &step->op->consts[BW_THRESHOLD_C_T], *flip = &step->op->consts[BW_THRESHOLD_C_FLIP];
    const bw_slot *x = step->x;
    comparisons *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->n_values = x->channels * x->positions;
    d->n_thresholds = t->dims[1];
    BW_TRY(take_arrays(plan, d, x->store, error));
    const uint64_t positions = d->n_values / t->dims[0]; /* of the image, however x lies */
    for (uint64_t m = 0; m < d->n_values; m++)
        for (uint64_t j = 0; j < d->n_thresholds; j++) {
            const uint64_t c = x->positions == positions ? m % x->channels : m / positions;
            const uint64_t p = x->positions == positions ? m / x->channels : m % positions;
            const uint64_t at = j * d->n_values + m, bit = c * d->n_thresholds + j;
            d->to[at] = (uint32_t)(bit * positions + p);
            d->rule[at] = bw_const_int(flip, bit) ? BW_PLANE_FLIP : 0;
            set_threshold(d, x->store, at, t, bit);
        }
    step->scratch_bytes = compare_scratch(d);
    step->run = run_threshold;
    return BW_OK;
}

/* Bits come as bytes of 0 and 1. */
static void run_input(const bw_step *step, bw_block *block) {
    compare_all(step, block, block->input, block->plan->input_bytes, BW_STORE_U8);
}

int bw_prepare_input_planes(bw_plan *plan, bw_step *step, bw_error *error) {
    comparisons *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    d->n_values = bw_n_planes(step->out);
    d->n_thresholds = 1;
    BW_TRY(take_arrays(plan, d, BW_STORE_U8, error));
    for (uint64_t m = 0; m < d->n_values; m++) {
        d->bytes[m] = 1;
        d->to[m] = (uint32_t)m;
    }
    step->scratch_bytes = compare_scratch(d);
    step->run = run_input;
    return BW_OK;
}
