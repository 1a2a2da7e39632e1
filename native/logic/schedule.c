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
#include "logic.h"

enum { WINDOW = 192, SMALL_LEVEL = 512, MOST_READERS = 4, LOOK_BACK = 64, NEVER = 0xffffffff };

typedef struct {
    size_t begin, end;
    uint32_t last_level;
} span;

typedef struct {
    const bw_netlist *list;
    const bw_wanted *wanted;
    void *(*take)(void *context, uint64_t n, size_t size);
    void *context;
    bw_net *net;
    uint32_t *level;  /* of every node, 0 for sources */
    uint8_t *role;    /* dead, stored or inner */
    uint32_t *slot;   /* of every node that has one */
    uint32_t *stamp;  /* window in which an inner gate was last computed */
    uint32_t *last;   /* of every level, the last level that reads its stored gates */
    uint32_t *order;  /* stored gates, level by level */
    size_t *first;    /* of every level, in order */
    size_t *first_term; /* of every node, in terms: the tallies that count it; one more at the end */
    uint32_t *terms;
    uint32_t *pending;  /* of a window: tally and node in turn */
    uint32_t n_levels, scratch;
    span *spans;
    size_t n_spans, n_slots;
    /* what comes out */
    bw_run_of_gates *runs;
    size_t n_runs, runs_room;
    uint32_t *index;
    size_t n_index, index_room;
    bool failed;
} work;

enum { DEAD, STORED, INNER };

static int inputs_of(const bw_node *node) { return node->kind >= BW_GATE_MUX ? 3 : 2; }
static bool is_gate(const bw_node *node) { return node->kind < BW_GATE_KINDS; }

