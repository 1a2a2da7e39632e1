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

/* Loops over output positions, and the places of each window: `begin_row` and `end_row` with every place at `from`. */
#define EACH_WINDOW(begin_row, take_place, end_row)                                                                         \
    const bw_slot *x = step->x, *out = step->out;                                                                           \
    const int64_t *a = step->op->attrs;                                                                                     \
    axis ah = {a[0], a[2], a[4], x->height}, aw = {a[1], a[3], a[6], x->width};                                             \
    const uint8_t *image = bw_at(block, x);                                                                                 \
    uint8_t *to = bw_at(block, out);                                                                                        \
    for (size_t s = 0; s < block->n_samples; s++, image += x->bytes)                                                        \
        for (int64_t i = 0; i < out->height; i++)                                                                           \
            for (int64_t j = 0; j < out->width; j++, to += out->row_bytes) {                                                \
                int64_t i0, i1, j0, j1;                                                                                     \
                cut(&ah, i, &i0, &i1);                                                                                      \
                cut(&aw, j, &j0, &j1);                                                                                      \
                begin_row                                                                                                   \
                for (int64_t y = i0; y < i1; y++)                                                                           \
                    for (int64_t z = j0; z < j1; z++) {                                                                     \
                        const uint8_t *from = image + (uint64_t)(y * x->width + z) * x->row_bytes;                          \
                        take_place                                                                                          \
                    }                                                                                                       \
                end_row                                                                                                     \
            }

static void run_or(const bw_step *step, bw_block *block) {
    size_t n_words = step->out->row_bytes / 8;
    EACH_WINDOW(memset(to, 0, out->row_bytes);,
                for (size_t k = 0; k < n_words; k++) ((uint64_t *)to)[k] |= ((const uint64_t *)from)[k];, )
}

static void run_max_i32(const bw_step *step, bw_block *block) {
    size_t n = step->out->channels;
    EACH_WINDOW(int32_t *most = (int32_t *)to; for (size_t c = 0; c < n; c++) most[c] = INT32_MIN;,
                block->plan->tiles->max(most, (const int32_t *)from, n);, )
}

/* Any store, in int64, in the scratch row. */
static void run_wide(const bw_step *step, bw_block *block) {
    bool sum = step->op->code == BW_OP_SUM_POOL2D;
    int64_t *row = (int64_t *)block->scratch;
    size_t n = step->out->channels;
    bw_store store = step->x->store;
    EACH_WINDOW(for (size_t c = 0; c < n; c++) row[c] = sum ? 0 : INT64_MIN;,
                if (sum) for (size_t c = 0; c < n; c++) row[c] += bw_get_int(from, store, c);
                else for (size_t c = 0; c < n; c++) row[c] = bw_max(row[c], bw_get_int(from, store, c));,
                bw_narrow(to, out->store, row, n);)
}

int bw_prepare_pool(bw_plan *plan, bw_step *step, bw_error *error) {
    (void)plan;
    (void)error;
    bool max = step->op->code == BW_OP_MAX_POOL2D;
    bool i32 = step->x->store == BW_STORE_I32 && step->out->store == BW_STORE_I32;
    step->run = step->x->store == BW_STORE_BITS ? run_or : max && i32 ? run_max_i32 : run_wide;
    step->scratch_bytes = (size_t)step->out->channels * sizeof(int64_t);
    return BW_OK;
}
