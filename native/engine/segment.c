/* Flat tables, and the gathers, concats and reshapes between them, as one net; counts read from it. */
#include <stdlib.h>
#include <string.h>
#include "joined.h"
#include "rows.h"

struct bw_segment {
    bw_netlist list;
    uint32_t **literals; /* of every value it knows */
    bool *member;        /* values it makes */
    uint32_t *sources;   /* values it reads, as planes, one after another */
    uint32_t n_sources, n_planes;
    uint32_t *counts; /* count operations */
    uint32_t n_counts;
    uint32_t first, last; /* members lie between */
    uint32_t n_ops;
};

bw_segment *bw_segment_create(uint32_t n_ops) {
    bw_segment *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    bw_netlist_begin(&s->list);
    s->n_ops = n_ops;
    s->first = n_ops;
    s->literals = calloc(n_ops, sizeof *s->literals);
    s->member = calloc(n_ops, sizeof *s->member);
    s->sources = calloc(n_ops, sizeof *s->sources);
    s->counts = calloc(n_ops, sizeof *s->counts);
    if (s->literals && s->member && s->sources && s->counts) return s;
    bw_segment_free(s);
    return NULL;
}

void bw_segment_free(bw_segment *s) {
    if (!s) return;
    for (uint32_t i = 0; s->literals && i < s->n_ops; i++) free(s->literals[i]);
    free(s->literals);
    free(s->member);
    free(s->sources);
    free(s->counts);
    bw_netlist_free(&s->list);
    free(s);
}

static void forget(bw_segment *s, uint32_t value) {
    free(s->literals[value]);
    s->literals[value] = NULL;
    s->member[value] = false;
}

/* Ready for other members: each value is forgotten once, so that all segments of a Program together cost its length. */
static void empty(bw_segment *s) {
    for (uint32_t v = s->first; v <= s->last && v < s->n_ops; v++) forget(s, v);
    for (uint32_t i = 0; i < s->n_sources; i++) forget(s, s->sources[i]);
    s->n_sources = s->n_planes = s->n_counts = 0;
    s->first = s->n_ops;
    s->last = 0;
    s->list.n_nodes = 1;
}

bool bw_segment_makes(const bw_segment *s, uint32_t value) { return s->member[value]; }

static int read_source(bw_plan *plan, bw_segment *s, uint32_t value, bw_error *error) {
    if (s->literals[value]) return BW_OK;
    const uint64_t n = bw_n_planes(bw_as_planes(plan, value));
    uint32_t *literals = s->literals[value] = malloc(n * sizeof *literals);
    BW_HAVE(literals);
    for (uint64_t i = 0; i < n; i++) literals[i] = bw_net_source(&s->list, s->n_planes + (uint32_t)i);
    s->sources[s->n_sources++] = value;
    s->n_planes += (uint32_t)n;
    return BW_OK;
}

static void take_tables(bw_segment *s, const bw_op *op, const uint32_t *x, uint32_t *literals) {
    const bw_const *wiring = &op->consts[BW_LUT_C_WIRING], *table = &op->consts[BW_LUT_C_TABLE];
    const int k = (int)op->attrs[BW_LUT_K];
    for (uint64_t g = 0; g < table->n_values; g++) {
        uint32_t in[6];
        for (int j = 0; j < k; j++) in[j] = x[bw_const_int(wiring, g * (uint64_t)k + (uint64_t)j)];
        literals[g] = bw_net_table(&s->list, (uint64_t)bw_const_int(table, g), k, in);
    }
}

static void take_moves(const bw_program *p, bw_segment *s, const bw_op *op, uint32_t *literals) {
    if (op->code == BW_OP_GATHER) {
        const bw_const *index = &op->consts[BW_GATHER_C_INDEX];
        for (uint64_t i = 0; i < index->n_values; i++)
            literals[i] = s->literals[op->inputs[0]][bw_const_int(index, i)];
        return;
    }
    for (int i = 0; i < op->n_inputs; i++) { /* concat, reshape */
        const uint64_t n = p->types[op->inputs[i]].n_values;
        memcpy(literals, s->literals[op->inputs[i]], n * sizeof *literals);
        literals += n;
    }
}

