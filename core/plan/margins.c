/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Margins: see margins.h. */
#include "plan/margins.h"

/* Rows begin and end at multiples of so many floats. */
#define ALIGN 16

static gboolean knows_margins(const AeStep *step)
{
    return step->op->margins && step->row_units > 0 && !step->gradients;
}

/* Enlarges @margin to what @step needs as a reader of @value; FALSE if it
 * cannot read @value with margins. */
static gboolean read_margin(const AeStep *step, const AeOperand *value,
                            int64_t margin[2])
{
    for (int i = 1; i < step->n_in; i++)
        if (step->in[i] == value)
            return FALSE;
    if (step->n_in == 0 || step->in[0] != value)
        return step->residual != value || knows_margins(step);
    for (int i = 0; i < 2; i++)
        margin[i] = MAX(margin[i], step->margin[i]);
    return knows_margins(step);
}

/* TRUE if steps alone see the memory of value @index. */
static gboolean is_inner(const AePlan *plan, int index)
{
    const AePlanValue *value = &plan->values[index];

    for (int i = 0; i < plan->n_values; i++)
        if (i != index && plan->values[i].alias == index)
            return FALSE;
    return value->alias == index && !value->fed && !value->delivered &&
           !value->operand.bytes;
}

static void set_margin(AePlan *plan, const AeStep *maker)
{
    AeOperand *out = maker->out[0];
    int64_t row, margin[2] = {0, 0};

    if (out == NULL || !knows_margins(maker) ||
        !is_inner(plan, (int)(ae_plan_value(out) - plan->values)))
        return;
    for (guint i = 0; i < plan->steps->len; i++)
        if (!read_margin(ae_plan_step(plan, i), out, margin))
            return;
    if (margin[0] + margin[1] == 0)
        return;
    row = out->shape.dim[1] * out->shape.dim[3];
    out->margin[0] = (margin[0] + ALIGN - 1) / ALIGN * ALIGN;
    out->margin[1] =
        margin[1] + (-(out->margin[0] + row + margin[1]) & (ALIGN - 1));
}

void ae_plan_set_margins(AePlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        set_margin(plan, ae_plan_step(plan, i));
}
