/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan: a model made runnable for given shapes.
 *
 * Making a plan (build.c) does everything that can fail: it derives shapes,
 * computes values that depend on constants alone, fuses operations and
 * allocates all memory. Running a plan (plan.c) cannot fail and allocates
 * nothing. One thread at a time may use a plan; many plans may share a model.
 * The result does not depend on the number of threads in the pool.
 *
 * Values are those of the model (model.h). */
#pragma once

#include "model/metadata.h"
#include "base/pool.h"

G_BEGIN_DECLS

typedef struct AePlan AePlan;

typedef enum {
    AE_PRECISION_AUTO, /* int8 if the model is quantised, else fp32 */
    AE_PRECISION_FP32, /* floats; QuantizeLinear rounds as it stands */
    AE_PRECISION_INT8, /* convolutions of bytes; the model must be quantised */
} AePrecision;

typedef struct {
    /* Names of the values that the caller fills, and their shapes, without
     * unknown dimensions. NULL: the model's inputs. Any value but a constant
     * can be an input, such as a code; the nodes that make it are then left
     * out. */
    const char *const *inputs;
    const AeShape *shapes;
    int n_inputs;
    /* Names of the values that the caller reads; NULL: the model's outputs. */
    const char *const *outputs;
    int n_outputs;
    /* Borrowed; must outlive the plan. NULL: the calling thread alone. A plan
     * with too little work for a second thread does not use the pool, unless
     * band_rows is not 0. */
    AePool *pool;
    gboolean gradients;       /* for training (plan/training.h) */
    gboolean input_gradients; /* with gradients: also those of the inputs */
    /* Without gradients, a network of images whose steps all work row by row
     * runs a few rows at a time, so that the values between its input and its
     * output stay in the cache (bands.h); the result is the same. The number of
     * rows of the input at a time; 0: chosen by the size of the cache; -1:
     * whole images. */
    int band_rows;
    AePrecision precision; /* ignored with gradients */
    /* State, for ae_plan_run_state() (state.h): pairs of the plan's inputs and
     * outputs, both of one shape. Not with gradients. */
    const AeCarry *carries;
    int n_carries;
} AePlanOptions;

/* Makes a plan, which keeps a reference to @model. Errors: AE_ERROR_SHAPE,
 * AE_ERROR_UNSUPPORTED, AE_ERROR_VALUE, AE_ERROR_MEMORY; the message names node
 * and operator. */
AePlan *ae_plan_new(AeModel *model, const AePlanOptions *options,
                    GError **error);
void ae_plan_free(AePlan *plan);

/* The memory of input and output @i, channels-last (base/tensor.h). It belongs
 * to the plan, and its address stays. Without gradients a run may overwrite an
 * input, whose memory other values share: fill it before each run. Random
 * operators draw from ae_plan_set_seed() (plan/training.h). */
float *ae_plan_input(AePlan *plan, int i);
const float *ae_plan_output(const AePlan *plan, int i);
const AeShape *ae_plan_input_shape(const AePlan *plan, int i);
const AeShape *ae_plan_output_shape(const AePlan *plan, int i);

void ae_plan_run(AePlan *plan);

/* Facts about a plan. */
int64_t ae_plan_multiply_adds(const AePlan *plan); /* of one run */
size_t ae_plan_memory(const AePlan *plan);         /* bytes of its memory */

/* One line for each step: node, operator with the operators fused into it,
 * shape of the output, multiply-adds. Free with g_free(). */
char *ae_plan_describe(const AePlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AePlan, ae_plan_free)

G_END_DECLS
