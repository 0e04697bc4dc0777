/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusing: batch normalisation into the weights of a convolution; additions of a
 * residual, and activations, into the step before them. */
#include "plan/fuse.h"

#include <math.h>
#include <string.h>

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

/* @step makes what its only reader @reader made, which goes. */
static void absorb(AePlan *plan, AeStep *step, AeStep *reader)
{
    step->out[0] = reader->out[0];
    g_ptr_array_remove(plan->steps, reader);
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

/* Conv followed by BatchNormalization, both of constants. */
static void fuse_norm(AePlan *plan, AeStep *step)
{
    AeStep *norm = ae_plan_only_reader(plan, step->out[0]);
    const AeOperand *w = step->in[1], *b;
    const float *p[4];

    if (norm == NULL || strcmp(norm->op->name, "BatchNormalization") != 0 ||
        norm->in[0] != step->out[0] || !w->constant || w->shape.dim[0] == 0)
        return;
    for (int i = 0; i < 4; i++) {
        if (!norm->in[i + 1]->constant)
            return;
        p[i] = norm->in[i + 1]->data;
    }
    b = ae_step_has(step, 2) ? step->in[2] : NULL;
    if (b != NULL && !b->constant)
        return;

    AeTensor old = {.shape = w->shape, .data = w->data};
    AeTensor *weight = ae_tensor_copy(&old, NULL);
    AeShape shape = ae_shape(1, w->shape.dim[0]);
    AeTensor *bias = ae_tensor_new(&shape, NULL);
    if (weight == NULL || bias == NULL) { /* goes without */
        ae_tensor_free(weight);
        ae_tensor_free(bias);
        return;
    }
    if (b != NULL)
        memcpy(bias->data, b->data, (size_t)shape.dim[0] * sizeof(float));
    scale_weights(weight, bias->data, p,
                  ae_node_float(norm->node, "epsilon", 1e-5f));
    step->in = g_renew(AeOperand *, step->in, 3);
    step->n_in = 3;
    step->in[1] = ae_plan_add_constant(plan, w->name, weight);
    step->in[2] = ae_plan_add_constant(plan, w->name, bias);
    absorb(plan, step, norm);
}

/* TRUE if a step before @step, or none, makes @operand. */
static gboolean made_before(const AePlan *plan, const AeOperand *operand,
                            const AeStep *step)
{
    for (guint i = plan->steps->len; i-- > 0;) {
        const AeStep *later = ae_plan_step(plan, i);
        for (int k = 0; k < later->n_out; k++)
            if (later->out[k] == operand)
                return FALSE;
        if (later == step)
            break;
    }
    return TRUE;
}

static void fuse_residual(AePlan *plan, AeStep *step)
{
    AeStep *add = ae_plan_only_reader(plan, step->out[0]);
    AeOperand *other;

    if (add == NULL || strcmp(add->op->name, "Add") != 0)
        return;
    other = add->in[0] == step->out[0] ? add->in[1] : add->in[0];
    if (!ae_shape_equal(&other->shape, &step->out[0]->shape) ||
        !made_before(plan, other, step))
        return;
    step->residual = other;
    absorb(plan, step, add);
}

/* TRUE if @slope is constant with one number a channel, as (c, 1, 1) for an
 * (n, c, h, w). */
static gboolean fits_slope(const AeStep *step, const AeOperand *slope)
{
    const AeShape *out = &step->out[0]->shape;

    return slope->constant && !step->gradients &&
           slope->shape.rank == out->rank - 1 && slope->shape.rank >= 2 &&
           slope->shape.dim[0] == out->dim[1] &&
           ae_shape_elements(&slope->shape) == out->dim[1];
}

static void fuse_activation(AePlan *plan, AeStep *step)
{
    AeStep *reader = ae_plan_only_reader(plan, step->out[0]);

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
        absorb(plan, step, reader);
        return;
    }
}

void ae_plan_fuse(AePlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = ae_plan_step(plan, i);
        if (!step->op->fuses)
            continue;
        if (strcmp(step->op->name, "Conv") == 0)
            fuse_norm(plan, step);
        if (step->packed_size > 0 && !plan->gradients)
            fuse_residual(plan, step);
        fuse_activation(plan, step);
    }
}
