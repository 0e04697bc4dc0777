/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values and steps of a plan. */
#include "plan/value.h"

void ae_operand_set_contents(AeOperand *operand, const AeTensor *tensor)
{
    operand->shape = tensor->shape;
    ae_shape_strides(&tensor->shape, operand->stride);
    operand->integer = tensor->integer;
    operand->element = tensor->element;
    operand->data = tensor->data;
    operand->constant = TRUE;
}

AeOperand *ae_plan_add_constant(AePlan *plan, const char *name,
                                AeTensor *tensor)
{
    AePlanValue *value = g_new0(AePlanValue, 1);

    g_ptr_array_add(plan->extra, value);
    g_ptr_array_add(plan->tensors, tensor);
    value->alias = -1;
    value->weight = -1;
    value->operand.name = name;
    ae_operand_set_contents(&value->operand, tensor);
    return &value->operand;
}

AePlanValue *ae_plan_root(const AePlan *plan, AePlanValue *value)
{
    while (value->alias >= 0 && &plan->values[value->alias] != value)
        value = &plan->values[value->alias];
    return value;
}

static gboolean reads(const AeStep *step, const AeOperand *operand)
{
    for (int i = 0; i < step->n_in; i++)
        if (step->in[i] == operand)
            return TRUE;
    return step->residual == operand;
}

AeStep *ae_plan_only_reader(const AePlan *plan, AeOperand *operand)
{
    const AePlanValue *value = ae_plan_value(operand);

    if (value->uses != 1 || value->delivered)
        return NULL;
    for (guint i = 0; i < plan->steps->len; i++)
        if (reads(ae_plan_step(plan, i), operand))
            return ae_plan_step(plan, i);
    return NULL;
}

double ae_step_cost(const AeStep *step)
{
    double cost = 0;

    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL)
            cost += 4 * (double)ae_shape_elements(&step->out[i]->shape);
    if (step->op->multiply_adds != NULL)
        cost += (double)step->op->multiply_adds(step);
    return cost;
}
