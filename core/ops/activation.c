/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations, each a function of one element:
 *
 *   Relu       max(x, 0)
 *   LeakyRelu  x > 0 ? x : alpha x            (alpha 0.01)
 *   PRelu      x > 0 ? x : slope x            (slope broadcasts to x)
 *   Elu        x > 0 ? x : alpha (e^x - 1)    (alpha 1)
 *   Sigmoid    1 / (1 + e^-x)
 *   Tanh, Softplus  log(1 + e^x)
 *   Clip       min(max(x, low), high)
 *
 * those of the table `functions`, one element after the other in plain C, and
 * Softmax, e^x / sum of e^x along one axis, and its logarithm; before opset 13
 * over all axes from `axis` on. The activations of AeActivation (kernels.h)
 * have loops in kernels/elementwise.c and plain.c, too, and are fused into the
 * step before them (plan/fuse.c); one that need not be fused needs this file
 * alone. */
#include <math.h>

#include "ops/box.h"
#include "ops/broadcast.h"
#include "ops/gradient.h"

#define CHUNK 4096 /* elements of a unit that is no row */

typedef struct {
    AeActivation activation;
    float alpha;
} Params;

static const struct {
    const char *name;
    AeActivation activation;
    float alpha; /* if the attribute is left out */
} kinds[] = {
    {"Relu", AE_ACTIVATION_RELU, 0},
    {"LeakyRelu", AE_ACTIVATION_LEAKY_RELU, 0.01f},
    {"Elu", AE_ACTIVATION_ELU, 1},
    {"Sigmoid", AE_ACTIVATION_SIGMOID, 0},
    {"Tanh", AE_ACTIVATION_TANH, 0},
    {"Softplus", AE_ACTIVATION_SOFTPLUS, 0},
};

/* Elements of a unit, which is a row of an image or a chunk. */
static int64_t unit_length(const AeStep *step)
{
    const AeShape *shape = &step->in[0]->shape;

    return step->row_units > 0 ? shape->dim[1] * shape->dim[3] : CHUNK;
}

/* The output has the input's shape and memory order. */
static gboolean plan_chunks(AeStep *step, GError **error)
{
    int64_t n, length;

    if (!ae_step_set_output(step, 0, &step->in[0]->shape, error))
        return FALSE;
    step->out[0]->integer = step->in[0]->integer;
    n = ae_shape_elements(&step->in[0]->shape);
    step->row_units = !step->gradients && step->in[0]->shape.rank == 4 && n > 0;
    length = unit_length(step);
    step->units = (n + length - 1) / length;
    return TRUE;
}

/* The number of elements of units [begin, end). */
static int64_t chunk_length(const AeStep *step, int64_t begin, int64_t end)
{
    int64_t n = ae_shape_elements(&step->in[0]->shape);

    return MIN(end * unit_length(step), n) - begin * unit_length(step);
}

static gboolean plan(AeStep *step, GError **error)
{
    Params *params = g_new0(Params, 1);
    int kind = 0;

    step->params = params;
    while (!g_str_equal(kinds[kind].name, step->op->name))
        kind++;
    params->activation = kinds[kind].activation;
    params->alpha = ae_node_float(step->node, "alpha", kinds[kind].alpha);
    return plan_chunks(step, error);
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch G_GNUC_UNUSED)
{
    const Params *params = step->params;
    const float *x = step->in[0]->data + begin * unit_length(step);
    float *y = step->out[0]->data + begin * unit_length(step);

    step->kernels->activate(y, x, chunk_length(step, begin, end),
                            params->activation, params->alpha);
}

static void backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const Params *params = step->params;
    const AeOperand *x = step->in[0], *y = step->out[0];

    if (!ae_step_wants(step, 0))
        return;
    step->kernels->activate_gradient(
        x->grad, y->data, y->grad, ae_shape_elements(&x->shape),
        params->activation, params->alpha, ae_step_adds(step, 0));
}

/* Functions of one element with two parameters, and their slopes. */
typedef float (*Function)(float x, float alpha, float beta);

static float logistic(float x)
{
    return 1 / (1 + expf(-x));
}

static float hard_sigmoid(float x, float alpha, float beta)
{
    return CLAMP(alpha * x + beta, 0, 1);
}