/* Whether the net can hold it: flat bits read, flat bits or a count made. */
static bool fits(const bw_program *p, const bw_analysis *a, uint32_t number) {
    const bw_op *op = &p->ops[number];
    if (op->code == BW_OP_COUNT) return true;
    if (!a->planes[number] || p->types[number].ndim != 1) return false;
    if (op->code != BW_OP_LUT && op->code != BW_OP_GATHER && op->code != BW_OP_CONCAT && op->code != BW_OP_RESHAPE)
        return false;
    for (int i = 0; i < op->n_inputs; i++)
        if (p->types[op->inputs[i]].ndim != 1) return false;
    return true;
}

/* Takes operation `number` into the segment, if it fits. */
int bw_segment_take(bw_plan *plan, const bw_analysis *a, bw_segment *s, uint32_t number, bool *taken, bw_error *error) {
    const bw_program *p = plan->program;
    const bw_op *op = &p->ops[number];
    *taken = fits(p, a, number);
    if (!*taken) return BW_OK;
    for (int i = 0; i < op->n_inputs; i++) BW_TRY(read_source(plan, s, op->inputs[i], error));
    s->member[number] = true;
    if (number < s->first) s->first = number;
    s->last = number;
    if (op->code == BW_OP_COUNT) {
        s->counts[s->n_counts++] = number;
        return BW_OK;
    }
    uint32_t *literals = s->literals[number] = malloc(p->types[number].n_values * sizeof *literals);
    BW_HAVE(literals);
    if (op->code == BW_OP_LUT) take_tables(s, op, s->literals[op->inputs[0]], literals);
    else take_moves(p, s, op, literals);
    return BW_OK;
}

static void *take(void *plan, uint64_t n, size_t size) { return bw_plan_alloc_array(plan, n, size); }

static bool read_outside(const bw_segment *s, const bw_analysis *a, uint32_t value) {
    for (uint32_t r = a->first_reader[value]; r < a->first_reader[value + 1]; r++)
        if (!s->member[a->readers[r]]) return true;
    return false;
}

/* What a segment wants of its net, as it grows. */
typedef struct {
    uint32_t *outputs, *counted;
    size_t *first;
    size_t n_outputs, n_tallies;
} wishes;

/* A group's plain literals as one tally, inverted ones as another that is taken away; constants go to the offset. */
static void add_group(const bw_segment *s, const bw_op *op, uint64_t g, bw_counter *c, wishes *w) {
    const bw_const *start = &op->consts[BW_COUNT_C_START], *signal = &op->consts[BW_COUNT_C_SIGNAL];
    const uint32_t *x = s->literals[op->inputs[0]];
    const uint64_t n_before = c->n_terms;
    c->offsets[g] = bw_const_int(&op->consts[BW_COUNT_C_OFFSET], g);
    for (unsigned inverted = 0; inverted < 2; inverted++) {
        size_t n = w->first[w->n_tallies];
        for (int64_t i = bw_const_int(start, g); i < bw_const_int(start, g + 1); i++) {
            const uint32_t literal = x[bw_const_int(signal, (uint64_t)i)] ^
                                     (uint32_t)bw_const_int(&op->consts[BW_COUNT_C_INVERT], (uint64_t)i);
            if ((literal & 1) != inverted) continue;
            c->offsets[g] += inverted; /* 1 - x */
            if (literal >> 1) w->counted[n++] = literal >> 1;
        }
        if (n == w->first[w->n_tallies]) continue;
        c->terms[c->n_terms] = (bw_term){g, (uint32_t)w->n_tallies, inverted, n_before == c->n_terms};
        c->n_terms++;
        w->first[++w->n_tallies] = n;
    }
    c->empty_group |= n_before == c->n_terms;
}

static int add_counters(bw_plan *plan, const bw_segment *s, bw_joined *d, wishes *w, bw_error *error) {
    d->n_counters = s->n_counts;
    d->counters = bw_plan_alloc_array(plan, s->n_counts, sizeof *d->counters);
    BW_HAVE(d->counters);
    for (uint32_t i = 0; i < s->n_counts; i++) {
        const bw_op *op = &plan->program->ops[s->counts[i]];
        bw_counter *c = &d->counters[i];
        c->out = &plan->slots[s->counts[i]];
        c->n_groups = op->consts[BW_COUNT_C_OFFSET].n_values;
        c->offsets = bw_plan_alloc_array(plan, c->n_groups, sizeof *c->offsets);
        c->terms = bw_plan_alloc_array(plan, 2 * c->n_groups, sizeof *c->terms);
        BW_HAVE(c->offsets && c->terms);
        const size_t first = w->n_tallies;
        for (uint64_t g = 0; g < c->n_groups; g++) add_group(s, op, g, c, w);
        c->field = 16;
        for (size_t t = first; t < w->n_tallies; t++)
            if ((w->first[t + 1] - w->first[t]) >> 16) c->field = 32;
    }
    return BW_OK;
}

