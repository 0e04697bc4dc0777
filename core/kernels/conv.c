/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of convolutions with GNU vectors of AE_LANES floats, and of fewer floats
 * where there are fewer channels.
 *
 * The sums of a block of pixels by one or two vectors of output channels stay
 * in registers. Each input is loaded once and multiplied with a vector of
 * weights, so that there are few loads and many independent chains of
 * additions. Weights are packed in panels of one vector of output channels:
 * [panel][segment][k][width].
 *
 * One to four output channels do not fill a vector. Then vectors hold inputs
 * along k, and their lanes are summed at the end (conv-dot.h); dot_width()
 * decides.
 *
 * Vectors of eight floats are used for eight channels on AVX-512, too: vectors
 * of two inputs by eight channels were slower on Zen 4. */
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

/* Pixels of a block with one and with two vectors of channels, so that the sums
 * fit 16 registers, or 32. */
#define PIXELS 12
#define PIXELS_2 (AE_LANES >= 16 ? 12 : 6)

/* Activations that are applied while sums are stored. Activations that need
 * exp run over the stored row. */
typedef enum { FINISH_NONE, FINISH_RELU, FINISH_SLOPE } Finish;

static Finish finish_of(const AeEpilogue *e)
{
    switch (e->activation) {
    case AE_ACTIVATION_RELU:
        return FINISH_RELU;
    case AE_ACTIVATION_LEAKY_RELU:
    case AE_ACTIVATION_PRELU:
        return FINISH_SLOPE;
    default:
        return FINISH_NONE;
    }
}

/* Applies the epilogue to the sums of @valid channels from @o of one pixel,
 * which do not fill their vectors. */
static void store_pixel(const AeConvRow *row, const float *sum, int64_t x,
                        int o, int valid)
{
    const AeEpilogue *e = &row->epilogue;
    const Finish finish = finish_of(e);
    float *out = row->out + x * row->out_step + o;

    for (int i = 0; i < valid; i++) {
        float y = sum[i], below = 0;

        if (row->residual)
            y += row->residual[x * row->residual_step + o + i];
        if (finish == FINISH_NONE)
            below = y;
        else if (finish == FINISH_SLOPE)
            below = y * (e->slope ? e->slope[o + i] : e->alpha);
        out[i] = y < 0 ? below : y;
    }
}

/* The kernels for vectors of one width; NULL where there is none. */
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

#define TEMPLATE "kernels/tmpl/conv-width.h"
#define LEAST_WIDTH 1
#include "kernels/tmpl/widths.h"

/* Lanes of the next panel when @left output channels are left. */
static int panel_width(int left)
{
    int width = 4;

    while (width < AE_LANES && width < left)
        width *= 2;
    return width;
}

/* Lanes of vectors along k; 0: vectors hold output channels. */
static int dot_width(int k, int co)
{
    int width = AE_LANES;

    if (co > 4 || co > AE_LANES / 2 || k < 4)
        return 0;
    while (k % width != 0)
        width /= 2;
    return width < 4 ? 0 : width;
}

/* Rounded up so that each of several packed blocks starts aligned. */
size_t NAME(conv_packed)(int segments, int k, int co)
{
    int width = dot_width(k, co) ? co : 0;

    for (int o = width; o < co; o += panel_width(co - o))
        width += panel_width(co - o);
    return ((size_t)segments * k * width + 15) / 16 * 16;
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

/* Two panels of full width at once. Apart from its caller, because its
 * registers would have to be saved for every narrow panel, too. */
static G_GNUC_NO_INLINE void conv_panel2(const AeConvRow *row,
                                         const float *weights, int o, int valid)
{
    W(conv_panel)(row, weights, o, valid, 2);
}

/* Computes all panels of a row, two of full width at once where possible. */
static void conv_panels(const AeConvRow *row)
{
    const float *weights = row->weights;

    for (int o = 0, width; o < row->co; o += width) {
        const int left = row->co - o;

        width = panel_width(left);
        if (panel_width(left - width) == AE_LANES && left > width) {
            conv_panel2(row, weights, o, left);
            width *= 2;
        } else {
            width_within(width)->panel(row, weights, o, left);
        }
        weights += (size_t)row->segments * row->k * width;
    }
}

/* Applies an activation that needs exp to the stored row. */
static void activate_row(const AeEpilogue *e, float *out, int64_t step, int n,
                         int64_t channels)
{
    if (e->activation <= AE_ACTIVATION_PRELU)
        return;
    if (step == channels) {
        step = channels *= n;
        n = 1;
    }
    for (int64_t x = 0; x < n; x++)
        NAME(activate)
    (out + x * step, out + x * step, channels, e->activation, e->alpha);
}

void NAME(conv_row)(const AeConvRow *row)
{
    const int width = dot_width(row->k, row->co);

    if (width)
        width_within(width)->dot(row);
    else
        conv_panels(row);
    activate_row(&row->epilogue, row->out, row->out_step, row->n, row->co);
}

void NAME(depthwise_row)(const AeConvRow *row)
{
    for (int c = 0; c < row->co;)
        c = width_within(row->co - c)->depthwise(row, c);
    activate_row(&row->epilogue, row->out, row->out_step, row->n, row->co);
}

void NAME(winograd_pack)(float *packed, const float *weights, int ci, int co)
{
    const int64_t plane = NAME(conv_packed)(1, ci, co);

    for (int o = 0, width; o < co; o += width) {
        width = panel_width(co - o);
        width_within(width)->winograd_panel(packed, plane, weights + o,
                                            (int64_t)ci * co, ci, co, co - o);
        packed += (int64_t)ci * width;
    }
}

void NAME(winograd_input)(const AeWinogradInput *in)
{
    for (int c = 0; c < in->c;)
        c = width_within(in->c - c)->winograd_input(in, c);
}

/* As conv_panel2(). */
static G_GNUC_NO_INLINE void product2(float *m, int64_t m_step, const float *v,
                                      int ci, const float *u, int tiles)
{
    W(product)(m, m_step, v, ci, u, tiles, 2);
}

/* m = v * u for one position; @u is packed, and rows of @m are as wide as its
 * panels. */
static void product(float *m, int64_t m_step, const float *v, int ci, int co,
                    const float *u, int tiles)
{
    for (int o = 0, width; o < co; o += width) {
        width = panel_width(co - o);
        if (panel_width(co - o - width) == AE_LANES && co - o > width) {
            product2(m + o, m_step, v, ci, u, tiles);
            width *= 2;
        } else {
            width_within(width)->product(m + o, m_step, v, ci, u, tiles);
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
    for (int c = 0; c < out->c;)
        c = width_within(out->c - c)->winograd_output(out, c);
    for (int i = out->first; i < out->last; i++)
        activate_row(&out->epilogue, out->out[i], out->c, out->n, out->c);
}
