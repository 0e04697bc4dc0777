/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every set of kernels against plain C, on random and extreme input; with
 * --bench, their speed as a share of this core's measured peak. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels.h"

#define GUARD 12345.0f

static const AeKernels *plain;

/* Uniform in [-1, 1). */
static float *random_floats(GRand *random, size_t n)
{
    float *v = g_new(float, n);

    for (size_t i = 0; i < n; i++)
        v[i] = g_rand_double_range(random, -1, 1);
    return v;
}

static float *guard_floats(size_t n)
{
    float *v = g_new(float, n);

    for (size_t i = 0; i < n; i++)
        v[i] = GUARD;
    return v;
}

static void assert_near(const AeKernels *kernels, const float *found,
                        const float *expected, size_t n, float relative,
                        float absolute)
{
    for (size_t i = 0; i < n; i++) {
        const float e = expected[i], f = found[i];

        if (e == f || (isnan(e) && isnan(f)))
            continue;
        if (!(fabsf(e - f) <= relative * fabsf(e) + absolute))
            g_error("%s: element %zu is %.9g instead of %.9g", kernels->name, i,
                    f, e);
    }
}

typedef struct {
    int segments, k, co, n;
    int in_step, out_extra;
    AeActivation activation;
    gboolean bias, residual;
} ConvCase;

