/* bitwright: run a Program (.bw file) of operations on bits and integers. C11 or C++, no dependencies but threads.
 *
 *   bw_program_open(bytes) -> bw_plan_create(program) -> bw_run(plan, input, batch, scores) as often as wanted -> free
 *
 * What a Program means is docs/program.md: every instruction set gives the same bits. Functions return BW_OK or another
 * bw_status, and then say in *error which operation and rule is concerned and what to do; error may be NULL.
 * No global mutable state, and no memory is asked for after bw_plan_create. One plan runs one call at a time; several
 * plans may share a program, in as many threads as you like. A program must outlive its plans.
 */
#ifndef BITWRIGHT_H
#define BITWRIGHT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define BW_API __declspec(dllexport)
#else
#define BW_API __attribute__((visibility("default")))
#endif

#define BW_ABI 1 /* raised whenever something below changes its meaning or layout */

typedef enum {
    BW_OK = 0,
    BW_DAMAGED = 1,     /* the bytes are not a whole .bw file */
    BW_INVALID = 2,     /* a rule of docs/program.md is broken */
    BW_TOO_LARGE = 3,   /* a limit is passed */
    BW_NO_MEMORY = 4,
    BW_BAD_ARGUMENT = 5,
    BW_UNSUPPORTED = 6, /* this build has no such kernel set, or no rule for an operation */
    BW_BAD_INPUT = 7    /* a value of the input is NaN or outside the stated range */
} bw_status;

typedef struct {
    int32_t status;
    int32_t operation; /* number of the operation concerned, else -1 */
    char message[360];
} bw_error;

/* Largest Program a loader takes; counts are per sample. NULL means the limits of docs/program.md. */
typedef struct {
    uint64_t operations, tensor, total, steps, json_bytes;
} bw_limits;

enum { BW_BITS = 0, BW_INT = 1, BW_FLOAT = 2 };

/* What a value is, the batch axis left out: [C] or [C,H,W]; lo, hi: range of an int, else 0. */
typedef struct {
    int32_t kind, n_axes;
    uint32_t dims[3];
    uint32_t operation_code; /* of the operation that makes it */
    int64_t lo, hi;
} bw_value;

typedef struct bw_program bw_program;
typedef struct bw_plan bw_plan;

BW_API int bw_abi(void);

/* Reads and checks a .bw file; the bytes are copied. limits: may be NULL. */
BW_API int bw_program_open(const void *bytes, size_t n_bytes, const bw_limits *limits, bw_program **program,
                           bw_error *error);
BW_API void bw_program_free(bw_program *program);
BW_API uint32_t bw_program_length(const bw_program *program);                  /* operations, and values */
BW_API bw_value bw_program_value(const bw_program *program, uint32_t number); /* 0 is the input, the last the scores */

/* Kernel sets this machine can run, slowest first: "reference", "avx2", "avx512", "amx", ...; NULL beyond the last. */
BW_API const char *bw_isa_name(int index);

enum { BW_KEEP = 1, BW_NO_FUSE = 2 }; /* keep every value for bw_value_read; compute every value on its own */

/* isa: a name, or NULL for the fastest; threads: at most so many are used. All memory is taken here. */
BW_API int bw_plan_create(const bw_program *program, const char *isa, int threads, uint32_t flags, bw_plan **plan,
                          bw_error *error);
BW_API void bw_plan_free(bw_plan *plan);
BW_API size_t bw_plan_bytes(const bw_plan *plan);   /* memory held: packed weights and arenas */
BW_API size_t bw_plan_block(const bw_plan *plan);   /* samples computed together */
BW_API const char *bw_plan_isa(const bw_plan *plan);

/* Types of the arrays bw_run reads: "u8" (bits as bytes 0 and 1, ints within 0..255), "i32" or "f32"; and writes: "i32"
 * or "i64". */
BW_API const char *bw_plan_input_dtype(const bw_plan *plan);
BW_API const char *bw_plan_scores_dtype(const bw_plan *plan);

/* input: (batch, C) or (batch, C, H, W), contiguous; scores: (batch, classes). batch may be 0. */
BW_API int bw_run(bw_plan *plan, const void *input, size_t batch, void *scores, bw_error *error);

/* After bw_run with at most bw_plan_block samples on a plan made with BW_KEEP: value `number` as int64 (floats as
 * float32), (batch, C) or (batch, C, H, W). Returns 1 if it was written, 0 if the plan never makes this value. */
BW_API int bw_value_read(const bw_plan *plan, uint32_t number, size_t batch, void *out);

#ifdef __cplusplus
}
#endif
#endif
