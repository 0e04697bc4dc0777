/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of WIDTH floats and depthwise convolution; conv.c includes this once
 * for each width. Constant arguments (`pixels`, `vectors`, ...) are known where
 * these functions are inlined, so that the accumulators stay in registers. */
#include "vector-width.h"

/* The first @valid lanes; the others are zero. */
ALWAYS_INLINE W(Vector) W(load_part)(const float *p, int valid)
{
    W(Vector) v = {0};

    if (valid >= WIDTH)
        return W(load)(p);
    for (int i = 0; i < valid; i++)
        v[i] = p[i];
    return v;
}

/* What follows the sum, for up to two vectors of channels. */
typedef struct {
    W(Vector) bias[2], slope[2];
} W(Channels);

ALWAYS_INLINE W(Vector)
    W(finish)(W(Vector) x, W(Vector) slope, const Finish finish)
{
    const W(Mask) below = x < 0;

    if (finish == FINISH_NONE)
        return x;
    if (finish == FINISH_RELU)
        return (W(Vector))((W(Mask))x & ~below);
    return (W(Vector))(((W(Mask))(x * slope) & below) | ((W(Mask))x & ~below));
}

static W(Channels)
    W(channels_new)(const Epilogue *e, int o, int valid, int vectors)
{
    W(Channels) f;

    memset(&f, 0, sizeof f);
    for (int b = 0; b < vectors; b++, o += WIDTH, valid -= WIDTH) {
        if (e->bias)
            f.bias[b] = W(load_part)(e->bias + o, valid);
        f.slope[b] += e->alpha;
        if (e->slope)
            f.slope[b] = W(load_part)(e->slope + o, valid);
    }
    return f;
}

ALWAYS_INLINE void W(depthwise_block)(const AeDepthwiseRow *row,
                                      const Epilogue *e, const W(Channels) * f,
                                      int64_t x, int c, const int pixels)
{
    W(Vector) sum[8];

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
        sum[p] = f->bias[0];
    for (int t = 0; t < row->taps; t++) {
        const float *in = row->tap[t] + x * row->in_step + c;
        W(Vector) w = W(load)(row->weights + (int64_t)t * row->c + c);

#pragma GCC unroll 16
        for (int p = 0; p < pixels; p++)
            sum[p] += W(load)(in + p * row->in_step) * w;
    }
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++) {
        W(Vector) y = sum[p];

        if (row->residual)
            y += W(load)(row->residual + (x + p) * row->residual_step + c);
        W(store)
        (row->out + (x + p) * row->out_step + c,
         W(finish)(y, f->slope[0], e->finish));
    }
}

/* Channels from @c on, as many as fill vectors; returns the next. */
static int W(depthwise)(const AeDepthwiseRow *row, const Epilogue *e, int c)
{
    for (; row->c - c >= WIDTH; c += WIDTH) {
        const W(Channels) f = W(channels_new)(e, c, WIDTH, 1);
        int64_t x = 0;

        for (; x + 8 <= row->n; x += 8)
            W(depthwise_block)(row, e, &f, x, c, 8);
        for (; x < row->n; x++)
            W(depthwise_block)(row, e, &f, x, c, 1);
    }
    return c;
}