static float hard_sigmoid_slope(float x, float alpha, float beta)
{
    float y = alpha * x + beta;

    return y > 0 && y < 1 ? alpha : 0;
}

static float hard_swish(float x, float alpha, float beta)
{
    return x * hard_sigmoid(x, alpha, beta);
}

static float hard_swish_slope(float x, float alpha, float beta)
{
    return hard_sigmoid(x, alpha, beta) +
           x * hard_sigmoid_slope(x, alpha, beta);
}

static float swish(float x, float alpha, float beta G_GNUC_UNUSED)
{
    return x * logistic(alpha * x);
}

static float swish_slope(float x, float alpha, float beta G_GNUC_UNUSED)
{
    float s = logistic(alpha * x);

    return s + alpha * x * s * (1 - s);
}

/* x P(X <= x) of the normal distribution (Hendrycks and Gimpel, 2016). */
static float gelu(float x, float alpha G_GNUC_UNUSED, float beta G_GNUC_UNUSED)
{
    return x / 2 * (1 + erff(x * (float)M_SQRT1_2));
}

static float gelu_slope(float x, float alpha G_GNUC_UNUSED,
                        float beta G_GNUC_UNUSED)
{
    return (1 + erff(x * (float)M_SQRT1_2)) / 2 +
           x * expf(-x * x / 2) / sqrtf(2 * (float)M_PI);
}

/* Its approximation by tanh. */
static float gelu_tanh(float x, float alpha G_GNUC_UNUSED,
                       float beta G_GNUC_UNUSED)
{
    return x *
           logistic(2 * sqrtf(2 / (float)M_PI) * (x + 0.044715f * x * x * x));
}

static float gelu_tanh_slope(float x, float alpha G_GNUC_UNUSED,
                             float beta G_GNUC_UNUSED)
{
    float scale = 2 * sqrtf(2 / (float)M_PI);
    float s = logistic(scale * (x + 0.044715f * x * x * x));

    return s + x * s * (1 - s) * scale * (1 + 3 * 0.044715f * x * x);
}

static float error_function(float x, float alpha G_GNUC_UNUSED,
                            float beta G_GNUC_UNUSED)
{
    return erff(x);
}

static float error_function_slope(float x, float alpha G_GNUC_UNUSED,
                                  float beta G_GNUC_UNUSED)
{
    return 2 / sqrtf((float)M_PI) * expf(-x * x);
}

/* x tanh(log(1 + e^x)) (Misra, 2019). */
static float mish(float x, float alpha G_GNUC_UNUSED, float beta G_GNUC_UNUSED)
{
    return x * tanhf(MAX(x, 0) + log1pf(expf(-fabsf(x))));
}

static float mish_slope(float x, float alpha G_GNUC_UNUSED,
                        float beta G_GNUC_UNUSED)
{
    float t = tanhf(MAX(x, 0) + log1pf(expf(-fabsf(x))));

    return t + x * logistic(x) * (1 - t * t);
}

static float selu(float x, float alpha, float gamma)
{
    return gamma * (x > 0 ? x : alpha * expm1f(x));
}

static float selu_slope(float x, float alpha, float gamma)
{
    return gamma * (x > 0 ? 1 : alpha * expf(x));
}

static float celu(float x, float alpha, float beta G_GNUC_UNUSED)
{
    return x > 0 ? x : alpha * expm1f(x / alpha);
}

static float celu_slope(float x, float alpha, float beta G_GNUC_UNUSED)
{
    return x > 0 ? 1 : expf(x / alpha);
}

static float softsign(float x, float alpha G_GNUC_UNUSED,
                      float beta G_GNUC_UNUSED)
{
    return x / (1 + fabsf(x));
}

static float softsign_slope(float x, float alpha G_GNUC_UNUSED,
                            float beta G_GNUC_UNUSED)
{
    return 1 / ((1 + fabsf(x)) * (1 + fabsf(x)));
}

static float thresholded(float x, float alpha, float beta G_GNUC_UNUSED)
{
    return x > alpha ? x : 0;
}

static float thresholded_slope(float x, float alpha, float beta G_GNUC_UNUSED)
{
    return x > alpha ? 1 : 0;
}

