/* The file: magic, lengths, checksum, records; then types and ranges derived again and compared. */
#include <stdlib.h>
#include <string.h>
#include "loader.h"

static const bw_limits default_limits = {1u << 16, 1u << 24, 1u << 26, (uint64_t)1 << 40, 1u << 24};
static const uint8_t magic[8] = {0x89, 'B', 'W', 'P', '\r', '\n', 0x1a, '\n'};
enum { FILE_HEADER = 128, CHECKSUM_AT = 72, SHORT = 2 };

#define BW_WHOLE(condition, ...)                                          \
    do {                                                                  \
        if (!(condition)) return bw_fail(error, BW_DAMAGED, __VA_ARGS__); \
    } while (0)

static uint64_t u64(const uint8_t *p) {
    uint64_t value;
    memcpy(&value, p, 8);
    return value;
}

static uint32_t u32(const uint8_t *p) {
    uint32_t value;
    memcpy(&value, p, 4);
    return value;
}

static bool zeros(const uint8_t *bytes, uint64_t begin, uint64_t end) {
    for (; begin < end; begin++)
        if (bytes[begin]) return false;
    return true;
}

/* Each part begins where the one before ends, after zeros up to its multiple. */
static int part(const bw_layout *f, const char *name, uint64_t before, uint64_t multiple, uint64_t offset,
                uint64_t bytes, bw_error *error) {
    uint64_t expected = (before + multiple - 1) / multiple * multiple;
    BW_WHOLE(offset == expected, "%s begin at %llu, expected %llu", name, (unsigned long long)offset,
             (unsigned long long)expected);
    BW_WHOLE(offset <= f->file_bytes && bytes <= f->file_bytes - offset, "%s reach beyond the end of the file", name);
    BW_WHOLE(zeros(f->bytes, before, offset), "bytes before the %s are not 0", name);
    return BW_OK;
}

static int read_layout(const uint8_t *bytes, uint64_t n, const bw_limits *limits, bw_layout *f, uint32_t *n_ops,
                       bw_error *error) {
    BW_WHOLE(n >= FILE_HEADER, "%llu bytes are too few for a .bw file", (unsigned long long)n);
    BW_WHOLE(!memcmp(bytes, magic, 8), "not a .bw file: its first 8 bytes differ");
    uint32_t version = u32(bytes + 8);
    BW_WHOLE(version == 1 || version == SHORT, "version %u of the file, this loader knows 1 and 2", version);
    BW_WHOLE(u64(bytes + 64) == n, "the file says it has %llu bytes, there are %llu; copy or download it again",
             (unsigned long long)u64(bytes + 64), (unsigned long long)n);
    static const uint8_t blank[4];
    uint32_t crc =
        bw_crc32(bw_crc32(bw_crc32(0, bytes, CHECKSUM_AT), blank, 4), bytes + CHECKSUM_AT + 4, n - CHECKSUM_AT - 4);
    BW_WHOLE(crc == u32(bytes + CHECKSUM_AT), "the checksum does not match; copy or download the file again");
    BW_WHOLE(zeros(bytes, CHECKSUM_AT + 4, FILE_HEADER), "an unused byte of the file's header is not 0");
    *n_ops = u32(bytes + 12);
    *f = (bw_layout){bytes,           u64(bytes + 16), u64(bytes + 24), u64(bytes + 32),
                     u64(bytes + 40), u64(bytes + 48), u64(bytes + 56), n};
    BW_TRY(part(f, "records", FILE_HEADER, 8, f->records, f->records_bytes, error));
    bool is_short = version == SHORT;
    BW_TRY(part(f, "JSON", f->records + f->records_bytes, is_short ? 1 : 8, f->json, f->json_bytes, error));
    BW_TRY(part(f, "blobs", f->json + f->json_bytes, is_short ? 1 : 64, f->blobs, f->blobs_bytes, error));
    BW_WHOLE(f->blobs + f->blobs_bytes == n, "the file goes on behind its blobs");
    if (f->json_bytes > limits->json_bytes)
        return bw_fail(error, BW_TOO_LARGE, "JSON of %llu bytes, the limit is %llu", (unsigned long long)f->json_bytes,
                       (unsigned long long)limits->json_bytes);
    if (*n_ops > limits->operations)
        return bw_fail(error, BW_TOO_LARGE, "%u operations, the limit is %llu", *n_ops,
                       (unsigned long long)limits->operations);
    BW_NEED(*n_ops >= 2, "a Program has at least input and output, this one has %u operations", *n_ops);
    BW_NEED(*n_ops <= f->records_bytes / (is_short ? 3 : 56), "%u operations do not fit %llu bytes of records", *n_ops,
            (unsigned long long)f->records_bytes);
    return BW_OK;
}

