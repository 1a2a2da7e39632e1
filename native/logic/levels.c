/* What a gate is to the schedule: its level, whether it is stored, who counts it. */
#include <stdlib.h>
#include <string.h>
#include "schedule.h"

/* Which tallies count each node. */
void bw_find_terms(bw_scheduling *w) {
    const bw_wanted *wanted = w->wanted;
    const size_t n = w->list->n_nodes, n_terms = wanted->first[wanted->n_tallies];
    w->first_term = calloc(n + 1, sizeof *w->first_term);
    w->terms = malloc((n_terms + 1) * sizeof *w->terms);
    w->pending = malloc((n_terms + 1) * 2 * sizeof *w->pending);
    w->failed |= !w->first_term || !w->terms || !w->pending;
    if (w->failed) return;
    for (size_t c = 0; c < n_terms; c++) w->first_term[wanted->counted[c]]++;
    for (size_t i = 0, total = 0; i <= n; i++) {
        total += w->first_term[i];
        w->first_term[i] = total; /* the end; filling moves it to the beginning */
    }
    for (size_t t = wanted->n_tallies; t-- > 0;)
        for (size_t c = wanted->first[t]; c < wanted->first[t + 1]; c++)
            w->terms[--w->first_term[wanted->counted[c]]] = (uint32_t)t;
}

/* Levels, and which gates anything needs. */
void bw_find_levels(bw_scheduling *w) {
    const bw_node *nodes = w->list->nodes;
    const size_t n = w->list->n_nodes;
    for (size_t c = 0; c < w->wanted->first[w->wanted->n_tallies]; c++) w->role[w->wanted->counted[c]] = STORED;
    for (size_t o = 0; o < w->wanted->n_outputs; o++) w->role[w->wanted->outputs[o] >> 1] = STORED;
    for (size_t i = n; i-- > 0;)
        if (w->role[i] != DEAD && is_gate(&nodes[i]))
            for (int j = 0; j < inputs_of(&nodes[i]); j++) w->role[nodes[i].in[j]] = STORED;
    for (size_t i = 0; i < n; i++) {
        if (!is_gate(&nodes[i]) || w->role[i] == DEAD) continue;
        uint32_t most = 0;
        for (int j = 0; j < inputs_of(&nodes[i]); j++)
            if (w->level[nodes[i].in[j]] > most) most = w->level[nodes[i].in[j]];
        w->level[i] = most + 1;
        if (most + 1 > w->n_levels) w->n_levels = most + 1;
    }
}

/* Readers come later in the list, so that going backwards each gate's readers have their roles already. */
void bw_find_inner(bw_scheduling *w, uint32_t *n_readers, uint8_t *pinned) {
    const bw_node *nodes = w->list->nodes;
    const size_t n = w->list->n_nodes;
    for (size_t o = 0; o < w->wanted->n_outputs; o++) pinned[w->wanted->outputs[o] >> 1] = 1;
    for (size_t i = n; i-- > 0;) {
        if (!is_gate(&nodes[i]) || w->role[i] == DEAD) continue;
        const bool counted = w->first_term[i] < w->first_term[i + 1];
        const bool inner = !pinned[i] && !counted && n_readers[i] <= MOST_READERS;
        if (inner) w->role[i] = INNER;
        for (int j = 0; j < inputs_of(&nodes[i]); j++) {
            const uint32_t x = nodes[i].in[j];
            n_readers[x]++;
            if (inner || w->level[x] + 1 != w->level[i]) pinned[x] = 1;
        }
    }
}

size_t bw_widest_level(const bw_scheduling *w, size_t *count) {
    size_t widest = 0;
    for (size_t i = 0; i < w->list->n_nodes; i++)
        if (w->role[i] != DEAD && is_gate(&w->list->nodes[i]) && ++count[w->level[i]] > widest)
            widest = count[w->level[i]];
    return widest;
}

/* Stored gates by level; what each level's slots are last read by. */
void bw_sort_by_level(bw_scheduling *w) {
    const bw_node *nodes = w->list->nodes;
    const size_t n = w->list->n_nodes;
    for (size_t i = 0; i < n; i++)
        if (is_gate(&nodes[i]) && w->role[i] == STORED) w->first[w->level[i] + 1]++;
    for (uint32_t l = 0; l <= w->n_levels; l++) w->first[l + 1] += w->first[l];
    size_t *next = malloc((w->n_levels + 2) * sizeof *next);
    if (!next) {
        w->failed = true;
        return;
    }
    memcpy(next, w->first, (w->n_levels + 2) * sizeof *next);
    for (size_t i = 0; i < n; i++) {
        if (!is_gate(&nodes[i]) || w->role[i] == DEAD) continue;
        if (w->role[i] == STORED) w->order[next[w->level[i]]++] = (uint32_t)i;
        const uint32_t when = w->level[i] + (w->role[i] == INNER);
        for (int j = 0; j < inputs_of(&nodes[i]); j++) {
            const uint32_t from = w->level[nodes[i].in[j]];
            if (w->last[from] < when) w->last[from] = when;
        }
    }
    for (size_t o = 0; o < w->wanted->n_outputs; o++) w->last[w->level[w->wanted->outputs[o] >> 1]] = NEVER;
    free(next);
}
