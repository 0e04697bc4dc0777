/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the plan share: plan.c makes and runs the steps,
 * fuse.c joins them, margins.c spares copies, memory.c gives
 * them memory, bands*.c run them on a few rows at a time. */
#pragma once

#include "ops/ops.h"
#include "plan/plan.h"

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

typedef struct AeBands AeBands;

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

    AeBands *bands; /* NULL: steps run on whole values, one by one */
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

/* Unless @precision is fp32, makes convolutions between DequantizeLinear and
 * QuantizeLinear ones of bytes. AE_ERROR_UNSUPPORTED: int8 is asked for, and
 * there are none. */
gboolean ae_plan_quantize(AePlan *plan, AePrecision precision, GError **error);

/* Gives values between convolutions zeros beside their rows. */
void ae_plan_set_margins(AePlan *plan);

static inline int ae_plan_threads(const AePlan *plan)
{
    return plan->pool != NULL ? ae_pool_threads(plan->pool) : 1;
}

/* Work of a run, in multiply-adds: those that @step counts, and four for each
 * element that it makes. */
double ae_step_cost(const AeStep *step);

/* The value that owns the buffer of @value. */
AePlanValue *ae_plan_root(const AePlan *plan, AePlanValue *value);

/* How @plan runs in bands of @rows input rows (0: chosen); NULL if it cannot
 * or would be slower. */
AeBands *ae_bands_new(AePlan *plan, int rows);
void ae_bands_free(AeBands *bands);
/* Once the plan's input, output and weights have their memory. FALSE: there is
 * none. */
gboolean ae_bands_allocate(AePlan *plan);
size_t ae_bands_memory(const AeBands *bands); /* bytes */
int ae_bands_rows(const AeBands *bands);
void ae_bands_run(AePlan *plan);

/* Gives every value and step its memory; in bands, no value between input and
 * output gets any here. AE_ERROR_MEMORY. */
gboolean ae_plan_assign_buffers(AePlan *plan, GError **error);

void ae_step_free(AeStep *step);

G_END_DECLS
