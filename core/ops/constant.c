/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constant, ConstantOfShape, Shape and Size, which read no elements of a
 * tensor; Range, of constants; Cast.
 *
 * Elements of all types are held as floats. So Cast between float types changes
 * nothing, and Cast to whole numbers truncates. */
#include <math.h>

#include "ops/gradient.h"

static const float *constant_values(const AeStep *step, AeShape *shape,
                                    gboolean *integer)
{
    const AeTensor *tensor = ae_node_tensor(step->node, "value");
    const float *values;
    int n;

    *integer = FALSE;
    if (tensor) {
        *shape = tensor->shape;
        *integer = tensor->integer;
        step->out[0]->element = tensor->element;
        return tensor->data;
    }
    values = ae_node_floats(step->node, "value_float", &n);
    *shape = ae_shape(0);
    if (values)
        return values;
    values = ae_node_floats(step->node, "value_floats", &n);
    *shape = (AeShape){.rank = 1, .dim = {n}};
    return values;
}

static const int64_t *constant_ints(const AeStep *step, AeShape *shape)
{
    int n;
    const int64_t *values = ae_node_ints(step->node, "value_int", &n);

    *shape = ae_shape(0);
    if (values)
        return values;
    values = ae_node_ints(step->node, "value_ints", &n);
    *shape = (AeShape){.rank = 1, .dim = {n}};
    return values;
}

static gboolean constant_plan(AeStep *step, GError **error)
{
    AeShape shape;
    gboolean integer;

    if (!constant_values(step, &shape, &integer)) {
        integer = TRUE;
        if (!constant_ints(step, &shape))
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "needs value, value_float, value_floats, "
                                "value_int or value_ints");
    }
    step->units = 1;
    step->out[0]->integer = integer;
    return ae_step_set_output(step, 0, &shape, error);
}

static void constant_forward(const AeStep *step, int64_t begin G_GNUC_UNUSED,
                             int64_t end G_GNUC_UNUSED,
                             float *scratch G_GNUC_UNUSED)
{
    AeShape shape;
    gboolean integer;
    const float *floats = constant_values(step, &shape, &integer);
    int64_t n = ae_shape_elements(&step->out[0]->shape);
    const int64_t *ints;

    if (floats) {
        memcpy(step->out[0]->data, floats, n * sizeof *floats);
        return;
    }
    ints = constant_ints(step, &shape);
    for (int64_t i = 0; i < n; i++)
        step->out[0]->data[i] = (float)ints[i];
}

static gboolean constant_of_shape_plan(AeStep *step, GError **error)
{
    const AeTensor *value = ae_node_tensor(step->node, "value");
    AeShape shape;

    if (!ae_step_input_ints(step, 0, shape.dim, AE_MAX_RANK, &shape.rank,
                            error))
        return FALSE;
    if (value && ae_shape_elements(&value->shape) != 1)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "'value' must hold one element");
    step->units = 1;
    step->out[0]->integer = value && value->integer;
    return ae_step_set_output(step, 0, &shape, error);
}

static void constant_of_shape_forward(const AeStep *step,
                                      int64_t begin G_GNUC_UNUSED,
                                      int64_t end G_GNUC_UNUSED,
                                      float *scratch G_GNUC_UNUSED)
{
    const AeTensor *value = ae_node_tensor(step->node, "value");
    int64_t n = ae_shape_elements(&step->out[0]->shape);

    for (int64_t i = 0; i < n; i++)
        step->out[0]->data[i] = value ? value->data[0] : 0;
}

/* Attribute `start` or `end` (opset 15), brought into 0 .. rank. */
static int shape_bound(const AeStep *step, const char *name, int64_t fallback)
{
    int rank = step->in[0]->shape.rank;
    int64_t bound = ae_node_int(step->node, name, fallback);

    return (int)CLAMP(bound < 0 ? bound + rank : bound, 0, rank);
}

static gboolean shape_plan(AeStep *step, GError **error)
{
    int start = shape_bound(step, "start", 0);
    int end = shape_bound(step, "end", step->in[0]->shape.rank);
    AeShape shape = {.rank = 1, .dim = {MAX(end - start, 0)}};

    step->units = 1;
    step->out[0]->integer = TRUE;
    return ae_step_set_output(step, 0, &shape, error);
}

static void shape_forward(const AeStep *step, int64_t begin G_GNUC_UNUSED,
                          int64_t end G_GNUC_UNUSED,
                          float *scratch G_GNUC_UNUSED)
{
    int start = shape_bound(step, "start", 0);

    for (int64_t i = 0; i < step->out[0]->shape.dim[0]; i++)
        step->out[0]->data[i] = (float)step->in[0]->shape.dim[start + i];
}

