/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusing: fewer steps with the same result. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* Joins steps where the output of one has one reader and is no output of the
 * plan: a BatchNormalization of constants into the weights and bias of the Conv
 * before it; without gradients, the Add of a value of equal shape into a
 * convolution as its residual; an activation into the step before it. */
void ae_plan_fuse(AePlan *plan);

G_END_DECLS
