/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution rows with GNU vectors of AE_LANES floats, and of fewer where
 * there are fewer channels.
 *
 * Forward: a block of pixels by one or two vectors of output channels stays in
 * registers while the inputs, one float at a time, and the weights pass by:
 * loads are few and every addition has its own chain. Weights are packed in
 * panels of one vector of output channels, [panel][segment][k][width].
 *
 * One to four output channels fill no vector: then vectors run along k, and
 * the lanes are summed at the end (conv-dot.h). dot_width() decides.
 *
 * Taking two inputs at a time to fill a vector with eight channels of sixteen
 * lanes was slower on Zen 4 than vectors of eight. */
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

#include "kernels/tmpl/conv-epilogue.h"

#define W(name) JOIN(name, JOIN(_, WIDTH))

#define WIDTH 1
#include "kernels/tmpl/conv-width.h"
#include "kernels/tmpl/conv-depthwise.h"
#include "kernels/tmpl/conv-winograd.h"
#undef WIDTH
#define WIDTH 4
#include "kernels/tmpl/conv-width.h"
#include "kernels/tmpl/conv-depthwise.h"
#include "kernels/tmpl/conv-winograd.h"
#include "kernels/tmpl/conv-panel.h"
#include "kernels/tmpl/conv-product.h"
#include "kernels/tmpl/conv-dot.h"
#undef WIDTH
#if AE_LANES >= 8
#define WIDTH 8
#include "kernels/tmpl/conv-width.h"
#include "kernels/tmpl/conv-depthwise.h"
#include "kernels/tmpl/conv-winograd.h"
#include "kernels/tmpl/conv-panel.h"
#include "kernels/tmpl/conv-product.h"
#include "kernels/tmpl/conv-dot.h"
#undef WIDTH
#endif
#if AE_LANES >= 16
#define WIDTH 16
#include "kernels/tmpl/conv-width.h"
#include "kernels/tmpl/conv-depthwise.h"
#include "kernels/tmpl/conv-winograd.h"
#include "kernels/tmpl/conv-panel.h"
#include "kernels/tmpl/conv-product.h"
#include "kernels/tmpl/conv-dot.h"
#undef WIDTH
#endif

typedef struct {
    int width;
    void (*panel)(const AeConvRow *row, const float *weights, int o, int valid);
    void (*dot)(const AeConvRow *row);
    int (*depthwise)(const AeConvRow *row, int c);
    void (*winograd_panel)(float *packed, int64_t plane, const float *g,
                           int64_t tap, int ci, int co, int valid);
    int (*winograd_input)(const AeWinogradInput *in, int c);
    void (*product)(float *m, int64_t m_step, const float *v, int ci,
                    const float *u, int tiles);
    int (*winograd_output)(const AeWinogradOutput *out, int c);
} Width;

/* The widest last. */
static const Width widths[] = {
    {1, NULL, NULL, depthwise_1, winograd_panel_1, winograd_input_1, NULL,
     winograd_output_1},
    {4, conv_panel1_4, dot_4, depthwise_4, winograd_panel_4, winograd_input_4,
     product1_4, winograd_output_4},
#if AE_LANES >= 8
    {8, conv_panel1_8, dot_8, depthwise_8, winograd_panel_8, winograd_input_8,
     product1_8, winograd_output_8},
#endif
#if AE_LANES >= 16
    {16, conv_panel1_16, dot_16, depthwise_16, winograd_panel_16,
     winograd_input_16, product1_16, winograd_output_16},
#endif
};

#define WIDTH AE_LANES
#include "kernels/tmpl/conv-panels.h"

/* Lanes of the vectors along k; 0: vectors of output channels. */
static int dot_width(int k, int co)
{
    int width = AE_LANES;

    if (co > 4 || co > AE_LANES / 2 || k < 4)
        return 0;
    while (k % width != 0)
        width /= 2;
    return width < 4 ? 0 : width;
}

size_t NAME(conv_packed)(int segments, int k, int co)
{
    return packed_floats(segments, k, dot_width(k, co) ? co : panels_width(co));
}

static void pack_panel(float *packed, int width, int segments, int k, int co,
                       const float *weights, int64_t stride_s, int64_t stride_i,
                       int64_t stride_o)
{
    for (int s = 0; s < segments; s++)
        for (int i = 0; i < k; i++)
            for (int o = 0; o < width; o++)
                *packed++ =
                    o < co ? weights[s * stride_s + i * stride_i + o * stride_o]
                           : 0;
}

void NAME(conv_pack)(float *packed, int segments, int k, int co,
                     const float *weights, int64_t stride_s, int64_t stride_i,
                     int64_t stride_o)
{
    const int dot = dot_width(k, co);

    for (int o = 0, width; o < co; o += width) {
        width = dot ? 1 : panel_width(co - o);
        pack_panel(packed, width, segments, k, co - o, weights + o * stride_o,
                   stride_s, stride_i, stride_o);
        packed += (size_t)segments * k * width;
    }
}

void NAME(conv_row)(const AeConvRow *row)
{
    const int width = dot_width(row->k, row->co);

    if (width)
        width_of(width)->dot(row);
    else
        conv_panels(row);
    activate_row(&row->epilogue, row->out, row->out_step, row->n, row->co);
}

void NAME(depthwise_row)(const AeConvRow *row)
{
    const Width *w = width_of(AE_LANES);

    for (int c = 0; c < row->co; w--)
        c = w->depthwise(row, c);
    activate_row(&row->epilogue, row->out, row->out_step, row->n, row->co);
}

void NAME(winograd_pack)(float *packed, const float *weights, int ci, int co)
{
    const int64_t plane = NAME(conv_packed)(1, ci, co);

    for (int o = 0, width; o < co; o += width) {
        width = panel_width(co - o);
        width_of(width)->winograd_panel(packed, plane, weights + o,
                                        (int64_t)ci * co, ci, co, co - o);
        packed += (int64_t)ci * width;
    }
}

void NAME(winograd_input)(const AeWinogradInput *in)
{
    const Width *w = width_of(AE_LANES);

    for (int c = 0; c < in->c; w--)
        c = w->winograd_input(in, c);
}

static void product2(float *m, int64_t m_step, const float *v, int ci,
                     const float *u, int tiles)
{
    W(product)(m, m_step, v, ci, u, tiles, 2);
}

/* One product of matrices; @u is packed, @m as wide as its panels. */
static void product(float *m, int64_t m_step, const float *v, int ci, int co,
                    const float *u, int tiles)
{
    for (int o = 0, width; o < co; o += width) {
        width = panel_width(co - o);
        if (panel_width(co - o - width) == AE_LANES && co - o > width) {
            product2(m + o, m_step, v, ci, u, tiles);
            width *= 2;
        } else {
            width_of(width)->product(m + o, m_step, v, ci, u, tiles);
        }
        u += (size_t)ci * width;
    }
}

void NAME(winograd_multiply)(const AeWinogradProducts *p)
{
    const int64_t u = NAME(conv_packed)(1, p->ci, p->co);

    for (int64_t i = 0; i < 36; i++)
        product(p->m + i * p->tiles * p->width, p->width,
                p->v + i * p->tiles * p->ci, p->ci, p->co, p->u + i * u,
                p->tiles);
}

void NAME(winograd_output)(const AeWinogradOutput *out)
{
    const Width *w = width_of(AE_LANES);

    for (int c = 0; c < out->c; w--)
        c = w->winograd_output(out, c);
    for (int i = out->first; i < out->last; i++)
        activate_row(&out->epilogue, out->out[i], out->c, out->n, out->c);
}
