/* The engine: a plan is a list of steps over slots of an arena; every thread runs the steps on its own samples.
 *
 * A value lies as [height][width][channels] a sample, samples one after another; bits are packed 64 to a word along
 * the channels, each position begins a word. Ints are int32 where their range allows, else int64; an input within
 * 0..255 is bytes. Where logic reads or makes them, bits lie as planes instead (planes.c): plane c * positions + p, of
 * as many samples as a block has. reshape keeps the linear order c, h, w of a value, not its place in memory: a slot says by its own
 * dims how it lies.
 */
#ifndef BW_ENGINE_H
#define BW_ENGINE_H

#include <pthread.h>
#include "../kernels.h"
#include "../loader/loader.h"
#include "../logic/logic.h"
#include "../tiles/tiles.h"

typedef enum { BW_STORE_BITS, BW_STORE_U8, BW_STORE_I32, BW_STORE_I64, BW_STORE_F32, BW_STORE_PLANES } bw_store;
typedef enum { BW_NOWHERE, BW_IN_ARENA, BW_IN_INPUT, BW_IN_SCORES } bw_place;

typedef struct {
    bw_store store;
    bw_place place;
    bool readable; /* holds the Program's value of this number (a sum fused into its threshold does not) */
    uint32_t channels, height, width;
    uint64_t positions;
    size_t row_bytes, bytes; /* of a position, of a sample; of planes, rounded up */
    uint32_t root;           /* the value whose memory this one shares, or itself */
    size_t offset;           /* of the root, in units of one sample's bytes: times the block */
} bw_slot;

/* One thread's work on up to plan->block samples. */
typedef struct {
    const bw_plan *plan;
    const bw_lanes *lanes; /* of planes in this block */
    size_t n_samples, first_sample;
    uint8_t *arena, *scratch;
    const uint8_t *input, *next_input; /* the latter to be fetched meanwhile, */
    size_t next_bytes;                 /* or 0 */
    uint8_t *scores;
    bool bad;          /* an input value is NaN or out of range: */
    size_t bad_sample; /* number of the sample in the batch */
    uint64_t bad_at;   /* linear place in the sample */
} bw_block;

typedef struct bw_step bw_step;
struct bw_step {
    void (*run)(const bw_step *step, bw_block *block);
    uint32_t operation;
    const bw_op *op;
    const bw_slot *x, *out;
    const bw_slot *const *inputs; /* all of them, the first is x */
    int n_inputs;
    const bw_slot *const *outs; /* of a step that makes several values, else NULL */
    int n_outs;
    void *data;
    size_t scratch_bytes;
};

typedef struct bw_allocation {
    struct bw_allocation *next;
} bw_allocation;

typedef struct bw_pool bw_pool;

struct bw_plan {
    const bw_program *program;
    const bw_kernels *kernels;
    const bw_tiles *tiles;
    const bw_logic *logic; /* NULL: all bits lie along the channels */
    uint32_t flags;
    int threads;
    bw_slot *slots; /* one a value; then for each value one in the other layout of its bits, where a step makes it */
    bw_step *steps;
    uint32_t n_steps;
    size_t block, arena_bytes, scratch_bytes, bytes;
    bw_block *blocks; /* one a thread */
    bw_allocation *allocations;
    bw_store input_store, scores_store;
    size_t input_bytes, scores_bytes; /* of a sample, in the caller's arrays */
    double nanoseconds;               /* guessed, of a sample */
    bw_pool *pool;
};

/* What fuse.c found for a sum: the threshold that closes it, a max pool right behind it, elementwise steps between;
 * for an elementwise operation: those before it that run in the same pass, and itself, the last of the chain. */
enum { BW_CHAIN = 8 };
typedef struct {
    int64_t threshold, pool;   /* operations, -1 for none */
    int64_t project, patches;  /* before the sum, as one step with it (embed.c) */
    uint32_t chain[BW_CHAIN];
    int n_chain;
} bw_fusion;

typedef struct {
    uint32_t *n_readers, *reader; /* of every value: how many, and the last */
    bool *skip;                   /* operations that have no step of their own */
    bool *planes;                 /* values whose bits lie as planes */
    uint32_t *first_reader;       /* of every value, in readers; one more at the end */
    uint32_t *readers;
    bw_fusion *fusions;           /* of every operation */
} bw_analysis;

/* memory.c: 64-byte aligned, zeroed, freed with the plan; NULL when there is none. */
void *bw_plan_alloc(bw_plan *plan, size_t n_bytes);
void *bw_plan_alloc_array(bw_plan *plan, uint64_t n, size_t size);
int bw_place_slots(bw_plan *plan, bw_error *error);

/* fuse.c */
void bw_find_fusions(const bw_plan *plan, bw_analysis *analysis);
bool bw_is_sum(int code);
bool bw_is_elementwise(int code);
void bw_switch_point(const bw_program *program, uint32_t sum, const bw_fusion *fusion, uint32_t channel,
                     int32_t *threshold, bool *flip);

