/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pad: one copy for each part of the output whose sources are evenly spaced. */
#include "ops/copies.h"

typedef enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } PadMode;

/* Along one axis: the @length output positions from @target on read the input
 * positions @source, @source + @by, @source + 2 @by, ... */
typedef struct {
    int64_t target, source, length, by;
} Run;

/* The input position, on an axis of @dim elements, that output position @i
 * reads, counted from the first input position; -1: none. */
static int64_t pad_source(PadMode mode, int64_t i, int64_t dim)
{
    if (i >= 0 && i < dim)
        return i;
    if (mode == PAD_CONSTANT)
        return -1;
    if (mode == PAD_EDGE)
        return i < 0 ? 0 : dim - 1;
    if (mode == PAD_WRAP)
        return i < 0 ? dim - 1 - (-i - 1) % dim : i % dim;
    return i < 0 ? -i : 2 * (dim - 1) - i;
}

static void append_place(GArray *runs, int64_t target, int64_t source)
{
    Run *last = runs->len > 0 ? &g_array_index(runs, Run, runs->len - 1) : NULL;
    Run run = {target, source, 1, 0};

    if (last && last->target + last->length == target) {
        int64_t by = source - last->source - (last->length - 1) * last->by;

        if (ABS(by) <= 1 && (last->length == 1 || by == last->by)) {
            last->by = by;
            last->length++;
            return;
        }
    }
    g_array_append_val(runs, run);
}

static GArray *pad_runs(PadMode mode, int64_t dim, int64_t before, int64_t size)
{
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(Run));

    for (int64_t i = 0; i < size; i++) {
        int64_t source = pad_source(mode, i - before, dim);

        if (source >= 0)
            append_place(runs, i, source);
    }
    return runs;
}

static gboolean pad_mode(const AeStep *step, PadMode *mode, GError **error)
{
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const char *given = ae_node_string(step->node, "mode", "constant");

    for (int i = 0; i < (int)G_N_ELEMENTS(names); i++) {
        if (g_str_equal(given, names[i])) {
            *mode = (PadMode)i;
            return TRUE;
        }
    }
    return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                        "mode '%s' is not supported", given);
}

/* Reads the pads before and after each axis. */
static gboolean pad_sizes(const AeStep *step, int64_t *before, int64_t *after,
                          GError **error)
{
    int64_t pads[2 * AE_MAX_RANK], axes[AE_MAX_RANK];
    int n, n_axes, rank = step->in[0]->shape.rank, axis;

    if (!ae_step_list(step, "pads", 1, 11, pads, 2 * AE_MAX_RANK, &n, error) ||
        !ae_step_list(step, "", 3, 18, axes, AE_MAX_RANK, &n_axes, error))
        return FALSE;
    if (n != 2 * (n_axes < 0 ? rank : n_axes))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected two pads for each axis, found %d", n);
    for (int i = 0; i < n / 2; i++) {
        if (!ae_step_axis(step, n_axes < 0 ? i : axes[i], rank, &axis, error))
            return FALSE;
        before[axis] = pads[i];
        after[axis] = pads[n / 2 + i];
    }
    return TRUE;
}

static gboolean pad_shape(const AeStep *step, PadMode mode,
                          const int64_t *before, const int64_t *after,
                          AeShape *shape, GError **error)
{
    const int64_t most = 1 << 20;

    *shape = step->in[0]->shape;
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dim[i];
        int64_t limit = mode == PAD_CONSTANT  ? most
                        : dim == 0            ? 0
                        : mode == PAD_REFLECT ? dim - 1
                                              : most;

        if (ABS(before[i] / 2) > most || ABS(after[i] / 2) > most ||
            before[i] > limit || after[i] > limit || before[i] < -dim ||
            after[i] < -dim || dim + before[i] + after[i] < 0)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "axis %d of %" G_GINT64_FORMAT
                                " elements cannot be padded by "
                                "%" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
                                i, dim, before[i], after[i]);
        shape->dim[i] += before[i] + after[i];
    }
    return TRUE;
}

/* The copy for combination number @index of one run of each axis. */
static void pad_copy(AeCopy *copy, const AeStep *step, GArray *const *runs,
                     int index)
{
    ae_copy_whole_output(copy, step, 0);
    for (int axis = 0; axis < copy->rank; axis++) {
        int n = (int)runs[axis]->len;
        const Run *run = &g_array_index(runs[axis], Run, index % n);
        int64_t stride = step->in[0]->stride[axis];

        index /= n;
        copy->size[axis] = run->length;
        copy->source += run->source * stride;
        copy->source_stride[axis] = run->by * stride;
        copy->target += run->target * copy->target_stride[axis];
    }
}

static void pad_copies(AeStep *step, PadMode mode, const int64_t *before)
{
    const AeShape *in = &step->in[0]->shape, *out = &step->out[0]->shape;
    GArray *runs[AE_MAX_RANK];
    int n = 1;
    AeCopies *copies;

    for (int i = 0; i < in->rank; i++) {
        runs[i] = pad_runs(mode, in->dim[i], before[i], out->dim[i]);
        n *= (int)runs[i]->len;
    }
    copies = ae_copies_new(step, n);
    copies->filled = mode == PAD_CONSTANT;
    if (step->opset < 11)
        copies->fill = ae_node_float(step->node, "value", 0);
    for (int i = 0; i < n; i++)
        pad_copy(&copies->copy[i], step, runs, i);
    for (int i = 0; i < in->rank; i++)
        g_array_unref(runs[i]);
}

static gboolean pad_plan(AeStep *step, GError **error)
{
    int64_t before[AE_MAX_RANK] = {0}, after[AE_MAX_RANK] = {0};
    PadMode mode = PAD_CONSTANT;
    AeShape shape;

    if (ae_step_has(step, 2) && ae_shape_elements(&step->in[2]->shape) != 1)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its constant value must be a scalar");
    if (!pad_mode(step, &mode, error) ||
        !pad_sizes(step, before, after, error) ||
        !pad_shape(step, mode, before, after, &shape, error) ||
        !ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    pad_copies(step, mode, before);
    return TRUE;
}

const AeOperator ae_ops_pad[] = {
    {
        .name = "Pad",
        .min_in = 1,
        .max_in = 4,
        .max_out = 1,
        .settings = 1 << 1 | 1 << 2 | 1 << 3,
        .plan = pad_plan,
        .forward = ae_copies_forward,
        .backward = ae_copies_backward,
    },
    {NULL},
};
