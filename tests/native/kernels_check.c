/* kernels_check ISA OPERATION SEED COUNT: that kernel against the reference on COUNT random layers of awkward sizes.
 * Every buffer has exactly the size that kernels.h promises, so that the address sanitizer sees a byte too far.
 * Exit status: 0 equal, 1 different (the layer is printed), 2 wrong arguments. */
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECLARE(isa) extern const bw_kernel bw_xnor_linear_##isa, bw_xnor_conv2d_##isa, bw_int_linear_##isa, bw_int_conv2d_##isa;
#define ROWS(isa)                                                                                       \
    {#isa, "xnor_linear", &bw_xnor_linear_##isa}, {#isa, "xnor_conv2d", &bw_xnor_conv2d_##isa},         \
        {#isa, "int_linear", &bw_int_linear_##isa}, {#isa, "int_conv2d", &bw_int_conv2d_##isa},
DECLARE(reference)
#ifdef BW_HAVE_AVX2
DECLARE(avx2)
#endif
#ifdef BW_HAVE_AVX512
DECLARE(avx512)
#endif
#ifdef BW_HAVE_AMX
#include <sys/syscall.h>
#include <unistd.h>
extern const bw_kernel bw_int_linear_amx, bw_int_conv2d_amx; /* the others are avx512's */
#define bw_xnor_linear_amx bw_xnor_linear_avx512
#define bw_xnor_conv2d_amx bw_xnor_conv2d_avx512
#endif
#ifdef BW_HAVE_NEON
DECLARE(neon)
#endif

static const struct {
    const char *isa, *operation;
    const bw_kernel *kernel;
} KERNELS[] = {ROWS(reference)
#ifdef BW_HAVE_AVX2
                   ROWS(avx2)
#endif
#ifdef BW_HAVE_AVX512
                       ROWS(avx512)
#endif
#ifdef BW_HAVE_AMX
                           ROWS(amx)
#endif
#ifdef BW_HAVE_NEON
                           ROWS(neon)
#endif
};

static uint64_t state;

static uint64_t next(void) {
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static int64_t between(int64_t lo, int64_t hi) { return lo + (int64_t)(next() % (uint64_t)(hi - lo + 1)); }

static int32_t one_of(const int32_t *choices, int n) { return choices[between(0, n - 1)]; }
#define ONE_OF(...) one_of((const int32_t[]){__VA_ARGS__}, (int)(sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)))

static void *buffer(size_t bytes, int fill) {
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes))
        abort();
    return memset(p, fill, bytes);
}

static void random_bits(uint64_t *words, int64_t rows, int64_t n, int dense) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) {
            uint64_t *w = words + (size_t)r * bw_words(n) + i / 64;
            *w = (i % 64 ? *w : 0) | (uint64_t)(between(0, 9) < dense) << i % 64;
        }
}

static bw_shape linear_shape(void) {
    bw_shape s = {.height = 1, .width = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .groups = 1};
    s.channels = ONE_OF(1, 2, 5, 15, 31, 63, 64, 65, 127, 128, 200, 783, 784, 1000, 2500);
    s.out_channels = ONE_OF(1, 2, 10, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 80, 100, 127, 128, 129, 200);
    return s;
}

static bw_shape conv_shape(void) {
    bw_shape s = {.dilation_h = 1, .dilation_w = 1, .groups = 1};
    do {
        s.groups = ONE_OF(1, 1, 1, 2, 3, 4, 64);
        s.channels = s.groups * (s.groups == 64 ? ONE_OF(1, 1, 2) : ONE_OF(1, 3, 16, 31, 32, 33, 63, 64, 65, 100, 128, 130));
        s.out_channels = s.groups * (s.groups == 64 ? ONE_OF(1, 1, 2) : ONE_OF(1, 2, 5, 16, 17, 32, 33, 64, 65));
        if (s.groups == 64 && between(0, 1)) /* depthwise of an odd number of channels */
            s.groups = s.channels = s.out_channels = ONE_OF(1, 7, 65, 100, 130);
        s.height = ONE_OF(1, 2, 5, 7, 9, 14), s.width = ONE_OF(1, 3, 4, 7, 8, 13, 17);
        s.kernel_h = ONE_OF(1, 2, 3, 3, 5, 17), s.kernel_w = ONE_OF(1, 2, 3, 3, 5, 17);
        s.stride_h = ONE_OF(1, 1, 2, 3), s.stride_w = ONE_OF(1, 1, 2, 3);
        s.pad_top = ONE_OF(0, 1, 1, 2, 5), s.pad_bottom = ONE_OF(0, 1, 1, 3), s.pad_left = ONE_OF(0, 1, 1, 2), s.pad_right = ONE_OF(0, 1, 1, 4);
        s.dilation_h = ONE_OF(1, 1, 2, 4), s.dilation_w = ONE_OF(1, 1, 2, 3);
        s.pad_value = ONE_OF(-1, 0, 1);
    } while (bw_out_height(&s) < 1 || bw_out_width(&s) < 1 ||
             s.height + s.pad_top + s.pad_bottom < s.dilation_h * (s.kernel_h - 1) + 1 ||
             s.width + s.pad_left + s.pad_right < s.dilation_w * (s.kernel_w - 1) + 1 ||
             (int64_t)bw_out_height(&s) * bw_out_width(&s) * s.out_channels * (s.channels / s.groups) * s.kernel_h * s.kernel_w > 2000000);
    return s;
}