static const ConvCase conv_cases[] = {
    {1, 1, 1, 1, 1, 0, AE_ACTIVATION_NONE, FALSE, FALSE}, /* smallest */
    {3, 3, 16, 29, 1, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 24, 8, 31, 8, 0, AE_ACTIVATION_RELU, TRUE, TRUE},
    {3, 48, 16, 12, 16, 3, AE_ACTIVATION_LEAKY_RELU, TRUE, TRUE},
    {3, 48, 19, 13, 16, 0, AE_ACTIVATION_PRELU, TRUE, FALSE},
    {3, 96, 32, 25, 32, 0, AE_ACTIVATION_NONE, TRUE, FALSE},
    {2, 15, 49, 7, 5, 1, AE_ACTIVATION_PRELU, FALSE, TRUE},
    {9, 5, 64, 11, 10, 64, AE_ACTIVATION_NONE, TRUE, TRUE}, /* stride 2 */
    {5, 25, 5, 24, 5, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {1, 7, 6, 5, 7, 2, AE_ACTIVATION_LEAKY_RELU, TRUE, FALSE},
    {3, 48, 1, 33, 16, 0, AE_ACTIVATION_NONE, TRUE, TRUE}, /* few channels */
    {3, 24, 1, 15, 8, 1, AE_ACTIVATION_PRELU, TRUE, FALSE},
    {3, 48, 2, 17, 16, 0, AE_ACTIVATION_RELU, TRUE, TRUE},
    {3, 48, 3, 10, 16, 0, AE_ACTIVATION_PRELU, TRUE, TRUE},
    {3, 12, 4, 21, 4, 0, AE_ACTIVATION_LEAKY_RELU, TRUE, TRUE},
    {3, 48, 4, 22, 16, 4, AE_ACTIVATION_PRELU, FALSE, FALSE},
    {3, 9, 3, 40, 3, 0, AE_ACTIVATION_SIGMOID, TRUE, FALSE},
    {3, 9, 4, 9, 3, 1, AE_ACTIVATION_TANH, TRUE, TRUE},
    {1, 20, 17, 6, 20, 0, AE_ACTIVATION_ELU, TRUE, FALSE},
    {1, 20, 33, 6, 20, 2, AE_ACTIVATION_SOFTPLUS, TRUE, FALSE},
    {0, 3, 9, 6, 3, 2, AE_ACTIVATION_RELU, TRUE, TRUE}, /* no taps */
    {0, 4, 1, 6, 3, 2, AE_ACTIVATION_NONE, TRUE, FALSE},
    {3, 3, 8, 0, 1, 0, AE_ACTIVATION_NONE, TRUE, FALSE}, /* no pixels */
};

typedef struct {
    float *in, *weights, *bias, *slope, *residual;
    const float **segment;
} ConvData;

static ConvData conv_data_new(GRand *random, const ConvCase *c)
{
    const size_t length = MAX(c->n - 1, 0) * c->in_step + c->k;
    ConvData d;

    d.in = random_floats(random, MAX(c->segments, 1) * length);
    d.weights = random_floats(random, MAX(c->segments, 1) * c->k * c->co);
    d.bias = random_floats(random, c->co);
    d.slope = random_floats(random, c->co);
    d.residual = random_floats(random, c->n * (c->co + 1) + 1);
    d.segment = g_new(const float *, c->segments + 1);
    for (int s = 0; s < c->segments; s++)
        d.segment[s] = d.in + s * length;
    return d;
}

static void conv_data_clear(ConvData *d)
{
    g_free(d->in);
    g_free(d->weights);
    g_free(d->bias);
    g_free(d->slope);
    g_free(d->residual);
    g_free(d->segment);
}

static AeConvRow conv_row_new(const ConvCase *c, const ConvData *d)
{
    return (AeConvRow){
        .segment = d->segment,
        .segments = c->segments,
        .k = c->k,
        .in_step = c->in_step,
        .bias = c->bias ? d->bias : NULL,
        .residual = c->residual ? d->residual : NULL,
        .residual_step = c->co + 1,
        .out_step = c->co + c->out_extra,
        .n = c->n,
        .co = c->co,
        .activation = c->activation,
        .alpha = 0.3f,
        .slope = c->activation == AE_ACTIVATION_PRELU ? d->slope : NULL,
    };
}

/* Weights are handed over transposed, as [o][s][i]. */
static float *conv_run(const AeKernels *kernels, const ConvCase *c,
                       const ConvData *d, gboolean in_place)
{
    const size_t size = c->n * (c->co + MAX(c->out_extra, in_place)) + 1;
    float *out = guard_floats(size);
    g_autofree float *packed =
        guard_floats(kernels->conv_packed(c->segments, c->k, c->co) + 1);
    AeConvRow row = conv_row_new(c, d);

    kernels->conv_pack(packed, c->segments, c->k, c->co, d->weights, c->k, 1,
                       (int64_t)c->segments * c->k);
    row.weights = packed;
    row.out = out;
    if (in_place) {
        memcpy(out, d->residual, c->n * (c->co + 1) * sizeof *out);
        row.residual = out;
        row.out_step = c->co + 1;
    }
    kernels->conv_row(&row);
    g_assert_cmpfloat(packed[kernels->conv_packed(c->segments, c->k, c->co)],
                      ==, GUARD);
    return out;
}

/* Terms are at most 1 and each sum rounds by 2^-24 of itself a term. */
static void test_conv_row(gconstpointer data)
{
    const AeKernels *kernels = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    for (size_t i = 0; i < G_N_ELEMENTS(conv_cases); i++)
        for (int in_place = 0; in_place < 2; in_place++) {
            const ConvCase *c = &conv_cases[i];
            const int step = c->co + MAX(c->out_extra, in_place);
            ConvData d = conv_data_new(random, c);
            g_autofree float *expected = conv_run(plain, c, &d, in_place);
            g_autofree float *found = conv_run(kernels, c, &d, in_place);

            if (c->out_extra > in_place)
                in_place = 1;
            assert_near(kernels, found, expected, c->n * step + 1, 1e-6f,
                        1e-6f * (4 + c->segments * c->k));
            conv_data_clear(&d);
        }
}

static void test_conv_weights(gconstpointer data)
{
    const AeKernels *kernels = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(2);

    for (size_t i = 0; i < G_N_ELEMENTS(conv_cases); i++) {
        const ConvCase *c = &conv_cases[i];
        const size_t size = c->segments * c->k * c->co;
        ConvData d = conv_data_new(random, c);
        g_autofree float *expected = g_memdup2(d.weights, size * sizeof(float));
        g_autofree float *found = g_memdup2(d.weights, size * sizeof(float));
        AeConvWeights row = {
            .segment = d.segment,
            .segments = c->segments,
            .k = c->k,
            .in_step = c->in_step,
            .gradient = d.residual,
            .gradient_step = c->co + 1,
            .n = c->n,
            .co = c->co,
            .weight = expected,
        };

        plain->conv_weights(&row);
        row.weight = found;
        kernels->conv_weights(&row);
        assert_near(kernels, found, expected, size, 1e-6f, 1e-6f * (4 + c->n));
        conv_data_clear(&d);
    }
}

static void test_depthwise(gconstpointer data)
{
    const AeKernels *kernels = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(3);

    for (size_t i = 0; i < G_N_ELEMENTS(conv_cases); i++) {
        ConvCase c = conv_cases[i];

        c.k = c.co;
        ConvData d = conv_data_new(random, &c);
        const size_t size = c.n * (c.co + c.out_extra) + 1;
        g_autofree float *expected = guard_floats(size);
        g_autofree float *found = guard_floats(size);
        AeDepthwiseRow row = {
            .tap = d.segment,
            .taps = c.segments,
            .in_step = c.in_step,
            .weights = d.weights,
            .bias = c.bias ? d.bias : NULL,
            .residual = c.residual ? d.residual : NULL,
            .residual_step = c.co + 1,
            .out = expected,
            .out_step = c.co + c.out_extra,
            .n = c.n,
            .c = c.co,
            .activation = c.activation,
            .alpha = 0.3f,
            .slope = c.activation == AE_ACTIVATION_PRELU ? d.slope : NULL,
        };

        plain->depthwise_row(&row);
        row.out = found;
        kernels->depthwise_row(&row);
        assert_near(kernels, found, expected, size, 1e-6f, 1e-5f);
        conv_data_clear(&d);
    }
}

typedef struct {
    int ci, co, n, first, last;
    AeActivation activation;
    gboolean bias, residual;
} WinogradCase;

static const WinogradCase winograd_cases[] = {
    {1, 5, 1, 0, 1, AE_ACTIVATION_NONE, FALSE, FALSE},
    {8, 8, 52, 0, 4, AE_ACTIVATION_RELU, TRUE, TRUE},
    {12, 16, 7, 1, 3, AE_ACTIVATION_LEAKY_RELU, TRUE, FALSE},
    {16, 12, 30, 3, 4, AE_ACTIVATION_PRELU, TRUE, TRUE},
    {19, 9, 25, 0, 2, AE_ACTIVATION_PRELU, FALSE, FALSE},
    {32, 56, 17, 2, 4, AE_ACTIVATION_TANH, TRUE, TRUE},
    {64, 33, 100, 0, 4, AE_ACTIVATION_ELU, TRUE, FALSE},
};

/* All three steps: four rows of the output, those that are not asked for left
 * alone. */
static float *winograd_run(const AeKernels *kernels, const WinogradCase *c,
                           const float *inputs, const float *weights,
                           const float *others)
{
    const int tiles = (c->n + 3) / 4, length = (4 * tiles + 2) * c->ci;
    const int width = (int)kernels->conv_packed(1, 16, c->co) / 16;
    const size_t size = kernels->conv_packed(1, c->ci, c->co);
    g_autofree float *v = guard_floats((size_t)36 * tiles * c->ci);
    g_autofree float *u = guard_floats(36 * size);
    g_autofree float *m = guard_floats((size_t)36 * tiles * width);
    float *out = guard_floats((size_t)4 * c->n * c->co);
    AeWinogradInput in = {.step = c->ci, .tiles = tiles, .c = c->ci, .v = v};
    const AeWinogradProducts products = {v, u, tiles, c->ci, c->co, width, m};
    const AeWinogradOutput output = {
        .m = m,
        .tiles = tiles,
        .width = width,
        .c = c->co,
        .n = c->n,
        .first = c->first,
        .last = c->last,
        .bias = c->bias ? others : NULL,
        .residual = c->residual ? others : NULL,
        .out = out,
        .row = c->n * c->co,
        .activation = c->activation,
        .alpha = 0.3f,
        .slope = c->activation == AE_ACTIVATION_PRELU ? others + 1 : NULL,
    };

    for (int i = 0; i < 6; i++)
        in.row[i] = inputs + i * length;
    for (int p = 0; p < 36; p++)
        kernels->conv_pack(u + p * size, 1, c->ci, c->co,
                           weights + p * c->ci * c->co, 0, c->co, 1);
    kernels->winograd_input(&in);
    kernels->winograd_multiply(&products);
    kernels->winograd_output(&output);
    return out;
}

/* The transforms' rows sum to at most 10 on the way in and 18 on the way out,
 * in each of two directions: so much larger may terms be that cancel. */
static void test_winograd(gconstpointer data)
{
    const AeKernels *kernels = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(10);

    for (size_t i = 0; i < G_N_ELEMENTS(winograd_cases); i++) {
        const WinogradCase *c = &winograd_cases[i];
        const size_t size = (size_t)4 * c->n * c->co;
        g_autofree float *inputs =
            random_floats(random, (size_t)6 * (c->n + 6) * c->ci);
        g_autofree float *weights =
            random_floats(random, (size_t)36 * c->ci * c->co);
        g_autofree float *others = random_floats(random, size + c->co + 1);
        g_autofree float *expected =
            winograd_run(plain, c, inputs, weights, others);
        g_autofree float *found =
            winograd_run(kernels, c, inputs, weights, others);

        assert_near(kernels, found, expected, size, 1e-6f,
                    1e-7f * 10 * 10 * 18 * 18 * sqrtf(c->ci));
    }
}

static const float extremes[] = {
    0,     -0.0f,    1,         -1,          0.5f,       0.625f, -0.625f,
    1e-4f, -1e-4f,   1e-20f,    -1e-20f,     1e-42f,     1e30f,  -1e30f,
    88.7f, 88.8f,    -87.3f,    -88,         -103,       -104,   -200,
    200,   INFINITY, -INFINITY, NAN,         1e-38f,     3e38f,  17,
    -17,   9,        -9,        0.70710677f, 0.7071068f,
};

/* The extremes, then random numbers of growing size; @n in all. */
static float *difficult_floats(GRand *random, int n)
{
    float *v = random_floats(random, n);

    for (int i = 0; i < n; i++)
        v[i] = i < (int)G_N_ELEMENTS(extremes) ? extremes[i] : v[i] * (i % 100);
    return v;
}

typedef void (*Unary)(float *y, const float *x, int64_t n);

static void compare_unary(const AeKernels *kernels, Unary expected, Unary found)
{
    static const int sizes[] = {0, 1, 3, 7, 16, 33, 5001};
    g_autoptr(GRand) random = g_rand_new_with_seed(4);

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const int n = sizes[i];
        g_autofree float *x = difficult_floats(random, n);
        g_autofree float *e = guard_floats(n + 1), *f = guard_floats(n + 1);

        expected(e, x, n);
        found(f, x, n);
        assert_near(kernels, f, e, n + 1, 2e-7f, 1.5e-45f);
        found(x, x, n);
        if (n > 0)
            g_assert_cmpmem(x, n * sizeof *x, f, n * sizeof *f);
    }
}

