/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes of windows, and the sizes that follow from them. */
#include "ops/window.h"

#include <string.h>

gboolean ae_window_read_list(const AeStep *step, const char *name, int lists,
                             int64_t least, int64_t most, int64_t fallback,
                             int64_t *values, GError **error)
{
    const int spatial = step->in[0]->shape.rank - 2;
    int n;
    const int64_t *ints = ae_node_ints(step->node, name, &n);

    for (int i = 0; i < AE_WINDOW_AXES * lists; i++)
        values[i] = fallback;
    if (ints == NULL)
        return TRUE;
    if (n != lists * spatial)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%s must hold %d numbers, but holds %d", name,
                            lists * spatial, n);
    for (int i = 0; i < n; i++) {
        const int axis = AE_WINDOW_AXES - spatial + i % spatial;

        if (ints[i] < least || ints[i] > most)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "%s must lie between %" G_GINT64_FORMAT
                                " and %" G_GINT64_FORMAT
                                ", but one is %" G_GINT64_FORMAT,
                                name, least, most, ints[i]);
        values[i / spatial * AE_WINDOW_AXES + axis] = ints[i];
    }
    return TRUE;
}

static gboolean read_auto_pad(const AeStep *step, AeAutoPad *result,
                              GError **error)
{
    static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER",
                                        "SAME_LOWER"};
    const char *name = ae_node_string(step->node, "auto_pad", "NOTSET");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0) {
            *result = (AeAutoPad)i;
            return TRUE;
        }
    return ae_step_fail(step, error, AE_ERROR_VALUE,
                        "auto_pad must be NOTSET, VALID, SAME_UPPER or "
                        "SAME_LOWER, not '%s'",
                        name);
}

gboolean ae_window_read(const AeStep *step, int64_t most, AeWindow *window,
                        GError **error)
{
    int64_t pads[2 * AE_WINDOW_AXES];

    if (!read_auto_pad(step, &window->auto_pad, error) ||
        !ae_window_read_list(step, "kernel_shape", 1, 1, most, 0,
                             window->kernel, error) ||
        !ae_window_read_list(step, "strides", 1, 1, most, 1, window->stride,
                             error) ||
        !ae_window_read_list(step, "dilations", 1, 1, most, 1, window->dilation,
                             error) ||
        !ae_window_read_list(step, "pads", 2, 0, most, 0, pads, error))
        return FALSE;
    if (window->auto_pad != AE_AUTO_PAD_NOTSET)
        memset(pads, 0, sizeof pads);
    for (int a = 0; a < AE_WINDOW_AXES; a++) {
        if (a < AE_WINDOW_AXES + 2 - step->in[0]->shape.rank)
            window->kernel[a] = 1;
        window->before[a] = pads[a];
        window->after[a] = pads[AE_WINDOW_AXES + a];
    }
    return TRUE;
}

void ae_window_split_pads(AeWindow *window, int axis, int64_t total)
{
    const int64_t half = MAX(total, 0) / 2, rest = MAX(total, 0) - half;
    const gboolean upper = window->auto_pad == AE_AUTO_PAD_SAME_UPPER;

    window->before[axis] = upper ? half : rest;
    window->after[axis] = upper ? rest : half;
}

int64_t ae_window_outputs(AeWindow *window, int axis, int64_t in,
                          gboolean partial)
{
    const int64_t extent = ae_window_extent(window, axis);
    const int64_t stride = window->stride[axis];
    const int64_t same = (in + stride - 1) / stride;
    int64_t size, room;

    if (window->auto_pad >= AE_AUTO_PAD_SAME_UPPER) {
        ae_window_split_pads(window, axis, (same - 1) * stride + extent - in);
        return same;
    }
    room = window->before[axis] + in + window->after[axis] - extent;
    if (room < 0)
        return 0;
    size = (room + (partial ? stride - 1 : 0)) / stride + 1;
    /* No partial window begins behind the input. */
    if (partial && (size - 1) * stride >= in + window->before[axis])
        size--;
    return size;
}

void ae_window_inputs(const AeWindow *window, int axis, int64_t *begin,
                      int64_t *end)
{
    const int64_t stride = window->stride[axis], pad = window->before[axis];

    *begin = *begin * stride - pad;
    *end = (*end - 1) * stride - pad + ae_window_extent(window, axis);
}
