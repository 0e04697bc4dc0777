/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of bytes with vectors of WIDTH output channels: the template of
 * int8.c. */

ALWAYS_INLINE W(Ints) W(load_ints)(const void *p)
{
    W(Ints) v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* The scaled residual of @valid channels from @o. */
ALWAYS_INLINE W(Floats)
    W(residual)(const AeInt8Row *row, int64_t x, int o, int valid)
{
    const uint8_t *in = row->residual + x * row->residual_step + o;
    uint8_t bytes[WIDTH] = {0};

    if (valid < WIDTH)
        in = memcpy(bytes, in, (size_t)valid);
    return __builtin_convertvector(W(load_bytes)(in) - row->residual_zero,
                                   W(Floats)) *
           row->residual_scale;
}

ALWAYS_INLINE void W(store)(const AeInt8Row *row, W(Floats) y, W(Ints) zero,
                            int64_t x, int o, int valid, const int to_bytes)
{
    const int64_t at = x * row->out_step + o;
    const W(Ints) whole = (W(Ints))(y + ROUND) + zero;
    uint8_t bytes[WIDTH];

    if (!to_bytes)
        memcpy(row->out_float + at, &y,
               valid < WIDTH ? (size_t)valid * sizeof(float) : sizeof y);
    else if (valid >= WIDTH)
        W(store_bytes)(row->out + at, whole);
    else {
        W(store_bytes)(bytes, whole);
        memcpy(row->out + at, bytes, (size_t)valid);
    }
}

ALWAYS_INLINE void W(finish)(const AeInt8Row *row, W(Ints) sum[PIXELS][2],
                             int64_t x, int o, const int pixels,
                             const int vectors, const int residual,
                             const int to_bytes)
{
    const W(Floats) low = (W(Floats)){0} + row->low;
    const W(Floats) high = (W(Floats)){0} + row->high;
    const W(Ints) zero = (W(Ints)){0} + row->zero;

#pragma GCC unroll 16
    for (int b = 0; b < vectors; b++, o += WIDTH) {
        const W(Floats) scale = (W(Floats))W(load_ints)(row->scale + o);

        if (row->co <= o)
            return;
#pragma GCC unroll 16
        for (int p = 0; p < pixels; p++) {
            W(Floats) y = __builtin_convertvector(sum[p][b], W(Floats)) * scale;

            if (residual)
                y += W(residual)(row, x + p, o, row->co - o);
            W(store)
            (row, W(limit)(y, low, high), zero, x + p, o, row->co - o,
             to_bytes);
        }
    }
}

/* Computes @pixels pixels from @x, @vectors vectors of channels from @o. */
ALWAYS_INLINE void W(block)(const AeInt8Row *row, const float *weights,
                            int64_t x, int o, const int pixels,
                            const int vectors)
{
    const int64_t step = row->in_step;
    const int64_t panel = (int64_t)row->segments * row->k * WIDTH;
    W(Ints) sum[PIXELS][2];

#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            sum[p][b] = W(load_ints)(row->bias + o + b * WIDTH);
    for (int s = 0; s < row->segments; s++) {
        const int32_t *in0 = (const int32_t *)row->segment[s] + x * step;
        const int32_t *in4 = in0 + 4 * step, *in8 = in4 + 4 * step;
        const int32_t *end = in0 + row->k;

        for (; in0 < end; in0++, in4++, in8++, weights += WIDTH) {
            W(Ints) w[2];

#pragma GCC unroll 16
            for (int b = 0; b < vectors; b++)
                w[b] = W(load_ints)(weights + b * panel);
#pragma GCC unroll 16
            for (int p = 0; p < pixels; p++) {
                const int32_t *in = p < 4 ? in0 : p < 8 ? in4 : in8;
                const W(Ints) unit = (W(Ints)){0} + in[p % 4 * step];

#pragma GCC unroll 16
                for (int b = 0; b < vectors; b++)
                    sum[p][b] = W(dot)(sum[p][b], unit, w[b]);
            }
        }
    }
    if (!row->out)
        W(finish)(row, sum, x, o, pixels, vectors, row->residual != NULL, 0);
    else if (row->residual)
        W(finish)(row, sum, x, o, pixels, vectors, 1, 1);
    else
        W(finish)(row, sum, x, o, pixels, vectors, 0, 1);
}

/* Computes a row in blocks of nearly equal size, so that the last one is not
 * short. */
ALWAYS_INLINE void W(any_panels)(const AeInt8Row *row, const float *weights,
                                 int o, const int vectors)
{
    const int most = vectors == 2 ? PIXELS_2 : PIXELS;
    int blocks = (row->n + most - 1) / most, x = 0;

    for (; blocks > 0; blocks--) {
        const int pixels = (row->n - x + blocks - 1) / blocks;

        switch (pixels) {
#define CASE(p)                                                                \
    case p:                                                                    \
        if (p <= most)                                                         \
            W(block)(row, weights, x, o, p, vectors);                          \
        break;
            CASES_12
#undef CASE
        }
        x += pixels;
    }
}

static void W(panels1)(const AeInt8Row *row, const float *weights, int o)
{
    W(any_panels)(row, weights, o, 1);
}

static void W(panels2)(const AeInt8Row *row, const float *weights, int o)
{
    W(any_panels)(row, weights, o, 2);
}

static const Width W(width) = {WIDTH, {W(panels1), W(panels2)}};
