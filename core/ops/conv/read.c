/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads shapes and attributes of Conv and ConvTranspose. */
#include "ops/conv/read.h"

#include <string.h>

/* The largest size, stride, dilation or pad: a product of two fits 60 bits. */
#define LIMIT (1 << 30)

static gboolean check_shapes(const AeStep *step, GError **error)
{
    const AeShape *in = &step->in[0]->shape, *w = &step->in[1]->shape;

    if (in->rank < 3 || in->rank > 5)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the input must be of rank 3, 4 or 5, but is of "
                            "rank %d",
                            in->rank);
    if (w->rank != in->rank)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the weights must be of rank %d as the input is, "
                            "but are of rank %d",
                            in->rank, w->rank);
    for (int i = 0; i < in->rank; i++)
        if (in->dim[i] > LIMIT || w->dim[i] > LIMIT || w->dim[i] < 1 ||
            (i > 0 && in->dim[i] < 1))
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "axis %d of the input or the weights is empty "
                                "or longer than %d",
                                i, LIMIT);
    return TRUE;
}

static gboolean read_channels(const AeStep *step, AeConv *c, GError **error)
{
    const AeShape *in = &step->in[0]->shape, *w = &step->in[1]->shape;
    const gboolean transposed = c->transposed;
    const int64_t expected =
        transposed ? w->dim[0] : w->dim[1] * MAX(c->groups, 1);

    if (c->groups < 1 || w->dim[0] % c->groups != 0)
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "%" G_GINT64_FORMAT " channels cannot be split "
                            "into %" G_GINT64_FORMAT " groups",
                            w->dim[0], c->groups);
    if (in->dim[1] != expected)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the input has %" G_GINT64_FORMAT
                            " channels, but the weights are for "
                            "%" G_GINT64_FORMAT,
                            in->dim[1], expected);
    c->n = in->dim[0];
    c->small_c = w->dim[0] / c->groups;
    c->large_c = w->dim[1];
    return TRUE;
}

static gboolean check_bias(const AeStep *step, int64_t channels, GError **error)
{
    if (!ae_step_has(step, 2))
        return TRUE;
    if (step->in[2]->shape.rank != 1 || step->in[2]->shape.dim[0] != channels)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the bias must hold %" G_GINT64_FORMAT
                            " numbers, one a channel",
                            channels);
    return TRUE;
}

static gboolean read_kernel(const AeStep *step, AeConv *c, GError **error)
{
    const AeShape *w = &step->in[1]->shape;

    if (!ae_window_read(step, LIMIT, &c->window, error))
        return FALSE;
    c->taps = 1;
    for (int a = 0; a < 3; a++) {
        const int axis = a + w->rank - 3;
        const int64_t size = axis < 2 ? 1 : w->dim[axis];

        if (c->window.kernel[a] && c->window.kernel[a] != size)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "kernel_shape is not that of the weights");
        c->window.kernel[a] = size;
        c->taps *= size;
    }
    if (c->taps * MAX(c->large_c, c->small_c) > LIMIT)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the kernel is too large");
    return TRUE;
}

/* Sets the small side, Conv's output, and the pads. */
static gboolean size_small(const AeStep *step, AeConv *c, GError **error)
{
    AeWindow *w = &c->window;

    for (int a = 0; a < 3; a++) {
        c->small[a] = ae_window_outputs(w, a, c->large[a], FALSE);
        if (c->small[a] < 1)
            return ae_step_fail(
                step, error, AE_ERROR_SHAPE,
                "the kernel covers %" G_GINT64_FORMAT
                " elements, but the padded input has only %" G_GINT64_FORMAT,
                ae_window_extent(w, a),
                w->before[a] + c->large[a] + w->after[a]);
    }
    return TRUE;
}

/* Sets the large side, ConvTranspose's output, and the pads. */
static gboolean size_large(const AeStep *step, AeConv *c, GError **error)
{
    const gboolean same = c->window.auto_pad >= AE_AUTO_PAD_SAME_UPPER;
    int64_t extra[3], shape[3];
    AeWindow *w = &c->window;

    if (!ae_window_read_list(step, "output_padding", 1, 0, LIMIT, 0, extra,
                             error) ||
        !ae_window_read_list(step, "output_shape", 1, 1, LIMIT, 0, shape,
                             error))
        return FALSE;
    for (int a = 0; a < 3; a++) {
        const int64_t all = w->stride[a] * (c->small[a] - 1) + extra[a] +
                            ae_window_extent(w, a);

        if (shape[a] > 0)
            c->large[a] = shape[a];
        else if (same)
            c->large[a] = c->small[a] * w->stride[a];
        else
            c->large[a] = all - w->before[a] - w->after[a];
        if (shape[a] > 0 || same)
            ae_window_split_pads(w, a, all - c->large[a]);
        if (c->large[a] < 1 || c->large[a] > LIMIT)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the output would have %" G_GINT64_FORMAT
                                " elements along an axis",
                                c->large[a]);
    }
    return TRUE;
}

gboolean ae_conv_read(const AeStep *step, AeConv *c, GError **error)
{
    const AeShape *in = &step->in[0]->shape;
    int64_t *size;

    c->transposed = strcmp(step->op->name, "ConvTranspose") == 0;
    c->groups = ae_node_int(step->node, "group", 1);
    if (!check_shapes(step, error) || !read_channels(step, c, error) ||
        !read_kernel(step, c, error))
        return FALSE;
    size = c->transposed ? c->small : c->large;
    for (int a = 0; a < 3; a++)
        size[a] = a < 5 - in->rank ? 1 : in->dim[a + in->rank - 3];
    return (c->transposed ? size_large : size_small)(step, c, error) &&
           check_bias(step,
                      c->groups * (c->transposed ? c->large_c : c->small_c),
                      error);
}