/* Room for all outputs and tallies of a segment; false without memory. */
static bool take_wishes(const bw_plan *plan, const bw_analysis *a, const bw_segment *s, wishes *w) {
    size_t n_outputs = 1, n_counted = 1, n_groups = 1;
    for (uint32_t v = s->first; v <= s->last; v++)
        if (s->member[v] && s->literals[v] && read_outside(s, a, v)) n_outputs += plan->program->types[v].n_values;
    for (uint32_t i = 0; i < s->n_counts; i++) {
        const bw_const *consts = plan->program->ops[s->counts[i]].consts;
        n_counted += consts[BW_COUNT_C_SIGNAL].n_values;
        n_groups += consts[BW_COUNT_C_OFFSET].n_values;
    }
    *w = (wishes){.outputs = malloc(n_outputs * sizeof *w->outputs),
                  .counted = malloc(n_counted * sizeof *w->counted),
                  .first = calloc(2 * n_groups, sizeof *w->first)};
    return w->outputs && w->counted && w->first;
}

static int set_slots(bw_plan *plan, const bw_analysis *a, const bw_segment *s, bw_step *step, bw_joined *d,
                     wishes *w, bw_error *error) {
    const uint64_t n_members = s->last - s->first + 1;
    d->copies = bw_plan_alloc_array(plan, n_members, sizeof *d->copies);
    const bw_slot **outs = bw_plan_alloc_array(plan, n_members, sizeof *outs);
    const bw_slot **inputs = bw_plan_alloc_array(plan, s->n_sources, sizeof *inputs);
    BW_HAVE(d->copies && outs && inputs);
    for (uint32_t i = 0; i < s->n_sources; i++) inputs[i] = bw_as_planes(plan, s->sources[i]);
    for (uint32_t v = s->first; v <= s->last; v++) {
        if (!s->member[v]) continue;
        bw_slot *slot = &plan->slots[v];
        if (!s->literals[v]) { /* a count */
            outs[step->n_outs++] = slot;
        } else if (read_outside(s, a, v)) {
            outs[step->n_outs++] = d->copies[d->n_copies++] = slot;
            memcpy(w->outputs + w->n_outputs, s->literals[v], bw_n_planes(slot) * sizeof *w->outputs);
            w->n_outputs += bw_n_planes(slot);
        } else {
            slot->place = BW_NOWHERE;
            slot->readable = false;
        }
    }
    step->outs = outs;
    step->inputs = inputs;
    step->n_inputs = (int)s->n_sources;
    step->x = inputs[0];
    return BW_OK;
}

static int fill(bw_plan *plan, const bw_analysis *a, const bw_segment *s, wishes *w, bw_error *error) {
    bw_step *step = bw_new_step(plan, s->last, NULL, NULL);
    bw_joined *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    BW_TRY(set_slots(plan, a, s, step, d, w, error));
    BW_TRY(add_counters(plan, s, d, w, error));
    bw_wanted wanted = {w->outputs, w->n_outputs, w->counted, w->first, w->n_tallies};
    d->net = bw_schedule(&s->list, &wanted, take, plan);
    BW_HAVE(d->net);
    d->gathered = s->n_sources > 1;
    d->sources_at = d->n_counters ? BW_SQUARE : 0;
    d->slots_at = d->sources_at + (d->gathered ? s->n_planes : 0);
    step->scratch_bytes = (d->slots_at + d->net->n_slots) * BW_PLANE_MOST;
    step->run = bw_run_joined;
    return BW_OK;
}

/* Makes the step of the members taken so far, if any, and begins anew. */
int bw_segment_close(bw_plan *plan, const bw_analysis *a, bw_segment *s, bw_error *error) {
    if (s->first == s->n_ops) return BW_OK;
    wishes w;
    int status = take_wishes(plan, a, s, &w) ? fill(plan, a, s, &w, error)
                                             : bw_fail(error, BW_NO_MEMORY, "no memory for the plan");
    free(w.outputs);
    free(w.counted);
    free(w.first);
    empty(s);
    return status;
}
