/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What training asks of a plan: gradients, random numbers, and changed
 * weights. */
#pragma once

#include "plan/plan.h"

G_BEGIN_DECLS

/* Random operators draw numbers from the seed and their place in the plan.
 * Takes effect from the next run on; 0 at first. */
void ae_plan_set_seed(AePlan *plan, uint64_t seed);

/* Training, with options.gradients. After a run the caller fills
 * ae_plan_output_gradient() of each output with d loss / d output.
 * ae_plan_backward() then adds d loss / d weight to @gradients, which has one
 * float for each weight: the model's trainable constants in their order, each
 * as its tensor lies in memory, without gaps. With options.input_gradients it
 * also sets ae_plan_input_gradient(). After weights have changed, call
 * ae_plan_weights_changed() before the next run. */
float *ae_plan_output_gradient(AePlan *plan, int i);
float *ae_plan_input_gradient(AePlan *plan, int i);
void ae_plan_weights_changed(AePlan *plan);
void ae_plan_backward(AePlan *plan, float *gradients);

/* The smallest batch that trains fast. */
int ae_plan_images(const AePlan *plan);

G_END_DECLS
