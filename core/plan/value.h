/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan consists of: values, the steps that make and read them, and
 * memory. build.c makes a plan, plan.c runs it; the other files of plan/ work
 * on its values and steps. Private to plan/. */
#pragma once

#include "base/pool.h"
#include "model/model.h"
#include "ops/ops.h"
#include "plan/plan.h"

G_BEGIN_DECLS

typedef struct AeBands AeBands; /* plan/bands.h */

/* A value of the model, or a constant that fusing made. */
typedef struct {
    AeOperand operand;  /* first: an AeOperand * is an AePlanValue * */
    int alias;          /* the value whose buffer this one uses, or itself; -1
                           for constants that fusing made */
    int uses;           /* steps that read it, and plan outputs */
    gboolean fed;       /* one of the plan's inputs */
    gboolean delivered; /* one of the plan's outputs */
    gboolean carried;   /* its memory is that of a state */
    gboolean made;      /* fed, constant, or made by a step */
    gboolean needs_grad;
    int64_t weight; /* offset of a trainable value in the gradients, or -1 */
} AePlanValue;

/* As AeCarry. */
typedef struct {
    int input, output;
    gboolean in_place; /* the output's memory is that of the state */
} AePlanCarry;

struct AePlan {
    AeModel *model;
    AePool *pool; /* NULL: the caller's thread alone */
    const AeKernels *kernels;
    gboolean gradients;
    AePlanValue *values; /* one for each value of the model */
    int n_values;
    GPtrArray *extra;      /* AePlanValue: constants that fusing made */
    GPtrArray *tensors;    /* AeTensor: contents of constants made here */
    int64_t folded;        /* floats of the constants that folding made */
    GPtrArray *steps;      /* AeStep, in the order in which they run */
    int *inputs, *outputs; /* indices of values */
    int n_inputs, n_outputs;
    AePlanCarry *carries;
    int n_carries;

    AeBands *bands; /* NULL: steps run on whole values, one after the other */
    float *arena;
    size_t arena_size;   /* floats */
    float *scratch;      /* one part a thread */
    size_t scratch_size; /* floats a thread */
    gboolean weights_changed;
    uint64_t seed;
};

static inline AePlanValue *ae_plan_value(AeOperand *operand)
{
    return (AePlanValue *)operand;
}

static inline AeStep *ae_plan_step(const AePlan *plan, guint i)
{
    return g_ptr_array_index(plan->steps, i);
}

static inline int ae_plan_threads(const AePlan *plan)
{
    return plan->pool != NULL ? ae_pool_threads(plan->pool) : 1;
}

/* Makes @operand a constant with the shape and contents of @tensor, which must
 * outlive it. */
void ae_operand_set_contents(AeOperand *operand, const AeTensor *tensor);

/* A constant that is no value of the model. The plan owns it and takes
 * @tensor; @name is borrowed. */
AeOperand *ae_plan_add_constant(AePlan *plan, const char *name,
                                AeTensor *tensor);

/* The value that owns the buffer of @value: itself, or through aliases
 * another. */
AePlanValue *ae_plan_root(const AePlan *plan, AePlanValue *value);

/* The only step that reads @operand, where no plan output is @operand; NULL if
 * there are more or none. */
AeStep *ae_plan_only_reader(const AePlan *plan, AeOperand *operand);

/* Work of one run of @step, in multiply-adds: those that it counts, and four
 * for each element that it makes. */
double ae_step_cost(const AeStep *step);

G_END_DECLS
