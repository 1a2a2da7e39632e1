/* A level in an order that is good for the cache. */
#include <string.h>
#include "schedule.h"

/* A level's stored gates in an order in which neighbours read the same inner gates: from each gate on to one that
 * shares an inner gate with one of the last few. */
void bw_chain(const bw_scheduling *w, uint32_t *gates, size_t n, uint32_t *readers, uint32_t *begin, uint8_t *done) {
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
