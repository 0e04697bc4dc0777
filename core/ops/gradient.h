/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a backward function treats what already lies in a gradient. */
#pragma once

#include <string.h>

#include "ops/ops.h"

G_BEGIN_DECLS

/* TRUE if in[i]->grad has to be added to; FALSE: it may be overwritten. */
static inline gboolean ae_step_adds(const AeStep *step, int i)
{
    return step->accumulate[i] || step->in[i]->trainable;
}

/* TRUE if somebody asks for the gradient of input @i. */
static inline gboolean ae_step_wants(const AeStep *step, int i)
{
    return i < step->n_in && step->in[i] && step->in[i]->grad;
}

/* Afterwards in[i]->grad can be added to. */
static inline void ae_step_clear_gradient(const AeStep *step, int i)
{
    const AeOperand *x = step->in[i];

    if (!ae_step_adds(step, i))
        memset(x->grad, 0, ae_shape_elements(&x->shape) * sizeof(float));
}

G_END_DECLS
