/* Gates in their order become runs and indices; slots for what they make. */
#include <stdlib.h>
#include <string.h>
#include "schedule.h"

static void *grow(bw_scheduling *w, void *array, size_t *room, size_t needed, size_t size) {
    if (needed <= *room) return array;
    size_t more = needed < 1024 ? 1024 : 2 * needed;
    void *grown = realloc(array, more * size);
    if (!grown) {
        w->failed = true;
        return array;
    }
    *room = more;
    return grown;
}

/* First fit among the slots still in use, which are kept in order of place. */
static size_t take_slots(bw_scheduling *w, size_t size, uint32_t level) {
    size_t kept = 0, at = w->scratch, place = 0;
    for (size_t i = 0; i < w->n_spans; i++)
        if (w->spans[i].last_level >= level) w->spans[kept++] = w->spans[i];
    for (; place < kept && w->spans[place].begin - at < size; place++) at = w->spans[place].end;
    memmove(w->spans + place + 1, w->spans + place, (kept - place) * sizeof *w->spans);
    w->spans[place] = (bw_span){at, at + size, w->last[level]};
    w->n_spans = kept + 1;
    if (at + size > w->n_slots) w->n_slots = at + size;
    return at;
}

/* Inputs in the order a run reads them: of a symmetric gate the source first. */
static void operands(const bw_scheduling *w, uint32_t gate, uint32_t in[3]) {
    const bw_node *node = &w->list->nodes[gate];
    memcpy(in, node->in, 3 * sizeof *in);
    if (node->kind < BW_GATE_MUX && node->kind != BW_GATE_AND_NOT && base_of(w, in[0]) < base_of(w, in[1])) {
        in[0] = node->in[1];
        in[1] = node->in[0];
    }
}

static unsigned key_of(const bw_scheduling *w, uint32_t gate) {
    const bw_node *node = &w->list->nodes[gate];
    uint32_t in[3];
    operands(w, gate, in);
    unsigned bases = 0;
    for (int j = 0; j < inputs_of(node); j++) bases |= (unsigned)base_of(w, in[j]) << j;
    return node->kind * 8u + bases;
}

/* Gates sorted by function, in slots from `to` on. */
static void emit(bw_scheduling *w, const uint32_t *gates, size_t n, size_t to) {
    enum { KEYS = BW_GATE_KINDS * 8 };
    size_t count[KEYS] = {0};
    for (size_t i = 0; i < n; i++) count[key_of(w, gates[i])]++;
    w->runs = grow(w, w->runs, &w->runs_room, w->n_runs + KEYS, sizeof *w->runs);
    w->index = grow(w, w->index, &w->index_room, w->n_index + 3 * n, sizeof *w->index);
    if (w->failed) return;
    size_t place[KEYS], slot[KEYS], at = w->n_index;
    for (unsigned key = 0; key < KEYS; key++) {
        place[key] = at;
        slot[key] = to;
        if (!count[key]) continue;
        w->runs[w->n_runs++] = (bw_run_of_gates){.kind = (uint8_t)(key / 8),
                                                 .base = {key & 1, key >> 1 & 1, key >> 2 & 1},
                                                 .n = (uint32_t)count[key],
                                                 .to = (uint32_t)to};
        to += count[key];
        at += count[key] * (key / 8 >= BW_GATE_MUX ? 3 : 2);
    }
    for (size_t i = 0; i < n; i++) {
        const bw_node *node = &w->list->nodes[gates[i]];
        const unsigned key = key_of(w, gates[i]);
        uint32_t in[3];
        operands(w, gates[i], in);
        w->slot[gates[i]] = (uint32_t)slot[key]++;
        for (int j = 0; j < inputs_of(node); j++) w->index[place[key]++] = w->slot[in[j]];
    }
    w->n_index = at;
    w->net->n_gates += (uint32_t)n;
}

