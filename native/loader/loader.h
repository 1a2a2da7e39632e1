/* A Program in memory, as the loader hands it to the engine: checked, its constants still as they lie in the file. */
#ifndef BW_LOADER_H
#define BW_LOADER_H

#include <stdbool.h>
#include "../bitwright.h"
#include "../ops.h"

__extension__ typedef __int128 bw_wide;

enum { BW_N_OPS = BW_OP_COUNT_, BW_MAX_INPUTS = 64, BW_MAX_ATTRS = 13, BW_MAX_CONSTS = 4 };

/* A row of the table of operations; dtypes: bits 1 << BW_DTYPE_x, axes: bits 1 << number of axes. */
typedef struct {
    const char *name;
    uint16_t version;
    uint8_t least_inputs, most_inputs, n_attrs, n_consts;
    struct {
        uint32_t dtypes, axes, optional;
    } consts[BW_MAX_CONSTS];
} bw_op_spec;

extern const bw_op_spec bw_op_specs[BW_N_OPS];

/* A constant; dtype BW_DTYPE_NONE when absent. Bits and i4 lie in rows of row_bytes; others are contiguous. */
typedef struct {
    uint8_t dtype, ndim;
    uint32_t dims[4];
    uint64_t n_values, n_rows, row_values, row_bytes, n_bytes;
    const uint8_t *data;
} bw_const;

typedef struct {
    uint16_t code;
    uint16_t n_inputs;
    const uint32_t *inputs;
    int64_t attrs[BW_MAX_ATTRS];
    bw_const consts[BW_MAX_CONSTS];
} bw_op;

typedef struct {
    uint8_t kind, ndim;
    uint32_t dims[3];
    uint64_t n_values;
    int64_t lo, hi;
} bw_type;

struct bw_program {
    uint8_t *bytes;   /* the file, as version 1, 64-byte aligned */
    void *bytes_base; /* what to free */
    uint32_t n_ops;
    bw_op *ops;
    bw_type *types;
    uint32_t *inputs; /* of all operations, one after another */
};

/* Where bytes of a file lie; set up by open.c. */
typedef struct {
    const uint8_t *bytes;
    uint64_t records, records_bytes, json, json_bytes, blobs, blobs_bytes, file_bytes;
} bw_layout;

#define BW_BOUND ((int64_t)1 << 62)

/* error.c: fills *error (may be NULL) and returns status. */
int bw_fail(bw_error *error, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "operation n (name): " before the message. */
void bw_fail_in(bw_error *error, uint32_t operation, const char *name);

uint32_t bw_crc32(uint32_t crc, const uint8_t *bytes, size_t n);

/* record.c: reads one record and checks its counts, dtypes and places. */
int bw_read_record(const bw_layout *file, const uint8_t *record, uint64_t available, uint32_t number, uint32_t *inputs,
                   bw_op *op, bw_type *stated, uint64_t *n_bytes, bw_error *error);

/* unfold.c: a file of version 2 as records and blobs of version 1. First with bytes NULL, which sets *image, then with
 * image->file_bytes of them. */
int bw_unfold(const bw_layout *file, uint32_t n_ops, uint8_t *bytes, bw_layout *image, bw_error *error);

/* constants.c */
int bw_read_const(const bw_layout *file, const uint8_t *entry, const bw_op_spec *spec, int index, bw_const *constant,
                  bw_error *error);
void bw_rows_of(bw_const *constant, unsigned multiple); /* its rows, from its shape; of bits and i4 rounded up */
int bw_check_spans(const bw_layout *file, const bw_op *ops, uint32_t n_ops, bw_error *error);
int64_t bw_const_int(const bw_const *constant, uint64_t index); /* any integer dtype; u64 as its bit pattern */
float bw_const_float(const bw_const *constant, uint64_t index);
void bw_const_hull(const bw_const *constant, int64_t *lo, int64_t *hi);

/* derive.c: the type and range of an operation's value, from its inputs' types; steps it costs. */
int bw_derive(const bw_op *op, uint32_t number, uint32_t n_ops, const bw_type *types, const bw_limits *limits,
              bw_type *out, bw_error *error);
bw_wide bw_steps(const bw_op *op, const bw_type *types, const bw_type *out);

/* rules_*.c: one rule an operation; x: types of its inputs. */
typedef int bw_rule(const bw_op *op, const bw_type *const *x, bw_type *out, bw_error *error);
bw_rule bw_rule_input, bw_rule_output, bw_rule_threshold, bw_rule_digitize, bw_rule_xnor_linear, bw_rule_xnor_conv2d,
    bw_rule_int_linear, bw_rule_int_conv2d, bw_rule_lut, bw_rule_lut_conv2d, bw_rule_count, bw_rule_project,
    bw_rule_affine, bw_rule_prelu, bw_rule_clip, bw_rule_add, bw_rule_max_pool2d, bw_rule_sum_pool2d, bw_rule_patches,
    bw_rule_gather, bw_rule_reshape, bw_rule_concat, bw_rule_pad, bw_rule_to_int;

/* rules.c: what rules share. Each returns BW_OK or fails. */
int bw_output_size(const bw_op *op, bool dilated, const bw_type *x, bw_type *out, bw_error *error); /* sets dims 1, 2 */
int bw_within(bw_wide value, bw_error *error);
int bw_choice(int64_t index, int64_t n_choices, const char *name, bw_error *error);
int bw_kind_of(const bw_type *x, unsigned kinds, bw_error *error); /* kinds: bits 1 << BW_BITS ... */
int bw_image(const bw_type *x, bw_error *error);
int bw_rows(const bw_op *op, int constant, const bw_type *x, bw_error *error); /* a row for each of x's channels */
static inline int64_t bw_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t bw_max(int64_t a, int64_t b) { return a > b ? a : b; }

#define BW_TRY(call)                             \
    do {                                         \
        int bw_try_status = (call);              \
        if (bw_try_status) return bw_try_status; \
    } while (0)
#define BW_NEED(condition, ...)                                           \
    do {                                                                  \
        if (!(condition)) return bw_fail(error, BW_INVALID, __VA_ARGS__); \
    } while (0)

#endif
