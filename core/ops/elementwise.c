/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic and logic, element by element: Add, Sub, Mul, Div, Pow, Mod, Min,
 * Max, comparisons, And, Or and Where of inputs that broadcast, and Neg, Abs,
 * Exp, Log, Sqrt, Not, Reciprocal and the roundings of one. Integers divide
 * towards zero; truth is 1 and 0. */
#include "ops/broadcast.h"

#include <math.h>
#include <string.h>

typedef float (*Binary)(float a, float b);

/* Inlined with a constant @f, so that each branch is a loop of its own. */
static inline G_ALWAYS_INLINE void each(const AeRow *row, Binary f)
{
    float *y = row->y;
    const float *a = row->a, *b = row->b;
    int64_t n = row->n;

    if (row->a_step == 1 && row->b_step == 1) {
        for (int64_t i = 0; i < n; i++)
            y[i] = f(a[i], b[i]);
    } else if (row->a_step == 1 && row->b_step == 0) {
        float constant = *b;

        for (int64_t i = 0; i < n; i++)
            y[i] = f(a[i], constant);
    } else {
        for (int64_t i = 0; i < n; i++)
            y[i] = f(a[i * row->a_step], b[i * row->b_step]);
    }
}

/* gradient[i] = dy[i] * f(a[i], b[i]). */
static inline G_ALWAYS_INLINE const float *
scaled(const AeRow *row, const float *dy, float *gradient, Binary f)
{
    AeRow slopes = *row;

    slopes.y = gradient;
    each(&slopes, f);
    for (int64_t i = 0; i < row->n; i++)
        gradient[i] *= dy[i];
    return gradient;
}

static float sum(float a, float b)
{
    return a + b;
}

static float difference(float a, float b)
{
    return a - b;
}

static float product(float a, float b)
{
    return a * b;
}

static float quotient(float a, float b)
{
    return a / b;
}

/* In double, so that a quotient just below a whole number is not rounded up. */
static float whole_quotient(float a, float b)
{
    return b == 0 ? 0 : (float)trunc((double)a / b);
}

static float smaller(float a, float b)
{
    return a < b ? a : b;
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

static float first(float a, float b G_GNUC_UNUSED)
{
    return a;
}

static float second(float a G_GNUC_UNUSED, float b)
{
    return b;
}

static void add_row(const AeRow *row)
{
    if (row->a_step == 1 && row->b_step == 1)
        row->step->kernels->add(row->y, row->a, row->b, row->n);
    else
        each(row, sum);
}

static const float *add_gradient(const AeRow *row G_GNUC_UNUSED,
                                 const float *dy, float *gradient G_GNUC_UNUSED,
                                 int which G_GNUC_UNUSED)
{
    return dy;
}

static void sub_row(const AeRow *row)
{
    each(row, difference);
}

static const float *negated(const float *dy, float *gradient, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        gradient[i] = -dy[i];
    return gradient;
}

static const float *sub_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which)
{
    return which == 0 ? dy : negated(dy, gradient, row->n);
}

static void mul_row(const AeRow *row)
{
    each(row, product);
}

static const float *mul_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which)
{
    if (which == 0)
        return scaled(row, dy, gradient, second);
    return scaled(row, dy, gradient, first);
}

static void div_row(const AeRow *row)
{
    if (row->step->out[0]->integer)
        each(row, whole_quotient);
    else
        each(row, quotient);
}

static float quotient_slope_a(float a G_GNUC_UNUSED, float b)
{
    return 1 / b;
}

static float quotient_slope_b(float a, float b)
{
    return -a / (b * b);
}

static const float *div_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which)
{
    if (which == 0)
        return scaled(row, dy, gradient, quotient_slope_a);
    return scaled(row, dy, gradient, quotient_slope_b);
}

static void pow_row(const AeRow *row)
{
    if (row->b_step == 0 && *row->b == 2) {
        AeRow square = *row;

        square.b = row->a;
        square.b_step = row->a_step;
        each(&square, product);
    } else {
        each(row, powf);
    }
}

static float power_slope_a(float a, float b)
{
    return b == 0 ? 0 : b * powf(a, b - 1);
}

static float power_slope_b(float a, float b)
{
    return a > 0 ? powf(a, b) * logf(a) : 0;
}

static const float *pow_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which)
{
    if (which == 0)
        return scaled(row, dy, gradient, power_slope_a);
    return scaled(row, dy, gradient, power_slope_b);
}

