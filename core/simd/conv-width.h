/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of WIDTH floats, weight gradients with vectors along the inputs, and
 * depthwise convolution; conv.c includes this once for each width. Constant
 * arguments (`pixels`, `vectors`, ...) are known where these functions are
 * inlined, so that the accumulators stay in registers. */

typedef float W(Vector) __attribute__((vector_size(4 * WIDTH)));
typedef int W(Mask) __attribute__((vector_size(4 * WIDTH)));

ALWAYS_INLINE W(Vector) W(load)(const float *p)
{
    W(Vector) v;

    memcpy(&v, p, sizeof v);
    return v;
}

ALWAYS_INLINE void W(store)(float *p, W(Vector) v)
{
    memcpy(p, &v, sizeof v);
}

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

ALWAYS_INLINE void W(column_add)(W(Vector) sum[6][4], const float *in,
                                 const float *g, const int vectors,
                                 const int outputs)
{
#pragma GCC unroll 16
    for (int b = 0; b < vectors; b++) {
        W(Vector) v = W(load)(in + b * WIDTH);

#pragma GCC unroll 16
        for (int j = 0; j < outputs; j++)
            sum[b][j] += v * g[j];
    }
}

/* The same with the vector along the inputs: @vectors vectors of inputs from
 * @i, @outputs output channels from @o, pixels dealt to @chains sums that do
 * not wait for each other. */
ALWAYS_INLINE void W(column_block)(const AeConvWeights *row, int s, int i,
                                   int o, const int vectors, const int outputs,
                                   const int chains)
{
    const float *in = row->segment[s] + i, *g = row->gradient + o;
    float *weight = row->weight + ((int64_t)s * row->k + i) * row->co + o;
    W(Vector) sum[4][6][4] = {{{{0}}}};
    int x = row->n;

    for (; x >= chains; x -= chains) {
#pragma GCC unroll 16
        for (int c = 0; c < chains; c++) {
            W(column_add)(sum[c], in, g, vectors, outputs);
            in += row->in_step;
            g += row->gradient_step;
        }
    }
    for (; x > 0; x--) {
        W(column_add)(sum[0], in, g, vectors, outputs);
        in += row->in_step;
        g += row->gradient_step;
    }
#pragma GCC unroll 16
    for (int b = 0; b < vectors; b++)
#pragma GCC unroll 16
        for (int j = 0; j < outputs; j++)
#pragma GCC unroll 16
            for (int c = 1; c < chains; c++)
                sum[0][b][j] += sum[c][b][j];
    if (row->co == 1) {
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++, weight += WIDTH)
            W(store)(weight, W(load)(weight) + sum[0][b][0]);
        return;
    }
    for (int b = 0; b < vectors; b++)
        for (int l = 0; l < WIDTH; l++, weight += row->co)
            for (int j = 0; j < outputs; j++)
                weight[j] += sum[0][b][j][l];
}

/* Inputs from @i on, as many as fill vectors; returns the next. */
ALWAYS_INLINE int W(columns_of)(const AeConvWeights *row, int s, int i, int o,
                                const int outputs)
{
    const int most = outputs <= 2 ? 6 : AE_LANES >= 16 ? 3 : 2;

    while (row->k - i >= WIDTH) {
        const int left = (row->k - i) / WIDTH;
        const int vectors = left < most ? left : most;

        switch (vectors) {
#define CASE(v)                                                                \
    case v:                                                                    \
        if (v <= most)                                                         \
            W(column_block)                                                    \
        (row, s, i, o, v, outputs,                                             \
         v * outputs >= 6   ? 1                                                \
         : v * outputs >= 3 ? 2                                                \
                            : 4);                                              \
        break;
            CASE(1)
            CASE(2)
            CASE(3)
            CASE(4)
            CASE(5)
            CASE(6)
#undef CASE
        }
        i += vectors * WIDTH;
    }
    return i;
}

static int W(columns)(const AeConvWeights *row, int s, int i, int o,
                      int outputs)
{
    switch (outputs) {
    case 1:
        return W(columns_of)(row, s, i, o, 1);
    case 2:
        return W(columns_of)(row, s, i, o, 2);
    case 3:
        return W(columns_of)(row, s, i, o, 3);
    default:
        return W(columns_of)(row, s, i, o, 4);
    }
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
