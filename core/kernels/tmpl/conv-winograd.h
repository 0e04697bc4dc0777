/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's transforms of one tile with vectors of WIDTH channels; part of
 * conv-width.h. */

/* y = B' d; see AeWinogradInput. */
ALWAYS_INLINE void W(transform_input)(W(Vector) y[6], const W(Vector) d[6])
{
    const W(Vector) a = d[4] - 4 * d[2], b = d[3] - 4 * d[1];
    const W(Vector) c = d[4] - d[2], e = 2 * (d[3] - d[1]);

    y[0] = 4 * d[0] - 5 * d[2] + d[4];
    y[1] = a + b;
    y[2] = a - b;
    y[3] = c + e;
    y[4] = c - e;
    y[5] = 4 * d[1] - 5 * d[3] + d[5];
}

/* y = A' m; see AeWinogradOutput. */
ALWAYS_INLINE void W(transform_output)(W(Vector) y[4], const W(Vector) m[6])
{
    const W(Vector) a = m[1] + m[2], b = m[1] - m[2];
    const W(Vector) c = m[3] + m[4], d = m[3] - m[4];

    y[0] = m[0] + a + c;
    y[1] = b + 2 * d;
    y[2] = a + 4 * c;
    y[3] = b + 8 * d + m[5];
}

/* y = G g; see AeKernels.winograd_pack. */
ALWAYS_INLINE void W(transform_weights)(W(Vector) y[6], W(Vector) g0,
                                        W(Vector) g1, W(Vector) g2)
{
    const W(Vector) a = (g0 + g2) * (1 / 6.f), b = g1 * (1 / 6.f);
    const W(Vector) c = g0 * (1 / 24.f) + g2 * (1 / 6.f), d = g1 * (1 / 12.f);

    y[0] = g0 * 0.25f;
    y[1] = -a - b;
    y[2] = b - a;
    y[3] = c + d;
    y[4] = c - d;
    y[5] = g2;
}

/* Transforms the weights of one panel, of which @valid output channels exist.
 * Tap t lies at g + t * tap; the panels of the 36 positions lie @plane floats
 * apart. */
static void W(winograd_panel)(float *packed, int64_t plane, const float *g,
                              int64_t tap, int ci, int co, int valid)
{
    for (int i = 0; i < ci; i++, g += co, packed += WIDTH) {
        W(Vector) half[3][6];

#pragma GCC unroll 3
        for (int x = 0; x < 3; x++)
            W(transform_weights)
        (half[x], W(load_part)(g + x * tap, valid),
         W(load_part)(g + (3 + x) * tap, valid),
         W(load_part)(g + (6 + x) * tap, valid));
#pragma GCC unroll 6
        for (int y = 0; y < 6; y++) {
            W(Vector) u[6];

            W(transform_weights)(u, half[0][y], half[1][y], half[2][y]);
#pragma GCC unroll 6
            for (int x = 0; x < 6; x++)
                W(store)(packed + (6 * y + x) * plane, u[x]);
        }
    }
}

ALWAYS_INLINE void W(winograd_input_tile)(const AeWinogradInput *in, int64_t at,
                                          float *v)
{
    const int64_t plane = (int64_t)in->tiles * in->c;
    W(Vector) half[6][6];

#pragma GCC unroll 6
    for (int j = 0; j < 6; j++, at += in->step) {
        W(Vector) d[6], y[6];

#pragma GCC unroll 6
        for (int i = 0; i < 6; i++)
            d[i] = W(load)(in->row[i] + at);
        W(transform_input)(y, d);
#pragma GCC unroll 6
        for (int i = 0; i < 6; i++)
            half[i][j] = y[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) {
        W(Vector) y[6];

        W(transform_input)(y, half[i]);
#pragma GCC unroll 6
        for (int j = 0; j < 6; j++, v += plane)
            W(store)(v, y[j]);
    }
}

/* Transforms the channels from @c on that fill whole vectors. Returns the first
 * channel that is left. */
static int W(winograd_input)(const AeWinogradInput *in, int c)
{
    const int end = in->c - (in->c - c) % WIDTH;

    for (int64_t t = 0; t < in->tiles; t++)
        for (int i = c; i < end; i += WIDTH)
            W(winograd_input_tile)
    (in, 4 * t * in->step + i, in->v + t * in->c + i);
    return end;
}

/* Stores @pixels pixels of row @i of a tile, from @at floats into the row on.
 */
ALWAYS_INLINE void W(winograd_row)(const AeWinogradOutput *out, int i,
                                   int64_t at, const W(Vector) half[6],
                                   const W(Channels) * f, const int pixels,
                                   const Finish finish)
{
    const float *residual = out->residual[i];
    float *target = out->out[i] + at;
    W(Vector) y[4];

    W(transform_output)(y, half);
#pragma GCC unroll 4
    for (int p = 0; p < pixels; p++) {
        y[p] += f->bias[0];
        if (residual)
            y[p] += W(load)(residual + at + (int64_t)p * out->c);
        W(store)
        (target + (int64_t)p * out->c, W(finish)(y[p], f->slope[0], finish));
    }
}

ALWAYS_INLINE void W(winograd_output_tile)(const AeWinogradOutput *out,
                                           const W(Channels) * f, int t, int c,
                                           const int pixels,
                                           const Finish finish)
{
    const int64_t plane = (int64_t)out->tiles * out->width;
    const int64_t at = (int64_t)4 * t * out->c + c;
    const float *m = out->m + (int64_t)t * out->width + c;
    W(Vector) half[4][6];

#pragma GCC unroll 6
    for (int j = 0; j < 6; j++, m += plane) {
        W(Vector) d[6], y[4];

#pragma GCC unroll 6
        for (int i = 0; i < 6; i++)
            d[i] = W(load)(m + 6 * i * plane);
        W(transform_output)(y, d);
#pragma GCC unroll 6
        for (int i = 0; i < 4; i++)
            half[i][j] = y[i];
    }
    for (int i = out->first; i < out->last; i++)
        W(winograd_row)(out, i, at, half[i], f, pixels, finish);
}

ALWAYS_INLINE void W(winograd_output_row)(const AeWinogradOutput *out,
                                          const W(Channels) * f, int c,
                                          const Finish finish)
{
    int t = 0;

    for (; 4 * t + 4 <= out->n; t++)
        W(winograd_output_tile)(out, f, t, c, 4, finish);
    if (out->n - 4 * t == 3)
        W(winograd_output_tile)(out, f, t, c, 3, finish);
    else if (out->n - 4 * t == 2)
        W(winograd_output_tile)(out, f, t, c, 2, finish);
    else if (out->n - 4 * t == 1)
        W(winograd_output_tile)(out, f, t, c, 1, finish);
}

/* Transforms the channels from @c on that fill whole vectors. Returns the first
 * channel that is left. */
static int W(winograd_output)(const AeWinogradOutput *output, int c)
{
    const AeWinogradOutput out = *output; /* no store can change it */
    const Finish finish = finish_of(&output->epilogue);

    for (; out.c - c >= WIDTH; c += WIDTH) {
        const W(Channels) f = W(channels_new)(&output->epilogue, c, WIDTH, 1);

        switch (finish) {
        case FINISH_NONE:
            W(winograd_output_row)(&out, &f, c, FINISH_NONE);
            break;
        case FINISH_RELU:
            W(winograd_output_row)(&out, &f, c, FINISH_RELU);
            break;
        case FINISH_SLOPE:
            W(winograd_output_row)(&out, &f, c, FINISH_SLOPE);
            break;
        }
    }
    return c;
}
