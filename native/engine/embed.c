/* Codes of signs in one step: windows, their projection, and products with the codes of weights; no code goes through
 * the arena. Numbers are made bytes; equal windows, of which images are full, are projected and multiplied once. */
#include "projection.h"

/* Beyond these the parts are steps of their own. */
enum { MOST_NUMBERS = 1 << 16, MOST_ROWS = 1 << 20, MOST_BYTES = 1 << 26 };
enum { ROWS = 256, TABLE = 1024, PENDING = 4096, LONE = 6 }; /* LONE: so few vectors rather go one by one */

typedef struct {
    bw_projection projection;
    bw_step sum;
    int64_t base, step;         /* byte u stands for base + step * u */
    const bw_op *patches;       /* NULL: every position is a vector as it is */
    uint32_t width, out_width;  /* of the padded image, of positions */
    uint32_t *rows_of_window, n_rows_of_window; /* where each row of a window begins, channel by channel */
    size_t plane_bytes;         /* of the padded image, one channel */
    uint64_t positions, p, rows;
    size_t row_bytes, code_bytes;
    size_t image_at, rows_at, codes_at, sums_at, which_at, table_at, inner_at; /* places in scratch */
} embedding;

/* Vectors that wait, and the positions they stand for: `which` of them each. */
typedef struct {
    const embedding *e;
    const bw_step *step;
    uint8_t *scratch, *rows, *to;
    uint32_t *which;
    uint16_t *table; /* by hash: number of a vector, plus 1 */
    uint64_t n_rows, n_pending;
} waiting;

static void narrow(uint8_t *to, size_t stride, const uint8_t *from, bw_store store, uint64_t n, int64_t base) {
    const uint32_t *words = (const void *)from;
    if (store == BW_STORE_I32 && stride == 1)
        for (uint64_t i = 0; i < n; i++) to[i] = (uint8_t)(words[i] - (uint32_t)base);
    else if (store == BW_STORE_I32)
        for (uint64_t i = 0; i < n; i++) to[i * stride] = (uint8_t)(words[i] - (uint32_t)base);
    else if (store == BW_STORE_BITS)
        for (uint64_t i = 0; i < n; i++) to[i * stride] = (uint8_t)bw_get_bit(from, i);
    else if (store == BW_STORE_U8 && stride == 1 && base == 0) memcpy(to, from, n);
    else
        for (uint64_t i = 0; i < n; i++) to[i * stride] = (uint8_t)(bw_get_int(from, store, i) - base);
}

/* The image as planes of bytes, one a channel, inside its padding. */
static void spread_image(const embedding *e, const bw_slot *x, const uint8_t *from, uint8_t *image) {
    const int64_t *a = e->patches->attrs;
    image += (size_t)a[BW_PATCHES_PAD_TOP] * e->width + (size_t)a[BW_PATCHES_PAD_LEFT];
    for (uint32_t y = 0; y < x->height; y++, image += e->width)
        for (uint32_t z = 0; z < x->width; z++, from += x->row_bytes)
            narrow(image + z, e->plane_bytes, from, x->store, x->channels, e->base);
}

/* Window number `position` of it, as a row; up to 8 bytes at a time, of which the next write over what is too much. */
static void take_window(const embedding *e, const uint8_t *image, uint64_t position, uint8_t *row) {
    const int64_t *a = e->patches->attrs;
    const uint32_t n = e->n_rows_of_window, *at = e->rows_of_window;
    const size_t kw = (size_t)a[BW_PATCHES_KERNEL_W], apart = (size_t)a[BW_PATCHES_DILATION_W];
    image += position / e->out_width * (uint64_t)a[BW_PATCHES_STRIDE_H] * e->width +
             position % e->out_width * (uint64_t)a[BW_PATCHES_STRIDE_W];
    if (apart == 1 && kw <= 8)
        for (uint32_t i = 0; i < n; i++) memcpy(row + i * kw, image + at[i], 8);
    else
        for (uint32_t i = 0; i < n; i++)
            for (size_t z = 0; z < kw; z++) row[i * kw + z] = image[at[i] + z * apart];
    memset(row + e->p, 0, e->row_bytes - e->p);
}

/* Projects and multiplies what waits, and writes the sums of the positions. */
static void flush(waiting *w) {
    const embedding *e = w->e;
    const bw_projection *d = &e->projection;
    const size_t out_bytes = w->step->out->row_bytes;
    uint8_t *codes = w->scratch + e->codes_at, *sums = w->scratch + e->sums_at, *inner = w->scratch + e->inner_at;
    if (!w->n_pending) return;
    uint64_t together = !d->batches ? 0 : w->n_rows % BW_BATCH < LONE ? w->n_rows / BW_BATCH * BW_BATCH : w->n_rows;
    bw_vectors v = {w->rows, codes, e->row_bytes, e->code_bytes, together, inner};
    if (together) bw_projection_run_batch(d, &v);
    v = (bw_vectors){w->rows + together * e->row_bytes, codes + together * e->code_bytes, e->row_bytes, e->code_bytes,
                     w->n_rows - together, inner};
    if (v.n) d->run(d, &v);
    bool alone = w->n_rows == w->n_pending;
    bw_run_rows(&e->sum, codes, e->code_bytes, alone ? w->to : sums, out_bytes, w->n_rows, inner);
    for (uint64_t i = 0; !alone && i < w->n_pending; i++)
        memcpy(w->to + i * out_bytes, sums + w->which[i] * out_bytes, out_bytes);
    w->to += w->n_pending * out_bytes;
    w->n_rows = w->n_pending = 0;
    memset(w->table, 0, TABLE * sizeof *w->table);
}

