/* One packed matrix product, for benchmarks alone: xnor_linear's kernel without the engine around it.
 *
 * Not in bitwright.h: benchmarks and tests reach these three by name. x and weights: rows of words(k) uint64_t, bit j of word w
 * number 64 * w + j, padding bits 0; out: int32_t [m][n]. work: bw_gemm_bytes(isa, n, k) bytes aligned to 64, the caller's. */
#include "../bitwright.h"
#include "../kernels.h"

const bw_kernels *bw_find_kernels(const char *isa);

static bw_shape linear_shape(int32_t n, int32_t k) {
    return (bw_shape){.channels = k, .height = 1, .width = 1, .out_channels = n, .kernel_h = 1, .kernel_w = 1, .stride_h = 1,
                      .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .groups = 1, .input = BW_INPUT_BITS,
                      .weight = BW_WEIGHT_SIGN, .accumulator = BW_ACC_INT32, .out = BW_OUT_I32};
}

static size_t packed_bytes(const bw_kernel *kernel, const bw_shape *shape) {
    return (kernel->weight_bytes(shape) + 63) & ~(size_t)63;
}

/* 0 if this machine has no such kernel set. */
BW_API size_t bw_gemm_bytes(const char *isa, int32_t n, int32_t k) {
    const bw_kernels *kernels = bw_find_kernels(isa);
    if (!kernels || n < 1 || k < 1) return 0;
    bw_shape shape = linear_shape(n, k);
    return packed_bytes(kernels->xnor_linear, &shape) + kernels->xnor_linear->scratch_bytes(&shape) + 64;
}

BW_API void bw_gemm_pack(const char *isa, int32_t n, int32_t k, const uint64_t *weights, void *work) {
    bw_shape shape = linear_shape(n, k);
    bw_find_kernels(isa)->xnor_linear->pack_weights(&shape, weights, work);
}

BW_API void bw_gemm_run(const char *isa, int64_t m, int32_t n, int32_t k, const uint64_t *x, void *work, int32_t *out) {
    const bw_kernel *kernel = bw_find_kernels(isa)->xnor_linear;
    bw_shape shape = linear_shape(n, k);
    bw_job job = {.weights = work, .x = x, .x_stride = bw_words(k) * 8, .out = out, .out_stride = (size_t)n * 4, .samples = m,
                  .row_end = 1, .scratch = (char *)work + packed_bytes(kernel, &shape)};
    kernel->run(&shape, &job);
}
