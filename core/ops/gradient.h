/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For backward functions: gradients that are added to or overwritten. */
#pragma once

#include <string.h>

#include "ops/ops.h"

G_BEGIN_DECLS

/* TRUE: backward has to add to in[i]->grad; FALSE: it overwrites it. */
static inline gboolean ae_step_adds(const AeStep *step, int i)
{
    return step->accumulate[i] || step->in[i]->trainable;
}

/* TRUE if the gradient of input @i is wanted. */
static inline gboolean ae_step_wants(const AeStep *step, int i)
{
    return i < step->n_in && step->in[i] && step->in[i]->grad;
}

/* Clears in[i]->grad unless it has to be added to. Afterwards backward adds. */
static inline void ae_step_clear_gradient(const AeStep *step, int i)
{
    const AeOperand *x = step->in[i];

    if (!ae_step_adds(step, i))
        memset(x->grad, 0, ae_shape_elements(&x->shape) * sizeof(float));
}

G_END_DECLS
