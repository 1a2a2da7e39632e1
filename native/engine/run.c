/* Running a plan: the batch in blocks, blocks over threads. */
#include <stdatomic.h>
#include <string.h>
#include "rows.h"

typedef struct {
    bw_plan *plan;
    const uint8_t *input;
    uint8_t *scores;
    size_t batch, least, most; /* samples a turn */
    int threads;
    _Atomic size_t next;
    _Atomic bool bad;
} bw_call;

static void run_block(bw_call *call, bw_block *block, size_t first, size_t n) {
    const bw_plan *plan = call->plan;
    block->first_sample = first;
    block->n_samples = n;
    for (int i = 0; plan->logic && i < BW_LANES && plan->logic->lanes[i]; i++) { /* the narrowest that holds them */
        block->lanes = plan->logic->lanes[i];
        if (n <= 8 * block->lanes->width) break;
    }
    block->input = call->input + first * plan->input_bytes;
    const size_t left = call->batch - first - n;
    block->next_input = block->input + n * plan->input_bytes;
    block->next_bytes = (left < n ? left : n) * plan->input_bytes;
    block->scores = call->scores + first * plan->scores_bytes;
    for (uint32_t s = 0; s < plan->n_steps && !block->bad; s++) plan->steps[s].run(&plan->steps[s], block);
}

/* Takes the next samples, 0 at the end: a thread's share of half of what is left, so that turns are long while they can
 * be (a turn reads all weights) and short at the end, where threads wait for each other. */
static size_t take_turn(bw_call *call, size_t *first) {
    size_t next = atomic_load_explicit(&call->next, memory_order_relaxed), n;
    do {
        if (next >= call->batch) return 0;
        size_t left = call->batch - next;
        n = call->threads == 1 ? call->most : (left / (2 * (size_t)call->threads) + 15) / 16 * 16;
        if (n < call->least) n = call->least;
        if (n > call->most) n = call->most;
        if (n > left) n = left;
    } while (!atomic_compare_exchange_weak(&call->next, &next, next + n));
    *first = next;
    return n;
}

static void work(void *context, int worker) {
    bw_call *call = context;
    bw_block *block = &call->plan->blocks[worker];
    size_t first, n;
    while (!atomic_load_explicit(&call->bad, memory_order_relaxed) && (n = take_turn(call, &first))) {
        run_block(call, block, first, n);
        if (block->bad) atomic_store(&call->bad, true);
    }
}

/* Threads must earn their waking up: each gets at least some 20 microseconds of work. */
static int worth_threads(const bw_plan *plan, size_t batch) {
    double threads = (double)batch * plan->nanoseconds / 20e3;
    int most = plan->threads;
    if ((size_t)most > batch) most = (int)batch;
    return threads < 2 || most < 2 ? 1 : threads < most ? (int)threads : most;
}

/* Most samples a turn: even parts of the batch, none above the plan's block. */
static size_t longest_turn(const bw_plan *plan, size_t batch) {
    if (plan->logic) return plan->block; /* full planes: fewer samples in one cost the same */
    size_t n_blocks = (batch + plan->block - 1) / plan->block;
    return n_blocks ? (batch + n_blocks - 1) / n_blocks : 1;
}

static int complain(const bw_plan *plan, bw_error *error) {
    const bw_block *first = NULL;
    for (int i = 0; i < plan->threads; i++)
        if (plan->blocks[i].bad && (!first || plan->blocks[i].bad_sample < first->bad_sample)) first = &plan->blocks[i];
    const bw_type *t = &plan->program->types[0];
    unsigned long long sample = first->bad_sample, at = first->bad_at;
    if (t->kind == BW_FLOAT)
        return bw_fail(error, BW_BAD_INPUT, "input: value %llu of sample %llu is NaN; fill or drop it first", at,
                       sample);
    return bw_fail(error, BW_BAD_INPUT,
                   "input: value %llu of sample %llu is outside %lld..%lld; scale the data as in training", at, sample,
                   (long long)(t->kind == BW_BITS ? 0 : t->lo), (long long)(t->kind == BW_BITS ? 1 : t->hi));
}

int bw_run(bw_plan *plan, const void *input, size_t batch, void *scores, bw_error *error) {
    if (!plan || (batch && (!input || !scores)))
        return bw_fail(error, BW_BAD_ARGUMENT, "plan, input and scores must not be NULL");
    bw_call call = {.plan = plan, .input = input, .scores = scores, .batch = batch};
    int threads = worth_threads(plan, batch);
    if (threads > 1 && !plan->pool) plan->pool = bw_pool_create(plan->threads);
    call.threads = threads;
    call.most = longest_turn(plan, batch);
    call.least = plan->logic ? call.most : call.most < 8 ? call.most : 8;
    for (int i = 0; i < plan->threads; i++) plan->blocks[i].bad = false;
    if (threads == 1 || !plan->pool || !bw_pool_run(plan->pool, threads, work, &call)) work(&call, 0);
    return call.bad ? complain(plan, error) : BW_OK;
}

/* Sample number `sample` of planes as int64. */
static void read_planes(const bw_block *block, const bw_slot *slot, size_t sample, int64_t *to) {
    for (uint64_t i = 0; i < bw_n_planes(slot); i++) to[i] = (int64_t)bw_get_bit(bw_plane(block, slot, i), sample);
}

static void read_sample(const bw_slot *slot, const uint8_t *from, uint8_t *to) {
    for (uint64_t p = 0; p < slot->positions; p++, from += slot->row_bytes)
        for (uint64_t c = 0; c < slot->channels; c++) {
            uint64_t at = c * slot->positions + p;
            if (slot->store == BW_STORE_F32) {
                memcpy(to + 4 * at, from + 4 * c, 4);
            } else {
                int64_t value =
                    slot->store == BW_STORE_BITS ? (int64_t)bw_get_bit(from, c) : bw_get_int(from, slot->store, c);
                memcpy(to + 8 * at, &value, 8);
            }
        }
}

int bw_value_read(const bw_plan *plan, uint32_t number, size_t batch, void *out) {
    if (!plan || !(plan->flags & BW_KEEP) || number >= plan->program->n_ops || batch > plan->block ||
        !plan->slots[number].readable)
        return 0;
    const bw_slot *slot = &plan->slots[number];
    const uint8_t *from = bw_at(&plan->blocks[0], slot);
    size_t bytes = plan->program->types[number].n_values * (slot->store == BW_STORE_F32 ? 4 : 8);
    for (size_t s = 0; s < batch; s++) {
        uint8_t *to = (uint8_t *)out + s * bytes;
        if (slot->store == BW_STORE_PLANES) read_planes(&plan->blocks[0], slot, s, (int64_t *)to);
        else read_sample(slot, from + s * slot->bytes, to);
    }
    return 1;
}
