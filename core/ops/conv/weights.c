/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of the weights, for both operators:
 *   dw[o][tap][i] += small[o] * large[i].
 * Several rows of the small side are computed at once, as many as the cache
 * holds together with the rows of the large side that they read, so that the
 * sums stay longer in registers. */
#include "ops/conv/weights.h"

#define FLOATS 8192 /* of the rows that are computed at once */

static int64_t rows_at_once(const AeConv *c)
{
    const int64_t row =
        c->groups * (c->small[2] * c->small_c + c->large[2] * c->large_c);

    return CLAMP(FLOATS / row, 1, c->small[1]);
}

void ae_conv_weights_init(AeConv *c)
{
    const int64_t rows = rows_at_once(c);
    AeConvPass *pass = &c->weights;

    *pass = c->down;
    while (pass->span[1] <
           MIN((rows - 1) * pass->step[1] + ae_window_extent(&c->window, 1),
               c->large[1]))
        pass->span[1] *= 2;
    pass->max_segments *= rows;
}

int64_t ae_conv_weights_scratch(const AeConv *c)
{
    return ae_conv_aligned(2 * c->small[1]) + ae_conv_rows_scratch(&c->weights);
}

/* Adds the gradients group by group. @segment and @gradient point to the first
 * group's channels. */
static void add_rows(const AeKernels *kernels, const AeConv *c,
                     const float **segment, const float **gradient,
                     const AeConvWeights *common)
{
    AeConvWeights w = *common;

    for (int64_t g = 0; g < c->groups; g++) {
        kernels->conv_weights(&w);
        w.weight += c->small_c * w.segments * w.k;
        for (int i = 0; i < w.rows * w.segments; i++)
            segment[i] += c->large_c;
        for (int i = 0; i < w.rows; i++)
            gradient[i] += c->small_c;
    }
}

/* Fills in segments and gradients of @n rows from @t on. Returns the number of
 * segments of a row. */
static int find_rows(const AeConv *c, AeConvRows rows, AeConvTarget *t, int n,
                     const float *small, const float **gradient)
{
    const int64_t row = c->small[2] * c->groups * c->small_c;
    int segments = 0;

    for (int i = 0; i < n; i++, ae_conv_target_next(c, rows.pass, t)) {
        segments = ae_conv_find_segments(&rows, t, &rows.pass->first[2]);
        rows.segment += segments;
        gradient[i] = small + i * row;
    }
    return segments;
}

void ae_conv_weights_backward(const AeKernels *kernels, const AeConv *c,
                              const float *small, const float *large,
                              float *weight, float *scratch)
{
    const AeConvPass *pass = &c->weights;
    const int64_t channels = c->groups * c->small_c;
    const int64_t units = c->n * c->small[0] * c->small[1];
    const float **gradient = (const float **)scratch;
    const AeConvRows rows = ae_conv_rows_new(
        c, pass, large, scratch + ae_conv_aligned(2 * c->small[1]));
    const int64_t at_once = rows_at_once(c);
    AeConvTarget t;
    int64_t n;

    ae_conv_target_first(c, pass, 0, &t);
    for (int64_t unit = 0; unit < units; unit += n) {
        n = MIN(at_once, c->small[1] - unit % c->small[1]);
        const AeConvWeights w = {
            .segment = rows.segment,
            .gradient = gradient,
            .rows = (int)n,
            .segments =
                find_rows(c, rows, &t, (int)n,
                          small + unit * c->small[2] * channels, gradient),
            .k = (int)ae_conv_segment_length(pass, &pass->first[2]),
            .in_step = pass->step[2] * rows.channels,
            .gradient_step = channels,
            .n = (int)c->small[2],
            .co = (int)(pass->depthwise ? c->groups : c->small_c),
            .weight = weight,
        };

        if (pass->depthwise)
            kernels->depthwise_weights(&w);
        else
            add_rows(kernels, c, rows.segment, gradient, &w);
    }
}
