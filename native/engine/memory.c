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

int bw_place_slots(bw_plan *plan, bw_error *error) {
    uint32_t n = plan->program->n_ops;
    uint32_t *first = malloc(n * sizeof *first), *last = calloc(n, sizeof *last);
    live_span *spans = malloc((n + 1) * sizeof *spans);
    size_t n_spans = 0, peak = 0;
    bool ok = first && last && spans;
    for (uint32_t i = 0; ok && i < n; i++) first[i] = UINT32_MAX;
    for (uint32_t s = 0; ok && s < plan->n_steps; s++) {
        const bw_step *step = &plan->steps[s];
        see(plan, step->out, s, first, last);
        for (int i = 0; i < step->n_inputs; i++) see(plan, step->inputs[i], s, first, last);
        see(plan, step->x, s, first, last);
    }
    for (uint32_t s = 0; ok && s < plan->n_steps; s++) {
        bw_slot *slot = &plan->slots[plan->steps[s].out->root];
        uint32_t root = (uint32_t)(slot - plan->slots);
        if (slot->place != BW_IN_ARENA || first[root] != s) continue;
        size_t size = (slot->bytes + 63) / 64 * 64;
        slot->offset = take_place(spans, &n_spans, size, s, plan->flags & BW_KEEP ? UINT32_MAX : last[root]);
        if (slot->offset + size > peak) peak = slot->offset + size;
    }
    free(first);
    free(last);
    free(spans);
    if (!ok) return bw_fail(error, BW_NO_MEMORY, "no memory for the plan");
    plan->arena_bytes = peak;
    return BW_OK;
}
