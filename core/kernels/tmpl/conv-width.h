/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution with vectors of WIDTH lanes: the template of conv.c. Arguments
 * such as `pixels` and `vectors` are constants once these functions are
 * inlined, so that the sums stay in registers. */
#include "kernels/tmpl/vector-width.h"

/* Loads the first @valid lanes; the others are 0. */
ALWAYS_INLINE W(Vector) W(load_part)(const float *p, int valid)
{
    W(Vector) v = {0};

    if (valid >= WIDTH)
        return W(load)(p);
    for (int i = 0; i < valid; i++)
        v[i] = p[i];
    return v;
}

/* The epilogue's numbers for up to two vectors of channels. */
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
    W(channels_new)(const AeEpilogue *e, int o, int valid, int vectors)
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

#include "kernels/tmpl/conv-depthwise.h"
#include "kernels/tmpl/conv-winograd.h"
#if WIDTH > 1
#include "kernels/tmpl/conv-panel.h"
#include "kernels/tmpl/conv-product.h"
#include "kernels/tmpl/conv-dot.h"
#endif

static const Width W(width) = {
    .width = WIDTH,
    .depthwise = W(depthwise),
    .winograd_panel = W(winograd_panel),
    .winograd_input = W(winograd_input),
    .winograd_output = W(winograd_output),
#if WIDTH > 1
    .panel = W(conv_panel1),
    .dot = W(dot),
    .product = W(product1),
#endif
};