typedef struct {
    const char *name;
    Function value, slope;
    float alpha, beta;  /* if the attributes are left out */
    const char *second; /* the attribute of beta, or NULL */
} FunctionKind;

static const FunctionKind functions[] = {
    {"HardSigmoid", hard_sigmoid, hard_sigmoid_slope, 0.2f, 0.5f, "beta"},
    {"HardSwish", hard_swish, hard_swish_slope, 1 / 6.0f, 0.5f, NULL},
    {"Swish", swish, swish_slope, 1, 0, NULL},
    {"Gelu", gelu, gelu_slope, 0, 0, NULL},
    {"Erf", error_function, error_function_slope, 0, 0, NULL},
    {"Mish", mish, mish_slope, 0, 0, NULL},
    {"Selu", selu, selu_slope, 1.67326319f, 1.05070102f, "gamma"},
    {"Celu", celu, celu_slope, 1, 0, NULL},
    {"Softsign", softsign, softsign_slope, 0, 0, NULL},
    {"ThresholdedRelu", thresholded, thresholded_slope, 1, 0, NULL},
};

static gboolean function_plan(AeStep *step, GError **error)
{
    const char *approximate = ae_node_string(step->node, "approximate", "none");
    FunctionKind *kind = g_new0(FunctionKind, 1);
    int i = 0;

    step->params = kind;
    while (!g_str_equal(functions[i].name, step->op->name))
        i++;
    *kind = functions[i];
    kind->alpha = ae_node_float(step->node, "alpha", kind->alpha);
    if (kind->second != NULL)
        kind->beta = ae_node_float(step->node, kind->second, kind->beta);
    if (g_str_equal(approximate, "tanh")) {
        kind->value = gelu_tanh;
        kind->slope = gelu_tanh_slope;
    } else if (!g_str_equal(approximate, "none")) {
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the approximation '%s' is not supported",
                            approximate);
    }
    return plan_chunks(step, error);
}

static void function_forward(const AeStep *step, int64_t begin, int64_t end,
                             float *scratch G_GNUC_UNUSED)
{
    const FunctionKind *kind = step->params;
    const float *x = step->in[0]->data + begin * unit_length(step);
    float *y = step->out[0]->data + begin * unit_length(step);
    int64_t n = chunk_length(step, begin, end);

    for (int64_t i = 0; i < n; i++)
        y[i] = kind->value(x[i], kind->alpha, kind->beta);
}

static void function_backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const FunctionKind *kind = step->params;
    const float *x = step->in[0]->data, *dy = step->out[0]->grad;
    float *dx = step->in[0]->grad;
    int64_t n = ae_shape_elements(&step->in[0]->shape);

    if (!ae_step_wants(step, 0))
        return;
    ae_step_clear_gradient(step, 0);
    for (int64_t i = 0; i < n; i++)
        dx[i] += dy[i] * kind->slope(x[i], kind->alpha, kind->beta);
}

static void prelu_row(const AeRow *row)
{
    for (int64_t i = 0; i < row->n; i++) {
        float x = row->a[i * row->a_step];

        row->y[i] = x > 0 ? x : x * row->b[i * row->b_step];
    }
}

static const float *prelu_gradient(const AeRow *row, const float *dy,
                                   float *gradient, int which)
{
    for (int64_t i = 0; i < row->n; i++) {
        float x = row->a[i * row->a_step];
        float below = which == 0 ? row->b[i * row->b_step] : x;
        float above = which == 0 ? 1 : 0;

        gradient[i] = dy[i] * (x > 0 ? above : below);
    }
    return gradient;
}

/* Before opset 7 a list of slopes has one a channel. */
static void align_slope(AeStep *step)
{
    const AeShape *x = &step->in[0]->shape;
    AeOperand *slope = step->in[1];
    AeShape shape = {x->rank - 1, {1, 1, 1, 1, 1, 1, 1, 1}};

    if (step->opset >= 7 || slope->shape.rank != 1 || x->rank < 3)
        return;
    shape.dim[0] = slope->shape.dim[0];
    slope->shape = shape;
    ae_shape_strides(&shape, slope->stride);
}

