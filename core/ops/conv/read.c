/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shapes and attributes of Conv and ConvTranspose. */
#include "ops/conv/conv.h"

#include <string.h>

/* Of sizes, strides, dilations and pads: their products fit 62 bits. */
#define LIMIT (1 << 30)

/* One number an axis from the attribute @name, or @fallback. @lists is 2 for
 * pads: those of the ends follow those of the beginnings. */
static gboolean read_axes(const AeStep *step, const char *name, int spatial,
                          int lists, int64_t least, int64_t fallback,
                          int64_t *values, GError **error)
{
    int n;
    const int64_t *ints = ae_node_ints(step->node, name, &n);

    if (ints && n != lists * spatial)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%s must hold %d numbers, but holds %d", name,
                            lists * spatial, n);
    for (int i = 0; i < 3 * lists; i++)
        values[i] = fallback;
    for (int i = 0; ints && i < n; i++) {
        const int list = i / spatial, axis = i % spatial + 3 - spatial;

        if (ints[i] < least || ints[i] > LIMIT)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "%s must lie between %d and %d, but one is "
                                "%" G_GINT64_FORMAT,
                                name, (int)least, LIMIT, ints[i]);
        values[3 * list + axis] = ints[i];
    }
    return TRUE;
}

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

static gboolean read_kernel(const AeStep *step, AeConv *c, int spatial,
                            GError **error)
{
    const AeShape *w = &step->in[1]->shape;
    int64_t kernel[6];

    if (!read_axes(step, "kernel_shape", spatial, 1, 1, 0, kernel, error) ||
        !read_axes(step, "strides", spatial, 1, 1, 1, c->stride, error) ||
        !read_axes(step, "dilations", spatial, 1, 1, 1, c->dilation, error))
        return FALSE;
    c->taps = 1;
    for (int a = 0; a < 3; a++) {
        const int axis = a - 3 + spatial;

        c->kernel[a] = axis < 0 ? 1 : w->dim[2 + axis];
        if (axis >= 0 && kernel[a] && kernel[a] != c->kernel[a])
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "kernel_shape is not that of the weights");
        c->taps *= c->kernel[a];
    }
    if (c->taps * MAX(c->large_c, c->small_c) > LIMIT)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the kernel is too large");
    return TRUE;
}

/* Pads at the beginning and the end so that @total are used up: SAME_UPPER puts
 * the odd one at the end. */
static void split_pads(int64_t pads[6], int axis, int64_t total, gboolean upper)
{
    total = MAX(total, 0);
    pads[axis] = upper ? total / 2 : total - total / 2;
    pads[axis + 3] = total - pads[axis];
}

typedef enum { PAD_NOTSET, PAD_VALID, PAD_UPPER, PAD_LOWER } AutoPad;

static gboolean read_auto_pad(const AeStep *step, AutoPad *result,
                              GError **error)
{
    static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER",
                                        "SAME_LOWER"};
    const char *name = ae_node_string(step->node, "auto_pad", "NOTSET");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0) {
            *result = (AutoPad)i;
            return TRUE;
        }
    return ae_step_fail(step, error, AE_ERROR_VALUE,
                        "auto_pad must be NOTSET, VALID, SAME_UPPER or "
                        "SAME_LOWER, not '%s'",
                        name);
}

/* Sets the small side, Conv's output, and the pads. */
static gboolean size_small(const AeStep *step, AeConv *c, AutoPad automatic,
                           int64_t pads[6], GError **error)
{
    for (int a = 0; a < 3; a++) {
        const int64_t s = c->stride[a];
        int64_t room;

        if (automatic >= PAD_UPPER)
            split_pads(pads, a,
                       ((c->large[a] + s - 1) / s - 1) * s +
                           ae_conv_extent(c, a) - c->large[a],
                       automatic == PAD_UPPER);
        room = c->large[a] + pads[a] + pads[a + 3] - ae_conv_extent(c, a);
        if (room < 0)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the kernel covers %" G_GINT64_FORMAT
                                " elements, but the padded input has only "
                                "%" G_GINT64_FORMAT,
                                ae_conv_extent(c, a),
                                room + ae_conv_extent(c, a));
        c->small[a] = room / s + 1;
        c->pad[a] = pads[a];
    }
    return TRUE;
}

static gboolean read_output_shape(const AeStep *step, int spatial,
                                  int64_t shape[6], gboolean *given,
                                  GError **error)
{
    int n;

    *given = ae_node_ints(step->node, "output_shape", &n) != NULL;
    return read_axes(step, "output_shape", spatial, 1, 1, 1, shape, error);
}

/* Sets the large side, ConvTranspose's output, and the pads. */
static gboolean size_large(const AeStep *step, AeConv *c, int spatial,
                           AutoPad automatic, int64_t pads[6], GError **error)
{
    int64_t extra[6], shape[6];
    gboolean given;

    if (!read_axes(step, "output_padding", spatial, 1, 0, 0, extra, error) ||
        !read_output_shape(step, spatial, shape, &given, error))
        return FALSE;
    for (int a = 0; a < 3; a++) {
        const int64_t all =
            c->stride[a] * (c->small[a] - 1) + extra[a] + ae_conv_extent(c, a);

        c->large[a] = all - pads[a] - pads[a + 3];
        if (given)
            c->large[a] = shape[a];
        else if (automatic >= PAD_UPPER)
            c->large[a] = c->small[a] * c->stride[a];
        if (given || automatic >= PAD_UPPER)
            split_pads(pads, a, all - c->large[a], automatic == PAD_UPPER);
        if (c->large[a] < 1 || c->large[a] > LIMIT)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the output would have %" G_GINT64_FORMAT
                                " elements along an axis",
                                c->large[a]);
        c->pad[a] = pads[a];
    }
    return TRUE;
}

static gboolean read_sizes(const AeStep *step, AeConv *c, int spatial,
                           GError **error)
{
    const gboolean transposed = c->transposed;
    int64_t pads[6], *in = transposed ? c->small : c->large;
    AutoPad automatic = PAD_NOTSET;

    for (int a = 0; a < 3; a++)
        in[a] = a < 3 - spatial ? 1 : step->in[0]->shape.dim[a - 1 + spatial];
    if (!read_auto_pad(step, &automatic, error) ||
        !read_axes(step, "pads", spatial, 2, 0, 0, pads, error))
        return FALSE;
    if (automatic != PAD_NOTSET)
        memset(pads, 0, sizeof pads);
    if (transposed)
        return size_large(step, c, spatial, automatic, pads, error);
    return size_small(step, c, automatic, pads, error);
}

gboolean ae_conv_read(const AeStep *step, AeConv *c, GError **error)
{
    const int spatial = step->in[0]->shape.rank - 2;

    c->transposed = strcmp(step->op->name, "ConvTranspose") == 0;
    c->groups = ae_node_int(step->node, "group", 1);
    return check_shapes(step, error) && read_channels(step, c, error) &&
           read_kernel(step, c, spatial, error) &&
           read_sizes(step, c, spatial, error) &&
           check_bias(step,
                      c->groups * (c->transposed ? c->large_c : c->small_c),
                      error);
}
