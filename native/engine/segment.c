/* Flat tables, and the gathers, concats and reshapes between them, as one net; counts read from it. */
#include <stdlib.h>
#include <string.h>
#include "rows.h"

enum { PLANES_OF_SUM = 64 };

struct bw_segment {
    bw_netlist list;
    uint32_t **literals;   /* of every value it knows */
    bool *member;          /* values it makes */
    uint32_t *sources;     /* values it reads, as planes, */
    uint32_t *first_plane; /* numbered from here */
    uint32_t n_sources, n_planes;
    uint32_t *counts; /* count operations */
    uint32_t n_counts;
    uint32_t first, last; /* members lie between */
    uint32_t n_ops;
};

/* signals: those counted as they are, then those counted inverted. */
typedef struct {
    uint64_t n_plain, n_inverted, first;
    int64_t offset;
} group;

typedef struct {
    const bw_slot *out;
    uint64_t n_groups;
    group *groups;
} counter;

typedef struct {
    const bw_net *net;
    bool gathered;    /* sources come from several values and are put together in scratch */
    uint32_t n_copies; /* values written, each a piece of the net's outputs */
    const bw_slot **copies;
    uint32_t n_counters;
    counter *counters;
    size_t sources_at, slots_at; /* planes of scratch; the sums of counts come first */
} joined;

bw_segment *bw_segment_create(uint32_t n_ops) {
    bw_segment *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    bw_netlist_begin(&s->list);
    s->n_ops = n_ops;
    s->first = n_ops;
    s->literals = calloc(n_ops, sizeof *s->literals);
    s->member = calloc(n_ops, sizeof *s->member);
    s->sources = calloc(n_ops, sizeof *s->sources);
    s->first_plane = calloc(n_ops, sizeof *s->first_plane);
    s->counts = calloc(n_ops, sizeof *s->counts);
    if (s->literals && s->member && s->sources && s->first_plane && s->counts) return s;
    bw_segment_free(s);
    return NULL;
}