static uint32_t hash(const uint8_t *row, uint64_t p) {
    const uint64_t n_words = (p + 7) / 8, apart = (n_words + 7) / 8;
    uint64_t h = 0;
    for (uint64_t i = 0; i < n_words; i += apart) {
        uint64_t word;
        memcpy(&word, row + 8 * i, 8);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
    }
    return (uint32_t)h % TABLE;
}

/* The row behind the last one has been filled: it stays there, or is one that waits already. */
static void add(waiting *w) {
    const embedding *e = w->e;
    const uint8_t *row = w->rows + w->n_rows * e->row_bytes;
    uint16_t *seen = &w->table[hash(row, e->p)];
    if (*seen && !memcmp(w->rows + (*seen - 1) * e->row_bytes, row, e->row_bytes)) {
        w->which[w->n_pending++] = *seen - 1u;
    } else {
        w->which[w->n_pending++] = (uint32_t)w->n_rows++;
        *seen = (uint16_t)w->n_rows;
    }
    if (w->n_rows == e->rows || w->n_pending == PENDING) flush(w);
}

static void run_embedding(const bw_step *step, bw_block *block) {
    const embedding *e = step->data;
    const bw_slot *x = step->x;
    uint8_t *scratch = block->scratch, *image = scratch + e->image_at;
    waiting w = {e, step, scratch, scratch + e->rows_at, bw_at(block, step->out), (uint32_t *)(scratch + e->which_at),
                 (uint16_t *)(scratch + e->table_at), 0, 0};
    memset(w.table, 0, TABLE * sizeof *w.table);
    memset(w.rows, 0, (e->rows + BW_BATCH) * e->row_bytes);
    if (e->patches) {
        int64_t pad = e->patches->attrs[BW_PATCHES_PAD_VALUE];
        memset(image, (int)(uint8_t)(x->store == BW_STORE_BITS ? pad : pad - e->base), e->rows_at - e->image_at);
    }
    const uint8_t *from = bw_at(block, x);
    for (size_t s = 0; s < block->n_samples; s++, from += x->bytes) {
        if (e->patches) spread_image(e, x, from, image);
        for (uint64_t position = 0; position < e->positions; position++) {
            uint8_t *row = w.rows + w.n_rows * e->row_bytes;
            if (e->patches) take_window(e, image, position, row);
            else narrow(row, 1, from + position * x->row_bytes, x->store, e->p, e->base);
            add(&w);
        }
    }
    flush(&w);
}

/* ---- planning ---- */

static bool is_byte(const bw_type *t) { return t->kind == BW_BITS || (t->kind == BW_INT && t->hi - t->lo <= 255); }

static bool multiplies_positions(const bw_op *op) {
    const int64_t *a = op->attrs;
    if (op->code == BW_OP_XNOR_LINEAR) return true;
    return op->code == BW_OP_XNOR_CONV2D && a[BW_XNOR_CONV2D_KERNEL_H] == 1 && a[BW_XNOR_CONV2D_KERNEL_W] == 1 &&
           a[BW_XNOR_CONV2D_STRIDE_H] == 1 && a[BW_XNOR_CONV2D_STRIDE_W] == 1 && a[BW_XNOR_CONV2D_GROUPS] == 1 &&
           !(a[BW_XNOR_CONV2D_PAD_TOP] | a[BW_XNOR_CONV2D_PAD_BOTTOM] | a[BW_XNOR_CONV2D_PAD_LEFT] |
             a[BW_XNOR_CONV2D_PAD_RIGHT]);
}

/* Signs times signs of many numbers are faster as bits. Shifts between rounds need the numbers as they are. */
bool bw_is_embedding(const bw_program *p, uint32_t project, uint32_t sum) {
    const bw_op *op = &p->ops[project];
    if (op->code != BW_OP_PROJECT || !multiplies_positions(&p->ops[sum])) return false;
    const bw_type *x = &p->types[op->inputs[0]];
    const int64_t *a = op->attrs;
    if (!is_byte(x) || x->dims[0] > MOST_NUMBERS || a[BW_PROJECT_N_OUT] > MOST_ROWS) return false;
    if (a[BW_PROJECT_KIND] == BW_KIND_RADEMACHER && x->kind == BW_BITS && x->dims[0] > 64) return false;
    bool shifts = a[BW_PROJECT_KIND] == BW_KIND_HADAMARD && a[BW_PROJECT_ROUNDS] > 1 && a[BW_PROJECT_SHIFT] > 0;
    return !shifts || (x->kind == BW_INT && x->lo >= 0 && x->hi <= 255);
}

