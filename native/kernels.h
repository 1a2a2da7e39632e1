/* Kernels of the four operations that multiply: xnor_linear, xnor_conv2d, int_linear, int_conv2d (docs/program.md).
 *
 * One table an instruction set. A kernel never allocates, keeps no state and may run in many threads at once, each with its own
 * scratch. Life of a layer: fill a bw_shape; ask weight_bytes and scratch_bytes; pack_weights once; run as often as wanted.
 *
 * Layouts (words are uint64_t, bit j of word k is number 64*k + j; words(n) = ceil(n / 64); n padded with 0 bits):
 *   bits, linear    words(K) a sample
 *   bits, conv      [H][W][words(C)] a sample: channels last, each pixel begins a word
 *   ints, linear    K values a sample, uint8_t or int32_t
 *   ints, conv      [H][W][C] a sample, uint8_t or int32_t
 *   sums            [N] or [H'][W'][O], int32_t or int64_t
 *   weights, canonical, as in the file: N rows of K, K = C/groups * kernel_h * kernel_w in that order (channel, row, column).
 *     BW_WEIGHT_SIGN: a row is words(K) words, 1 for +1 and 0 for -1. BW_WEIGHT_I8: int8_t [N][K]. BW_WEIGHT_I16: int16_t [N][K].
 *
 * Guaranteed by the caller: the shape is one that the loader accepts, with K < 2^30 and every dim < 2^24; padding bits of inputs and
 * canonical weights are 0; integer inputs lie in [lo, hi]; for BW_OUT_I32 and BW_OUT_BITS of int_* the final sums fit int32 (partial
 * sums may wrap); packed weights and scratch are aligned to 64 bytes, words to 8, int32_t to 4, int64_t to 8.
 * Guaranteed by the kernel: exact sums; nothing read or written outside the buffers; padding bits of outputs are 0.
 */
#ifndef BW_KERNELS_H
#define BW_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum { BW_INPUT_BITS, BW_INPUT_U8, BW_INPUT_I32 } bw_input;           /* bits are read as -1 (0) and +1 (1) */
typedef enum { BW_WEIGHT_SIGN, BW_WEIGHT_I8, BW_WEIGHT_I16 } bw_weight;        /* xnor_*: BW_WEIGHT_SIGN */
typedef enum { BW_ACC_INT32, BW_ACC_WRAP8, BW_ACC_WRAP8_HALF } bw_accumulator; /* int_*: BW_ACC_INT32 */
typedef enum { BW_OUT_I32, BW_OUT_I64, BW_OUT_BITS } bw_out;                   /* xnor_*: not BW_OUT_I64 */

/* A linear layer uses channels (K), out_channels (N) and the last six fields only. */
typedef struct {
    int32_t channels, height, width;
    int32_t out_channels;
    int32_t kernel_h, kernel_w, stride_h, stride_w;
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t dilation_h, dilation_w, groups;
    int32_t pad_value; /* xnor_conv2d and bits: -1, +1, or 0 = left out of the sum; ints: any int32 */
    bw_input input;    /* xnor_*: BW_INPUT_BITS */
    int32_t lo, hi;    /* range of integer inputs; ignored for bits */
    bw_weight weight;
    bw_accumulator accumulator;
    bw_out out;
} bw_shape;

/* One call: samples 0 .. samples-1, and of each, for conv2d, output rows row_begin .. row_end-1 (linear ignores them).
 * x and out point at sample 0, row 0, whatever the rows; strides are bytes from a sample to the next. samples may be 0. */
typedef struct {
    const void *weights; /* packed by the same kernel for the same shape */
    const void *x;
    size_t x_stride;
    void *out;
    size_t out_stride;
    int64_t samples;
    int32_t row_begin, row_end;
    const int32_t *threshold; /* BW_OUT_BITS: bit n is (accumulated sum >= threshold[n]) XOR flip bit n; N values */
    const uint64_t *flip;     /* words(N) words, or NULL for none */
    void *scratch;            /* scratch_bytes(shape), any content */
} bw_job;

typedef struct {
    size_t (*weight_bytes)(const bw_shape *shape);
    void (*pack_weights)(const bw_shape *shape, const void *canonical, void *packed);
    size_t (*scratch_bytes)(const bw_shape *shape); /* for any number of samples and rows */
    void (*run)(const bw_shape *shape, const bw_job *job);
} bw_kernel;

typedef struct {
    const char *name, *others; /* others: the set whose tables of everything else go with it, often its own */
    const bw_kernel *xnor_linear, *xnor_conv2d, *int_linear, *int_conv2d; /* never NULL */
} bw_kernels;

/* The reference is the specification: plain loops, one bit at a time. The others exist where BW_HAVE_* is defined, and run only on
 * a CPU with: avx2: AVX2, POPCNT, BMI2. avx512: AVX-512 F, BW, VL, DQ, VPOPCNTDQ, VNNI, VBMI (and what avx2
 * needs). amx: AMX-INT8 and what avx512 needs, and the system's leave to use tiles, which bw_find_kernels asks for. */
extern const bw_kernels bw_kernels_reference;
#ifdef BW_HAVE_AVX2
extern const bw_kernels bw_kernels_avx2;
#endif
#ifdef BW_HAVE_AVX512
extern const bw_kernels bw_kernels_avx512;
#endif
#ifdef BW_HAVE_AMX
extern const bw_kernels bw_kernels_amx;
#endif
#ifdef BW_HAVE_NEON
extern const bw_kernels bw_kernels_neon;
#endif

static inline size_t bw_words(int64_t n_bits) { return (size_t)((n_bits + 63) / 64); }

static inline int32_t bw_out_height(const bw_shape *s) {
    return (s->height + s->pad_top + s->pad_bottom - s->dilation_h * (s->kernel_h - 1) - 1) / s->stride_h + 1;
}

static inline int32_t bw_out_width(const bw_shape *s) {
    return (s->width + s->pad_left + s->pad_right - s->dilation_w * (s->kernel_w - 1) - 1) / s->stride_w + 1;
}

#endif
