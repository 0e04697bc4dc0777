/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReduceSum and ReduceMean over some or all axes. */
#include <math.h>

#include "ops/box.h"
#include "ops/gradient.h"

typedef struct {
    AeBox kept;  /* input positions, one for each output element */
    AeBox place; /* the output positions of these */
    AeBox summed;
    int64_t n; /* number of positions of summed */
    double scale;
} Reduce;

static gboolean read_axes(const AeStep *step, gboolean *reduced, GError **error)
{
    int since = g_str_equal(step->op->name, "ReduceSum") ? 13 : 18;
    int rank = step->in[0]->shape.rank, n, axis;
    int64_t axes[AE_MAX_RANK];

    if (!ae_step_list(step, "axes", 1, since, axes, AE_MAX_RANK, &n, error))
        return FALSE;
    for (int i = 0; i < n; i++) {
        if (!ae_step_axis(step, axes[i], rank, &axis, error))
            return FALSE;
        reduced[axis] = TRUE;
    }
    for (int i = 0; n <= 0 && i < rank; i++)
        reduced[i] = !ae_node_int(step->node, "noop_with_empty_axes", 0);
    return TRUE;
}

/* Boxes run in the order of memory. */
static void make_boxes(Reduce *reduce, const AeStep *step,
                       const gboolean *reduced, gboolean keep)
{
    const AeOperand *x = step->in[0], *y = step->out[0];
    int rank = x->shape.rank, place[AE_MAX_RANK], next = 0;

    for (int i = 0; i < rank; i++)
        place[i] = keep || !reduced[i] ? next++ : -1;
    for (int i = 0; i < rank; i++) {
        int axis = ae_memory_axis(rank, i);
        int64_t size = x->shape.dim[axis];

        if (reduced[axis]) {
            ae_box_append(&reduce->summed, size, x->stride[axis]);
            continue;
        }
        ae_box_append(&reduce->kept, size, x->stride[axis]);
        ae_box_append(&reduce->place, size, y->stride[place[axis]]);
    }
}

static gboolean plan(AeStep *step, GError **error)
{
    const AeShape *x = &step->in[0]->shape;
    gboolean reduced[AE_MAX_RANK] = {FALSE};
    gboolean keep = ae_node_int(step->node, "keepdims", 1) != 0;
    AeShape shape = {.rank = 0};
    Reduce *reduce = g_new0(Reduce, 1);

    step->params = reduce;
    if (!read_axes(step, reduced, error))
        return FALSE;
    for (int i = 0; i < x->rank; i++) {
        if (keep || !reduced[i])
            shape.dim[shape.rank++] = reduced[i] ? 1 : x->dim[i];
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    step->out[0]->integer = step->in[0]->integer;
    make_boxes(reduce, step, reduced, keep);
    reduce->n = ae_box_count(&reduce->summed);
    reduce->scale = 1;
    if (g_str_equal(step->op->name, "ReduceMean"))
        reduce->scale = 1 / (double)reduce->n;
    step->units = ae_box_count(&reduce->kept);
    return TRUE;
}

static double sum(const float *x, int64_t n, int64_t step)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i * step];
    return sum;
}

/* Size and stride of the innermost axis of @box. */
static void innermost(const AeBox *box, int64_t *size, int64_t *stride)
{
    *size = box->rank > 0 ? box->size[box->rank - 1] : 1;
    *stride = box->rank > 0 ? box->stride[box->rank - 1] : 0;
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch G_GNUC_UNUSED)
{
    const Reduce *reduce = step->params;
    int64_t size, stride;

    innermost(&reduce->summed, &size, &stride);
    for (int64_t unit = begin; unit < end; unit++) {
        const float *x = step->in[0]->data + ae_box_offset(&reduce->kept, unit);
        double total = 0;

        for (int64_t i = 0; i < reduce->n; i += size)
            total += sum(x + ae_box_offset(&reduce->summed, i), size, stride);
        total *= reduce->scale;
        step->out[0]->data[ae_box_offset(&reduce->place, unit)] =
            (float)(step->out[0]->integer ? trunc(total) : total);
    }
}

static void backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const Reduce *reduce = step->params;
    int64_t size, stride;

    if (!ae_step_wants(step, 0))
        return;
    ae_step_clear_gradient(step, 0);
    innermost(&reduce->summed, &size, &stride);
    for (int64_t unit = 0; unit < step->units; unit++) {
        float *dx = step->in[0]->grad + ae_box_offset(&reduce->kept, unit);
        float dy = step->out[0]->grad[ae_box_offset(&reduce->place, unit)];

        for (int64_t i = 0; i < reduce->n; i += size) {
            float *row = dx + ae_box_offset(&reduce->summed, i);

            for (int64_t k = 0; k < size; k++)
                row[k * stride] += (float)(dy * reduce->scale);
        }
    }
}

#define REDUCE(operator)                                                       \
    {                                                                          \
        .name = operator, .min_in = 1, .max_in = 2, .max_out = 1,              \
        .plan = plan, .forward = forward, .backward = backward,                \
    }

const AeOperator ae_ops_reduce[] = {
    REDUCE("ReduceMean"),
    REDUCE("ReduceSum"),
    {NULL},
};
