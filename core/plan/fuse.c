/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joining operations: batch normalisation into the convolution's weights,
 * residual additions and activations into the step before them. */
#include <math.h>
#include <string.h>

#include "plan/private.h"

static const struct {
    const char *name;
    AeActivation activation;
    float alpha;
} activations[] = {
    {"Relu", AE_ACTIVATION_RELU, 0},
    {"LeakyRelu", AE_ACTIVATION_LEAKY_RELU, 0.01f},
    {"Elu", AE_ACTIVATION_ELU, 1},
    {"PRelu", AE_ACTIVATION_PRELU, 0},
    {"Sigmoid", AE_ACTIVATION_SIGMOID, 0},
    {"Tanh", AE_ACTIVATION_TANH, 0},
    {"Softplus", AE_ACTIVATION_SOFTPLUS, 0},
};

static const float *norm_input(const AePlan *plan, const AeNode *norm, int i,
                               int64_t channels)
{
    const AeOperand *operand =
        &plan->values[g_array_index(norm->inputs, int, i)].operand;

    if (!operand->constant || ae_shape_elements(&operand->shape) != channels)
        return NULL;
    return operand->data;
}

/* w[o] *= scale[o] with scale = gamma / sqrt(variance + epsilon);
 * bias = (bias - mean) * scale + beta. */
static void scale_weights(AeTensor *weight, float *bias, const float *p[4],
                          float epsilon)
{
    int64_t channels = weight->shape.dim[0];
    int64_t size = ae_shape_elements(&weight->shape) / channels;

    for (int64_t o = 0; o < channels; o++) {
        float scale = p[0][o] / sqrtf(p[3][o] + epsilon);
        for (int64_t i = 0; i < size; i++)
            weight->data[o * size + i] *= scale;
        bias[o] = (bias[o] - p[2][o]) * scale + p[1][o];
    }
}

gboolean ae_plan_fold_norm(AePlan *plan, AeStep *step, const AeNode *norm)
{
    const AeOperand *w = step->n_in > 1 ? step->in[1] : NULL;
    const float *p[4];

    if (norm == NULL || strcmp(norm->op->name, "BatchNormalization") != 0 ||
        strcmp(step->op->name, "Conv") != 0 || !w->constant ||
        w->shape.rank < 3 || w->shape.dim[0] == 0 || norm->inputs->len != 5 ||
        norm->outputs->len != 1 || ae_node_int(norm, "training_mode", 0) != 0)
        return FALSE;
    for (int i = 0; i < 4; i++)
        if ((p[i] = norm_input(plan, norm, i + 1, w->shape.dim[0])) == NULL)
            return FALSE;
    const AeOperand *b = ae_step_has(step, 2) ? step->in[2] : NULL;
    if (b != NULL &&
        (!b->constant || ae_shape_elements(&b->shape) != w->shape.dim[0]))
        return FALSE;

    AeTensor old = {.shape = w->shape, .data = w->data};
    AeTensor *weight = ae_tensor_copy(&old);
    AeShape shape = {.rank = 1, .dim = {w->shape.dim[0]}};
    AeTensor *bias = ae_tensor_new(&shape, NULL);
    if (b != NULL)
        memcpy(bias->data, b->data, (size_t)shape.dim[0] * sizeof(float));
    scale_weights(weight, bias->data, p, ae_node_float(norm, "epsilon", 1e-5f));
    step->in = g_renew(AeOperand *, step->in, 3);
    step->n_in = 3;
    step->in[1] = ae_plan_add_constant(plan, w->name, weight);
    step->in[2] = ae_plan_add_constant(plan, w->name, bias);
    step->out[0] = &plan->values[g_array_index(norm->outputs, int, 0)].operand;
    return TRUE;
}

static gboolean reads(const AeStep *step, const AeOperand *operand)
{
    for (int i = 0; i < step->n_in; i++)
        if (step->in[i] == operand)
            return TRUE;
    return step->residual == operand;
}

/* The one step that reads the output of step @i; NULL if it is not one. */
static AeStep *only_reader(const AePlan *plan, guint i, guint *index)
{
    AeStep *step = g_ptr_array_index(plan->steps, i);
    AePlanValue *out = ae_plan_value(step->out[0]);

    if (out->uses != 1 || out->delivered)
        return NULL;
    for (guint j = i + 1; j < plan->steps->len; j++)
        if (reads(g_ptr_array_index(plan->steps, j), step->out[0])) {
            *index = j;
            return g_ptr_array_index(plan->steps, j);
        }
    return NULL;
}

/* TRUE if @operand is known before step @i runs. */
static gboolean made_before(const AePlan *plan, AeOperand *operand, guint i)
{
    for (guint j = i; j < plan->steps->len; j++) {
        const AeStep *step = g_ptr_array_index(plan->steps, j);
        for (int k = 0; k < step->n_out; k++)
            if (step->out[k] == operand)
                return FALSE;
    }
    return TRUE;
}

static void absorb(AePlan *plan, AeStep *step, AeStep *reader, guint index)
{
    step->out[0] = reader->out[0];
    g_ptr_array_remove_index(plan->steps, index);
}

static gboolean fuse_residual(AePlan *plan, guint i)
{
    AeStep *step = g_ptr_array_index(plan->steps, i);
    guint index;
    AeStep *add = only_reader(plan, i, &index);

    if (add == NULL || strcmp(add->op->name, "Add") != 0 || plan->gradients)
        return FALSE;
    AeOperand *other = add->in[0] == step->out[0] ? add->in[1] : add->in[0];
    if (other == step->out[0] ||
        !ae_shape_equal(&other->shape, &step->out[0]->shape) ||
        !made_before(plan, other, i))
        return FALSE;
    step->residual = other;
    absorb(plan, step, add, index);
    return TRUE;
}

/* One slope a channel, as (c, 1, 1) for an (n, c, h, w). */
static gboolean fits_slope(const AeStep *step, const AeOperand *slope)
{
    const AeShape *out = &step->out[0]->shape;

    return slope->constant && !step->gradients &&
           slope->shape.rank == out->rank - 1 && slope->shape.rank >= 2 &&
           slope->shape.dim[0] == out->dim[1] &&
           ae_shape_elements(&slope->shape) == out->dim[1];
}

static void fuse_activation(AePlan *plan, guint i)
{
    AeStep *step = g_ptr_array_index(plan->steps, i);
    guint index;
    AeStep *reader = only_reader(plan, i, &index);

    for (size_t a = 0; reader != NULL && a < G_N_ELEMENTS(activations); a++) {
        if (strcmp(reader->op->name, activations[a].name) != 0)
            continue;
        if (activations[a].activation == AE_ACTIVATION_PRELU) {
            if (reader->in[0] != step->out[0] ||
                !fits_slope(step, reader->in[1]))
                return;
            step->slope = reader->in[1];
        }
        step->activation = activations[a].activation;
        step->alpha =
            ae_node_float(reader->node, "alpha", activations[a].alpha);
        absorb(plan, step, reader, index);
        return;
    }
}

void ae_plan_fuse(AePlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = g_ptr_array_index(plan->steps, i);
        if (!step->op->fuses)
            continue;
        if (step->packed_size > 0)
            fuse_residual(plan, i);
        fuse_activation(plan, i);
    }
}