static gboolean prelu_plan(AeStep *step, GError **error)
{
    static const AeElementwise prelu = {"PRelu", prelu_row, prelu_gradient};
    AeShape shape;

    align_slope(step);
    if (!ae_broadcast_shape(step, &shape, error))
        return FALSE;
    if (!ae_shape_equal(&shape, &step->in[0]->shape)) {
        g_autofree char *x = ae_shape_to_string(&step->in[0]->shape);
        g_autofree char *slope = ae_shape_to_string(&step->in[1]->shape);

        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the slope's shape %s does not broadcast to the "
                            "input's, %s",
                            slope, x);
    }
    return ae_elementwise_plan(step, &prelu, error);
}

static gboolean clip_plan(AeStep *step, GError **error)
{
    for (int i = 1; i < step->n_in; i++) {
        if (step->in[i] && ae_shape_elements(&step->in[i]->shape) != 1)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "its bounds must be scalars");
    }
    return plan_chunks(step, error);
}

static void clip_bounds(const AeStep *step, float *low, float *high)
{
    *low = -INFINITY;
    *high = INFINITY;
    if (step->opset < 11) {
        *low = ae_node_float(step->node, "min", *low);
        *high = ae_node_float(step->node, "max", *high);
    }
    if (ae_step_has(step, 1))
        *low = *step->in[1]->data;
    if (ae_step_has(step, 2))
        *high = *step->in[2]->data;
}

static void clip_forward(const AeStep *step, int64_t begin, int64_t end,
                         float *scratch G_GNUC_UNUSED)
{
    const float *x = step->in[0]->data + begin * unit_length(step);
    float *y = step->out[0]->data + begin * unit_length(step);
    int64_t n = chunk_length(step, begin, end);
    float low, high;

    clip_bounds(step, &low, &high);
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] > low ? x[i] : low;

        y[i] = v < high ? v : high;
    }
}

static void clip_backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const float *x = step->in[0]->data, *dy = step->out[0]->grad;
    float *dx = step->in[0]->grad, low, high;
    int64_t n = ae_shape_elements(&step->in[0]->shape);

    if (!ae_step_wants(step, 0))
        return;
    ae_step_clear_gradient(step, 0);
    clip_bounds(step, &low, &high);
    for (int64_t i = 0; i < n; i++)
        dx[i] += x[i] >= low && x[i] <= high ? dy[i] : 0;
}

/* A unit is one distribution: the positions of @inner, counted from one
 * position of @outer. */
typedef struct {
    AeBox outer, inner;
    int64_t n; /* elements of inner */
    gboolean log;
} Softmax;

static gboolean softmax_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[0];
    gboolean flattens = step->opset < 13;
    Softmax *softmax = g_new0(Softmax, 1);
    int64_t given = ae_node_int(step->node, "axis", flattens ? 1 : -1);
    int rank = x->shape.rank, axis = rank;

    step->params = softmax;
    if (!(flattens && given == rank) &&
        !ae_step_axis(step, given, rank, &axis, error))
        return FALSE;
    if (!ae_step_set_output(step, 0, &x->shape, error))
        return FALSE;
    for (int i = 0; i < rank; i++) {
        int place = ae_memory_axis(rank, i);
        gboolean in = flattens ? place >= axis : place == axis;

        ae_box_append(in ? &softmax->inner : &softmax->outer,
                      x->shape.dim[place], x->stride[place]);
    }
    softmax->log = g_str_equal(step->op->name, "LogSoftmax");
    softmax->n = ae_box_count(&softmax->inner);
    step->units = softmax->n > 0 ? ae_box_count(&softmax->outer) : 0;
    step->scratch = softmax->n;
    step->scratch_backward = 2 * softmax->n;
    return TRUE;
}

static void gather(float *target, const float *source, const AeBox *box)
{
    const int64_t n = ae_box_count(box);

    for (int64_t i = 0; i < n; i++)
        target[i] = source[ae_box_offset(box, i)];
}

/* Subtracts the largest of @n numbers from all. */
static void lower(float *x, int64_t n)
{
    float largest = x[0];

    for (int64_t i = 1; i < n; i++)
        largest = MAX(largest, x[i]);
    for (int64_t i = 0; i < n; i++)
        x[i] -= largest;
}