void bw_segment_free(bw_segment *s) {
    if (!s) return;
    for (uint32_t i = 0; s->literals && i < s->n_ops; i++) free(s->literals[i]);
    free(s->literals);
    free(s->member);
    free(s->sources);
    free(s->first_plane);
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
    s->sources[s->n_sources] = value;
    s->first_plane[s->n_sources++] = s->n_planes;
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

static void gather_sources(const bw_step *step, bw_block *block, uint8_t *to) {
    for (int i = 0; i < step->n_inputs; i++) {
        const size_t n_bytes = bw_n_planes(step->inputs[i]) * block->lanes->width;
        memcpy(to, bw_at(block, step->inputs[i]), n_bytes);
        to += n_bytes;
    }
}

static uint64_t number_of(const bw_block *block, const void *sum, size_t sample) {
    return ((const uint64_t *)((const uint8_t *)sum + sample % 64 * block->lanes->width))[sample / 64];
}

static void add_up(const joined *d, bw_block *block, uint8_t *sum, uint64_t first, uint64_t n, const uint8_t *source,
                   const uint8_t *slots) {
    block->lanes->fill(sum, false, PLANES_OF_SUM);
    block->lanes->add_up(sum, d->net->outputs + first, n, source, slots);
    block->lanes->transpose(sum);
}

static void run_counter(const joined *d, const counter *c, bw_block *block, const uint8_t *source,
                        const uint8_t *slots) {
    uint8_t *plain = block->scratch, *inverted = plain + PLANES_OF_SUM * block->lanes->width;
    uint8_t *to = bw_at(block, c->out);
    for (uint64_t g = 0; g < c->n_groups; g++) {
        const group *r = &c->groups[g];
        add_up(d, block, plain, r->first, r->n_plain, source, slots);
        if (r->n_inverted) add_up(d, block, inverted, r->first + r->n_plain, r->n_inverted, source, slots);
        for (size_t s = 0; s < block->n_samples; s++) {
            int64_t value = r->offset + (int64_t)number_of(block, plain, s);
            if (r->n_inverted) value -= (int64_t)number_of(block, inverted, s);
            if (c->out->store == BW_STORE_I32) ((int32_t *)(to + s * c->out->bytes))[g] = (int32_t)value;
            else ((int64_t *)(to + s * c->out->bytes))[g] = value;
        }
    }
}

static void run_joined(const bw_step *step, bw_block *block) {
    const joined *d = step->data;
    const size_t width = block->lanes->width;
    uint8_t *slots = block->scratch + d->slots_at * width, *source = block->scratch + d->sources_at * width;
    if (d->gathered) gather_sources(step, block, source);
    else source = bw_at(block, step->inputs[0]);
    block->lanes->gates(d->net, source, slots);
    const bw_signal *signals = d->net->outputs;
    for (uint32_t i = 0; i < d->n_copies; i++) {
        const uint64_t n = bw_n_planes(d->copies[i]);
        block->lanes->copy(bw_at(block, d->copies[i]), 1, signals, n, source, slots, false);
        signals += n;
    }
    for (uint32_t i = 0; i < d->n_counters; i++) run_counter(d, &d->counters[i], block, source, slots);
}

static void *take(void *plan, uint64_t n, size_t size) { return bw_plan_alloc_array(plan, n, size); }

static bool read_outside(const bw_segment *s, const bw_analysis *a, uint32_t value) {
    for (uint32_t r = a->first_reader[value]; r < a->first_reader[value + 1]; r++)
        if (!s->member[a->readers[r]]) return true;
    return false;
}

/* A group's literals: plain ones, then those counted as 1 - x; constants go to the offset. */
static uint64_t take_group(const bw_segment *s, const bw_op *op, uint64_t g, group *r, uint32_t *to) {
    const bw_const *start = &op->consts[BW_COUNT_C_START], *signal = &op->consts[BW_COUNT_C_SIGNAL];
    const uint32_t *x = s->literals[op->inputs[0]];
    r->offset = bw_const_int(&op->consts[BW_COUNT_C_OFFSET], g);
    uint64_t n = 0;
    for (unsigned inverted = 0; inverted < 2; inverted++) {
        for (int64_t i = bw_const_int(start, g); i < bw_const_int(start, g + 1); i++) {
            const uint32_t literal = x[bw_const_int(signal, (uint64_t)i)] ^
                                     (uint32_t)bw_const_int(&op->consts[BW_COUNT_C_INVERT], (uint64_t)i);
            if (literal >> 1 == 0) r->offset += inverted ? 0 : literal;
            else if ((literal & 1) == inverted) to[n++] = literal & ~1u;
        }
        if (!inverted) r->n_plain = n;
    }
    r->n_inverted = n - r->n_plain;
    r->offset += (int64_t)r->n_inverted;
    return n;
}

static int add_counters(bw_plan *plan, const bw_segment *s, joined *d, uint32_t *wanted, uint64_t n, uint64_t *total,
                        bw_error *error) {
    d->n_counters = s->n_counts;
    d->counters = bw_plan_alloc_array(plan, s->n_counts, sizeof *d->counters);
    BW_HAVE(d->counters);
    for (uint32_t i = 0; i < s->n_counts; i++) {
        const bw_op *op = &plan->program->ops[s->counts[i]];
        counter *c = &d->counters[i];
        c->out = &plan->slots[s->counts[i]];
        c->n_groups = op->consts[BW_COUNT_C_OFFSET].n_values;
        c->groups = bw_plan_alloc_array(plan, c->n_groups, sizeof *c->groups);
        BW_HAVE(c->groups);
        for (uint64_t g = 0; g < c->n_groups; g++) {
            c->groups[g].first = n;
            n += take_group(s, op, g, &c->groups[g], wanted + n);
        }
    }
    *total = n;
    return BW_OK;
}

static uint64_t most_outputs(const bw_plan *plan, const bw_analysis *a, const bw_segment *s) {
    uint64_t n = 1;
    for (uint32_t v = s->first; v <= s->last; v++)
        if (s->member[v] && s->literals[v] && read_outside(s, a, v)) n += plan->program->types[v].n_values;
    for (uint32_t i = 0; i < s->n_counts; i++)
        n += plan->program->ops[s->counts[i]].consts[BW_COUNT_C_SIGNAL].n_values;
    return n;
}

static int set_slots(bw_plan *plan, const bw_analysis *a, const bw_segment *s, bw_step *step, joined *d,
                     uint32_t *wanted, uint64_t *n, bw_error *error) {
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
            memcpy(wanted + *n, s->literals[v], bw_n_planes(slot) * sizeof *wanted);
            *n += bw_n_planes(slot);
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

static int fill(bw_plan *plan, const bw_analysis *a, const bw_segment *s, uint32_t *wanted, bw_error *error) {
    bw_step *step = bw_new_step(plan, s->last, NULL, NULL);
    joined *d = step->data = bw_plan_alloc(plan, sizeof *d);
    BW_HAVE(d);
    uint64_t n = 0;
    BW_TRY(set_slots(plan, a, s, step, d, wanted, &n, error));
    BW_TRY(add_counters(plan, s, d, wanted, n, &n, error));
    d->net = bw_schedule(&s->list, wanted, n, take, plan);
    BW_HAVE(d->net);
    d->gathered = s->n_sources > 1;
    d->sources_at = d->n_counters ? 2 * PLANES_OF_SUM : 0;
    d->slots_at = d->sources_at + (d->gathered ? s->n_planes : 0);
    step->scratch_bytes = (d->slots_at + d->net->n_slots) * BW_PLANE_MOST;
    step->run = run_joined;
    return BW_OK;
}

/* Makes the step of the members taken so far, if any, and begins anew. */
int bw_segment_close(bw_plan *plan, const bw_analysis *a, bw_segment *s, bw_error *error) {
    if (s->first == s->n_ops) return BW_OK;
    uint32_t *wanted = malloc(most_outputs(plan, a, s) * sizeof *wanted);
    int status = wanted ? fill(plan, a, s, wanted, error) : bw_fail(error, BW_NO_MEMORY, "no memory for the plan");
    free(wanted);
    empty(s);
    return status;
}
