/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of convolution weights, with GNU vectors of AE_LANES floats, and of
 * fewer for what fills none.
 *
 * A block of weights is summed over all pixels of all rows in registers. Its
 * vectors run along the inputs (columns), as the weights lie in memory, or
 * along the outputs (outer) where that wastes fewer lanes: few input channels.
 * A block may reach across segments, so that it is large enough for its sums
 * not to wait for each other. */
#include "kernels/simd.h"

#include <string.h>

#define POINTERS 9 /* of inputs in a block: what general registers hold */
#define OUTPUTS 4  /* of a block of columns */
#define SUMS (AE_LANES >= 16 ? 24 : 12) /* vectors that stay in registers */

/* Input @i of segment @s, or the vector that begins there. */
typedef struct {
    int s, i;
} Place;

/* The size of blocks, at most @most, so that they are nearly equal. */
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

/* Each takes what fills vectors of its width, from a number on, and returns
 * what is left. */
typedef struct {
    int width;
    int (*columns)(const AeConvWeights *w, int i);
    int (*outer)(const AeConvWeights *w, int o);
    int (*depthwise)(const AeConvWeights *w, int c);
} Width;

#define TEMPLATE "kernels/tmpl/weights-width.h"
#define LEAST_WIDTH 1
#include "kernels/tmpl/widths.h"

/* Vectors of any width that @n floats take. */
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
