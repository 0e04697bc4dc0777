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

#define W(name) JOIN(name, JOIN(_, WIDTH))

#define WIDTH 1
#include "kernels/tmpl/weights-width.h"
#undef WIDTH
#define WIDTH 4
#include "kernels/tmpl/weights-width.h"
#undef WIDTH
#if AE_LANES >= 8
#define WIDTH 8
#include "kernels/tmpl/weights-width.h"
#undef WIDTH
#endif
#if AE_LANES >= 16
#define WIDTH 16
#include "kernels/tmpl/weights-width.h"
#undef WIDTH
#endif

/* Each takes what fills vectors of its width, from a number on, and returns
 * what is left. The widest first. */
static const struct {
    int width;
    int (*columns)(const AeConvWeights *w, int i);
    int (*outer)(const AeConvWeights *w, int o);
    int (*depthwise)(const AeConvWeights *w, int c);
} widths[] = {
#if AE_LANES >= 16
    {16, columns_16, outer_16, depthwise_16},
#endif
#if AE_LANES >= 8
    {8, columns_8, outer_8, depthwise_8},
#endif
    {4, columns_4, outer_4, depthwise_4},
    {1, columns_1, outer_1, depthwise_1},
};

#define N_WIDTHS ((int)(sizeof widths / sizeof *widths))

/* Vectors of any width that @n floats take. */
static int64_t vectors_of(int n)
{
    int64_t vectors = 0;

    for (int i = 0; i < N_WIDTHS; i++) {
        vectors += n / widths[i].width;
        n %= widths[i].width;
    }
    return vectors;
}

void NAME(conv_weights)(const AeConvWeights *w)
{
    const int64_t columns = vectors_of(w->k) * w->co;
    const int64_t outer = vectors_of(w->co) * w->k;
    int next = 0;

    for (int i = 0; i < N_WIDTHS; i++)
        next = outer < columns ? widths[i].outer(w, next)
                               : widths[i].columns(w, next);
}

void NAME(depthwise_weights)(const AeConvWeights *w)
{
    int c = 0;

    for (int i = 0; i < N_WIDTHS; i++)
        c = widths[i].depthwise(w, c);
}
