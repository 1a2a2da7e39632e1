/* Pools: largest (on bits OR) or sum of each window. A window is cut to the image: places outside never count. */
#include "rows.h"

typedef struct {
    int64_t kernel, stride, before, size; /* of one axis */
} axis;

static inline void cut(const axis *a, int64_t i, int64_t *begin, int64_t *end) {
    int64_t first = i * a->stride - a->before;
    *begin = first < 0 ? 0 : first;
    *end = first + a->kernel > a->size ? a->size : first + a->kernel;
}

/* What a kind of pool does to an output position: begin it, take one place of its window, finish it. */
typedef void row_rule(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from);

static inline void each_window(const bw_step *step, bw_block *block, row_rule *begin, row_rule *take,
                               row_rule *finish) {
    const bw_slot *x = step->x, *out = step->out;
    const int64_t *a = step->op->attrs; /* kernel, stride, paddings, as in every pool */
    axis rows = {a[0], a[2], a[4], x->height}, columns = {a[1], a[3], a[6], x->width};
    const uint8_t *image = bw_at(block, x);
    uint8_t *to = bw_at(block, out);
    for (size_t s = 0; s < block->n_samples; s++, image += x->bytes)
        for (uint64_t p = 0; p < out->positions; p++, to += out->row_bytes) {
            int64_t y0, y1, z0, z1;
            cut(&rows, (int64_t)(p / out->width), &y0, &y1);
            cut(&columns, (int64_t)(p % out->width), &z0, &z1);
            begin(step, block, to, NULL);
            for (int64_t y = y0; y < y1; y++)
                for (int64_t z = z0; z < z1; z++)
                    take(step, block, to, image + (uint64_t)(y * x->width + z) * x->row_bytes);
            finish(step, block, to, NULL);
        }
}

static inline void nothing(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)step, (void)block, (void)to, (void)from;
}

static inline void zero(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)block, (void)from;
    memset(to, 0, step->out->row_bytes);
}

static inline void take_or(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)block;
    size_t n_words = step->out->row_bytes / 8;
    for (size_t k = 0; k < n_words; k++) ((uint64_t *)to)[k] |= ((const uint64_t *)from)[k];
}

static void run_or(const bw_step *step, bw_block *block) { each_window(step, block, zero, take_or, nothing); }

static inline void least_i32(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)block, (void)from;
    for (uint32_t c = 0; c < step->out->channels; c++) ((int32_t *)to)[c] = INT32_MIN;
}

static inline void take_max_i32(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    block->plan->tiles->max((int32_t *)to, (const int32_t *)from, step->out->channels);
}

static void run_max_i32(const bw_step *step, bw_block *block) {
    each_window(step, block, least_i32, take_max_i32, nothing);
}

/* Any store, in int64, in the scratch row. */
static inline void begin_wide(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)to, (void)from;
    int64_t first = step->op->code == BW_OP_SUM_POOL2D ? 0 : INT64_MIN;
    for (uint32_t c = 0; c < step->out->channels; c++) ((int64_t *)block->scratch)[c] = first;
}

static inline void take_wide(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)to;
    int64_t *row = (int64_t *)block->scratch;
    bool sum = step->op->code == BW_OP_SUM_POOL2D;
    for (uint32_t c = 0; c < step->out->channels; c++) {
        int64_t value = bw_get_int(from, step->x->store, c);
        row[c] = sum ? row[c] + value : bw_max(row[c], value);
    }
}

static inline void finish_wide(const bw_step *step, bw_block *block, uint8_t *to, const uint8_t *from) {
    (void)from;
    bw_narrow(to, step->out->store, (const int64_t *)block->scratch, step->out->channels);
}

static void run_wide(const bw_step *step, bw_block *block) {
    each_window(step, block, begin_wide, take_wide, finish_wide);
}

int bw_prepare_pool(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan, (void)error;
    bool max = step->op->code == BW_OP_MAX_POOL2D;
    bool i32 = step->x->store == BW_STORE_I32 && step->out->store == BW_STORE_I32;
    step->run = step->x->store == BW_STORE_BITS ? run_or : max && i32 ? run_max_i32 : run_wide;
    step->scratch_bytes = (size_t)step->out->channels * sizeof(int64_t);
    return BW_OK;
}
