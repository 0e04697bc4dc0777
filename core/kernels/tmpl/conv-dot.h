/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution to one to four channels, with vectors of WIDTH inputs; part of
 * conv-width.h. Packed weights lie as [o][s][k]; k is a multiple of WIDTH. */

#if WIDTH == 4
#define EVEN_BLOCKS 0, 1, 2, 3
#define ODD_BLOCKS 4, 5, 6, 7
#elif WIDTH == 8
#define EVEN_BLOCKS 0, 1, 2, 3, 8, 9, 10, 11
#define ODD_BLOCKS 4, 5, 6, 7, 12, 13, 14, 15
#else
#define EVEN_BLOCKS 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27
#define ODD_BLOCKS 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31
#endif
#if WIDTH == 4
#define EVEN_LANES 0, 2, 4, 6
#define ODD_LANES 1, 3, 5, 7
#elif WIDTH == 8
#define EVEN_LANES 0, 2, 8, 10, 4, 6, 12, 14
#define ODD_LANES 1, 3, 9, 11, 5, 7, 13, 15
#else
#define EVEN_LANES 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_LANES 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#endif

/* In each block of four lanes: the two sums of neighbouring lanes of a, then
 * those of b. */
ALWAYS_INLINE W(Vector) W(pair_lanes)(W(Vector) a, W(Vector) b)
{
    return __builtin_shufflevector(a, b, EVEN_LANES) +
           __builtin_shufflevector(a, b, ODD_LANES);
}

/* Sums of neighbouring blocks of four lanes: all blocks of a, then of b. */
ALWAYS_INLINE W(Vector) W(pair_blocks)(W(Vector) a, W(Vector) b)
{
    return __builtin_shufflevector(a, b, EVEN_BLOCKS) +
           __builtin_shufflevector(a, b, ODD_BLOCKS);
}

/* Lane j of the result is the sum of v[j]'s lanes. */
ALWAYS_INLINE W(Vector) W(sums)(W(Vector) v[WIDTH])
{
    W(Vector) t[WIDTH / 4];

#pragma GCC unroll 16
    for (int i = 0; i < WIDTH / 4; i++)
        t[i] = W(pair_lanes)(W(pair_lanes)(v[4 * i], v[4 * i + 1]),
                             W(pair_lanes)(v[4 * i + 2], v[4 * i + 3]));
    for (int n = WIDTH / 4; n > 1; n /= 2)
        for (int i = 0; i < n / 2; i++)
            t[i] = W(pair_blocks)(t[2 * i], t[2 * i + 1]);
    return t[0];
}

/* One vector of sums: WIDTH / @each pixels from @x, @each lanes a pixel, of
 * which the first @outputs are output channels. Unless @whole, the row has only
 * @left more pixels, and the last one is computed in place of the missing
 * ones. */
ALWAYS_INLINE W(Vector)
    W(dot_block)(const AeConvRow *row, int64_t x, int left, const int outputs,
                 const int each, const int whole)
{
    const int64_t step = row->in_step;
    const int64_t panel = (int64_t)row->segments * row->k;
    const float *weights = row->weights;
    W(Vector) sum[WIDTH] = {{0}};

    for (int s = 0; s < row->segments; s++) {
        const float *in = row->segment[s] + x * step;

        for (int i = 0; i < row->k; i += WIDTH, weights += WIDTH) {
            W(Vector) w[4];

#pragma GCC unroll 16
            for (int o = 0; o < outputs; o++)
                w[o] = W(load)(weights + o * panel);
#pragma GCC unroll 16
            for (int p = 0; p < WIDTH / each; p++) {
                const int at = whole || p < left ? p : left - 1;
                W(Vector) v = W(load)(in + i + at * step);

#pragma GCC unroll 16
                for (int o = 0; o < outputs; o++)
                    sum[p * each + o] += v * w[o];
            }
        }
    }
    return W(sums)(sum);
}

/* Loads (scatter: stores) @outputs channels of each of @pixels pixels; a pixel
 * takes @each lanes. */
ALWAYS_INLINE W(Vector) W(gather)(const float *in, int64_t step, int pixels,
                                  const int outputs, const int each)
{
    float lanes[WIDTH] = {0};

    for (int p = 0; p < pixels; p++)
        for (int o = 0; o < outputs; o++)
            lanes[p * each + o] = in[p * step + o];
    return W(load)(lanes);
}

ALWAYS_INLINE void W(scatter)(float *out, int64_t step, W(Vector) y, int pixels,
                              const int outputs, const int each)
{
    float lanes[WIDTH];

    if (step == outputs && outputs == each && pixels * each == WIDTH) {
        W(store)(out, y);
        return;
    }
    W(store)(lanes, y);
    for (int p = 0; p < pixels; p++)
        for (int o = 0; o < outputs; o++)
            out[p * step + o] = lanes[p * each + o];
}

ALWAYS_INLINE void W(dot_row)(const AeConvRow *row, const int outputs,
                              const int each)
{
    const AeEpilogue *e = &row->epilogue;
    const int pixels = WIDTH / each;
    float bias[WIDTH] = {0}, slope[WIDTH] = {0};

    for (int i = 0; i < WIDTH; i++)
        if (i % each < outputs) {
            bias[i] = e->bias ? e->bias[i % each] : 0;
            slope[i] = e->slope ? e->slope[i % each] : 0;
        }
    const AeEpilogue repeated = {
        .bias = bias, .alpha = e->alpha, .slope = e->slope ? slope : NULL};
    const Finish finish = finish_of(e);
    const W(Channels) f = W(channels_new)(&repeated, 0, WIDTH, 1);

    for (int x = 0; x < row->n; x += pixels) {
        const int left = row->n - x < pixels ? row->n - x : pixels;
        W(Vector)
        y = left == pixels ? W(dot_block)(row, x, left, outputs, each, 1)
                           : W(dot_block)(row, x, left, outputs, each, 0);
        float *out = row->out + x * row->out_step;

        y += f.bias[0];
        if (row->residual)
            y += W(gather)(row->residual + x * row->residual_step,
                           row->residual_step, left, outputs, each);
        y = W(finish)(y, f.slope[0], finish);
        W(scatter)(out, row->out_step, y, left, outputs, each);
    }
}

static void W(dot)(const AeConvRow *row)
{
    switch (row->co) {
    case 1:
        W(dot_row)(row, 1, 1);
        break;
    case 2:
        W(dot_row)(row, 2, 2);
        break;
    case 3:
        W(dot_row)(row, 3, 4);
        break;
    case 4:
        W(dot_row)(row, 4, 4);
        break;
    }
}

#undef EVEN_BLOCKS
#undef ODD_BLOCKS
#undef EVEN_LANES
#undef ODD_LANES