/* Numbers of the int operations whose sums fit where they go. */
static void choose_numbers(bw_shape *s, int64_t k) {
    static const int32_t ranges[][2] = {{0, 255},     {0, 1},         {0, 16},        {5, 9},          {-1, 1},          {-128, 127},
                                        {-200, 55},   {0, 256},       {-255, 255},    {-32768, 32767}, {0, 65535},       {-40000, 30000},
                                        {0, 1 << 20}, {-70000, 9000}, {1000, 1200},   {-5, 65600},     {-(1 << 24), 3},  {INT32_MIN, INT32_MAX}};
    s->weight = (bw_weight)between(0, 2);
    s->input = (bw_input)(s->weight == BW_WEIGHT_SIGN ? between(1, 2) : between(0, 2));
    const int32_t *range = ranges[s->input == BW_INPUT_U8 ? between(0, 3) : between(0, 17)];
    s->lo = s->input == BW_INPUT_BITS ? 0 : range[0], s->hi = s->input == BW_INPUT_BITS ? 0 : range[1];
    int64_t lo = s->input == BW_INPUT_BITS ? -1 : s->lo, hi = s->input == BW_INPUT_BITS ? 1 : s->hi;
    if (s->input != BW_INPUT_BITS && s->kernel_h * s->kernel_w > 1)
        s->pad_value = (int32_t)(between(0, 2) ? between(lo, hi) : ONE_OF(0, -3, 300));
    lo = s->pad_value < lo ? s->pad_value : lo, hi = s->pad_value > hi ? s->pad_value : hi;
    int64_t largest = (-lo > hi ? -lo : hi) * (s->weight == BW_WEIGHT_SIGN ? 1 : s->weight == BW_WEIGHT_I8 ? 128 : 32768) * k;
    s->out = largest > INT32_MAX || between(0, 5) == 0 ? BW_OUT_I64 : between(0, 1) ? BW_OUT_I32 : BW_OUT_BITS;
}

