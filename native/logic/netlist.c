/* Tables of up to six inputs as nodes of AND, AND NOT, OR, XOR and multiplexers, inversions kept in literals.
 *
 * Every node of two inputs gives 0 where both are 0, so four functions are left of sixteen. Tables of more inputs are
 * split at their first input (Shannon): f = x ? f1 : f0.
 */
#include "logic.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 1 << 26 };

void bw_netlist_begin(bw_netlist *list) {
    *list = (bw_netlist){.nodes = malloc(1024 * sizeof(bw_node)), .n_nodes = 1, .room = 1024};
    list->failed = !list->nodes;
    if (!list->failed) list->nodes[0] = (bw_node){{0}, BW_GATE_ZERO};
}

void bw_netlist_free(bw_netlist *list) { free(list->nodes); }

static uint32_t add_node(bw_netlist *list, uint8_t kind, uint32_t a, uint32_t b, uint32_t c) {
    if (list->failed) return 0;
    if (list->n_nodes == list->room) {
        bw_node *more = list->room < MOST_NODES ? realloc(list->nodes, 2 * list->room * sizeof *more) : NULL;
        list->failed = !more;
        if (!more) return 0;
        list->nodes = more;
        list->room *= 2;
    }
    list->nodes[list->n_nodes] = (bw_node){{a, b, c}, kind};
    return (uint32_t)list->n_nodes++ << 1;
}

uint32_t bw_net_source(bw_netlist *list, uint32_t plane) { return add_node(list, BW_GATE_SOURCE, plane, 0, 0); }

/* f: bit 2a + b is the value at a, b. */
static uint32_t of_two(bw_netlist *list, unsigned f, uint32_t a, uint32_t b) {
    if (a & 1) f = f >> 2 | (f & 3) << 2;
    if (b & 1) f = (f >> 1 & 5) | (f << 1 & 10);
    a >>= 1;
    b >>= 1;
    if (a == 0) f = (f & 3) * 5;
    if (b == 0) f = (f & 5) * 3;
    if (a == b) f = (f & 1 ? 3 : 0) | (f & 8 ? 12 : 0);
    const uint32_t flip = f & 1;
    if (flip) f ^= 15;
    switch (f) {
    case 0: return flip;
    case 2: return add_node(list, BW_GATE_AND_NOT, b, a, 0) | flip;
    case 4: return add_node(list, BW_GATE_AND_NOT, a, b, 0) | flip;
    case 6: return add_node(list, BW_GATE_XOR, a, b, 0) | flip;
    case 8: return add_node(list, BW_GATE_AND, a, b, 0) | flip;
    case 10: return b << 1 | flip;
    case 12: return a << 1 | flip;
    default: return add_node(list, BW_GATE_OR, a, b, 0) | flip;
    }
}

/* s ? high : low */
static uint32_t choose(bw_netlist *list, uint32_t s, uint32_t high, uint32_t low) {
    if (s <= 1) return s ? high : low;
    if (high == low) return high;
    if ((high ^ low) == 1) return of_two(list, 9, s, high); /* s = high */
    if (high <= 1) return of_two(list, high ? 14 : 2, s, low);
    if (low <= 1) return of_two(list, low ? 11 : 8, s, high) /* low 1: b OR NOT a */;
    if (s & 1) return choose(list, s ^ 1, low, high);
    const uint32_t flip = low & 1;
    high ^= flip;
    return add_node(list, high & 1 ? BW_GATE_MUX_NOT : BW_GATE_MUX, s >> 1, high >> 1, low >> 1) | flip;
}

/* known: literals of the functions of the last two inputs, made so far; 0 for none. */
static uint32_t split(bw_netlist *list, uint64_t table, int k, const uint32_t *literals, uint32_t *known) {
    if (k == 1) return table == 0 ? 0 : table == 3 ? 1 : literals[0] ^ (uint32_t)(table == 1);
    if (k == 2) {
        uint32_t *place = &known[table];
        if (!*place) *place = of_two(list, (unsigned)table, literals[0], literals[1]) + 2;
        return *place - 2;
    }
    const int half = 1 << (k - 1);
    const uint64_t mask = ((uint64_t)1 << half) - 1, low = table & mask, high = table >> half & mask;
    const uint32_t at_0 = split(list, low, k - 1, literals + 1, known);
    if (high == low) return at_0;
    const uint32_t at_1 = (high ^ low) == mask ? at_0 ^ 1 : split(list, high, k - 1, literals + 1, known);
    return choose(list, literals[0], at_1, at_0);
}

uint32_t bw_net_table(bw_netlist *list, uint64_t table, int k, const uint32_t *literals) {
    uint32_t known[16] = {0};
    return split(list, table, k, literals, known);
}
