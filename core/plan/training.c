/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs plans backward. */
#include "plan/training.h"

#include "plan/value.h"

void ae_plan_set_seed(AePlan *plan, uint64_t seed)
{
    plan->seed = seed;
}

void ae_plan_weights_changed(AePlan *plan)
{
    plan->weights_changed = TRUE;
}

float *ae_plan_output_gradient(AePlan *plan, int i)
{
    return plan->values[plan->outputs[i]].operand.grad;
}

float *ae_plan_input_gradient(AePlan *plan, int i)
{
    return plan->values[plan->inputs[i]].operand.grad;
}

/* Lets weights, and values that are weights under another shape, have their
 * place in @gradients. */
static void point_gradients(AePlan *plan, float *gradients)
{
    for (int i = 0; i < plan->n_values; i++) {
        AePlanValue *value = &plan->values[i];
        const AePlanValue *root = ae_plan_root(plan, value);
        if (root->operand.trainable)
            value->operand.grad = gradients + root->weight;
    }
}

static gboolean has_gradient(const AeStep *step)
{
    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL && step->out[i]->grad != NULL)
            return TRUE;
    return FALSE;
}

void ae_plan_backward(AePlan *plan, float *gradients)
{
    point_gradients(plan, gradients);
    for (guint i = plan->steps->len; i-- > 0;) {
        AeStep *step = ae_plan_step(plan, i);
        if (step->alias || !has_gradient(step))
            continue;
        step->op->backward(step, plan->scratch);
    }
}

int ae_plan_images(const AePlan *plan)
{
    int images = 1;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = ae_plan_step(plan, i);
        images = MAX(images, step->images);
    }
    return images;
}
