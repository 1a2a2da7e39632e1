/* A net of a segment with its counts, as a step holds it: made by segment.c, run by joined.c. */
#ifndef BW_JOINED_H
#define BW_JOINED_H

#include "engine.h"

enum { BW_SQUARE = 64 }; /* planes, and samples of a word */

/* A tally of the net, added to or taken from a group's score. */
typedef struct {
    uint64_t group;
    uint32_t tally;
    bool minus, begins; /* taken away; the group's first */
} bw_term;

typedef struct {
    const bw_slot *out;
    uint64_t n_groups, n_terms;
    int64_t *offsets;
    bw_term *terms;
    bool empty_group;
    unsigned field; /* bits for each of several numbers that are transposed together */
} bw_counter;

typedef struct {
    const bw_net *net;
    bool gathered;    /* sources come from several values and are put together in scratch */
    uint32_t n_copies; /* values written, each a piece of the net's outputs */
    const bw_slot **copies;
    uint32_t n_counters;
    bw_counter *counters;
    size_t sources_at, slots_at; /* planes of scratch; a square to transpose comes first */
} bw_joined;

void bw_run_joined(const bw_step *step, bw_block *block);

#endif
