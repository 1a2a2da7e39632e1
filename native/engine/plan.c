/* The planner: fusions, layouts, one step an operation, places in the arena, and how many samples go together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"

static bw_prepare *const prepare[BW_N_OPS] = {
    [BW_OP_INPUT] = bw_prepare_input,           [BW_OP_THRESHOLD] = bw_prepare_threshold,
    [BW_OP_DIGITIZE] = bw_prepare_digitize,     [BW_OP_LUT] = bw_prepare_lut,
    [BW_OP_LUT_CONV2D] = bw_prepare_lut_conv2d, [BW_OP_COUNT] = bw_prepare_count,
    [BW_OP_PROJECT] = bw_prepare_project,       [BW_OP_MAX_POOL2D] = bw_prepare_pool,
    [BW_OP_SUM_POOL2D] = bw_prepare_pool,       [BW_OP_PATCHES] = bw_prepare_patches,
    [BW_OP_GATHER] = bw_prepare_gather,         [BW_OP_RESHAPE] = bw_prepare_reshape,
    [BW_OP_CONCAT] = bw_prepare_concat,         [BW_OP_PAD] = bw_prepare_pad,
    [BW_OP_TO_INT] = bw_prepare_to_int,         [BW_OP_OUTPUT] = bw_prepare_output,
};

static bool is_sum(const bw_op *op) {
    return op->code == BW_OP_XNOR_LINEAR || op->code == BW_OP_XNOR_CONV2D || op->code == BW_OP_INT_LINEAR ||
           op->code == BW_OP_INT_CONV2D;
}

static int no_rule(uint32_t code, bw_error *error) {
    char rules[256] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < BW_N_OPS && length < sizeof rules - 24; i++) {
        bw_op op = {.code = (uint16_t)i};
        if (prepare[i] || is_sum(&op) || bw_is_elementwise(op.code))
            length += (size_t)snprintf(rules + length, sizeof rules - length, "%s%s", length ? ", " : "",
                                       bw_op_specs[i].name);
    }
    return bw_fail(error, BW_UNSUPPORTED, "no rule for '%s'; rules: %s", bw_op_specs[code].name, rules);
}

static int set_inputs(bw_plan *plan, bw_step *step, bw_error *error) {
    const bw_slot **inputs = bw_plan_alloc_array(plan, step->op->n_inputs, sizeof *inputs);
    BW_HAVE(inputs);
    for (int i = 0; i < step->op->n_inputs; i++) inputs[i] = &plan->slots[step->op->inputs[i]];
    step->inputs = inputs;
    step->n_inputs = step->op->n_inputs;
    step->x = step->n_inputs > 0 ? inputs[0] : NULL;
    return BW_OK;
}

static bw_step *new_step(bw_plan *plan, uint32_t operation, const bw_slot *x, const bw_slot *out) {
    bw_step *step = &plan->steps[plan->n_steps++];
    *step = (bw_step){.operation = operation, .op = &plan->program->ops[operation], .x = x, .out = out};
    return step;
}

static uint64_t *flips_of(bw_plan *plan, uint32_t sum, const bw_fusion *f, uint32_t channels) {
    uint64_t *words = bw_plan_alloc(plan, bw_words(channels) * 8);
    for (uint32_t c = 0; words && c < channels; c++) {
        int32_t threshold;
        bool flip;
        bw_switch_point(plan->program, sum, f, c, &threshold, &flip);
        words[c >> 6] |= (uint64_t)flip << (c & 63);
    }
    return words;
}

/* A sum and what is fused to it: sums -> bits, or sums -> bits, OR of windows, flips. */
static int add_sum(bw_plan *plan, uint32_t number, const bw_fusion *f, bw_error *error) {
    bool fused = f->threshold >= 0;
    const bw_slot *out = &plan->slots[fused && f->pool < 0 ? (uint32_t)f->threshold : number];
    bw_step *step = new_step(plan, number, NULL, out);
    BW_TRY(set_inputs(plan, step, error));
    BW_TRY(bw_prepare_sum(plan, step, fused ? f : NULL, error));
    if (!fused || f->pool < 0) return BW_OK;
    const bw_slot *bits = &plan->slots[f->threshold];
    step = new_step(plan, (uint32_t)f->pool, out, bits);
    BW_TRY(bw_prepare_pool(plan, step, error));
    uint64_t *flips = flips_of(plan, number, f, bits->channels);
    BW_HAVE(flips);
    step = new_step(plan, (uint32_t)f->threshold, bits, bits);
    return bw_prepare_flip(plan, step, flips);
}