/* Min and Max of one input. */
static void copy_row(const AeRow *row)
{
    memcpy(row->y, row->a, row->n * sizeof *row->y);
}

static void min_row(const AeRow *row)
{
    if (!row->b)
        copy_row(row);
    else
        each(row, smaller);
}

static void max_row(const AeRow *row)
{
    if (!row->b)
        copy_row(row);
    else if (row->a_step == 1 && row->b_step == 1)
        row->step->kernels->maximum(row->y, row->a, row->b, row->n);
    else
        each(row, larger);
}

/* The gradient belongs to the inputs that equal the result. */
static const float *extreme_gradient(const AeRow *row, const float *dy,
                                     float *gradient, int which)
{
    const float *x = which == 0 ? row->a : row->b;
    int64_t x_step = which == 0 ? row->a_step : row->b_step;

    for (int64_t i = 0; i < row->n; i++)
        gradient[i] = x[i * x_step] == row->y[i] ? dy[i] : 0;
    return gradient;
}

static void neg_row(const AeRow *row)
{
    for (int64_t i = 0; i < row->n; i++)
        row->y[i] = -row->a[i];
}

static const float *neg_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which G_GNUC_UNUSED)
{
    return negated(dy, gradient, row->n);
}

static void abs_row(const AeRow *row)
{
    for (int64_t i = 0; i < row->n; i++)
        row->y[i] = fabsf(row->a[i]);
}

static const float *abs_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which G_GNUC_UNUSED)
{
    for (int64_t i = 0; i < row->n; i++)
        gradient[i] = row->a[i] > 0 ? dy[i] : row->a[i] < 0 ? -dy[i] : 0;
    return gradient;
}

static void exp_row(const AeRow *row)
{
    row->step->kernels->exp(row->y, row->a, row->n);
}

static const float *exp_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which G_GNUC_UNUSED)
{
    for (int64_t i = 0; i < row->n; i++)
        gradient[i] = dy[i] * row->y[i];
    return gradient;
}

static void log_row(const AeRow *row)
{
    row->step->kernels->log(row->y, row->a, row->n);
}

static const float *log_gradient(const AeRow *row, const float *dy,
                                 float *gradient, int which G_GNUC_UNUSED)
{
    for (int64_t i = 0; i < row->n; i++)
        gradient[i] = dy[i] / row->a[i];
    return gradient;
}

static void sqrt_row(const AeRow *row)
{
    for (int64_t i = 0; i < row->n; i++)
        row->y[i] = sqrtf(row->a[i]);
}

static const float *sqrt_gradient(const AeRow *row, const float *dy,
                                  float *gradient, int which G_GNUC_UNUSED)
{
    for (int64_t i = 0; i < row->n; i++)
        gradient[i] = dy[i] / (2 * row->y[i]);
    return gradient;
}

/* The sign is that of @b. */
static float floored_remainder(float a, float b)
{
    float remainder = fmodf(a, b);

    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b
                                                        : remainder;
}

static float whole_remainder(float a, float b)
{
    return b == 0 ? 0 : floored_remainder(a, b);
}

static void mod_row(const AeRow *row)
{
    if (ae_node_int(row->step->node, "fmod", 0) != 0)
        each(row, fmodf);
    else if (row->step->out[0]->integer)
        each(row, whole_remainder);
    else
        each(row, floored_remainder);
}

/* Functions without a gradient, of @a and @b. */
#define FUNCTION(name, value)                                                  \
    static float name(float a G_GNUC_UNUSED, float b G_GNUC_UNUSED)            \
    {                                                                          \
        return value;                                                          \
    }                                                                          \
    static void name##_row(const AeRow *row)                                   \
    {                                                                          \
        AeRow one = *row;                                                      \
                                                                               \
        one.b = one.b != NULL ? one.b : one.a;                                 \
        each(&one, name);                                                      \
    }

FUNCTION(equal, a == b)
FUNCTION(less, a < b)
FUNCTION(less_or_equal, a <= b)
FUNCTION(greater, a > b)
FUNCTION(greater_or_equal, a >= b)
FUNCTION(both, a != 0 && b != 0)
FUNCTION(either, a != 0 || b != 0)
FUNCTION(not, a == 0)
FUNCTION(reciprocal, 1 / a)
FUNCTION(sign, (float)((a > 0) - (a < 0)))
FUNCTION(round_down, floorf(a))
FUNCTION(round_up, ceilf(a))
FUNCTION(round_even, rintf(a))