static void test_exp_log(gconstpointer data)
{
    const AeKernels *kernels = data;

    compare_unary(kernels, plain->exp, kernels->exp);
    compare_unary(kernels, plain->log, kernels->log);
}

/* Two roundings more than exp has. Infinity times zero is not asked. */
static void test_activate(gconstpointer data)
{
    const AeKernels *kernels = data;
    const int n = 5003;
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    g_autofree float *x = difficult_floats(random, n);
    g_autofree float *dy = random_floats(random, n);

    for (AeActivation a = AE_ACTIVATION_NONE; a <= AE_ACTIVATION_SOFTPLUS;
         a++) {
        g_autofree float *e = guard_floats(n + 1), *f = guard_floats(n + 1);
        g_autofree float *de = random_floats(random, n);
        g_autofree float *df = g_memdup2(de, n * sizeof *de);

        if (a == AE_ACTIVATION_PRELU)
            continue;
        plain->activate(e, x, n, a, 0.3f);
        kernels->activate(f, x, n, a, 0.3f);
        assert_near(kernels, f, e, n + 1, 5e-7f, 1.5e-45f);
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            plain->activate_gradient(de, e, dy, n, a, 0.3f, accumulate);
            kernels->activate_gradient(df, e, dy, n, a, 0.3f, accumulate);
            assert_near(kernels, df, de, n, 1e-6f, 1e-6f);
        }
    }
}

