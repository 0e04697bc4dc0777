/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same elements under another shape: Reshape, Flatten, Squeeze, Unsqueeze,
 * Identity, and Dropout, which is the identity outside training.
 *
 * The elements keep ONNX's row-major order. If their places in memory stay the
 * same, the output is another name of the input (alias). Otherwise both shapes
 * are divided into common axes, from the last axis on, as long as one size
 * divides the other. These axes are one strided copy, which is made `outer`
 * times. */
#include "ops/gradient.h"

#define MAX_AXES (2 * AE_MAX_RANK)

typedef struct {
    int rank; /* common axes, innermost first */
    int64_t size[MAX_AXES];
    int64_t in_stride[MAX_AXES], out_stride[MAX_AXES];
    int64_t inner; /* elements of a copy */
    int64_t outer; /* copies */
} Reshape;

/* A walk through the axes of a shape from the last to the first. */
typedef struct {
    const AeOperand *operand;
    int axis;
    int64_t left, stride; /* of the axis */
} Walk;

static gboolean walk_on(Walk *walk)
{
    while (walk->left == 1 && walk->axis > 0) {
        walk->axis--;
        walk->left = walk->operand->shape.dim[walk->axis];
        walk->stride = walk->operand->stride[walk->axis];
    }
    return walk->left != 1;
}

static void walk_take(Walk *walk, int64_t size)
{
    walk->left /= size;
    walk->stride *= size;
}

static void find_common_axes(Reshape *reshape, const AeOperand *in,
                             const AeOperand *out)
{
    Walk a = {in, in->shape.rank, 1, 1}, b = {out, out->shape.rank, 1, 1};

    reshape->inner = 1;
    while (walk_on(&a) && walk_on(&b)) {
        int64_t size = MIN(a.left, b.left);

        if (a.left % size != 0 || b.left % size != 0)
            return;
        reshape->size[reshape->rank] = size;
        reshape->in_stride[reshape->rank] = a.stride;
        reshape->out_stride[reshape->rank++] = b.stride;
        reshape->inner *= size;
        walk_take(&a, size);
        walk_take(&b, size);
    }
}

/* TRUE if the elements lie in row-major order. */
static gboolean is_row_major(const AeOperand *operand)
{
    int64_t expected = 1;

    for (int i = operand->shape.rank - 1; i >= 0; i--) {
        if (operand->shape.dim[i] != 1 && operand->stride[i] != expected)
            return FALSE;
        expected *= operand->shape.dim[i];
    }
    return TRUE;
}

static gboolean keeps_memory(const Reshape *reshape, const AeStep *step)
{
    if (is_row_major(step->in[0]) && is_row_major(step->out[0]))
        return TRUE;
    for (int i = 0; i < reshape->rank; i++) {
        if (reshape->in_stride[i] != reshape->out_stride[i])
            return FALSE;
    }
    return reshape->outer == 1;
}

/* Plans an output of @shape with the elements of the input. */
static gboolean plan_as(AeStep *step, const AeShape *shape, GError **error)
{
    Reshape *reshape = g_new0(Reshape, 1);
    int64_t count = ae_shape_elements(&step->in[0]->shape), expected;

    step->params = reshape;
    if (!ae_step_set_output(step, 0, shape, error))
        return FALSE;
    expected = ae_shape_elements(shape);
    if (expected != count) {
        g_autofree char *from = ae_shape_to_string(&step->in[0]->shape);
        g_autofree char *to = ae_shape_to_string(shape);

        return ae_step_fail(step, error, AE_ERROR_SHAPE, "cannot make %s of %s",
                            to, from);
    }
    step->out[0]->integer = step->in[0]->integer;
    step->units = 0;
    if (count == 0)
        return TRUE;
    find_common_axes(reshape, step->in[0], step->out[0]);
    reshape->outer = count / reshape->inner;
    step->units = reshape->outer;
    step->alias = keeps_memory(reshape, step);
    return TRUE;
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch G_GNUC_UNUSED)
{
    const Reshape *reshape = step->params;
    const AeOperand *x = step->in[0], *y = step->out[0];

    for (int64_t unit = begin; unit < end; unit++) {
        int64_t index = unit * reshape->inner;

        ae_copy_strided(
            y->data + ae_operand_offset(y, index), reshape->out_stride,
            x->data + ae_operand_offset(x, index), reshape->in_stride,
            reshape->size, reshape->rank, FALSE);
    }
}

static void backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const Reshape *reshape = step->params;
    const AeOperand *x = step->in[0], *y = step->out[0];

    if (!ae_step_wants(step, 0) || x->grad == y->grad)
        return;
    for (int64_t unit = 0; unit < step->units; unit++) {
        int64_t index = unit * reshape->inner;

        ae_copy_strided(
            x->grad + ae_operand_offset(x, index), reshape->in_stride,
            y->grad + ae_operand_offset(y, index), reshape->out_stride,
            reshape->size, reshape->rank, ae_step_adds(step, 0));
    }
}