static int same_type(const bw_type *a, const bw_type *b, bw_error *error) {
    BW_NEED(a->kind == b->kind && a->ndim == b->ndim && !memcmp(a->dims, b->dims, sizeof a->dims),
            "the record states another kind or shape than its inputs and constants give");
    BW_NEED(a->lo == b->lo && a->hi == b->hi, "the record states the range %lld..%lld, derived is %lld..%lld",
            (long long)b->lo, (long long)b->hi, (long long)a->lo, (long long)a->hi);
    return BW_OK;
}

/* stated: whether the records state types, as those of version 1 do. */
static int read_operations(bw_program *p, const bw_layout *f, bool stated, const bw_limits *limits, bw_error *error) {
    uint64_t at = 0, total = 0;
    bw_wide steps = 0;
    uint32_t *inputs = p->inputs;
    for (uint32_t number = 0; number < p->n_ops; number++) {
        bw_type said;
        uint64_t n_bytes;
        bw_op *op = &p->ops[number];
        BW_TRY(bw_read_record(f, f->bytes + f->records + at, f->records_bytes - at, number, inputs, op, &said,
                              &n_bytes, error));
        inputs += op->n_inputs;
        at += n_bytes;
        int status = bw_derive(op, number, p->n_ops, p->types, limits, &p->types[number], error);
        if (!status && stated) status = same_type(&p->types[number], &said, error);
        if (!status) {
            total += p->types[number].n_values;
            steps += bw_steps(op, p->types, &p->types[number]);
            if (total > limits->total)
                status =
                    bw_fail(error, BW_TOO_LARGE, "more than %llu values a sample", (unsigned long long)limits->total);
            else if (steps > (bw_wide)limits->steps)
                status =
                    bw_fail(error, BW_TOO_LARGE, "more than %llu steps a sample", (unsigned long long)limits->steps);
        }
        if (status) {
            bw_fail_in(error, number, bw_op_specs[op->code].name);
            return status;
        }
    }
    BW_NEED(at == f->records_bytes, "the records go on behind the last operation");
    return bw_check_spans(f, p->ops, p->n_ops, error);
}

int bw_program_open(const void *bytes, size_t n_bytes, const bw_limits *limits, bw_program **program, bw_error *error) {
    bw_layout given, file;
    uint32_t n_ops = 0;
    if (!limits) limits = &default_limits;
    if (!bytes || !program) return bw_fail(error, BW_BAD_ARGUMENT, "bytes and program must not be NULL");
    *program = NULL;
    BW_TRY(read_layout(bytes, n_bytes, limits, &given, &n_ops, error));
    bool is_short = u32(given.bytes + 8) == SHORT;
    file = given;
    if (is_short) BW_TRY(bw_unfold(&given, n_ops, NULL, &file, error));
    bw_program *p = calloc(1, sizeof *p);
    if (p) {
        p->n_ops = n_ops;
        p->bytes_base = malloc(file.file_bytes + 64);
        p->ops = calloc(n_ops, sizeof *p->ops);
        p->types = calloc(n_ops, sizeof *p->types);
        p->inputs = malloc((size_t)file.records_bytes + 8); /* every input takes 4 bytes of its record */
    }
    int status = BW_OK;
    if (!p || !p->bytes_base || !p->ops || !p->types || !p->inputs) {
        status = bw_fail(error, BW_NO_MEMORY, "no memory to load a Program of %llu bytes", (unsigned long long)n_bytes);
    } else {
        p->bytes = (uint8_t *)(((uintptr_t)p->bytes_base + 63) / 64 * 64);
        memcpy(p->bytes, bytes, is_short ? 0 : n_bytes);
        if (is_short) status = bw_unfold(&given, n_ops, p->bytes, &file, error);
        file.bytes = p->bytes;
        if (!status) status = read_operations(p, &file, !is_short, limits, error);
    }
    if (status) bw_program_free(p);
    else *program = p;
    return status;
}

void bw_program_free(bw_program *p) {
    if (!p) return;
    free(p->bytes_base);
    free(p->ops);
    free(p->types);
    free(p->inputs);
    free(p);
}

uint32_t bw_program_length(const bw_program *p) { return p->n_ops; }

bw_value bw_program_value(const bw_program *p, uint32_t number) {
    bw_value value = {0};
    if (number >= p->n_ops) return value;
    const bw_type *t = &p->types[number];
    value = (bw_value){t->kind, t->ndim, {t->dims[0], t->dims[1], t->dims[2]}, p->ops[number].code, t->lo, t->hi};
    return value;
}