static void where_row(const AeRow *row)
{
    for (int64_t i = 0; i < row->n; i++)
        row->y[i] = row->a[i * row->a_step] != 0 ? row->b[i * row->b_step]
                                                 : row->c[i * row->c_step];
}

static const AeElementwise kinds[] = {
    {"Add", add_row, add_gradient},
    {"Sub", sub_row, sub_gradient},
    {"Mul", mul_row, mul_gradient},
    {"Div", div_row, div_gradient},
    {"Pow", pow_row, pow_gradient},
    {"Min", min_row, extreme_gradient},
    {"Max", max_row, extreme_gradient},
    {"Neg", neg_row, neg_gradient},
    {"Abs", abs_row, abs_gradient},
    {"Exp", exp_row, exp_gradient},
    {"Log", log_row, log_gradient},
    {"Sqrt", sqrt_row, sqrt_gradient},
    {"Mod", mod_row, NULL},
    {"Where", where_row, NULL},
    {"Reciprocal", reciprocal_row, NULL},
    {"Sign", sign_row, NULL},
    {"Floor", round_down_row, NULL},
    {"Ceil", round_up_row, NULL},
    {"Round", round_even_row, NULL},
};

/* The result is true or false. */
static const AeElementwise questions[] = {
    {"Equal", equal_row, NULL},
    {"Less", less_row, NULL},
    {"LessOrEqual", less_or_equal_row, NULL},
    {"Greater", greater_row, NULL},
    {"GreaterOrEqual", greater_or_equal_row, NULL},
    {"And", both_row, NULL},
    {"Or", either_row, NULL},
    {"Not", not_row, NULL},
};

static gboolean plan(AeStep *step, GError **error)
{
    const AeElementwise *kind = kinds;

    while (!g_str_equal(kind->name, step->op->name))
        kind++;
    return ae_elementwise_plan(step, kind, error);
}

static gboolean ask(AeStep *step, GError **error)
{
    const AeElementwise *kind = questions;

    while (!g_str_equal(kind->name, step->op->name))
        kind++;
    if (!ae_elementwise_plan(step, kind, error))
        return FALSE;
    step->out[0]->integer = TRUE;
    return TRUE;
}

/* The condition is no number of the result. */
static gboolean where_plan(AeStep *step, GError **error)
{
    if (!plan(step, error))
        return FALSE;
    step->out[0]->integer = step->in[1]->integer && step->in[2]->integer;
    return TRUE;
}

#define FORWARD(operator, inputs, rule)                                        \
    {                                                                          \
        .name = operator, .min_in = inputs, .max_in = inputs, .max_out = 1,    \
        .plan = rule, .forward = ae_elementwise_forward,                       \
    }

#define ELEMENTWISE(operator, min, max)                                        \
    {                                                                          \
        .name = operator, .min_in = min, .max_in = max, .max_out = 1,          \
        .plan = plan, .forward = ae_elementwise_forward,                       \
        .backward = ae_elementwise_backward,                                   \
    }

const AeOperator ae_ops_elementwise[] = {
    ELEMENTWISE("Add", 2, 2),        ELEMENTWISE("Sub", 2, 2),
    ELEMENTWISE("Mul", 2, 2),        ELEMENTWISE("Div", 2, 2),
    ELEMENTWISE("Pow", 2, 2),        ELEMENTWISE("Min", 1, G_MAXINT),
    ELEMENTWISE("Max", 1, G_MAXINT), ELEMENTWISE("Neg", 1, 1),
    ELEMENTWISE("Abs", 1, 1),        ELEMENTWISE("Exp", 1, 1),
    ELEMENTWISE("Log", 1, 1),        ELEMENTWISE("Sqrt", 1, 1),
    FORWARD("Mod", 2, plan),         FORWARD("Where", 3, where_plan),
    FORWARD("Reciprocal", 1, plan),  FORWARD("Sign", 1, plan),
    FORWARD("Floor", 1, plan),       FORWARD("Ceil", 1, plan),
    FORWARD("Round", 1, plan),       FORWARD("Equal", 2, ask),
    FORWARD("Less", 2, ask),         FORWARD("LessOrEqual", 2, ask),
    FORWARD("Greater", 2, ask),      FORWARD("GreaterOrEqual", 2, ask),
    FORWARD("And", 2, ask),          FORWARD("Or", 2, ask),
    FORWARD("Not", 1, ask),          {NULL},
};