static void *grow(work *w, void *array, size_t *room, size_t needed, size_t size) {
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

/* Levels, and which gates anything needs. */
static void find_levels(work *w) {
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
static void find_inner(work *w, uint32_t *n_readers, uint8_t *pinned) {
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

static size_t widest_level(const work *w, size_t *count) {
    size_t widest = 0;
    for (size_t i = 0; i < w->list->n_nodes; i++)
        if (w->role[i] != DEAD && is_gate(&w->list->nodes[i]) && ++count[w->level[i]] > widest)
            widest = count[w->level[i]];
    return widest;
}

/* Stored gates by level; what each level's slots are last read by. */
static void sort_by_level(work *w) {
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

/* First fit among the slots still in use, which are kept in order of place. */
static size_t take_slots(work *w, size_t size, uint32_t level) {
    size_t kept = 0, at = w->scratch, place = 0;
    for (size_t i = 0; i < w->n_spans; i++)
        if (w->spans[i].last_level >= level) w->spans[kept++] = w->spans[i];
    for (; place < kept && w->spans[place].begin - at < size; place++) at = w->spans[place].end;
    memmove(w->spans + place + 1, w->spans + place, (kept - place) * sizeof *w->spans);
    w->spans[place] = (span){at, at + size, w->last[level]};
    w->n_spans = kept + 1;
    if (at + size > w->n_slots) w->n_slots = at + size;
    return at;
}

/* A level's stored gates in an order in which neighbours read the same inner gates: from each gate on to one that
 * shares an inner gate with one of the last few. */
static void chain(work *w, uint32_t *gates, size_t n, uint32_t *readers, uint32_t *begin, uint8_t *done) {
    const bw_node *nodes = w->list->nodes;
    uint32_t total = 0;
    size_t found = 0, start = 0;
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < inputs_of(&nodes[gates[i]]); j++) begin[nodes[gates[i]].in[j]] = 0;
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < inputs_of(&nodes[gates[i]]); j++)
            if (w->role[nodes[gates[i]].in[j]] == INNER) begin[nodes[gates[i]].in[j]]++;
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < inputs_of(&nodes[gates[i]]); j++) {
            const uint32_t x = nodes[gates[i]].in[j];
            if (w->role[x] != INNER) continue;
            if (w->stamp[x] != NEVER) { /* not placed yet: the end of its list */
                total += begin[x];
                begin[x] = total;
                w->stamp[x] = NEVER;
            }
            readers[--begin[x]] = gates[i];
        }
    uint32_t *order = readers + total;
    while (found < n) {
        while (done[gates[start]]) start++;
        order[found++] = gates[start];
        done[gates[start]] = 1;
        for (size_t back = 1; back <= LOOK_BACK && back <= found;) {
            const bw_node *node = &nodes[order[found - back]];
            uint32_t next = NEVER;
            for (int j = inputs_of(node); j-- > 0 && next == NEVER;) {
                const uint32_t x = node->in[j];
                if (w->role[x] != INNER) continue;
                for (int r = 0; r < MOST_READERS && next == NEVER && begin[x] + (uint32_t)r < total; r++) {
                    const uint32_t reader = readers[begin[x] + (uint32_t)r];
                    bool reads = false;
                    for (int i = 0; i < inputs_of(&nodes[reader]); i++) reads |= nodes[reader].in[i] == x;
                    if (!reads) break;
                    if (!done[reader]) next = reader;
                }
            }
            if (next == NEVER) {
                back++;
                continue;
            }
            order[found++] = next;
            done[next] = 1;
            back = 1;
        }
    }
    memcpy(gates, order, n * sizeof *gates);
}

static uint8_t base_of(const work *w, uint32_t node) {
    return w->list->nodes[node].kind == BW_GATE_SOURCE ? BW_BASE_SOURCE : BW_BASE_SLOTS;
}

/* Inputs in the order a run reads them: of a symmetric gate the source first. */
static void operands(const work *w, uint32_t gate, uint32_t in[3]) {
    const bw_node *node = &w->list->nodes[gate];
    memcpy(in, node->in, 3 * sizeof *in);
    if (node->kind < BW_GATE_MUX && node->kind != BW_GATE_AND_NOT && base_of(w, in[0]) < base_of(w, in[1])) {
        in[0] = node->in[1];
        in[1] = node->in[0];
    }
}

static unsigned key_of(const work *w, uint32_t gate) {
    const bw_node *node = &w->list->nodes[gate];
    uint32_t in[3];
    operands(w, gate, in);
    unsigned bases = 0;
    for (int j = 0; j < inputs_of(node); j++) bases |= (unsigned)base_of(w, in[j]) << j;
    return node->kind * 8u + bases;
}

/* Gates sorted by function, in slots from `to` on. */
static void emit(work *w, const uint32_t *gates, size_t n, size_t to) {
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
static void emit_counts(work *w, const uint32_t *nodes, size_t n) {
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
static void emit_window(work *w, const uint32_t *gates, size_t n, size_t to, uint32_t window) {
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
static void emit_level(work *w, uint32_t level, uint32_t *window, bool windows) {
    const uint32_t *gates = w->order + w->first[level];
    const size_t n = w->first[level + 1] - w->first[level], most = windows ? WINDOW : n;
    const size_t to = take_slots(w, n, level);
    for (size_t begin = 0; begin < n && !w->failed; begin += most)
        emit_window(w, gates + begin, n - begin < most ? n - begin : most, to + begin, windows ? ++*window : 0);
    if (!w->failed) emit_counts(w, gates, n);
}

/* Slots for the numbers, and runs that clear them and add up the sources. */
static void begin_tallies(work *w) {
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

static bw_signal place_of(const work *w, uint32_t literal) {
    const bw_node *node = &w->list->nodes[literal >> 1];
    if (node->kind == BW_GATE_ZERO) return (bw_signal){0, BW_BASE_ZERO, literal & 1};
    return (bw_signal){w->slot[literal >> 1], base_of(w, literal >> 1), literal & 1};
}

static void finish(work *w) {
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

/* Which tallies count each node. */
static void find_terms(work *w) {
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

static void schedule(work *w) {
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
    if (!w->failed) find_terms(w);
    if (!w->failed) find_levels(w);
    if (!w->failed) {
        w->last = calloc(w->n_levels + 2, sizeof *w->last);
        w->first = calloc(w->n_levels + 3, sizeof *w->first);
        w->spans = malloc((w->n_levels + 2) * sizeof *w->spans);
        count = calloc(w->n_levels + 2, sizeof *count);
        readers = malloc(4 * n * sizeof *readers);
        w->failed |= !w->last || !w->first || !w->spans || !count || !readers;
    }
    if (!w->failed) {
        const bool windows = widest_level(w, count) > SMALL_LEVEL;
        if (windows) find_inner(w, n_readers, pinned);
        w->scratch = w->n_slots = windows ? 3 * WINDOW : 0;
        for (size_t i = 0; i < n; i++)
            if (w->list->nodes[i].kind == BW_GATE_SOURCE) w->slot[i] = w->list->nodes[i].in[0];
        begin_tallies(w);
        if (!w->failed) sort_by_level(w);
        uint32_t window = 0;
        for (uint32_t level = 1; level <= w->n_levels && !w->failed; level++) {
            uint32_t *gates = w->order + w->first[level];
            const size_t n_gates = w->first[level + 1] - w->first[level];
            if (windows) chain(w, gates, n_gates, readers, n_readers, done);
            emit_level(w, level, &window, windows);
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
    work w = {.list = list, .wanted = wanted, .take = take, .context = context};
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
