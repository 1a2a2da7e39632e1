/* Reads names of .bw files from standard input and loads, plans and runs each, under small limits. Prints a line a file:
 *
 *   ok <hash of all scores> <operations>     every kernel set, fused and not, gave the same scores, kept values were read
 *   error <status> <message>
 *   DIFFER <kernel set> <flags>              scores differ: a bug
 *
 * Input of 3 samples: value i of all is lo + (splitmix64(i) mod (hi - lo + 1)); floats run through eighths around 0.
 * Built by tests/native with -fsanitize=address,undefined, together with the sources of native/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bitwright.h"

enum { SAMPLES = 3 };
static const bw_limits small = {256, 1 << 14, 1 << 16, 1 << 24, 1 << 16};

static uint64_t splitmix64(uint64_t i) {
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t n_values(bw_value v) { return v.n_axes == 3 ? (uint64_t)v.dims[0] * v.dims[1] * v.dims[2] : v.dims[0]; }

static void *make_input(bw_value v, const char *dtype) {
    uint64_t n = SAMPLES * n_values(v), lo = (uint64_t)v.lo, span = v.kind == BW_BITS ? 2 : (uint64_t)v.hi - lo + 1;
    uint8_t *input = malloc(n * 4);
    for (uint64_t i = 0; input && i < n; i++) {
        uint64_t value = lo + splitmix64(i) % span;
        if (v.kind == BW_FLOAT) ((float *)input)[i] = (float)((int)(splitmix64(i) % 65) - 32) / 8;
        else if (!strcmp(dtype, "u8")) input[i] = (uint8_t)value;
        else ((int32_t *)input)[i] = (int32_t)(int64_t)value;
    }
    return input;
}

/* Reads all values that were kept, so that the sanitizers see the reading too. */
static void read_values(const bw_program *program, const bw_plan *plan) {
    size_t batch = bw_plan_block(plan) < SAMPLES ? 0 : SAMPLES;
    for (uint32_t i = 0; i < bw_program_length(program); i++) {
        void *value = malloc(SAMPLES * n_values(bw_program_value(program, i)) * 8);
        if (value) bw_value_read(plan, i, batch, value);
        free(value);
    }
}

static int run_once(const bw_program *program, const char *isa, uint32_t flags, uint64_t *hash, bw_error *error) {
    bw_plan *plan;
    int status = bw_plan_create(program, isa, flags ? 1 : 2, flags, &plan, error);
    if (status) return status;
    bw_value last = bw_program_value(program, bw_program_length(program) - 1);
    size_t bytes = SAMPLES * n_values(last) * (strcmp(bw_plan_scores_dtype(plan), "i32") ? 8 : 4);
    void *input = make_input(bw_program_value(program, 0), bw_plan_input_dtype(plan));
    uint8_t *scores = malloc(bytes);
    status = input && scores ? bw_run(plan, input, SAMPLES, scores, error) : BW_NO_MEMORY;
    *hash = 14695981039346656037u;
    for (size_t i = 0; !status && i < bytes; i++) *hash = (*hash ^ scores[i]) * 1099511628211u;
    if (!status && flags & BW_KEEP) read_values(program, plan);
    free(input);
    free(scores);
    bw_plan_free(plan);
    return status;
}

static void run_all(const bw_program *program) {
    static const uint32_t flags[] = {0, BW_KEEP, BW_KEEP | BW_NO_FUSE};
    uint64_t first = 0, hash = 0;
    bw_error error = {0};
    for (int i = 0; bw_isa_name(i); i++)
        for (int f = 0; f < 3; f++) {
            int status = run_once(program, bw_isa_name(i), flags[f], &hash, &error);
            if (status) {
                printf("error %d %s\n", status, error.message);
                return;
            }
            if (i == 0 && f == 0) first = hash;
            if (hash != first) {
                printf("DIFFER %s %u\n", bw_isa_name(i), flags[f]);
                return;
            }
        }
    printf("ok %016llx %u\n", (unsigned long long)first, bw_program_length(program));
}

int main(void) {
    static char path[4096];
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = 0;
        FILE *file = fopen(path, "rb");
        if (!file) {
            printf("error 0 cannot read %s\n", path);
            continue;
        }
        fseek(file, 0, SEEK_END);
        size_t n = (size_t)ftell(file);
        rewind(file);
        uint8_t *bytes = malloc(n ? n : 1); /* exactly n: the sanitizer sees a read behind the end */
        if (bytes && fread(bytes, 1, n, file) == n) {
            bw_program *program;
            bw_error error;
            int status = bw_program_open(bytes, n, &small, &program, &error);
            free(bytes);
            if (status) printf("error %d %s\n", status, error.message);
            else run_all(program);
            if (!status) bw_program_free(program);
        }
        fclose(file);
        fflush(stdout);
    }
}
