/* Operations become steps: each by its rule, sums with what is fused to them, flat logic by segments. */
#include <stdio.h>
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

static int no_rule(uint32_t code, bw_error *error) {
    char rules[256] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < BW_N_OPS && length < sizeof rules - 24; i++) {
        if (prepare[i] || bw_is_sum((int)i) || bw_is_elementwise((int)i))
            length += (size_t)snprintf(rules + length, sizeof rules - length, "%s%s", length ? ", " : "",
                                       bw_op_specs[i].name);
    }
    return bw_fail(error, BW_UNSUPPORTED, "no rule for '%s'; rules: %s", bw_op_specs[code].name, rules);
}

bw_step *bw_new_step(bw_plan *plan, uint32_t operation, const bw_slot *x, const bw_slot *out) {
    bw_step *step = &plan->steps[plan->n_steps++];
    *step = (bw_step){.operation = operation, .op = &plan->program->ops[operation], .x = x, .out = out};
    return step;
}

/* A step that reads its operation's inputs, bits as planes or along the channels. */
static int step_with_inputs(bw_plan *plan, uint32_t number, bool planes, const bw_slot *out, bw_step **step,
                            bw_error *error) {
    const bw_op *op = &plan->program->ops[number];
    const bw_slot **inputs = bw_plan_alloc_array(plan, op->n_inputs, sizeof *inputs);
    BW_HAVE(inputs);
    for (int i = 0; i < op->n_inputs; i++) {
        const uint32_t x = op->inputs[i];
        const bool bits = plan->program->types[x].kind == BW_BITS;
        inputs[i] = !bits ? &plan->slots[x] : planes ? bw_as_planes(plan, x) : bw_as_rows(plan, x);
    }
    *step = bw_new_step(plan, number, op->n_inputs > 0 ? inputs[0] : NULL, out);
    (*step)->inputs = inputs;
    (*step)->n_inputs = op->n_inputs;
    return BW_OK;
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

/* A sum and what is fused to it: sums -> bits, or sums -> bits, OR of windows, flips; before it a projection. */
static int add_sum(bw_plan *plan, uint32_t number, const bw_fusion *f, bw_error *error) {
    bool fused = f->threshold >= 0;
    const bw_slot *out = &plan->slots[fused && f->pool < 0 ? (uint32_t)f->threshold : number];
    bw_step *step;
    if (f->project >= 0) {
        const uint32_t first = (uint32_t)(f->patches >= 0 ? f->patches : f->project);
        BW_TRY(step_with_inputs(plan, first, false, out, &step, error));
        step->operation = number;
        step->op = &plan->program->ops[number];
        BW_TRY(bw_prepare_embedding(plan, step, f, fused ? f : NULL, error));
    } else {
        BW_TRY(step_with_inputs(plan, number, false, out, &step, error));
        BW_TRY(bw_prepare_sum(plan, step, fused ? f : NULL, error));
    }
    if (!fused || f->pool < 0) return BW_OK;
    const bw_slot *bits = &plan->slots[f->threshold];
    step = bw_new_step(plan, (uint32_t)f->pool, out, bits);
    BW_TRY(bw_prepare_pool(plan, step, error));
    uint64_t *flips = flips_of(plan, number, f, bits->channels);
    BW_HAVE(flips);
    step = bw_new_step(plan, (uint32_t)f->threshold, bits, bits);
    return bw_prepare_flip(plan, step, flips);
}

/* What makes planes from planes or from the input; reshape shares the memory of what it reads. */
static int add_planes(bw_plan *plan, const bw_analysis *a, uint32_t number, bw_error *error) {
    const bw_op *op = &plan->program->ops[number];
    bw_slot *out = &plan->slots[number];
    bw_step *step;
    if (op->code == BW_OP_RESHAPE) {
        out->root = bw_as_planes(plan, op->inputs[0])->root;
        return BW_OK;
    }
    const bool trees = op->code == BW_OP_LUT || op->code == BW_OP_LUT_CONV2D;
    const int64_t pool = trees ? a->fusions[number].pool : -1;
    if (pool >= 0) out = &plan->slots[pool];
    BW_TRY(step_with_inputs(plan, number, true, out, &step, error));
    if (trees) return bw_prepare_trees(plan, step, pool, error);
    return op->code == BW_OP_INPUT        ? bw_prepare_input(plan, step, error)
           : op->code == BW_OP_THRESHOLD  ? bw_prepare_threshold_planes(plan, step, error)
           : op->code == BW_OP_MAX_POOL2D ? bw_prepare_pool_planes(plan, step, error)
                                          : bw_prepare_move_planes(plan, step, error);
}

static int add_step(bw_plan *plan, const bw_analysis *a, uint32_t number, bw_error *error) {
    const bw_op *op = &plan->program->ops[number];
    bw_step *step;
    if (a->planes[number]) return add_planes(plan, a, number, error);
    if (bw_is_sum(op->code)) return add_sum(plan, number, &a->fusions[number], error);
    if (bw_is_elementwise(op->code)) {
        const bw_fusion *f = &a->fusions[number];
        step = bw_new_step(plan, number, NULL, &plan->slots[number]);
        return bw_prepare_chain(plan, step, f->chain, f->n_chain, error);
    }
    if (!prepare[op->code]) return no_rule(op->code, error);
    BW_TRY(step_with_inputs(plan, number, false, &plan->slots[number], &step, error));
    BW_TRY(prepare[op->code](plan, step, error));
    if (!step->run) plan->n_steps--; /* nothing to do: shares memory */
    return BW_OK;
}

/* Flat logic gathers in a segment, which becomes a step once something else reads of it. */
int bw_add_steps(bw_plan *plan, const bw_analysis *a, bw_segment *segment, bw_error *error) {
    const bw_program *p = plan->program;
    for (uint32_t number = 0; number < p->n_ops; number++) {
        const bw_op *op = &p->ops[number];
        int status = BW_OK;
        bool taken = false, reads = false;
        if (plan->logic) {
            status = bw_segment_take(plan, a, segment, number, &taken, error);
            for (int i = 0; i < op->n_inputs && !taken; i++) reads |= bw_segment_makes(segment, op->inputs[i]);
            if (!status && (reads || (taken && plan->flags & BW_NO_FUSE)))
                status = bw_segment_close(plan, a, segment, error);
        }
        if (!status && !taken && !a->skip[number]) status = add_step(plan, a, number, error);
        if (status) {
            bw_fail_in(error, number, bw_op_specs[op->code].name);
            return status;
        }
    }
    return BW_OK;
}