static int check(const bw_kernel *kernel, const bw_kernel *reference, int conv, int ints) {
    bw_shape s = conv ? conv_shape() : linear_shape();
    int64_t k = (int64_t)(s.channels / s.groups) * s.kernel_h * s.kernel_w;
    int32_t rows = bw_out_height(&s), n = s.out_channels;
    if (ints) {
        choose_numbers(&s, k);
    } else {
        s.accumulator = (bw_accumulator)between(0, 2);
        s.out = between(0, 1) ? BW_OUT_I32 : BW_OUT_BITS;
    }
    int64_t samples = conv ? between(0, 3) : ONE_OF(0, 1, 2, 3, 4, 5, 8, 9, 17, 66, 300);
    if (samples * k * n * rows > 4000000)
        samples = 1;
    size_t positions = (size_t)rows * (size_t)bw_out_width(&s), pixels = (size_t)s.height * (size_t)s.width;

    size_t weight_bytes = (size_t)n * (s.weight == BW_WEIGHT_SIGN ? bw_words(k) * 8 : (size_t)k * (s.weight == BW_WEIGHT_I8 ? 1 : 2));
    void *canonical = buffer(weight_bytes, 0);
    if (s.weight == BW_WEIGHT_SIGN)
        random_bits(canonical, n, k, (int)ONE_OF(5, 5, 9, 0, 10));
    else
        for (size_t i = 0; i < weight_bytes; i++)
            ((uint8_t *)canonical)[i] = (uint8_t)(between(0, 20) ? (int64_t)next() : s.weight == BW_WEIGHT_I8 || i % 2 ? -128 : 0);

    size_t unit = s.input == BW_INPUT_BITS ? bw_words(s.channels) * 8 : (size_t)s.channels * (s.input == BW_INPUT_U8 ? 1 : 4);
    size_t gap = (size_t)between(0, 1) * 8; /* between samples */
    bw_job job = {.x_stride = (pixels * unit + gap + 3) / 4 * 4, .samples = samples};
    if (s.input == BW_INPUT_BITS)
        job.x_stride = pixels * unit + gap;
    char *x = buffer((size_t)samples * job.x_stride + 1, 0xEE);
    int sparse = between(0, 2) == 0, extreme = between(0, 4) == 0; /* mostly 0; all as large as can be */
    for (int64_t i = 0; i < samples; i++) {
        char *at = x + (size_t)i * job.x_stride;
        if (s.input == BW_INPUT_BITS) {
            random_bits((void *)at, (int64_t)pixels, s.channels, 5);
            continue;
        }
        for (size_t j = 0; j < pixels * (size_t)s.channels; j++) {
            int64_t v = between(0, 9) == 0 ? (between(0, 1) ? s.lo : s.hi) : between(s.lo, s.hi);
            if (extreme)
                v = s.hi;
            if (sparse && s.lo <= 0 && s.hi >= 0 && between(0, 30))
                v = 0;
            if (s.input == BW_INPUT_U8)
                ((uint8_t *)at)[j] = (uint8_t)v;
            else
                ((int32_t *)(void *)at)[j] = (int32_t)v;
        }
    }
    job.x = x;
    size_t out_unit = s.out == BW_OUT_BITS ? bw_words(n) * 8 : (size_t)n * (s.out == BW_OUT_I64 ? 8 : 4);
    job.out_stride = positions * out_unit + (size_t)between(0, 1) * 8;
    int32_t *threshold = buffer((size_t)n * 4, 0);
    for (int32_t i = 0; i < n; i++) {
        int64_t any = (int64_t)next();
        threshold[i] = (int32_t)(ints ? any >> between(33, 60) : between(-9, 9));
    }
    uint64_t *flip = buffer(bw_words(n) * 8, 0);
    random_bits(flip, 1, n, 5);
    job.threshold = s.out == BW_OUT_BITS ? threshold : NULL;
    job.flip = s.out == BW_OUT_BITS && between(0, 1) ? flip : NULL;
    job.row_begin = conv && between(0, 2) == 0 ? (int32_t)between(0, rows - 1) : 0;
    job.row_end = job.row_begin ? (int32_t)between(job.row_begin, rows) : rows;

    char *out[2];
    for (int i = 0; i < 2; i++) {
        const bw_kernel *chosen = i ? kernel : reference;
        void *packed = buffer(chosen->weight_bytes(&s), 0xA5), *scratch = buffer(chosen->scratch_bytes(&s), 0xA5);
        chosen->pack_weights(&s, canonical, packed);
        out[i] = buffer((size_t)samples * job.out_stride, 0x55);
        job.weights = packed, job.scratch = scratch, job.out = out[i];
        chosen->run(&s, &job);
        free(packed), free(scratch);
    }
    int same = memcmp(out[0], out[1], (size_t)samples * job.out_stride) == 0;
    if (!same) {
        size_t at = 0;
        while (out[0][at] == out[1][at])
            at++;
        printf("differs at byte %zu of %zu a sample: samples %d, channels %d, image %dx%d, outputs %d, kernel %dx%d, stride %dx%d, "
               "padding %d %d %d %d value %d, dilation %dx%d, groups %d, input %d [%d, %d], weight %d, accumulator %d, out %d, rows %d-%d\n",
               at, job.out_stride, (int)samples, s.channels, s.height, s.width, n, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w, s.pad_top,
               s.pad_bottom, s.pad_left, s.pad_right, s.pad_value, s.dilation_h, s.dilation_w, s.groups, s.input, s.lo, s.hi, s.weight,
               s.accumulator, s.out, job.row_begin, job.row_end);
    }
    free(canonical), free(x), free(threshold), free(flip), free(out[0]), free(out[1]);
    return same;
}

int main(int argc, char **argv) {
#ifdef BW_HAVE_AMX
    if (argc > 1 && !strcmp(argv[1], "amx"))
        syscall(SYS_arch_prctl, 0x1023, 18); /* leave to use tiles */
#endif
    if (argc == 5)
        for (size_t i = 0; i < sizeof KERNELS / sizeof *KERNELS; i++)
            if (!strcmp(argv[1], KERNELS[i].isa) && !strcmp(argv[2], KERNELS[i].operation)) {
                for (int64_t j = 0; j < atoll(argv[4]); j++) {
                    state = (uint64_t)(atoll(argv[3]) + j) << 20;
                    if (!check(KERNELS[i].kernel, KERNELS[i % 4].kernel, argv[2][strlen(argv[2]) - 1] == 'd', argv[2][0] == 'i')) {
                        printf("again: %s %s %s %lld 1\n", argv[0], argv[1], argv[2], atoll(argv[3]) + (long long)j);
                        return 1;
                    }
                }
                return 0;
            }
    fprintf(stderr, "usage: kernels_check ISA OPERATION SEED COUNT\n");
    return 2;
}