static int add_steps(bw_plan *plan, const bw_analysis *a, bw_error *error) {
    const bw_program *p = plan->program;
    for (uint32_t number = 0; number < p->n_ops; number++) {
        const bw_op *op = &p->ops[number];
        int status = BW_OK;
        if (a->skip[number]) continue;
        if (is_sum(op)) {
            status = add_sum(plan, number, &a->fusions[number], error);
        } else if (bw_is_elementwise(op->code)) {
            const bw_fusion *f = &a->fusions[number];
            bw_step *step = new_step(plan, number, NULL, &plan->slots[number]);
            status = bw_prepare_chain(plan, step, f->chain, f->n_chain, error);
        } else if (!prepare[op->code]) {
            status = no_rule(op->code, error);
        } else {
            bw_step *step = new_step(plan, number, NULL, &plan->slots[number]);
            status = set_inputs(plan, step, error);
            if (!status) status = prepare[op->code](plan, step, error);
            if (!status && !step->run) plan->n_steps--; /* nothing to do: shares memory */
        }
        if (status) {
            bw_fail_in(error, number, bw_op_specs[op->code].name);
            return status;
        }
    }
    return BW_OK;
}

static int choose_block(bw_plan *plan, bw_error *error) {
    size_t room = plan->flags & BW_KEEP ? (size_t)64 << 20 : (size_t)768 << 10; /* of the L2 cache of a core */
    size_t block = room / (plan->arena_bytes + 1);
    plan->block = block < 1 ? 1 : block > 256 ? 256 : block >= 8 ? block / 8 * 8 : block;
    for (uint32_t s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].scratch_bytes > plan->scratch_bytes) plan->scratch_bytes = plan->steps[s].scratch_bytes;
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
static double guess_time(const bw_program *p) {
    double nanoseconds = 0;
    for (uint32_t i = 0; i < p->n_ops; i++) {
        int code = p->ops[i].code;
        double steps = (double)bw_steps(&p->ops[i], p->types, &p->types[i]);
        bool bits = code == BW_OP_XNOR_LINEAR || code == BW_OP_XNOR_CONV2D;
        nanoseconds += steps / (bits ? 400 : is_sum(&p->ops[i]) ? 100 : 1);
    }
    return nanoseconds;
}

static int analyse(bw_plan *plan, bw_analysis *a, bw_error *error) {
    const bw_program *p = plan->program;
    BW_HAVE(a->n_readers && a->reader && a->skip && a->fusions);
    for (uint32_t i = 0; i < p->n_ops; i++)
        for (int j = 0; j < p->ops[i].n_inputs; j++) {
            a->n_readers[p->ops[i].inputs[j]]++;
            a->reader[p->ops[i].inputs[j]] = i;
        }
    bw_find_fusions(plan, a);
    bw_lay_out(plan, a);
    return add_steps(plan, a, error);
}

static int fill(bw_plan *plan, bw_error *error) {
    const bw_program *p = plan->program;
    const bw_type *input = &p->types[0], *scores = &p->types[p->n_ops - 1];
    plan->slots = bw_plan_alloc_array(plan, p->n_ops, sizeof *plan->slots);
    plan->steps = bw_plan_alloc_array(plan, 3 * (uint64_t)p->n_ops, sizeof *plan->steps);
    BW_HAVE(plan->slots && plan->steps);
    plan->scores_store = scores->lo >= INT32_MIN && scores->hi <= INT32_MAX ? BW_STORE_I32 : BW_STORE_I64;
    plan->scores_bytes = scores->n_values * (plan->scores_store == BW_STORE_I32 ? 4 : 8);
    bw_analysis a = {calloc(p->n_ops, sizeof(uint32_t)), calloc(p->n_ops, sizeof(uint32_t)),
                     calloc(p->n_ops, sizeof(bool)), calloc(p->n_ops, sizeof(bw_fusion))};
    int status = analyse(plan, &a, error);
    free(a.n_readers);
    free(a.reader);
    free(a.skip);
    free(a.fusions);
    BW_TRY(status);
    plan->input_store = input->kind == BW_BITS ? BW_STORE_U8 : plan->slots[0].store;
    plan->input_bytes = input->n_values * (plan->input_store == BW_STORE_U8 ? 1 : 4);
    BW_TRY(bw_place_slots(plan, error));
    BW_TRY(choose_block(plan, error));
    plan->nanoseconds = guess_time(p);
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
    p->tiles = bw_find_tiles(kernels->name);
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
    for (bw_allocation *a = plan->allocations, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    free(plan);
}

size_t bw_plan_bytes(const bw_plan *plan) { return plan->bytes; }
size_t bw_plan_block(const bw_plan *plan) { return plan->block; }
const char *bw_plan_isa(const bw_plan *plan) { return plan->kernels->name; }
const char *bw_plan_input_dtype(const bw_plan *plan) {
    return plan->input_store == BW_STORE_U8 ? "u8" : plan->input_store == BW_STORE_I32 ? "i32" : "f32";
}
const char *bw_plan_scores_dtype(const bw_plan *plan) { return plan->scores_store == BW_STORE_I32 ? "i32" : "i64"; }