static void normalise(const AeKernels *kernels, float *x, int64_t n)
{
    double sum = 0;

    lower(x, n);
    kernels->exp(x, x, n);
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(x[i] / sum);
}

static void normalise_log(float *x, int64_t n)
{
    double sum = 0;

    lower(x, n);
    for (int64_t i = 0; i < n; i++)
        sum += exp(x[i]);
    sum = log(sum);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(x[i] - sum);
}

static void softmax_forward(const AeStep *step, int64_t begin, int64_t end,
                            float *scratch)
{
    const Softmax *softmax = step->params;

    for (int64_t unit = begin; unit < end; unit++) {
        int64_t start = ae_box_offset(&softmax->outer, unit);
        float *y = step->out[0]->data + start;

        gather(scratch, step->in[0]->data + start, &softmax->inner);
        if (softmax->log)
            normalise_log(scratch, softmax->n);
        else
            normalise(step->kernels, scratch, softmax->n);
        for (int64_t i = 0; i < softmax->n; i++)
            y[ae_box_offset(&softmax->inner, i)] = scratch[i];
    }
}

/* dx = y (dy - sum of y dy); of the logarithm dy - e^y (sum of dy). */
static void softmax_backward(const AeStep *step, float *scratch)
{
    const Softmax *softmax = step->params;
    float *y = scratch, *dy = scratch + softmax->n;

    if (!ae_step_wants(step, 0))
        return;
    ae_step_clear_gradient(step, 0);
    for (int64_t unit = 0; unit < step->units; unit++) {
        int64_t start = ae_box_offset(&softmax->outer, unit);
        float *dx = step->in[0]->grad + start;
        double sum = 0;

        gather(y, step->out[0]->data + start, &softmax->inner);
        gather(dy, step->out[0]->grad + start, &softmax->inner);
        for (int64_t i = 0; i < softmax->n; i++)
            sum += softmax->log ? dy[i] : (double)y[i] * dy[i];
        for (int64_t i = 0; i < softmax->n; i++)
            dx[ae_box_offset(&softmax->inner, i)] +=
                (float)(softmax->log ? dy[i] - exp(y[i]) * sum
                                     : y[i] * (dy[i] - sum));
    }
}

#define ACTIVATION(operator)                                                   \
    {                                                                          \
        .name = operator, .min_in = 1, .max_in = 1, .max_out = 1,              \
        .plan = plan, .forward = forward, .backward = backward,                \
    }

#define SOFTMAX(operator)                                                      \
    {                                                                          \
        .name = operator, .min_in = 1, .max_in = 1, .max_out = 1,              \
        .plan = softmax_plan, .forward = softmax_forward,                      \
        .backward = softmax_backward,                                          \
    }

#define FUNCTION(operator)                                                     \
    {                                                                          \
        .name = operator, .min_in = 1, .max_in = 1, .max_out = 1,              \
        .plan = function_plan, .forward = function_forward,                    \
        .backward = function_backward,                                         \
    }

const AeOperator ae_ops_activation[] = {
    ACTIVATION("Relu"),
    ACTIVATION("LeakyRelu"),
    ACTIVATION("Elu"),
    ACTIVATION("Sigmoid"),
    ACTIVATION("Tanh"),
    ACTIVATION("Softplus"),
    {
        .name = "PRelu",
        .min_in = 2,
        .max_in = 2,
        .max_out = 1,
        .plan = prelu_plan,
        .forward = ae_elementwise_forward,
        .backward = ae_elementwise_backward,
    },
    {
        .name = "Clip",
        .min_in = 1,
        .max_in = 3,
        .settings = 1 << 1 | 1 << 2,
        .max_out = 1,
        .plan = clip_plan,
        .forward = clip_forward,
        .backward = clip_backward,
    },
    SOFTMAX("Softmax"),
    SOFTMAX("LogSoftmax"),
    FUNCTION("HardSigmoid"),
    FUNCTION("HardSwish"),
    FUNCTION("Swish"),
    FUNCTION("Gelu"),
    FUNCTION("Erf"),
    FUNCTION("Mish"),
    FUNCTION("Selu"),
    FUNCTION("Celu"),
    FUNCTION("Softsign"),
    FUNCTION("ThresholdedRelu"),
    {NULL},
};