static void test_two(gconstpointer data)
{
    const AeKernels *kernels = data;
    const int n = 1003;
    g_autoptr(GRand) random = g_rand_new_with_seed(6);
    g_autofree float *a = difficult_floats(random, n);
    g_autofree float *b = random_floats(random, n);
    g_autofree float *e = guard_floats(n + 1), *f = guard_floats(n + 1);

    plain->add(e, a, b, n);
    kernels->add(f, a, b, n);
    assert_near(kernels, f, e, n + 1, 0, 0);
    plain->maximum(e, a, b, n);
    kernels->maximum(f, a, b, n);
    assert_near(kernels, f, e, n + 1, 0, 0);
    kernels->maximum(a, a, b, n);
    assert_near(kernels, a, e, n, 0, 0);
}

/* Rows of n pixels where a third of x equals y, floats between the pixels. */
static void test_pass_maximum(gconstpointer data)
{
    const AeKernels *kernels = data;
    const int n = 7, most = 40;
    g_autoptr(GRand) random = g_rand_new_with_seed(10);
    g_autofree float *x = random_floats(random, 2 * n * most);
    g_autofree float *y = random_floats(random, n * most);

    for (int c = 1; c <= most; c++)
        for (int overwrite = 0; overwrite < 2; overwrite++) {
            const int64_t step = c % 2 ? c : 2 * c;
            g_autofree float *de = random_floats(random, 2 * n * most);
            g_autofree float *df = g_memdup2(de, 2 * n * most * sizeof *de);
            g_autofree float *re = random_floats(random, n * most);
            g_autofree float *rf = g_memdup2(re, n * most * sizeof *re);

            for (int i = 0; i < n * c; i += 3)
                y[i] = x[i / c * step + i % c];
            plain->pass_maximum(de, x, step, y, re, n, c, overwrite);
            kernels->pass_maximum(df, x, step, y, rf, n, c, overwrite);
            assert_near(kernels, df, de, 2 * n * most, 0, 0);
            assert_near(kernels, rf, re, n * most, 0, 0);
        }
}

