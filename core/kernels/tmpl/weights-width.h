/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of weights with vectors of WIDTH floats: the template of weights.c.
 * Arguments such as `vectors` and `outputs` are constants once these functions
 * are inlined, so that the sums stay in registers. */
#include "kernels/tmpl/vector-width.h"

/* Adds the products of one pixel. Of vectors and outputs, the fewer ones are
 * kept in registers. */
ALWAYS_INLINE void W(columns_pixel)(W(Vector) sum[POINTERS][OUTPUTS],
                                    const float *const in[POINTERS], int64_t at,
                                    const float *g, const int vectors,
                                    const int outputs)
{
    W(Vector) v[POINTERS];

    if (vectors >= outputs) {
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++) {
            v[b] = W(load)(in[b] + at);
#pragma GCC unroll 16
            for (int j = 0; j < outputs; j++)
                sum[b][j] += v[b] * g[j];
        }
        return;
    }
#pragma GCC unroll 16
    for (int b = 0; b < vectors; b++)
        v[b] = W(load)(in[b] + at);
#pragma GCC unroll 16
    for (int j = 0; j < outputs; j++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            sum[b][j] += v[b] * g[j];
}

/* Sums for vectors of inputs at @place and @outputs channels from @o. */
ALWAYS_INLINE void W(columns_block)(const AeConvWeights *w, const Place *place,
                                    int o, const int vectors, const int outputs)
{
    W(Vector) sum[POINTERS][OUTPUTS] = {{{0}}};

    for (int r = 0; r < w->rows; r++) {
        const float *in[POINTERS], *g = w->gradient[r] + o;
        int64_t at = 0;

        find_inputs(in, w, r, place, vectors);
        for (int x = w->n; x > 0; x--) {
            W(columns_pixel)(sum, in, at, g, vectors, outputs);
            at += w->in_step;
            g += w->gradient_step;
        }
    }
#pragma GCC unroll 16
    for (int j = 0; j < outputs; j++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++) {
            float *weight = weight_at(w, o + j, place[b]);

            W(store)(weight, W(load)(weight) + sum[b][j]);
        }
}

static void W(columns_any)(const AeConvWeights *w, const Place *place, int o,
                           int vectors, int outputs)
{
    switch (OUTPUTS * vectors + outputs) {
#define CASE(v, n)                                                             \
    case OUTPUTS *v + n:                                                       \
        if (v * n <= SUMS)                                                     \
            W(columns_block)(w, place, o, v, n);                               \
        break;
#define CASES(v) CASE(v, 1) CASE(v, 2) CASE(v, 3) CASE(v, 4)
        CASES(1)
        CASES(2)
        CASES(3)
        CASES(4)
        CASES(5)
        CASES(6)
        CASES(7)
        CASES(8)
        CASES(9)
#undef CASES
#undef CASE
    }
}

/* Computes the inputs from @i on, of each segment, that fill whole vectors.
 * Returns the first input that is left. The inputs of a block of vectors stay
 * in the cache while all outputs are computed. */
static int W(columns)(const AeConvWeights *w, int i)
{
    const int each = (w->k - i) / WIDTH, all = each * w->segments;
    const int most = block_size(w->co, OUTPUTS);
    const int size = MAX(block_size(all, MIN(SUMS / most, POINTERS)), 1);
    Place place[POINTERS];

    for (int first = 0; first < all; first += size) {
        const int vectors = MIN(size, all - first);

        for (int b = 0; b < vectors; b++)
            place[b] =
                (Place){(first + b) / each, i + (first + b) % each * WIDTH};
        for (int o = 0; o < w->co; o += most)
            W(columns_any)(w, place, o, vectors, MIN(most, w->co - o));
    }
    return i + each * WIDTH;
}

