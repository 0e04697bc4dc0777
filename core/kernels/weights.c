/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of convolution weights, with GNU vectors of AE_LANES floats, and of
 * fewer floats for the rest.
 *
 * The sums of a block of weights stay in registers over all pixels of all rows.
 * Vectors hold inputs (columns), as the weights lie in memory, or outputs
 * (outer) if that leaves fewer lanes empty, as it does with few input channels.
 * A block may reach across segments, which gives it enough independent sums to
 * hide the latency of additions. */
#include "kernels/simd.h"

#include <string.h>

#define POINTERS 9 /* inputs of a block, which take a register each */
#define OUTPUTS 4  /* outputs of a block of columns */
#define SUMS (AE_LANES >= 16 ? 24 : 12) /* vectors of sums in registers */

/* Input @i of segment @s, or the vector that begins there. */
typedef struct {
    int s, i;
} Place;

/* The size of nearly equal blocks of at most @most that divide @n. */
static int block_size(int n, int most)
{
    const int blocks = (n + most - 1) / most;

    return blocks > 0 ? (n + blocks - 1) / blocks : 0;
}

ALWAYS_INLINE void find_inputs(const float *in[POINTERS],
                               const AeConvWeights *w, int r,
                               const Place *place, const int n)
{
    const float *const *segment = w->segment + (int64_t)r * w->segments;

#pragma GCC unroll 16
    for (int i = 0; i < n; i++)
        in[i] = segment[place[i].s] + place[i].i;
}

ALWAYS_INLINE float *weight_at(const AeConvWeights *w, int o, Place place)
{
    return w->weight + ((int64_t)o * w->segments + place.s) * w->k + place.i;
}

/* Each function computes the inputs, outputs or channels from a number on that
 * fill vectors of its width, and returns the first number that is left. */
typedef struct {
    int width;
    int (*columns)(const AeConvWeights *w, int i);
    int (*outer)(const AeConvWeights *w, int o);
    int (*depthwise)(const AeConvWeights *w, int c);
} Width;

#define TEMPLATE "kernels/tmpl/weights-width.h"
#define LEAST_WIDTH 1
#include "kernels/tmpl/widths.h"

/* The number of vectors, of any width, that @n floats take. */
static int64_t vectors_of(int n)
{
    int64_t vectors = 0;

    while (n > 0) {
        const int width = width_within(n)->width;

        vectors += n / width;
        n %= width;
    }
    return vectors;
}

void NAME(conv_weights)(const AeConvWeights *w)
{
    const int64_t columns = vectors_of(w->k) * w->co;
    const int64_t outer = vectors_of(w->co) * w->k;

    if (outer < columns)
        for (int o = 0; o < w->co;)
            o = width_within(w->co - o)->outer(w, o);
    else
        for (int i = 0; i < w->k;)
            i = width_within(w->k - i)->columns(w, i);
}

void NAME(depthwise_weights)(const AeConvWeights *w)
{
    for (int c = 0; c < w->co;)
        c = width_within(w->co - c)->depthwise(w, c);
}
