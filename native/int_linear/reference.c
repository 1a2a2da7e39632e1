/* int_linear, the specification: s[n] = sum_k x[k] * w[n,k]; bits and 1-bit weights are signs. */
#include "../kernels_store.h"

static size_t weight_bytes(const bw_shape *shape) {
    return (size_t)shape->out_channels * bw_weight_row_bytes(shape, shape->channels);
}

static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {
    memcpy(packed, canonical, weight_bytes(shape));
}

static size_t scratch_bytes(const bw_shape *shape) {
    (void)shape;
    return 0;
}

static void run(const bw_shape *shape, const bw_job *job) {
    for (int64_t i = 0; i < job->samples; i++) {
        const char *x = (const char *)job->x + (size_t)i * job->x_stride;
        char *out = (char *)job->out + (size_t)i * job->out_stride;
        for (int32_t n = 0; n < shape->out_channels; n++) {
            const char *w = (const char *)job->weights + (size_t)n * bw_weight_row_bytes(shape, shape->channels);
            int64_t sum = 0;
            for (int32_t k = 0; k < shape->channels; k++)
                sum += bw_input_at(shape, x, k) * bw_weight_at(shape, w, k);
            bw_store(shape, job, out, n, sum);
        }
    }
}

const bw_kernel bw_int_linear_reference = {weight_bytes, pack_weights, scratch_bytes, run};
