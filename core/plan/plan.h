/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan: a model made runnable for given shapes.
 *
 * Making a plan does all that can fail: shapes are derived, what depends on
 * constants alone is computed, operations are fused, and every buffer is
 * allocated. Running it cannot fail and allocates nothing. A plan belongs to
 * one thread at a time; its model may be shared by many plans.
 *
 * The result does not depend on the number of threads. */
#pragma once

#include "model/model.h"
#include "base/pool.h"

G_BEGIN_DECLS

typedef struct AePlan AePlan;

typedef enum {
    AE_PRECISION_AUTO, /* as the model says: int8 if it is quantised */
    AE_PRECISION_FP32, /* a quantised model in floats, rounding as it says */
    AE_PRECISION_INT8, /* only for quantised models */
} AePrecision;

typedef struct {
    /* Values to feed and their shapes; NULL: the model's inputs. An input can
     * be any value of the tape (a latent): what it was made from is then left
     * out. Shapes must be complete. */
    const char *const *inputs;
    const AeShape *shapes;
    int n_inputs;
    /* Values to deliver; NULL: the model's outputs. */
    const char *const *outputs;
    int n_outputs;
    /* Borrowed, outlives the plan; NULL: this thread. Work that is too small to
     * be worth a second thread does not use it, unless band_rows is set. */
    AePool *pool;
    gboolean gradients; /* backward will be called: weights stay variable */
    gboolean input_gradients; /* and so do the inputs' gradients */
    /* Without gradients, a network of images whose every step works row by row
     * is run a few rows at a time, so that what lies between its input and its
     * output stays in the cache; the result is the same. 0: rows of the input
     * as the cache suggests; -1: whole images. */
    int band_rows;
    AePrecision precision; /* without gradients */
} AePlanOptions;

/* Errors: AE_ERROR_SHAPE, AE_ERROR_UNSUPPORTED, AE_ERROR_VALUE,
 * AE_ERROR_MEMORY, each naming node and operator. Keeps a reference to
 * @model. */
AePlan *ae_plan_new(AeModel *model, const AePlanOptions *options,
                    GError **error);
void ae_plan_free(AePlan *plan);

/* Input and output buffers, channels-last, valid as long as the plan. */
float *ae_plan_input(AePlan *plan, int i);
const float *ae_plan_output(const AePlan *plan, int i);
const AeShape *ae_plan_input_shape(const AePlan *plan, int i);
const AeShape *ae_plan_output_shape(const AePlan *plan, int i);

void ae_plan_run(AePlan *plan);

/* Random operators draw from (seed, node): set it before a run. Default 0. */
void ae_plan_set_seed(AePlan *plan, uint64_t seed);

/* With options.gradients. The caller fills the gradient of each output with
 * d loss / d output, then backward adds d loss / d weight to the gradients.
 * Weights may have changed since the last run: call ae_plan_weights_changed().
 *
 * @gradients: one float per weight in the order of the model's trainable
 * constants, each as its tensor lies in memory, without gaps. */
float *ae_plan_output_gradient(AePlan *plan, int i);
float *ae_plan_input_gradient(AePlan *plan, int i);
void ae_plan_weights_changed(AePlan *plan);
void ae_plan_backward(AePlan *plan, float *gradients);

/* Facts, for `ae info` and `ae bench`. */
int64_t ae_plan_multiply_adds(const AePlan *plan); /* a run */
size_t ae_plan_memory(const AePlan *plan);         /* bytes of buffers */
int ae_plan_images(const AePlan *plan);    /* to train at once, at least */
int ae_plan_band_rows(const AePlan *plan); /* 0: it runs on whole images */

/* One line a step: node, operator (and what is fused), output shape,
 * multiply-adds. Free. */
char *ae_plan_describe(const AePlan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AePlan, ae_plan_free)

G_END_DECLS
