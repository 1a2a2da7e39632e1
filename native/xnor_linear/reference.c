/* xnor_linear, the specification: s[n] = sum_k sign(x[k]) * sign(w[n,k]). */
#include "../kernels_store.h"

static size_t weight_bytes(const bw_shape *shape) { return (size_t)shape->out_channels * bw_words(shape->channels) * 8; }

static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {
    memcpy(packed, canonical, weight_bytes(shape));
}

static size_t scratch_bytes(const bw_shape *shape) {
    (void)shape;
    return 0;
}

static void run(const bw_shape *shape, const bw_job *job) {
    for (int64_t i = 0; i < job->samples; i++) {
        const uint64_t *x = (const uint64_t *)((const char *)job->x + (size_t)i * job->x_stride);
        char *out = (char *)job->out + (size_t)i * job->out_stride;
        for (int32_t n = 0; n < shape->out_channels; n++) {
            const uint64_t *w = (const uint64_t *)job->weights + (size_t)n * bw_words(shape->channels);
            int64_t sum = 0;
            for (int32_t k = 0; k < shape->channels; k++)
                sum += bw_bit(x, k) == bw_bit(w, k) ? 1 : -1;
            bw_store(shape, job, out, n, sum);
        }
    }
}

const bw_kernel bw_xnor_linear_reference = {weight_bytes, pack_weights, scratch_bytes, run};
