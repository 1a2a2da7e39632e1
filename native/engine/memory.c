/* Memory of a plan: allocations freed together, and the arena, where values share places that are free again. */
#include <stdlib.h>
#include <string.h>
#include "engine.h"

void *bw_plan_alloc(bw_plan *plan, size_t n_bytes) {
    if (n_bytes > SIZE_MAX / 2) return NULL;
    size_t total = (n_bytes + 63) / 64 * 64 + 64;
    bw_allocation *allocation = aligned_alloc(64, total);
    if (!allocation) return NULL;
    memset(allocation, 0, total);
    allocation->next = plan->allocations;
    plan->allocations = allocation;
    plan->bytes += total;
    return (uint8_t *)allocation + 64;
}

void *bw_plan_alloc_array(bw_plan *plan, uint64_t n, size_t size) {
    size_t n_bytes;
    return __builtin_mul_overflow(n, size, &n_bytes) ? NULL : bw_plan_alloc(plan, n_bytes);
}

typedef struct {
    size_t begin, end;
    uint32_t last_step;
} live_span;

/* First fit among the spans still in use, which are kept in order of place. */
static size_t take_place(live_span *spans, size_t *n_spans, size_t size, uint32_t step, uint32_t last_step) {
    size_t kept = 0, at = 0, place = 0;
    bool found = false;
    for (size_t i = 0; i < *n_spans; i++)
        if (spans[i].last_step >= step) spans[kept++] = spans[i];
    for (size_t i = 0; i < kept && !found; i++) {
        if (spans[i].begin - at >= size) {
            place = i;
            found = true;
        } else {
            at = spans[i].end;
        }
    }
    if (!found) place = kept;
    memmove(spans + place + 1, spans + place, (kept - place) * sizeof *spans);
    spans[place] = (live_span){at, at + size, last_step};
    *n_spans = kept + 1;
    return at;
}

static void see(const bw_plan *plan, const bw_slot *slot, uint32_t step, uint32_t *first, uint32_t *last) {
    if (!slot) return;
    uint32_t root = plan->slots[slot->root].root;
    if (first[root] > step) first[root] = step;
    last[root] = step;
}

typedef struct {
    uint32_t *first, *last; /* of every slot that is a root: the steps between which it is in use */
    live_span *spans;
    size_t n_spans;
} places;

static int n_outs(const bw_step *step) { return step->outs ? step->n_outs : 1; }
static const bw_slot *out_of(const bw_step *step, int i) { return step->outs ? step->outs[i] : step->out; }

static void place(bw_plan *plan, places *a, const bw_slot *out, uint32_t step) {
    bw_slot *slot = &plan->slots[out->root];
    if (slot->place != BW_IN_ARENA || a->first[out->root] != step) return;
    size_t size = (slot->bytes + 63) / 64 * 64;
    uint32_t last = plan->flags & BW_KEEP ? UINT32_MAX : a->last[out->root];
    slot->offset = take_place(a->spans, &a->n_spans, size, step, last);
    if (slot->offset + size > plan->arena_bytes) plan->arena_bytes = slot->offset + size;
}

static void place_all(bw_plan *plan, places *a) {
    for (uint32_t s = 0; s < plan->n_steps; s++) {
        const bw_step *step = &plan->steps[s];
        for (int i = 0; i < n_outs(step); i++) see(plan, out_of(step, i), s, a->first, a->last);
        for (int i = 0; i < step->n_inputs; i++) see(plan, step->inputs[i], s, a->first, a->last);
        see(plan, step->x, s, a->first, a->last);
    }
    for (uint32_t s = 0; s < plan->n_steps; s++)
        for (int i = 0; i < n_outs(&plan->steps[s]); i++) place(plan, a, out_of(&plan->steps[s], i), s);
}

int bw_place_slots(bw_plan *plan, bw_error *error) {
    size_t n = 2 * (size_t)plan->program->n_ops;
    places a = {malloc(n * sizeof *a.first), calloc(n, sizeof *a.last), malloc((n + 1) * sizeof *a.spans), 0};
    bool ok = a.first && a.last && a.spans;
    for (size_t i = 0; ok && i < n; i++) a.first[i] = UINT32_MAX;
    plan->arena_bytes = 0;
    if (ok) place_all(plan, &a);
    free(a.first);
    free(a.last);
    free(a.spans);
    return ok ? BW_OK : bw_fail(error, BW_NO_MEMORY, "no memory for the plan");
}
