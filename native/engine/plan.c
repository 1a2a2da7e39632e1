/* The planner: fusions, layouts, steps (steps.c), places in the arena, and how many samples go together. */
#include <stdlib.h>
#include <string.h>
#include "engine.h"

/* Samples that go together: as many as a core's cache holds; of planes, those of one width. 0 if none fits. */
static size_t block_size(const bw_plan *plan) {
    if (!plan->logic) {
        size_t room = plan->flags & BW_KEEP ? (size_t)64 << 20 : (size_t)768 << 10;
        size_t block = room / (plan->arena_bytes + 1);
        return block < 1 ? 1 : block > 256 ? 256 : block >= 8 ? block / 8 * 8 : block;
    }
    if (plan->scratch_bytes > (size_t)256 << 20) return 0;
    for (int i = BW_LANES; i-- > 0;)
        if (plan->logic->lanes[i]) {
            size_t block = 8 * plan->logic->lanes[i]->width;
            if (plan->arena_bytes * block <= (size_t)(i ? 8 : 32) << 20) return block;
        }
    return 0;
}

static int take_blocks(bw_plan *plan, bw_error *error) {
    plan->blocks = bw_plan_alloc_array(plan, (uint64_t)plan->threads, sizeof *plan->blocks);
    BW_HAVE(plan->blocks);
    for (int i = 0; i < plan->threads; i++) {
        plan->blocks[i].plan = plan;
        plan->blocks[i].arena = bw_plan_alloc_array(plan, plan->arena_bytes, plan->block);
        plan->blocks[i].scratch = bw_plan_alloc(plan, plan->scratch_bytes);
        BW_HAVE(plan->blocks[i].arena);
        BW_HAVE(plan->blocks[i].scratch);
    }
    return BW_OK;
}

/* Products of bits are cheap, products of integers cost more, the rest is moving; only decides whether threads pay. */
static double guess_time(const bw_plan *plan) {
    const bw_program *p = plan->program;
    double nanoseconds = 0;
    for (uint32_t i = 0; i < p->n_ops; i++) {
        int code = p->ops[i].code;
        double steps = (double)bw_steps(&p->ops[i], p->types, &p->types[i]);
        bool bits = code == BW_OP_XNOR_LINEAR || code == BW_OP_XNOR_CONV2D;
        bool logic = plan->logic && (code == BW_OP_LUT || code == BW_OP_LUT_CONV2D || code == BW_OP_COUNT);
        nanoseconds += steps / (bits ? 400 : logic ? 500 : bw_is_sum(code) ? 100 : 1);
    }
    return nanoseconds;
}

static void find_readers(const bw_program *p, bw_analysis *a) {
    for (uint32_t i = 0; i < p->n_ops; i++)
        for (int j = 0; j < p->ops[i].n_inputs; j++) {
            a->n_readers[p->ops[i].inputs[j]]++;
            a->reader[p->ops[i].inputs[j]] = i;
        }
    for (uint32_t i = 0; i < p->n_ops; i++) a->first_reader[i + 1] = a->first_reader[i] + a->n_readers[i];
    for (uint32_t i = p->n_ops; i-- > 0;)
        for (int j = 0; j < p->ops[i].n_inputs; j++) {
            const uint32_t x = p->ops[i].inputs[j];
            a->readers[a->first_reader[x] + --a->n_readers[x]] = i;
        }
    for (uint32_t i = 0; i < p->n_ops; i++) a->n_readers[i] = a->first_reader[i + 1] - a->first_reader[i];
}

static int analyse(bw_plan *plan, bw_analysis *a, bw_error *error) {
    const bw_program *p = plan->program;
    BW_HAVE(a->n_readers && a->reader && a->skip && a->fusions && a->planes && a->first_reader && a->readers);
    find_readers(p, a);
    bw_find_fusions(plan, a);
    bw_choose_planes(plan, a);
    bw_lay_out(plan, a);
    bw_segment *segment = bw_segment_create(p->n_ops);
    BW_HAVE(segment);
    int status = bw_add_steps(plan, a, segment, error);
    bw_segment_free(segment);
    return status;
}

