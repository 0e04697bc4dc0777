/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of operators, and helpers for their plan functions. */
#include "ops/ops.h"

#include <stdarg.h>
#include <string.h>

static const AeOperator *const families[] = {
    ae_ops_activation, ae_ops_arrange, ae_ops_constant,    ae_ops_conv,
    ae_ops_dense,      ae_ops_einsum,  ae_ops_elementwise, ae_ops_norm,
    ae_ops_pad,        ae_ops_pool,    ae_ops_quantize,    ae_ops_random,
    ae_ops_recurrent,  ae_ops_reduce,  ae_ops_resize,      ae_ops_shape,
};

const AeOperator *ae_operator_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        for (const AeOperator *op = families[i]; op->name != NULL; op++)
            if (strcmp(op->name, name) == 0)
                return op;
    return NULL;
}

char *ae_operator_names(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        for (const AeOperator *op = families[i]; op->name != NULL; op++)
            g_ptr_array_add(names, (void *)op->name);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(", ", (char **)names->pdata);
}

gboolean ae_step_fail(const AeStep *step, GError **error, AeError code,
                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, AE_ERROR, code, "node '%s' (%s): %s", step->node->name,
                step->op->name, message);
    return FALSE;
}

gboolean ae_step_set_output(AeStep *step, int i, const AeShape *shape,
                            GError **error)
{
    int64_t count;

    if (i >= step->n_out || step->out[i] == NULL)
        return TRUE;
    if (!ae_shape_count(shape, &count, error)) {
        g_prefix_error(error, "node '%s' (%s): ", step->node->name,
                       step->op->name);
        return FALSE;
    }
    step->out[i]->shape = *shape;
    ae_shape_strides(shape, step->out[i]->stride);
    return TRUE;
}

static int64_t saturated(float x)
{
    if (x >= 9.2e18f)
        return G_MAXINT64;
    return x > -9.2e18f ? (int64_t)x : G_MININT64; /* NaN: the least */
}

gboolean ae_step_input_ints(const AeStep *step, int i, int64_t *values, int max,
                            int *n, GError **error)
{
    const AeOperand *in = ae_step_has(step, i) ? step->in[i] : NULL;

    if (in == NULL || !in->constant)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "input %d ('%s') must be a constant", i,
                            in != NULL ? in->name : "");
    int64_t count = ae_shape_elements(&in->shape);
    if (in->shape.rank > 1 || count > max)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "input '%s' must be a list of at most %d numbers",
                            in->name, max);
    for (int64_t j = 0; j < count; j++)
        values[j] = saturated(in->data[j]);
    *n = (int)count;
    return TRUE;
}

gboolean ae_step_list(const AeStep *step, const char *name, int i, int since,
                      int64_t *values, int max, int *n, GError **error)
{
    const int64_t *list;

    if (step->opset >= since && ae_step_has(step, i))
        return ae_step_input_ints(step, i, values, max, n, error);
    list = ae_node_ints(step->node, name, n);
    if (list == NULL || step->opset >= since) {
        *n = -1;
        return TRUE;
    }
    if (*n > max)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "'%s' must be a list of at most %d numbers", name,
                            max);
    memcpy(values, list, (size_t)*n * sizeof *values);
    return TRUE;
}

gboolean ae_step_axis(const AeStep *step, int64_t axis, int rank, int *result,
                      GError **error)
{
    if (axis < -rank || axis >= rank)
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "axis %" G_GINT64_FORMAT
                            " is outside a tensor of rank %d",
                            axis, rank);
    *result = (int)(axis < 0 ? axis + rank : axis);
    return TRUE;
}

int64_t ae_operand_offset(const AeOperand *operand, int64_t index)
{
    int64_t offset = 0;

    for (int i = operand->shape.rank - 1; i >= 0; i--) {
        offset += index % operand->shape.dim[i] * operand->stride[i];
        index /= operand->shape.dim[i];
    }
    return offset;
}