/* Replaces -1 and, where it means the size of the input, 0 in @shape. */
static gboolean complete(const AeStep *step, AeShape *shape, GError **error)
{
    const AeShape *in = &step->in[0]->shape;
    gboolean keeps_zero = ae_node_int(step->node, "allowzero", 0) != 0;
    int64_t known;
    int open = -1;

    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == 0 && !keeps_zero && i < in->rank)
            shape->dim[i] = in->dim[i];
        if (shape->dim[i] != -1)
            continue;
        if (open >= 0)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "its shape leaves two dimensions open");
        open = i;
        shape->dim[i] = 1;
    }
    if (open < 0)
        return TRUE;
    if (!ae_shape_count(shape, &known, error))
        return FALSE;
    shape->dim[open] = known > 0 ? ae_shape_elements(in) / known : 0;
    return TRUE;
}

static gboolean reshape_plan(AeStep *step, GError **error)
{
    AeShape shape;

    if (!ae_step_input_ints(step, 1, shape.dim, AE_MAX_RANK, &shape.rank,
                            error) ||
        !complete(step, &shape, error))
        return FALSE;
    return plan_as(step, &shape, error);
}

static gboolean flatten_plan(AeStep *step, GError **error)
{
    const AeShape *in = &step->in[0]->shape;
    int64_t given = ae_node_int(step->node, "axis", 1);
    AeShape shape = {.rank = 2, .dim = {1, 1}};
    int axis = in->rank;

    if (given != in->rank && !ae_step_axis(step, given, in->rank, &axis, error))
        return FALSE;
    for (int i = 0; i < in->rank; i++)
        shape.dim[i < axis ? 0 : 1] *= in->dim[i];
    return plan_as(step, &shape, error);
}

/* Sets @marked for the listed axes. @given: whether there is a list. */
static gboolean read_axes(const AeStep *step, int rank, gboolean *marked,
                          gboolean *given, GError **error)
{
    int64_t axes[AE_MAX_RANK];
    int n, axis;

    if (!ae_step_list(step, "axes", 1, 13, axes, AE_MAX_RANK, &n, error))
        return FALSE;
    *given = n >= 0;
    for (int i = 0; i < n; i++) {
        if (!ae_step_axis(step, axes[i], rank, &axis, error))
            return FALSE;
        if (marked[axis])
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "axis %d is listed twice", axis);
        marked[axis] = TRUE;
    }
    return TRUE;
}

static gboolean squeeze_plan(AeStep *step, GError **error)
{
    const AeShape *in = &step->in[0]->shape;
    gboolean marked[AE_MAX_RANK] = {FALSE}, given;
    AeShape shape = ae_shape(0);

    if (!read_axes(step, in->rank, marked, &given, error))
        return FALSE;
    for (int i = 0; i < in->rank; i++) {
        gboolean goes = given ? marked[i] : in->dim[i] == 1;

        if (goes && in->dim[i] != 1)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "axis %d has %" G_GINT64_FORMAT
                                " elements, only 1 can be squeezed",
                                i, in->dim[i]);
        if (!goes)
            shape.dim[shape.rank++] = in->dim[i];
    }
    return plan_as(step, &shape, error);
}

static int count_listed(const AeStep *step)
{
    int n = 0;

    if (step->opset >= 13)
        return ae_step_has(step, 1)
                   ? (int)MIN(ae_shape_elements(&step->in[1]->shape), 99)
                   : 0;
    ae_node_ints(step->node, "axes", &n);
    return n;
}

static gboolean unsqueeze_plan(AeStep *step, GError **error)
{
    const AeShape *in = &step->in[0]->shape;
    int rank = in->rank + count_listed(step), next = 0;
    gboolean marked[AE_MAX_RANK] = {FALSE}, given;
    AeShape shape = {.rank = rank};

    if (rank > AE_MAX_RANK)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "more than %d axes are not supported", AE_MAX_RANK);
    if (!read_axes(step, rank, marked, &given, error))
        return FALSE;
    if (!given)
        return ae_step_fail(step, error, AE_ERROR_VALUE, "axes are missing");
    for (int i = 0; i < rank; i++)
        shape.dim[i] = marked[i] ? 1 : in->dim[next++];
    return plan_as(step, &shape, error);
}

static gboolean identity_plan(AeStep *step, GError **error)
{
    return plan_as(step, &step->in[0]->shape, error);
}

static gboolean dropout_plan(AeStep *step, GError **error)
{
    if (step->n_out > 1 && step->out[1])
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "its mask is not supported");
    if (ae_step_has(step, 2) && (!step->in[2]->constant ||
                                 ae_shape_elements(&step->in[2]->shape) != 1 ||
                                 *step->in[2]->data != 0))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "training mode is not supported");
    return plan_as(step, &step->in[0]->shape, error);
}

#define RESHAPE(operator, min, max, outputs, rule)                             \
    {                                                                          \
        .name = operator, .min_in = min, .max_in = max, .max_out = outputs,    \
        .plan = rule, .forward = forward, .backward = backward,                \
    }

const AeOperator ae_ops_shape[] = {
    RESHAPE("Reshape", 2, 2, 1, reshape_plan),
    RESHAPE("Flatten", 1, 1, 1, flatten_plan),
    RESHAPE("Squeeze", 1, 2, 1, squeeze_plan),
    RESHAPE("Unsqueeze", 1, 2, 1, unsqueeze_plan),
    RESHAPE("Identity", 1, 1, 1, identity_plan),
    {
        .name = "Dropout",
        .min_in = 1,
        .max_in = 3,
        .max_out = 2,
        .settings = 1 << 1 | 1 << 2,
        .plan = dropout_plan,
        .forward = forward,
        .backward = backward,
    },
    {NULL},
};