static int compare_pairs(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Adds the gates or sources just made to the tallies that count them. */
static void emit_counts(bw_scheduling *w, const uint32_t *nodes, size_t n) {
    size_t n_pending = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t t = w->first_term[nodes[i]]; t < w->first_term[nodes[i] + 1]; t++) {
            w->pending[2 * n_pending] = w->terms[t];
            w->pending[2 * n_pending++ + 1] = nodes[i];
        }
    if (!n_pending) return;
    qsort(w->pending, n_pending, 2 * sizeof *w->pending, compare_pairs);
    w->runs = grow(w, w->runs, &w->runs_room, w->n_runs + n_pending, sizeof *w->runs);
    w->index = grow(w, w->index, &w->index_room, w->n_index + n_pending, sizeof *w->index);
    if (w->failed) return;
    for (size_t i = 0; i < n_pending; i++) {
        const uint32_t tally = w->pending[2 * i], node = w->pending[2 * i + 1];
        if (i == 0 || tally != w->pending[2 * i - 2])
            w->runs[w->n_runs++] = (bw_run_of_gates){.kind = BW_GATE_COUNT,
                                                     .base = {base_of(w, node), w->net->sum_planes[tally], 0},
                                                     .to = w->net->sums[tally]};
        w->runs[w->n_runs - 1].n++;
        w->index[w->n_index++] = w->slot[node];
    }
}

/* Inner gates that a window needs, then its own gates. */
static void emit_window(bw_scheduling *w, const uint32_t *gates, size_t n, size_t to, uint32_t window) {
    const bw_node *nodes = w->list->nodes;
    uint32_t inner[3 * WINDOW];
    size_t n_inner = 0;
    for (size_t i = 0; window && i < n; i++)
        for (int j = 0; j < inputs_of(&nodes[gates[i]]); j++) {
            const uint32_t x = nodes[gates[i]].in[j];
            if (w->role[x] != INNER || w->stamp[x] == window) continue;
            w->stamp[x] = window;
            inner[n_inner++] = x;
        }
    emit(w, inner, n_inner, 0);
    emit(w, gates, n, to);
}

/* A level in windows, then what is counted of it. A level of a small net is one window without inner gates. */
void bw_emit_level(bw_scheduling *w, uint32_t level, uint32_t *window, bool windows) {
    const uint32_t *gates = w->order + w->first[level];
    const size_t n = w->first[level + 1] - w->first[level], most = windows ? WINDOW : n;
    const size_t to = take_slots(w, n, level);
    for (size_t begin = 0; begin < n && !w->failed; begin += most)
        emit_window(w, gates + begin, n - begin < most ? n - begin : most, to + begin, windows ? ++*window : 0);
    if (!w->failed) emit_counts(w, gates, n);
}

/* Slots for the numbers, and runs that clear them and add up the sources. */
void bw_begin_tallies(bw_scheduling *w) {
    const bw_wanted *wanted = w->wanted;
    bw_net *net = w->net;
    net->sums = w->take(w->context, wanted->n_tallies, sizeof *net->sums);
    net->sum_planes = w->take(w->context, wanted->n_tallies, sizeof *net->sum_planes);
    w->failed |= !net->sums || !net->sum_planes;
    if (w->failed || !wanted->n_tallies) return;
    const uint32_t first = w->scratch;
    for (size_t t = 0; t < wanted->n_tallies; t++) {
        const size_t n = wanted->first[t + 1] - wanted->first[t];
        uint8_t planes = 4; /* what adding sixteen at once needs */
        while (n >> planes) planes++;
        net->sums[t] = w->scratch;
        net->sum_planes[t] = planes;
        w->scratch += planes;
    }
    w->n_slots = w->scratch;
    w->runs = grow(w, w->runs, &w->runs_room, w->n_runs + 1, sizeof *w->runs);
    if (w->failed) return;
    w->runs[w->n_runs++] = (bw_run_of_gates){.kind = BW_GATE_CLEAR, .n = w->scratch - first, .to = first};
    size_t n_sources = 0; /* w->order is not in use yet */
    for (uint32_t i = 1; i < w->list->n_nodes; i++)
        if (w->list->nodes[i].kind == BW_GATE_SOURCE) w->order[n_sources++] = i;
    emit_counts(w, w->order, n_sources);
}