/* layout.c: dims, store and root of every value's slot. */
void bw_slot_shape(bw_slot *slot, bw_store store, uint32_t channels, uint32_t height, uint32_t width);
void bw_lay_out(bw_plan *plan, bw_analysis *analysis);

/* Each operation's rule: fills run, data, scratch_bytes of a step whose op, x, y, inputs and out are set. */
typedef int bw_prepare(bw_plan *plan, bw_step *step, bw_error *error);
bw_prepare bw_prepare_input, bw_prepare_output, bw_prepare_threshold, bw_prepare_digitize, bw_prepare_to_int,
    bw_prepare_pool, bw_prepare_patches, bw_prepare_gather, bw_prepare_reshape, bw_prepare_concat, bw_prepare_pad,
    bw_prepare_lut, bw_prepare_lut_conv2d, bw_prepare_count, bw_prepare_project;
int bw_prepare_sum(bw_plan *plan, bw_step *step, const bw_fusion *fusion, bw_error *error); /* fusion may be NULL */
int bw_prepare_rows(bw_plan *plan, bw_step *step, const bw_fusion *fusion, bw_error *error); /* for bw_run_rows: */
void bw_run_rows(const bw_step *step, const void *x, size_t x_stride, void *out, size_t out_stride, uint64_t n,
                 uint8_t *scratch); /* n rows of bits from anywhere, one position each */
int bw_prepare_chain(bw_plan *plan, bw_step *step, const uint32_t *operations, int n, bw_error *error); /* and inputs */
int bw_prepare_flip(bw_plan *plan, bw_step *step, const uint64_t *flip); /* XORs flip words into step->out */

/* planes.c: which values lie as planes; a slot of a value in the layout wanted, made by a step of its own if need be. */
bool bw_worth_planes(const bw_program *program);
void bw_choose_planes(const bw_plan *plan, bw_analysis *analysis);
const bw_slot *bw_as_planes(bw_plan *plan, uint32_t value);
const bw_slot *bw_as_rows(bw_plan *plan, uint32_t value);
uint64_t bw_n_planes(const bw_slot *slot);
bw_step *bw_new_step(bw_plan *plan, uint32_t operation, const bw_slot *x, const bw_slot *out);
bw_prepare bw_prepare_input_planes, bw_prepare_threshold_planes, bw_prepare_move_planes, bw_prepare_pool_planes;

/* trees.c: tables at every position, and the OR of windows behind them (pool: that operation, or -1). */
int bw_prepare_trees(bw_plan *plan, bw_step *step, int64_t pool, bw_error *error);

/* embed.c: a projection and the sums that alone read it, and with it the windows that it alone reads. threshold: of the
 * sum, or NULL. */
bool bw_is_embedding(const bw_program *program, uint32_t project, uint32_t sum);
bool bw_gives_windows(const bw_program *program, uint32_t patches);
int bw_prepare_embedding(bw_plan *plan, bw_step *step, const bw_fusion *fusion, const bw_fusion *threshold,
                         bw_error *error);

/* segment.c: flat tables, what moves their bits, and counts, joined to one net until another operation reads of it. */
typedef struct bw_segment bw_segment;
bw_segment *bw_segment_create(uint32_t n_ops); /* NULL without memory */
int bw_segment_take(bw_plan *plan, const bw_analysis *a, bw_segment *segment, uint32_t number, bool *taken,
                    bw_error *error);
bool bw_segment_makes(const bw_segment *segment, uint32_t value);
int bw_segment_close(bw_plan *plan, const bw_analysis *a, bw_segment *segment, bw_error *error);
void bw_segment_free(bw_segment *segment);

/* steps.c: a step of every operation that needs one. */
int bw_add_steps(bw_plan *plan, const bw_analysis *a, bw_segment *segment, bw_error *error);

/* pool.c: runs work(context, worker) in `workers` threads, the caller being worker 0; false without threads. */
bw_pool *bw_pool_create(int workers);
bool bw_pool_run(bw_pool *pool, int workers, void (*work)(void *context, int worker), void *context);
void bw_pool_free(bw_pool *pool);

/* dispatch.c. isa NULL: the fastest. Returns NULL if this build or this CPU has no such set. */
const bw_kernels *bw_find_kernels(const char *isa);

static inline uint8_t *bw_at(const bw_block *block, const bw_slot *slot) {
    const bw_slot *root = &block->plan->slots[slot->root];
    if (root->place == BW_IN_INPUT) return (uint8_t *)block->input;
    if (root->place == BW_IN_SCORES) return block->scores;
    return block->arena + root->offset * block->plan->block;
}

static inline uint8_t *bw_plane(const bw_block *block, const bw_slot *slot, uint64_t number) {
    return bw_at(block, slot) + number * block->lanes->width;
}

static inline bool bw_is_linear(const bw_slot *s) {
    return s->positions == 1 || (s->channels == 1 && s->store != BW_STORE_BITS);
}

#define BW_HAVE(pointer)                                                               \
    do {                                                                               \
        if (!(pointer)) return bw_fail(error, BW_NO_MEMORY, "no memory for the plan"); \
    } while (0)

#endif