static gboolean size_plan(AeStep *step, GError **error)
{
    AeShape shape = {.rank = 0};

    step->out[0]->integer = TRUE;
    return ae_step_set_output(step, 0, &shape, error);
}

static void size_forward(const AeStep *step, int64_t begin G_GNUC_UNUSED,
                         int64_t end G_GNUC_UNUSED,
                         float *scratch G_GNUC_UNUSED)
{
    *step->out[0]->data = (float)ae_shape_elements(&step->in[0]->shape);
}

static gboolean range_plan(AeStep *step, GError **error)
{
    AeShape shape = {.rank = 1};
    double count;

    for (int i = 0; i < 3; i++)
        if (!step->in[i]->constant ||
            ae_shape_elements(&step->in[i]->shape) != 1)
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "its input %d must be a constant of one "
                                "element",
                                i);
    count = ceil(((double)*step->in[1]->data - *step->in[0]->data) /
                 *step->in[2]->data);
    if (!(fabs(count) < G_MAXINT32)) /* NaN, too */
        return ae_step_fail(
            step, error, AE_ERROR_VALUE, "from %g to %g by %g is no range",
            (double)*step->in[0]->data, (double)*step->in[1]->data,
            (double)*step->in[2]->data);
    shape.dim[0] = (int64_t)MAX(count, 0);
    step->out[0]->integer = step->in[0]->integer;
    return ae_step_set_output(step, 0, &shape, error);
}

static void range_forward(const AeStep *step, int64_t begin G_GNUC_UNUSED,
                          int64_t end G_GNUC_UNUSED,
                          float *scratch G_GNUC_UNUSED)
{
    for (int64_t i = 0; i < step->out[0]->shape.dim[0]; i++)
        step->out[0]->data[i] =
            *step->in[0]->data + (float)i * *step->in[2]->data;
}

static gboolean is_float(int64_t type)
{
    return type == AE_ELEMENT_FLOAT || type == AE_ELEMENT_FLOAT16 ||
           type == AE_ELEMENT_DOUBLE || type == AE_ELEMENT_BFLOAT16;
}

static gboolean cast_plan(AeStep *step, GError **error)
{
    int64_t type = ae_node_int(step->node, "to", 0);

    if (!is_float(type) &&
        (type < AE_ELEMENT_FLOAT || type > AE_ELEMENT_UINT64 ||
         type == AE_ELEMENT_STRING))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "cannot cast to data type %" G_GINT64_FORMAT, type);
    step->units = 1;
    step->out[0]->integer = !is_float(type);
    step->alias =
        is_float(type) || (step->in[0]->integer && type != AE_ELEMENT_BOOL);
    return ae_step_set_output(step, 0, &step->in[0]->shape, error);
}

static float cast(float x, int64_t type)
{
    if (is_float(type))
        return x;
    return type == AE_ELEMENT_BOOL ? x != 0 : truncf(x);
}

static void cast_forward(const AeStep *step, int64_t begin G_GNUC_UNUSED,
                         int64_t end G_GNUC_UNUSED,
                         float *scratch G_GNUC_UNUSED)
{
    int64_t n = ae_shape_elements(&step->out[0]->shape);
    int64_t type = ae_node_int(step->node, "to", 0);

    for (int64_t i = 0; i < n; i++)
        step->out[0]->data[i] = cast(step->in[0]->data[i], type);
}

static void cast_backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const AeOperand *x = step->in[0], *y = step->out[0];

    if (!ae_step_wants(step, 0) || x->grad == y->grad)
        return;
    ae_step_clear_gradient(step, 0);
    if (!y->integer)
        step->kernels->add(x->grad, x->grad, y->grad,
                           ae_shape_elements(&x->shape));
}

const AeOperator ae_ops_constant[] = {
    {
        .name = "Constant",
        .max_out = 1,
        .plan = constant_plan,
        .forward = constant_forward,
    },
    {
        .name = "ConstantOfShape",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .plan = constant_of_shape_plan,
        .forward = constant_of_shape_forward,
    },
    {
        .name = "Shape",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .fold = AE_FOLD_SHAPES,
        .plan = shape_plan,
        .forward = shape_forward,
    },
    {
        .name = "Size",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .fold = AE_FOLD_SHAPES,
        .plan = size_plan,
        .forward = size_forward,
    },
    {
        .name = "Range",
        .min_in = 3,
        .max_in = 3,
        .max_out = 1,
        .plan = range_plan,
        .forward = range_forward,
    },
    {
        .name = "Cast",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .plan = cast_plan,
        .forward = cast_forward,
        .backward = cast_backward,
    },
    {NULL},
};
