/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the plan share: plan.c makes and runs the steps,
 * plan-fuse.c joins them, plan-buffers.c gives them memory. */
#pragma once

#include "ops/ops.h"
#include "plan.h"

G_BEGIN_DECLS

/* A value while planning; beside its operand. */
typedef struct {
    AeOperand operand;  /* first: an AeOperand * is an AePlanValue * */
    int alias;          /* the value whose buffer this one shares, or itself */
    int uses;           /* steps that read it, and plan outputs */
    gboolean fed;       /* one of the plan's inputs */
    gboolean delivered; /* one of its outputs */
    gboolean needs_grad;
    int64_t weight; /* offset of a trainable one in the gradients, or -1 */
} AePlanValue;

struct AePlan {
    AeModel *model;
    AePool *pool;
    const AeKernels *kernels;
    gboolean gradients;
    AePlanValue *values; /* one a value of the model */
    int n_values;
    GPtrArray *extra;      /* AePlanValue: operands that fusing made */
    GPtrArray *tensors;    /* AeTensor: contents that planning computed */
    int64_t folded;        /* floats of those that folding made */
    GPtrArray *steps;      /* AeStep, in order */
    int *inputs, *outputs; /* values */
    int n_inputs, n_outputs;

    float *arena;
    size_t arena_size;   /* floats */
    float *scratch;      /* one slice a thread */
    size_t scratch_size; /* floats a thread */
    gboolean weights_changed;
    uint64_t seed;
};

static inline AePlanValue *ae_plan_value(AeOperand *operand)
{
    return (AePlanValue *)operand;
}

/* An operand beside the model's, owned by the plan; takes @tensor. */
AeOperand *ae_plan_add_constant(AePlan *plan, const char *name,
                                AeTensor *tensor);

/* Conv followed by BatchNormalization, before the Conv is planned: replaces
 * weight, bias and output of @step where @norm (may be NULL) allows it. */
gboolean ae_plan_fold_norm(AePlan *plan, AeStep *step, const AeNode *norm);

/* Joins residual additions and activations into the steps that make their
 * operand. */
void ae_plan_fuse(AePlan *plan);

/* Gives every value and step its memory. AE_ERROR_MEMORY. */
gboolean ae_plan_assign_buffers(AePlan *plan, GError **error);

void ae_step_free(AeStep *step);

G_END_DECLS
