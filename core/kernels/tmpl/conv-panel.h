/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution with vectors of WIDTH output channels; part of
 * conv-width.h. */

/* Stores whole vectors of @pixels pixels. */
ALWAYS_INLINE void W(store_block)(const AeConvRow *row, const W(Channels) * f,
                                  W(Vector) sum[PIXELS][2], int64_t x, int o,
                                  const int pixels, const int vectors,
                                  const Finish finish)
{
    float *out = row->out + x * row->out_step + o;

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            W(store)
    (out + p * row->out_step + b * WIDTH,
     W(finish)(sum[p][b], f->slope[b], finish));
}

/* Stores the first @valid channels of each of @pixels pixels. */
ALWAYS_INLINE void W(store_narrow)(const AeConvRow *row,
                                   W(Vector) sum[PIXELS][2], int64_t x, int o,
                                   int valid, const int pixels,
                                   const int vectors)
{
    float lanes[PIXELS][2 * WIDTH];

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            W(store)(lanes[p] + b * WIDTH, sum[p][b]);
    for (int p = 0; p < pixels; p++)
        store_pixel(row, lanes[p], x + p, o, valid);
}

ALWAYS_INLINE void W(add_residual)(const AeConvRow *row,
                                   W(Vector) sum[PIXELS][2], int64_t x, int o,
                                   const int pixels, const int vectors)
{
    const float *in = row->residual + x * row->residual_step + o;

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            sum[p][b] += W(load)(in + p * row->residual_step + b * WIDTH);
}

ALWAYS_INLINE void W(finish_block)(const AeConvRow *row, const W(Channels) * f,
                                   W(Vector) sum[PIXELS][2], int64_t x, int o,
                                   int valid, const int pixels,
                                   const int vectors)
{
    if (valid < vectors * WIDTH) {
        W(store_narrow)(row, sum, x, o, valid, pixels, vectors);
        return;
    }
    if (row->residual)
        W(add_residual)(row, sum, x, o, pixels, vectors);
    switch (finish_of(&row->epilogue)) {
    case FINISH_NONE:
        W(store_block)(row, f, sum, x, o, pixels, vectors, FINISH_NONE);
        break;
    case FINISH_RELU:
        W(store_block)(row, f, sum, x, o, pixels, vectors, FINISH_RELU);
        break;
    case FINISH_SLOPE:
        W(store_block)(row, f, sum, x, o, pixels, vectors, FINISH_SLOPE);
        break;
    }
}

/* Adds the products of one segment to the sums of @pixels pixels by @vectors
 * vectors of channels. The weights of neighbouring vectors lie @panel floats
 * apart. */
ALWAYS_INLINE void W(accumulate)(W(Vector) sum[PIXELS][2], const float *in0,
                                 int64_t step, int k, const float *weights,
                                 int64_t panel, const int pixels,
                                 const int vectors)
{
    const float *in4 = in0 + 4 * step, *in8 = in4 + 4 * step;
    const float *end = in0 + k;

    for (; in0 < end; in0++, in4++, in8++, weights += WIDTH) {
        W(Vector) w[2];

#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            w[b] = W(load)(weights + b * panel);
#pragma GCC unroll 16
        for (int p = 0; p < pixels; p++) {
            const float *in = p < 4 ? in0 : p < 8 ? in4 : in8;

#pragma GCC unroll 16
            for (int b = 0; b < vectors; b++)
                sum[p][b] += in[p % 4 * step] * w[b];
        }
    }
}

/* Computes @pixels pixels from @x, @vectors vectors of channels from @o. */
ALWAYS_INLINE void W(conv_block)(const AeConvRow *row, const float *weights,
                                 const W(Channels) * f, int64_t x, int o,
                                 int valid, const int pixels, const int vectors)
{
    const int64_t panel = (int64_t)row->segments * row->k * WIDTH;
    W(Vector) sum[PIXELS][2];

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            sum[p][b] = f->bias[b];
    for (int s = 0; s < row->segments; s++, weights += (int64_t)row->k * WIDTH)
        W(accumulate)
    (sum, row->segment[s] + x * row->in_step, row->in_step, row->k, weights,
     panel, pixels, vectors);
    W(finish_block)(row, f, sum, x, o, valid, pixels, vectors);
}

/* Computes a row in blocks of nearly equal size, so that the last one is not
 * short. */
ALWAYS_INLINE void W(conv_panel)(const AeConvRow *row, const float *weights,
                                 int o, int valid, const int vectors)
{
    const int most = vectors == 2 ? PIXELS_2 : PIXELS;
    const W(Channels) f = W(channels_new)(&row->epilogue, o, valid, vectors);
    int blocks = (row->n + most - 1) / most, x = 0;

    for (; blocks > 0; blocks--) {
        const int pixels = (row->n - x + blocks - 1) / blocks;

        switch (pixels) {
#define CASE(p)                                                                \
    case p:                                                                    \
        if (p <= most)                                                         \
            W(conv_block)                                                      \
        (row, weights, &f, x, o, valid, p, vectors);                           \
        break;
            CASES_12
#undef CASE
        }
        x += pixels;
    }
}

static void W(conv_panel1)(const AeConvRow *row, const float *weights, int o,
                           int valid)
{
    W(conv_panel)(row, weights, o, valid, 1);
}