static uint64_t padded_width(const bw_op *patches, const bw_type *x) {
    return x->dims[2] + (uint64_t)(patches->attrs[BW_PATCHES_PAD_LEFT] + patches->attrs[BW_PATCHES_PAD_RIGHT]);
}

static uint64_t padded_height(const bw_op *patches, const bw_type *x) {
    return x->dims[1] + (uint64_t)(patches->attrs[BW_PATCHES_PAD_TOP] + patches->attrs[BW_PATCHES_PAD_BOTTOM]);
}

bool bw_gives_windows(const bw_program *p, uint32_t patches) {
    const bw_op *op = &p->ops[patches];
    if (op->code != BW_OP_PATCHES) return false;
    const bw_type *x = &p->types[op->inputs[0]];
    bw_wide bytes = (bw_wide)x->dims[0] * padded_width(op, x) * padded_height(op, x);
    return bytes < MOST_BYTES;
}

static size_t next_place(size_t *end, size_t bytes) {
    size_t at = *end;
    *end += (bytes + 63) / 64 * 64;
    return at;
}

static void find_places(embedding *e, bw_step *step) {
    size_t end = 0, inner = e->projection.scratch_bytes, batch = bw_projection_batch_scratch(&e->projection);
    if (batch > inner) inner = batch;
    if (e->sum.scratch_bytes > inner) inner = e->sum.scratch_bytes;
    e->image_at = next_place(&end, e->patches ? e->plane_bytes * step->x->channels + 8 : 0);
    e->rows_at = next_place(&end, (e->rows + BW_BATCH) * e->row_bytes);
    e->codes_at = next_place(&end, (e->rows + BW_BATCH) * e->code_bytes);
    e->sums_at = next_place(&end, e->rows * step->out->row_bytes);
    e->which_at = next_place(&end, PENDING * sizeof(uint32_t));
    e->table_at = next_place(&end, TABLE * sizeof(uint16_t));
    e->inner_at = next_place(&end, inner);
    step->scratch_bytes = end;
}

/* step: of the sum; its x is what the windows are taken from, or what is projected. */
int bw_prepare_embedding(bw_plan *plan, bw_step *step, const bw_fusion *f, const bw_fusion *threshold,
                         bw_error *error) {
    const bw_program *program = plan->program;
    const bw_op *project = &program->ops[f->project];
    const bw_type *type = &program->types[project->inputs[0]];
    const bool bits = type->kind == BW_BITS;
    embedding *e = step->data = bw_plan_alloc(plan, sizeof *e);
    BW_HAVE(e);
    if (bits) e->base = -1, e->step = 2;
    else e->base = type->lo >= 0 && type->hi <= 255 ? 0 : type->lo, e->step = 1;
    e->p = type->dims[0];
    e->positions = type->ndim == 3 ? (uint64_t)type->dims[1] * type->dims[2] : 1;
    if (f->patches >= 0) {
        e->patches = &program->ops[f->patches];
        const int64_t *a = e->patches->attrs;
        const bw_type *image = &program->types[e->patches->inputs[0]];
        e->width = (uint32_t)padded_width(e->patches, image);
        e->plane_bytes = (size_t)(e->width * padded_height(e->patches, image));
        e->out_width = type->dims[2];
        const uint32_t kh = (uint32_t)a[BW_PATCHES_KERNEL_H];
        e->n_rows_of_window = step->x->channels * kh;
        e->rows_of_window = bw_plan_alloc_array(plan, e->n_rows_of_window, sizeof(uint32_t));
        BW_HAVE(e->rows_of_window);
        for (uint32_t i = 0; i < e->n_rows_of_window; i++)
            e->rows_of_window[i] =
                (uint32_t)(i / kh * e->plane_bytes + i % kh * (uint64_t)a[BW_PATCHES_DILATION_H] * e->width);
    }
    bw_projection *d = &e->projection;
    d->store = BW_STORE_U8;
    d->hi = bits ? 1 : type->hi - e->base;
    BW_TRY(bw_projection_prepare(plan, d, project, e->p, error));
    BW_TRY(bw_projection_move(d, e->base, e->step, error));
    BW_TRY(bw_projection_plan(plan, d, error));
    BW_TRY(bw_projection_plan_batch(plan, d, error));
    e->sum = *step;
    e->sum.x = &plan->slots[f->project];
    BW_TRY(bw_prepare_rows(plan, &e->sum, threshold, error));
    e->row_bytes = (e->p + 8 + 63) / 64 * 64;
    e->code_bytes = bw_words((int64_t)d->n_out) * 8;
    e->rows = 65536 / e->row_bytes / BW_BATCH * BW_BATCH;
    if (e->rows < BW_BATCH) e->rows = BW_BATCH;
    if (e->rows > ROWS) e->rows = ROWS;
    find_places(e, step);
    step->run = run_embedding;
    return BW_OK;
}
