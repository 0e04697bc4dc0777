/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions of quantised models in whole numbers: see quantize.h. */
#include "plan/quantize.h"

#include <string.h>

#include "base/error.h"
#include "ops/conv/int8.h"

/* TRUE if all readers of @operand are steps @op with one scale. */
static gboolean only_read_by(const AePlan *plan, AeOperand *operand,
                             const char *op)
{
    float scale;
    int zero, readers = 0;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = ae_plan_step(plan, i);

        if (step->in[0] == operand && strcmp(step->op->name, op) == 0 &&
            ae_quantize_bytes(step, &scale, &zero))
            readers++;
    }
    return readers == ae_plan_value(operand)->uses;
}

/* Values that QuantizeLinear makes and DequantizeLinear alone reads become
 * bytes. */
static void mark_bytes(const AePlan *plan)
{
    float scale;
    int zero;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = ae_plan_step(plan, i);
        AeOperand *out = step->out[0];

        if (strcmp(step->op->name, "QuantizeLinear") == 0 &&
            ae_quantize_bytes(step, &scale, &zero) &&
            only_read_by(plan, out, "DequantizeLinear"))
            out->bytes = TRUE;
    }
}

/* The step DequantizeLinear that makes @operand from bytes, or NULL. */
static AeStep *dequantized(const AePlan *plan, const AeOperand *operand,
                           AeConvQuantum *quantum)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = ae_plan_step(plan, i);

        if (step->out[0] == operand &&
            ae_quantize_bytes(step, &quantum->scale, &quantum->zero) &&
            step->in[0]->bytes)
            return step;
    }
    return NULL;
}

/* The contents of input @i of @node if it is a constant of type @element, or
 * NULL. */
static const AeTensor *constant_of(const AePlan *plan, const AeNode *node,
                                   guint i, AeElement element)
{
    const AeTensor *tensor =
        i < node->inputs->len
            ? ae_model_value(plan->model, g_array_index(node->inputs, int, i))
                  ->constant
            : NULL;

    return tensor != NULL && tensor->element == element ? tensor : NULL;
}

/* The node of the model whose first output is @operand, or NULL. */
static const AeNode *node_of(const AePlan *plan, const AeOperand *operand)
{
    const AePlanValue *value = (const AePlanValue *)operand;
    const GPtrArray *nodes = plan->model->nodes;

    for (guint i = 0; i < nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(nodes, i);

        if (value == &plan->values[g_array_index(node->outputs, int, 0)])
            return node;
    }
    return NULL;
}

static gboolean is_zero(const AeTensor *tensor)
{
    for (int64_t i = 0; i < ae_shape_elements(&tensor->shape); i++)
        if (tensor->data[i] != 0)
            return FALSE;
    return TRUE;
}

/* Finds weights of signed bytes with zero point 0 and one scale, or one scale
 * an output channel; FALSE if the weights are not of this kind. */
static gboolean find_weights(const AePlan *plan, const AeStep *step,
                             AeConvInt8 *q)
{
    const AeNode *node = node_of(plan, step->in[1]);
    const int axis = strcmp(step->op->name, "ConvTranspose") == 0;
    const AeTensor *weights, *scales, *zero = NULL;
    int64_t n;

    if (node == NULL || strcmp(node->op->name, "DequantizeLinear") != 0)
        return FALSE;
    weights = constant_of(plan, node, 0, AE_ELEMENT_INT8);
    scales = constant_of(plan, node, 1, AE_ELEMENT_DEFAULT);
    if (node->inputs->len > 2)
        zero = constant_of(plan, node, 2, AE_ELEMENT_INT8);
    if (weights == NULL || scales == NULL || weights->shape.rank != 4 ||
        ae_node_int(node, "block_size", 0) != 0 ||
        (node->inputs->len > 2 && (zero == NULL || !is_zero(zero))))
        return FALSE;
    n = ae_shape_elements(&scales->shape);
    q->weights = weights->data;
    q->weight_scales = scales->data;
    q->scale_per_channel = n > 1;
    return n == 1 || (ae_node_int(node, "axis", 1) == axis &&
                      n == weights->shape.dim[axis]);
}

/* The step QuantizeLinear that makes bytes from the output of @step, if it is
 * its only reader, or NULL. */
static AeStep *quantizer_of(const AePlan *plan, const AeStep *step,
                            AeConvQuantum *quantum)
{
    AeStep *reader = ae_plan_only_reader(plan, step->out[0]);

    return reader != NULL && reader->in[0] == step->out[0] &&
                   ae_quantize_bytes(reader, &quantum->scale, &quantum->zero) &&
                   reader->out[0]->bytes
               ? reader
               : NULL;
}

/* Lets a step read the bytes before @dequantize instead of its floats. */
static void read_bytes(AeOperand **operand, const AeStep *dequantize)
{
    ae_plan_value(*operand)->uses--;
    *operand = dequantize->in[0];
    ae_plan_value(*operand)->uses++;
}

/* Makes @step one of whole numbers if it can be; FALSE if not. The error is
 * that there is no memory. */
static gboolean convert(AePlan *plan, AeStep *step, GError **error)
{
    AeConvInt8 q = {.bias = NULL};
    AeStep *in, *residual = NULL, *quantizer;

    if ((strcmp(step->op->name, "Conv") != 0 &&
         strcmp(step->op->name, "ConvTranspose") != 0) ||
        step->row_units == 0 || step->activation > AE_ACTIVATION_RELU ||
        (ae_step_has(step, 2) && !step->in[2]->constant))
        return FALSE;
    in = dequantized(plan, step->in[0], &q.in);
    if (step->residual != NULL)
        residual = dequantized(plan, step->residual, &q.residual);
    if (in == NULL || (step->residual != NULL && residual == NULL) ||
        !find_weights(plan, step, &q))
        return FALSE;
    q.bias = ae_step_has(step, 2) ? step->in[2]->data : NULL;
    quantizer = quantizer_of(plan, step, &q.out);
    if (!ae_conv_to_int8(step, &q, error))
        return FALSE;
    read_bytes(&step->in[0], in);
    if (residual != NULL)
        read_bytes(&step->residual, residual);
    if (quantizer != NULL) {
        step->out[0] = quantizer->out[0];
        g_ptr_array_remove(plan->steps, quantizer);
    }
    return TRUE;
}

/* Removes the steps DequantizeLinear whose floats nothing reads any more. */
static void remove_unread(AePlan *plan)
{
    for (guint i = plan->steps->len; i-- > 0;) {
        AeStep *step = ae_plan_step(plan, i);

        if (strcmp(step->op->name, "DequantizeLinear") != 0 ||
            ae_plan_value(step->out[0])->uses > 0)
            continue;
        ae_plan_value(step->in[0])->uses--;
        g_ptr_array_remove_index(plan->steps, i);
    }
}

gboolean ae_plan_quantize(AePlan *plan, gboolean required, GError **error)
{
    GError *failed = NULL;
    int converted = 0;

    mark_bytes(plan);
    for (guint i = 0; i < plan->steps->len && failed == NULL; i++)
        converted += convert(plan, ae_plan_step(plan, i), &failed);
    if (failed != NULL) {
        g_propagate_error(error, failed);
        return FALSE;
    }
    remove_unread(plan);
    if (converted == 0 && required)
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "the model has no convolutions in 8 bits: 'ae quantize' "
                    "makes such a model");
    return converted > 0 || !required;
}
