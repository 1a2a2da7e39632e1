/* Logic over planes: a plane holds one bit of many samples, sample s in bit s mod 64 of word s / 64.
 *
 * A net is a list of runs; a run is one function of two or three signals applied to many gates, so that the inner loop
 * knows no gate's function. Gates write slots one after another and read slots or sources by number. template.h is
 * compiled once for each width of a plane (8, 32, 64 bytes: 64, 256, 512 samples) and instruction set.
 */
#ifndef BW_LOGIC_H
#define BW_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BW_PLANE_MOST = 64 }; /* bytes of the widest plane */

/* What a run computes. Every table of up to six inputs is made of these and inversions (netlist.c). */
typedef enum {
    BW_GATE_AND,     /* a AND b */
    BW_GATE_AND_NOT, /* a AND NOT b */
    BW_GATE_OR,
    BW_GATE_XOR,
    BW_GATE_MUX,     /* a ? b : c */
    BW_GATE_MUX_NOT, /* a ? NOT b : c */
    BW_GATE_KINDS,
    BW_GATE_CLEAR = BW_GATE_KINDS, /* no gate: n planes become 0 */
    BW_GATE_COUNT,                 /* nor this: n signals are added to the numbers whose base[1] planes begin at `to` */
    BW_GATE_SOURCE = 254,
    BW_GATE_ZERO = 255,
} bw_gate_kind;

typedef enum { BW_BASE_SLOTS, BW_BASE_SOURCE, BW_BASE_ZERO } bw_base;

/* A signal's place: plane `index` from a base, inverted or not. */
typedef struct {
    uint32_t index;
    uint8_t base;
    bool invert;
} bw_signal;

typedef struct {
    uint8_t kind, base[3];
    uint32_t n, to; /* gates, slot of the first */
} bw_run_of_gates;

typedef struct {
    bw_run_of_gates *runs;
    uint32_t n_runs;
    bool wide;   /* numbers are uint32_t, else uint16_t */
    void *index; /* of each run in turn: n times 1, 2 or 3 numbers */
    uint64_t n_index;
    uint32_t n_slots;
    bw_signal *outputs;
    uint64_t n_outputs;
    uint32_t *sums;          /* of every tally, slot of its lowest plane */
    uint8_t *sum_planes;     /* and how many */
    uint32_t n_gates, depth; /* computed each time, inner gates more than once; levels */
} bw_net;

enum { BW_PLANE_FLIP = 1, BW_PLANE_ZERO = 2 };

/* Everything done with planes of one width. Planes are aligned to their width. */
typedef struct {
    size_t width; /* bytes */
    /* ahead: n_ahead bytes that are read soon, fetched into the cache meanwhile; may be NULL and 0. */
    void (*gates)(const bw_net *net, const void *source, void *slots, const uint8_t *ahead, size_t n_ahead);
    /* to[i * to_step] becomes, or takes in by OR, signal i. */
    void (*copy)(void *to, size_t to_step, const bw_signal *signals, size_t n, const void *source, const void *slots,
                 bool take_in);
    /* Plane at[i] of `to` becomes row i, zeroed and flipped as rule[i] says. */
    void (*spread)(void *to, const void *rows, size_t n, const uint32_t *at, const uint8_t *rule);
    void (*take_in)(void *to, const void *from); /* one plane, by OR */
    void (*fill)(void *to, bool bit, size_t n_planes);
    /* 64 planes as 64 x 64 bits for each word of a plane: rows become columns. */
    void (*transpose)(void *rows);
    /* For samples s < n and blocks b < n_blocks of 64 bytes: bit j of word s / 64 of plane b * 64 + s % 64 of `to` is
     * x[s * x_stride + 64 b + j] >= t[64 b + j]. n_bytes in all; bits beyond are anything. Other samples stay as they
     * are. */
    void (*compare)(void *to, size_t block_stride, const uint8_t *x, size_t x_stride, size_t n, const uint8_t *t,
                    size_t n_bytes);
} bw_lanes;

enum { BW_LANES = 3 };

typedef struct {
    const bw_lanes *lanes[BW_LANES]; /* narrowest first, NULL behind the last */
} bw_logic;

const bw_logic *bw_find_logic(const char *isa);

/* netlist.c: a literal is a node's number twice, plus 1 if inverted. Node 0 is the constant 0. */
typedef struct {
    uint32_t in[3]; /* nodes; of a source, its plane */
    uint8_t kind;
} bw_node;

typedef struct {
    bw_node *nodes;
    size_t n_nodes, room;
    bool failed; /* no memory, or too many nodes */
} bw_netlist;

void bw_netlist_begin(bw_netlist *list);
void bw_netlist_free(bw_netlist *list);
uint32_t bw_net_source(bw_netlist *list, uint32_t plane);
/* The literal of a table of k signals, of which the first is the address's most significant bit. */
uint32_t bw_net_table(bw_netlist *list, uint64_t table, int k, const uint32_t *literals);

/* What a net gives: signals that something else reads, and tallies: how many of some nodes are 1, repeats counted. */
typedef struct {
    const uint32_t *outputs; /* literals */
    size_t n_outputs;
    const uint32_t *counted; /* nodes, tally after tally */
    const size_t *first;     /* of tally t, in counted; one more at the end */
    size_t n_tallies;
} bw_wanted;

/* schedule.c: NULL without memory. take(context, n, size) gives the net's memory. */
bw_net *bw_schedule(const bw_netlist *list, const bw_wanted *wanted,
                    void *(*take)(void *context, uint64_t n, size_t size), void *context);

#endif