/* Sums for @vectors vectors of outputs from @o and @inputs inputs at @place. */
ALWAYS_INLINE void W(outer_block)(const AeConvWeights *w, const Place *place,
                                  int o, const int inputs, const int vectors)
{
    W(Vector) sum[POINTERS][2] = {{{0}}};

    for (int r = 0; r < w->rows; r++) {
        const float *in[POINTERS], *g = w->gradient[r] + o;
        int64_t at = 0;

        find_inputs(in, w, r, place, inputs);
        for (int x = w->n; x > 0; x--) {
            W(Vector) v[2];

#pragma GCC unroll 16
            for (int b = 0; b < vectors; b++)
                v[b] = W(load)(g + b * WIDTH);
#pragma GCC unroll 16
            for (int i = 0; i < inputs; i++)
#pragma GCC unroll 16
                for (int b = 0; b < vectors; b++)
                    sum[i][b] += in[i][at] * v[b];
            at += w->in_step;
            g += w->gradient_step;
        }
    }
    for (int i = 0; i < inputs; i++)
        for (int l = 0; l < vectors * WIDTH; l++)
            *weight_at(w, o + l, place[i]) += sum[i][l / WIDTH][l % WIDTH];
}

/* Computes the outputs from @o on that fill @vectors vectors. Returns the first
 * output that is left. */
ALWAYS_INLINE int W(outer_vectors)(const AeConvWeights *w, int o,
                                   const int vectors)
{
    const int all = w->segments * w->k;
    const int size = MAX(block_size(all, MIN(SUMS / vectors, POINTERS)), 1);
    Place place[POINTERS];

    for (; w->co - o >= vectors * WIDTH; o += vectors * WIDTH)
        for (int first = 0; first < all; first += size) {
            const int inputs = MIN(size, all - first);

            for (int i = 0; i < inputs; i++)
                place[i] = (Place){(first + i) / w->k, (first + i) % w->k};
            switch (inputs) {
#define CASE(n)                                                                \
    case n:                                                                    \
        if (n * vectors <= SUMS)                                               \
            W(outer_block)(w, place, o, n, vectors);                           \
        break;
                CASES_9
#undef CASE
            }
        }
    return o;
}

static int W(outer)(const AeConvWeights *w, int o)
{
    return W(outer_vectors)(w, W(outer_vectors)(w, o, 2), 1);
}

/* Sums for a vector of channels from @c and @taps taps from @s. */
ALWAYS_INLINE void W(depthwise_block)(const AeConvWeights *w, int c, int s,
                                      const int taps)
{
    W(Vector) sum[POINTERS] = {{0}};

    for (int r = 0; r < w->rows; r++) {
        const float *const *in = w->segment + (int64_t)r * w->segments + s;
        const float *g = w->gradient[r] + c;
        int64_t at = c;

        for (int x = w->n; x > 0; x--) {
            W(Vector) v = W(load)(g);

#pragma GCC unroll 16
            for (int t = 0; t < taps; t++)
                sum[t] += W(load)(in[t] + at) * v;
            at += w->in_step;
            g += w->gradient_step;
        }
    }
    for (int t = 0; t < taps; t++)
        for (int l = 0; l < WIDTH; l++)
            w->weight[(int64_t)(c + l) * w->segments + s + t] += sum[t][l];
}

/* Computes the channels from @c on that fill whole vectors. Returns the first
 * channel that is left. */
static int W(depthwise)(const AeConvWeights *w, int c)
{
    const int size = MAX(block_size(w->segments, POINTERS), 1);

    for (; w->co - c >= WIDTH; c += WIDTH)
        for (int s = 0; s < w->segments; s += size)
            switch (MIN(size, w->segments - s)) {
#define CASE(n)                                                                \
    case n:                                                                    \
        W(depthwise_block)(w, c, s, n);                                        \
        break;
                CASES_9
#undef CASE
            }
    return c;
}

static const Width W(width) = {
    .width = WIDTH,
    .columns = W(columns),
    .outer = W(outer),
    .depthwise = W(depthwise),
};
