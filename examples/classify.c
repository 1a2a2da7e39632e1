/* Classify with a Program, from C: prints the class of every sample.
 *
 *   cc -O2 -Inative examples/classify.c src/bitwright/native/libbw_run.so -Wl,-rpath,src/bitwright/native -o classify
 *   ./classify digits.bw pixels.raw      raw: the samples' values one after another, as bw_plan_input_dtype names them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bitwright.h"

static void *read_file(const char *path, size_t *n_bytes) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return NULL;
    *n_bytes = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*n_bytes + 1);
    if (bytes && fread(bytes, 1, *n_bytes, file) != *n_bytes) return NULL;
    fclose(file);
    return bytes;
}

static int64_t score(const void *scores, int wide, size_t i) {
    return wide ? ((int64_t *)scores)[i] : ((int32_t *)scores)[i];
}

int main(int argc, char **argv) {
    bw_program *program;
    bw_plan *plan;
    bw_error error;
    size_t n_bytes, n_input;
    if (argc != 3) return fprintf(stderr, "usage: classify program.bw input.raw\n"), 2;
    void *bytes = read_file(argv[1], &n_bytes), *input = read_file(argv[2], &n_input);
    if (!bytes || !input) return perror(bytes ? argv[2] : argv[1]), 1;
    if (bw_program_open(bytes, n_bytes, NULL, &program, &error) || bw_plan_create(program, NULL, 1, 0, &plan, &error))
        return fprintf(stderr, "%s: %s\n", argv[1], error.message), 1;

    bw_value x = bw_program_value(program, 0), y = bw_program_value(program, bw_program_length(program) - 1);
    size_t n_values = x.n_axes == 3 ? (size_t)x.dims[0] * x.dims[1] * x.dims[2] : x.dims[0], classes = y.dims[0];
    size_t batch = n_input / (n_values * (strcmp(bw_plan_input_dtype(plan), "u8") ? 4 : 1));
    int wide = !strcmp(bw_plan_scores_dtype(plan), "i64");
    void *scores = malloc(batch * classes * 8 + 1);
    if (!scores || bw_run(plan, input, batch, scores, &error))
        return fprintf(stderr, "%s: %s\n", argv[2], error.message), 1;
    for (size_t i = 0; i < batch; i++) {
        size_t best = 0; /* the lowest index wins a tie */
        for (size_t c = 1; c < classes; c++)
            if (score(scores, wide, i * classes + c) > score(scores, wide, i * classes + best)) best = c;
        printf("%zu\n", best);
    }
    bw_plan_free(plan);
    bw_program_free(program);
    free(scores);
    free(input);
    free(bytes);
}