static void test_sum_squares(gconstpointer data)
{
    const AeKernels *kernels = data;
    const int n = 1003;
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    g_autofree float *x = random_floats(random, n);

    for (int i = 0; i < 40; i++) {
        const double e = plain->sum_squares(x, n - i);
        const double f = kernels->sum_squares(x, n - i);

        g_assert_cmpfloat(fabs(e - f), <=, 1e-13 * e);
    }
}

static void test_adam(gconstpointer data)
{
    const AeKernels *kernels = data;
    const AeAdam adam = {1e-2f, 0.9f, 0.999f, 1e-8f, 0.5f};
    const int n = 1003;
    g_autoptr(GRand) random = g_rand_new_with_seed(8);
    float *state[2][3];
    g_autofree float *gradient = random_floats(random, n);

    for (int j = 0; j < 3; j++) {
        state[0][j] = j ? g_new0(float, n) : random_floats(random, n);
        state[1][j] = g_memdup2(state[0][j], n * sizeof(float));
    }
    for (int step = 0; step < 3; step++) {
        plain->adam(state[0][0], gradient, state[0][1], state[0][2], n, &adam);
        kernels->adam(state[1][0], gradient, state[1][1], state[1][2], n,
                      &adam);
    }
    for (int j = 0; j < 3; j++) {
        assert_near(kernels, state[1][j], state[0][j], n, 1e-6f, 1e-7f);
        g_free(state[0][j]);
        g_free(state[1][j]);
    }
}

static const struct {
    const char *name;
    int segments, ci, kw, co;
} bench_cases[] = {
    {"3x3 8->8", 3, 8, 3, 8},     {"3x3 16->16", 3, 16, 3, 16},
    {"3x3 32->32", 3, 32, 3, 32}, {"3x3 64->64", 3, 64, 3, 64},
    {"3x3 1->16", 3, 1, 3, 16},   {"3x3 16->1", 3, 16, 3, 1},
    {"3x3 16->3", 3, 16, 3, 3},   {"3x3 16->4", 3, 16, 3, 4},
    {"3x3 8->1", 3, 8, 3, 1},     {"3x3 24->24", 3, 24, 3, 24},
    {"3x3 12->12", 3, 12, 3, 12}, {"1x1 64->64", 1, 64, 1, 64},
    {"5x5 16->16", 5, 16, 5, 16},
};