static int make_steps(bw_plan *plan, bw_error *error) {
    const size_t n = plan->program->n_ops;
    size_t n_inputs = 0;
    for (size_t i = 0; i < n; i++) n_inputs += plan->program->ops[i].n_inputs;
    plan->slots = bw_plan_alloc_array(plan, 2 * n, sizeof *plan->slots);
    plan->steps = bw_plan_alloc_array(plan, 4 * n, sizeof *plan->steps);
    BW_HAVE(plan->slots && plan->steps);
    bw_analysis a = {.n_readers = calloc(n, sizeof(uint32_t)),
                     .reader = calloc(n, sizeof(uint32_t)),
                     .skip = calloc(n, sizeof(bool)),
                     .planes = calloc(n, sizeof(bool)),
                     .first_reader = calloc(n + 1, sizeof(uint32_t)),
                     .readers = calloc(n_inputs + 1, sizeof(uint32_t)),
                     .fusions = calloc(n, sizeof(bw_fusion))};
    int status = analyse(plan, &a, error);
    free(a.n_readers);
    free(a.reader);
    free(a.skip);
    free(a.planes);
    free(a.first_reader);
    free(a.readers);
    free(a.fusions);
    return status;
}

static void forget_allocations(bw_plan *plan) {
    for (bw_allocation *a = plan->allocations, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    plan->allocations = NULL;
    plan->bytes = plan->n_steps = 0;
    plan->scratch_bytes = 0;
}

static int place_steps(bw_plan *plan, bw_error *error) {
    BW_TRY(make_steps(plan, error));
    BW_TRY(bw_place_slots(plan, error));
    for (uint32_t s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].scratch_bytes > plan->scratch_bytes) plan->scratch_bytes = plan->steps[s].scratch_bytes;
    plan->block = block_size(plan);
    return BW_OK;
}

static int fill(bw_plan *plan, bw_error *error) {
    const bw_program *p = plan->program;
    const bw_type *input = &p->types[0], *scores = &p->types[p->n_ops - 1];
    plan->scores_store = scores->lo >= INT32_MIN && scores->hi <= INT32_MAX ? BW_STORE_I32 : BW_STORE_I64;
    plan->scores_bytes = scores->n_values * (plan->scores_store == BW_STORE_I32 ? 4 : 8);
    if (bw_worth_planes(p)) plan->logic = bw_find_logic(plan->kernels->others);
    int status = place_steps(plan, error);
    if (plan->logic && (status || !plan->block)) { /* planes take too much room */
        forget_allocations(plan);
        plan->logic = NULL;
        status = place_steps(plan, error);
    }
    BW_TRY(status);
    BW_TRY(take_blocks(plan, error));
    plan->input_store = input->kind == BW_BITS ? BW_STORE_U8 : plan->slots[0].store;
    plan->input_bytes = input->n_values * (plan->input_store == BW_STORE_U8 ? 1 : 4);
    plan->nanoseconds = guess_time(plan);
    return BW_OK;
}

int bw_plan_create(const bw_program *program, const char *isa, int threads, uint32_t flags, bw_plan **plan,
                   bw_error *error) {
    if (!program || !plan) return bw_fail(error, BW_BAD_ARGUMENT, "program and plan must not be NULL");
    *plan = NULL;
    if (threads < 1 || threads > 1024)
        return bw_fail(error, BW_BAD_ARGUMENT, "threads is %d, expected 1..1024", threads);
    const bw_kernels *kernels = bw_find_kernels(isa);
    if (!kernels)
        return bw_fail(error, BW_UNSUPPORTED,
                       "kernel set '%s' is not in this build or not on this CPU; reference always is", isa);
    bw_plan *p = calloc(1, sizeof *p);
    if (!p) return bw_fail(error, BW_NO_MEMORY, "no memory for the plan");
    p->program = program;
    p->kernels = kernels;
    p->tiles = bw_find_tiles(kernels->others);
    p->threads = flags & BW_KEEP ? 1 : threads;
    p->flags = flags;
    int status = fill(p, error);
    if (status) bw_plan_free(p);
    else *plan = p;
    return status;
}

void bw_plan_free(bw_plan *plan) {
    if (!plan) return;
    bw_pool_free(plan->pool);
    forget_allocations(plan);
    free(plan);
}

size_t bw_plan_bytes(const bw_plan *plan) { return plan->bytes; }
size_t bw_plan_block(const bw_plan *plan) { return plan->block; }
const char *bw_plan_isa(const bw_plan *plan) { return plan->kernels->name; }
const char *bw_plan_input_dtype(const bw_plan *plan) {
    return plan->input_store == BW_STORE_U8 ? "u8" : plan->input_store == BW_STORE_I32 ? "i32" : "f32";
}
const char *bw_plan_scores_dtype(const bw_plan *plan) { return plan->scores_store == BW_STORE_I32 ? "i32" : "i64"; }
