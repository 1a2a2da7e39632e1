/* xnor_conv2d, the specification: cross-correlation of signs; a place outside the image counts as pad_value. */
#include "../kernels_store.h"

static int64_t row_length(const bw_shape *s) { return (int64_t)(s->channels / s->groups) * s->kernel_h * s->kernel_w; }

static size_t weight_bytes(const bw_shape *shape) { return (size_t)shape->out_channels * bw_words(row_length(shape)) * 8; }

static void pack_weights(const bw_shape *shape, const void *canonical, void *packed) {
    memcpy(packed, canonical, weight_bytes(shape));
}

static size_t scratch_bytes(const bw_shape *shape) {
    (void)shape;
    return 0;
}

/* The sum of output n at output row oy, column ox of the image x. */
static int64_t window(const bw_shape *s, const uint64_t *weights, const uint64_t *x, int32_t n, int32_t oy, int32_t ox) {
    const uint64_t *w = weights + (size_t)n * bw_words(row_length(s));
    int32_t group_channels = s->channels / s->groups, first = n / (s->out_channels / s->groups) * group_channels;
    int64_t sum = 0, k = 0;
    for (int32_t c = 0; c < group_channels; c++)
        for (int32_t ky = 0; ky < s->kernel_h; ky++)
            for (int32_t kx = 0; kx < s->kernel_w; kx++, k++) {
                int64_t iy = (int64_t)oy * s->stride_h - s->pad_top + (int64_t)ky * s->dilation_h;
                int64_t ix = (int64_t)ox * s->stride_w - s->pad_left + (int64_t)kx * s->dilation_w;
                int sign = s->pad_value;
                if (iy >= 0 && iy < s->height && ix >= 0 && ix < s->width)
                    sign = 2 * bw_bit(x + (size_t)(iy * s->width + ix) * bw_words(s->channels), first + c) - 1;
                sum += bw_bit(w, k) ? sign : -sign;
            }
    return sum;
}

static void run(const bw_shape *shape, const bw_job *job) {
    int32_t out_width = bw_out_width(shape);
    for (int64_t i = 0; i < job->samples; i++) {
        const uint64_t *x = (const uint64_t *)((const char *)job->x + (size_t)i * job->x_stride);
        char *out = (char *)job->out + (size_t)i * job->out_stride;
        for (int32_t oy = job->row_begin; oy < job->row_end; oy++)
            for (int32_t ox = 0; ox < out_width; ox++)
                for (int32_t n = 0; n < shape->out_channels; n++)
                    bw_store(shape, job, out + ((size_t)oy * out_width + ox) * bw_out_bytes(shape), n,
                             window(shape, job->weights, x, n, oy, ox));
    }
}

const bw_kernel bw_xnor_conv2d_reference = {weight_bytes, pack_weights, scratch_bytes, run};