/* GFLOP/s. */
static double bench_peak(const AeKernels *kernels)
{
    float sink[2] = {0.5f, 0.25f};
    double best = 0;

    for (int i = 0; i < 20; i++) {
        const gint64 start = g_get_monotonic_time();
        const int64_t n = kernels->peak(500000, sink);

        best = MAX(best, n / 1e3 / MAX(g_get_monotonic_time() - start, 1));
    }
    return best;
}

/* The best of several runs, in GFLOP/s. */
static double bench_conv(const AeKernels *kernels, const ConvCase *c,
                         gboolean weights)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(9);
    const double work = 2.0 * c->segments * c->k * c->co * c->n;
    const int runs = MAX(1, 2e7 / work);
    ConvData d = conv_data_new(random, c);
    const size_t size = kernels->conv_packed(c->segments, c->k, c->co);
    g_autofree float *memory = g_new(float, size + 16);
    float *packed = memory + (64 - (guintptr)memory % 64) % 64 / 4;
    g_autofree float *out = g_new0(float, c->n * c->co);
    AeConvRow row = conv_row_new(c, &d);
    AeConvWeights outer = {d.segment, c->segments, c->k,  c->in_step, out,
                           c->co,     c->n,        c->co, d.weights};
    double best = 0;

    kernels->conv_pack(packed, c->segments, c->k, c->co, d.weights,
                       (int64_t)c->k * c->co, c->co, 1);
    row.weights = packed;
    row.out = out;
    for (int i = 0; i < 10; i++) {
        const gint64 start = g_get_monotonic_time();

        for (int j = 0; j < runs; j++)
            if (weights)
                kernels->conv_weights(&outer);
            else
                kernels->conv_row(&row);
        best = MAX(best,
                   work * runs / 1e3 / MAX(g_get_monotonic_time() - start, 1));
    }
    conv_data_clear(&d);
    return best;
}

static void bench(const AeKernels *kernels)
{
    static const int widths[] = {28, 64, 320};
    const double peak = bench_peak(kernels);

    printf("%s: peak %.1f GFLOP/s; forward and weights in GFLOP/s (%% of "
           "peak)\n",
           kernels->name, peak);
    for (size_t i = 0; i < G_N_ELEMENTS(bench_cases); i++) {
        printf("%12s", bench_cases[i].name);
        for (size_t j = 0; j < G_N_ELEMENTS(widths); j++) {
            ConvCase c = {
                .segments = bench_cases[i].segments,
                .k = bench_cases[i].kw * bench_cases[i].ci,
                .co = bench_cases[i].co,
                .n = widths[j],
                .in_step = bench_cases[i].ci,
                .activation = AE_ACTIVATION_RELU,
                .bias = TRUE,
            };
            const double f = bench_conv(kernels, &c, FALSE);
            const double w = bench_conv(kernels, &c, TRUE);

            printf("   w=%-3d %6.1f (%3.0f%%) %6.1f (%3.0f%%)", c.n, f,
                   100 * f / peak, w, 100 * w / peak);
        }
        printf("\n");
    }
}

static void add(const char *name, const AeKernels *kernels,
                GTestDataFunc function)
{
    g_autofree char *path =
        g_strdup_printf("/kernels/%s/%s", kernels->name, name);

    g_test_add_data_func(path, kernels, function);
}

int main(int argc, char **argv)
{
    const gboolean timed = argc > 1 && strcmp(argv[1], "--bench") == 0;

    plain = ae_kernels_nth(0);
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; ae_kernels_nth(i); i++) {
        const AeKernels *kernels = ae_kernels_nth(i);

        if (timed) {
            bench(kernels);
            continue;
        }
        add("conv-row", kernels, test_conv_row);
        add("conv-weights", kernels, test_conv_weights);
        add("depthwise", kernels, test_depthwise);
        add("winograd", kernels, test_winograd);
        add("exp-log", kernels, test_exp_log);
        add("activate", kernels, test_activate);
        add("add-maximum", kernels, test_two);
        add("pass-maximum", kernels, test_pass_maximum);
        add("sum-squares", kernels, test_sum_squares);
        add("adam", kernels, test_adam);
    }
    return timed ? 0 : g_test_run();
}
