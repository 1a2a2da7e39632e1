/* How every value lies in memory, and which ones share it. */
#include <string.h>
#include "engine.h"

void bw_slot_shape(bw_slot *s, bw_store store, uint32_t channels, uint32_t height, uint32_t width) {
    static const uint8_t size[] = {0, 1, 4, 8, 4, 0};
    s->store = store;
    s->channels = channels;
    s->height = height;
    s->width = width;
    s->positions = (uint64_t)height * width;
    s->row_bytes = store == BW_STORE_BITS ? bw_words(channels) * 8 : (size_t)channels * size[store];
    s->bytes = store == BW_STORE_PLANES ? (size_t)((s->positions * channels + 7) / 8) : s->row_bytes * s->positions;
}

static bw_store store_of(const bw_type *t, bool is_input) {
    if (t->kind == BW_BITS) return BW_STORE_BITS;
    if (t->kind == BW_FLOAT) return BW_STORE_F32;
    if (is_input && t->lo >= 0 && t->hi <= 255) return BW_STORE_U8;
    return t->lo >= INT32_MIN && t->hi <= INT32_MAX ? BW_STORE_I32 : BW_STORE_I64;
}

static void shape_as_typed(bw_slot *slot, const bw_type *t, bw_store store) {
    bw_slot_shape(slot, store, t->dims[0], t->ndim == 3 ? t->dims[1] : 1, t->ndim == 3 ? t->dims[2] : 1);
}

/* A linear layer may read an image as it lies, its weights rearranged instead (sums.c). Bits of channels that do not
 * fill their words count the padding as agreeing, which only a fused threshold can take back. */
static bool reads_images(const bw_program *p, const bw_analysis *a, uint32_t reader, const bw_slot *x) {
    const bw_op *op = &p->ops[reader];
    if (op->code != BW_OP_XNOR_LINEAR && op->code != BW_OP_INT_LINEAR) return false;
    if (x->store != BW_STORE_BITS || x->channels % 64 == 0) return true;
    return op->code == BW_OP_XNOR_LINEAR && a->fusions[reader].threshold >= 0 &&
           op->attrs[BW_XNOR_LINEAR_ACCUMULATOR] == BW_ACCUMULATOR_INT32 &&
           x->positions * bw_words(x->channels) * 64 < 1u << 29;
}

/* An input image that is only ever flattened, or compared into planes, stays in the order the caller gives. */
static bool only_flattened(const bw_program *p, const bw_analysis *a) {
    uint32_t left = a->n_readers[0];
    for (uint32_t i = 1; i < p->n_ops && left; i++)
        for (int j = 0; j < p->ops[i].n_inputs; j++) {
            if (p->ops[i].inputs[j] != 0) continue;
            bool compared = p->ops[i].code == BW_OP_THRESHOLD && a->planes[i];
            if (!compared && (p->ops[i].code != BW_OP_RESHAPE || p->types[i].ndim != 1 || a->planes[i])) return false;
            left--;
        }
    return true;
}

static void lay_out_reshape(bw_plan *plan, bw_analysis *a, uint32_t number) {
    const bw_program *p = plan->program;
    const bw_slot *x = &plan->slots[p->ops[number].inputs[0]];
    bw_slot *out = &plan->slots[number];
    shape_as_typed(out, &p->types[number], x->store);
    bool same = out->channels == x->channels && out->height == x->height && out->width == x->width;
    if (!same && bw_is_linear(x) && bw_is_linear(out)) same = true;
    if (!same && !(plan->flags & BW_NO_FUSE) && out->positions == 1 && a->n_readers[number] == 1 &&
        reads_images(p, a, a->reader[number], x)) {
        bw_slot_shape(out, x->store, x->channels, x->height, x->width);
        same = true;
    }
    if (!same) return;
    out->root = x->root;
    a->skip[number] = true;
}

static void hide(bw_slot *slot) {
    slot->readable = false;
    slot->place = BW_NOWHERE;
}

void bw_lay_out(bw_plan *plan, bw_analysis *a) {
    const bw_program *p = plan->program;
    for (uint32_t i = 0; i < p->n_ops; i++) {
        bw_slot *slot = &plan->slots[i];
        slot->root = i;
        slot->place = BW_IN_ARENA;
        slot->readable = true;
        shape_as_typed(slot, &p->types[i], a->planes[i] ? BW_STORE_PLANES : store_of(&p->types[i], i == 0));
        if (a->planes[i]) {
            bool pooled = a->fusions[i].pool >= 0;
            slot->readable = !pooled;
            if (pooled) slot->place = BW_NOWHERE;
            continue;
        }
        if (p->ops[i].code == BW_OP_RESHAPE) lay_out_reshape(plan, a, i);
        const bw_fusion *f = &a->fusions[i];
        if (f->project >= 0) hide(&plan->slots[f->project]); /* inputs come before: their slots have their shapes */
        if (f->patches >= 0) hide(&plan->slots[f->patches]);
        if (i == 0 && p->types[0].ndim == 3 && only_flattened(p, a))
            bw_slot_shape(slot, slot->store, (uint32_t)p->types[0].n_values, 1, 1);
        if (f->threshold < 0 || f->pool >= 0) continue;
        hide(slot); /* the kernel writes the threshold's bits instead */
    }
    for (uint32_t i = 0; i < p->n_ops; i++) {
        const bw_fusion *f = &a->fusions[i];
        bool chain = bw_is_elementwise(p->ops[i].code);
        for (int k = 0; k + 1 < f->n_chain && chain; k++) /* only the last value of a chain is made */
            hide(&plan->slots[f->chain[k]]);
        if (f->threshold < 0) continue;
        if (f->pool >= 0) {
            bw_slot *slot = &plan->slots[i], *pool = &plan->slots[f->pool];
            bw_slot_shape(slot, BW_STORE_BITS, slot->channels, slot->height, slot->width);
            slot->readable = pool->readable = false;
            pool->place = BW_NOWHERE;
        }
        for (int k = 0; k < f->n_chain; k++) hide(&plan->slots[f->chain[k]]);
    }
}
