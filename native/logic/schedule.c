/* From a netlist to runs: an order of gates that is good for the cache, and places for what they make.
 *
 * Gates lie in levels. Where levels are large, every second one is never stored: a gate that only the next level reads
 * is an inner gate, computed into scratch in the same window as its readers, which stand in an order in which
 * neighbours share inner gates. All others are stored, level after level; a level's slots are free again when its last
 * reader has run. What tallies count is added up as soon as its level is there. Within a window, gates are sorted by
 * function and by where they read.
 */
#include <stdlib.h>
#include <string.h>
#include "schedule.h"

static bw_signal place_of(const bw_scheduling *w, uint32_t literal) {
    const bw_node *node = &w->list->nodes[literal >> 1];
    if (node->kind == BW_GATE_ZERO) return (bw_signal){0, BW_BASE_ZERO, literal & 1};
    return (bw_signal){w->slot[literal >> 1], base_of(w, literal >> 1), literal & 1};
}

static void finish(bw_scheduling *w) {
    bw_net *net = w->net;
    uint32_t most = (uint32_t)w->n_slots;
    for (size_t i = 0; i < w->n_index; i++)
        if (w->index[i] > most) most = w->index[i];
    net->wide = most > UINT16_MAX;
    net->n_runs = (uint32_t)w->n_runs;
    net->n_index = w->n_index;
    net->n_slots = (uint32_t)w->n_slots;
    net->depth = w->n_levels;
    net->n_outputs = w->wanted->n_outputs;
    net->runs = w->take(w->context, w->n_runs, sizeof *net->runs);
    net->index = w->take(w->context, w->n_index, net->wide ? 4 : 2);
    net->outputs = w->take(w->context, net->n_outputs, sizeof *net->outputs);
    w->failed |= !net->runs || !net->index || !net->outputs;
    if (w->failed) return;
    if (w->n_runs) memcpy(net->runs, w->runs, w->n_runs * sizeof *net->runs);
    for (size_t i = 0; i < w->n_index; i++) {
        if (net->wide) ((uint32_t *)net->index)[i] = w->index[i];
        else ((uint16_t *)net->index)[i] = (uint16_t)w->index[i];
    }
    for (size_t o = 0; o < net->n_outputs; o++) net->outputs[o] = place_of(w, w->wanted->outputs[o]);
}

static void schedule(bw_scheduling *w) {
    const size_t n = w->list->n_nodes;
    uint32_t *n_readers = calloc(n, sizeof *n_readers), *readers = NULL;
    uint8_t *pinned = calloc(n, 1), *done = calloc(n, 1);
    size_t *count = NULL;
    w->level = calloc(n, sizeof *w->level);
    w->role = calloc(n, 1);
    w->slot = calloc(n, sizeof *w->slot);
    w->stamp = calloc(n, sizeof *w->stamp);
    w->order = calloc(n, sizeof *w->order);
    w->failed |= !n_readers || !pinned || !done || !w->level || !w->role || !w->slot || !w->stamp || !w->order;
    if (!w->failed) bw_find_terms(w);
    if (!w->failed) bw_find_levels(w);
    if (!w->failed) {
        w->last = calloc(w->n_levels + 2, sizeof *w->last);
        w->first = calloc(w->n_levels + 3, sizeof *w->first);
        w->spans = malloc((w->n_levels + 2) * sizeof *w->spans);
        count = calloc(w->n_levels + 2, sizeof *count);
        readers = malloc(4 * n * sizeof *readers);
        w->failed |= !w->last || !w->first || !w->spans || !count || !readers;
    }
    if (!w->failed) {
        const bool windows = bw_widest_level(w, count) > SMALL_LEVEL;
        if (windows) bw_find_inner(w, n_readers, pinned);
        w->scratch = w->n_slots = windows ? 3 * WINDOW : 0;
        for (size_t i = 0; i < n; i++)
            if (w->list->nodes[i].kind == BW_GATE_SOURCE) w->slot[i] = w->list->nodes[i].in[0];
        bw_begin_tallies(w);
        if (!w->failed) bw_sort_by_level(w);
        uint32_t window = 0;
        for (uint32_t level = 1; level <= w->n_levels && !w->failed; level++) {
            uint32_t *gates = w->order + w->first[level];
            const size_t n_gates = w->first[level + 1] - w->first[level];
            if (windows) bw_chain(w, gates, n_gates, readers, n_readers, done);
            bw_emit_level(w, level, &window, windows);
        }
    }
    if (!w->failed) finish(w);
    free(n_readers);
    free(readers);
    free(pinned);
    free(done);
    free(count);
}

bw_net *bw_schedule(const bw_netlist *list, const bw_wanted *wanted,
                    void *(*take)(void *context, uint64_t n, size_t size), void *context) {
    if (list->failed) return NULL;
    bw_scheduling w = {.list = list, .wanted = wanted, .take = take, .context = context};
    w.net = take(context, 1, sizeof *w.net);
    w.failed = !w.net;
    if (!w.failed) schedule(&w);
    free(w.level);
    free(w.role);
    free(w.slot);
    free(w.stamp);
    free(w.last);
    free(w.order);
    free(w.first);
    free(w.spans);
    free(w.first_term);
    free(w.terms);
    free(w.pending);
    free(w.runs);
    free(w.index);
    return w.failed ? NULL : w.net;
}
