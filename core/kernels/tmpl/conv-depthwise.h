/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution with vectors of WIDTH channels; part of
 * conv-width.h. */

ALWAYS_INLINE void W(depthwise_block)(const AeConvRow *row,
                                      const W(Channels) * f, int64_t x, int c,
                                      const int pixels, const Finish finish)
{
    W(Vector) sum[8];

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
        sum[p] = f->bias[0];
    for (int s = 0; s < row->segments; s++) {
        const float *in = row->segment[s] + x * row->in_step + c;
        W(Vector) w = W(load)(row->weights + (int64_t)s * row->co + c);

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
         W(finish)(y, f->slope[0], finish));
    }
}

/* Computes the channels from @c on that fill whole vectors. Returns the first
 * channel that is left. */
static int W(depthwise)(const AeConvRow *row, int c)
{
    const Finish finish = finish_of(&row->epilogue);

    for (; row->co - c >= WIDTH; c += WIDTH) {
        const W(Channels) f = W(channels_new)(&row->epilogue, c, WIDTH, 1);
        int64_t x = 0;

        for (; x + 8 <= row->n; x += 8)
            W(depthwise_block)(row, &f, x, c, 8, finish);
        for (; x < row->n; x++)
            W(depthwise_block)(row, &f, x, c, 1, finish);
    }
    return c;
}
