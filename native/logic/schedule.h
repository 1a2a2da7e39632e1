/* What the files of the scheduler share: the work in progress, and its stages in their order. */
#ifndef BW_SCHEDULE_H
#define BW_SCHEDULE_H

#include "logic.h"

enum { WINDOW = 192, SMALL_LEVEL = 512, MOST_READERS = 4, LOOK_BACK = 64, NEVER = 0xffffffff };

typedef struct {
    size_t begin, end;
    uint32_t last_level;
} bw_span;

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
    bw_span *spans;
    size_t n_spans, n_slots;
    /* what comes out */
    bw_run_of_gates *runs;
    size_t n_runs, runs_room;
    uint32_t *index;
    size_t n_index, index_room;
    bool failed;
} bw_scheduling;

enum { DEAD, STORED, INNER };

static inline int inputs_of(const bw_node *node) { return node->kind >= BW_GATE_MUX ? 3 : 2; }
static inline bool is_gate(const bw_node *node) { return node->kind < BW_GATE_KINDS; }
static inline uint8_t base_of(const bw_scheduling *w, uint32_t node) {
    return w->list->nodes[node].kind == BW_GATE_SOURCE ? BW_BASE_SOURCE : BW_BASE_SLOTS;
}

/* levels.c: which tallies count each node; levels, and which gates anything needs; which of them are inner gates; the
 * stored ones by level, and what each level is last read by. Each sets failed without memory. */
void bw_find_terms(bw_scheduling *w);
void bw_find_levels(bw_scheduling *w);
size_t bw_widest_level(const bw_scheduling *w, size_t *count);
void bw_find_inner(bw_scheduling *w, uint32_t *n_readers, uint8_t *pinned);
void bw_sort_by_level(bw_scheduling *w);

/* chain.c: puts a level's stored gates in an order in which neighbours read the same inner gates. */
void bw_chain(const bw_scheduling *w, uint32_t *gates, size_t n, uint32_t *readers, uint32_t *begin, uint8_t *done);

/* emit.c: runs. The numbers of tallies first, then level by level. */
void bw_begin_tallies(bw_scheduling *w);
void bw_emit_level(bw_scheduling *w, uint32_t level, uint32_t *window, bool windows);

#endif
