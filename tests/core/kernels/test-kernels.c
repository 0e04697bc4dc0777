/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every set of kernels against plain C, on random and extreme input. With
 * -m perf the cases that are large enough are timed too, on one core, beside
 * the fused multiply-adds that it can do. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"

#define GUARD 12345.0f

static const AeKernels *plain;

/* Uniform in [-1, 1); aligned as tensors are, for timings. */
static float *random_floats(GRand *random, size_t n)
{
    float *v = aligned_alloc(64, (n * sizeof(float) / 64 + 1) * 64);

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

typedef void (*Call)(const AeKernels *kernels, const void *arguments);

/* What a call computes and moves; one of both counts. */
typedef struct {
    double operations, bytes;
} Work;

/* Calls a microsecond: the best of some tries of a millisecond or two. */
static double call_rate(const AeKernels *kernels, Call call,
                        const void *arguments)
{
    gint64 elapsed = 0;
    double best = 0;
    int calls = 1;

    for (int i = 0; i < 20; i++) {
        const gint64 begin = g_get_monotonic_time();

        for (int j = 0; j < calls; j++)
            call(kernels, arguments);
        elapsed = MAX(g_get_monotonic_time() - begin, 1);
        best = MAX(best, (double)calls / elapsed);
        calls = MAX(1, (int)(best * 2000));
    }
    return best;
}

static void call_peak(const AeKernels *kernels, const void *sink)
{
    kernels->peak(10000, (float *)sink);
}

/* With -m perf: prints how fast @call runs, unless it has too little to do. */
static void time_kernel(const AeKernels *kernels, const char *name,
                        const char *detail, Call call, const void *arguments,
                        Work work)
{
    float sink[64] = {0.5f, 0.25f};
    double rate, peak;

    if (!g_test_perf() || MAX(work.operations, work.bytes) < 4000)
        return;
    rate = call_rate(kernels, call, arguments);
    if (work.operations == 0) {
        g_test_message("%s %s %s: %.1f GB/s", kernels->name, name, detail,
                       work.bytes * rate * 1e-3);
        return;
    }
    peak = kernels->peak(10000, sink) * call_rate(kernels, call_peak, sink);
    g_test_message("%s %s %s: %.1f GFLOP/s, %.0f %% of %.1f", kernels->name,
                   name, detail, work.operations * rate * 1e-3,
                   100 * work.operations * rate / peak, peak * 1e-3);
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
    {3, 36, 6, 9, 12, 0, AE_ACTIVATION_NONE, FALSE, FALSE},
    {3, 27, 2, 9, 9, 0, AE_ACTIVATION_NONE, FALSE, FALSE},
    {1, 20, 17, 6, 20, 0, AE_ACTIVATION_ELU, TRUE, FALSE},
    {1, 20, 33, 6, 20, 2, AE_ACTIVATION_SOFTPLUS, TRUE, FALSE},
    {0, 3, 9, 6, 3, 2, AE_ACTIVATION_RELU, TRUE, TRUE}, /* no taps */
    {0, 4, 1, 6, 3, 2, AE_ACTIVATION_NONE, TRUE, FALSE},
    {3, 3, 8, 0, 1, 0, AE_ACTIVATION_NONE, TRUE, FALSE},    /* no pixels */
    {3, 24, 8, 320, 8, 0, AE_ACTIVATION_RELU, TRUE, FALSE}, /* to be timed */
    {3, 36, 12, 320, 12, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 48, 16, 320, 16, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 48, 16, 28, 16, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 72, 24, 320, 24, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 96, 32, 320, 32, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 192, 64, 320, 64, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 3, 16, 320, 1, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 48, 1, 320, 16, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 48, 3, 320, 16, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 48, 4, 320, 16, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {3, 24, 1, 320, 8, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {1, 64, 64, 320, 64, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
    {5, 80, 16, 320, 16, 0, AE_ACTIVATION_RELU, TRUE, FALSE},
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

static AeEpilogue epilogue_new(AeActivation activation, const float *bias,
                               const float *slope)
{
    return (AeEpilogue){
        .bias = bias,
        .activation = activation,
        .alpha = 0.3f,
        .slope = activation == AE_ACTIVATION_PRELU ? slope : NULL,
    };
}

static AeConvRow conv_row_new(const ConvCase *c, const ConvData *d)
{
    return (AeConvRow){
        .segment = d->segment,
        .segments = c->segments,
        .k = c->k,
        .in_step = c->in_step,
        .residual = c->residual ? d->residual : NULL,
        .residual_step = c->co + 1,
        .out_step = c->co + c->out_extra,
        .n = c->n,
        .co = c->co,
        .epilogue =
            epilogue_new(c->activation, c->bias ? d->bias : NULL, d->slope),
    };
}

static void call_conv_row(const AeKernels *kernels, const void *row)
{
    kernels->conv_row(row);
}

static void call_conv_weights(const AeKernels *kernels, const void *row)
{
    kernels->conv_weights(row);
}

static void call_depthwise_weights(const AeKernels *kernels, const void *row)
{
    kernels->depthwise_weights(row);
}

static void call_depthwise_row(const AeKernels *kernels, const void *row)
{
    kernels->depthwise_row(row);
}

static void time_conv(const AeKernels *kernels, const char *name,
                      const ConvCase *c, Call call, const void *row,
                      double operations)
{
    g_autofree char *detail = g_strdup_printf("%d x %d -> %d, %d pixels",
                                              c->segments, c->k, c->co, c->n);

    time_kernel(kernels, name, detail, call, row, (Work){operations, 0});
}

/* Weights are handed over transposed, as [o][s][i]. */
static float *conv_run(const AeKernels *kernels, const ConvCase *c,
                       const ConvData *d, gboolean in_place, gboolean timed)
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
    if (timed)
        time_conv(kernels, "conv-row", c, call_conv_row, &row,
                  2.0 * c->segments * c->k * c->co * c->n);
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
            g_autofree float *expected =
                conv_run(plain, c, &d, in_place, FALSE);
            g_autofree float *found =
                conv_run(kernels, c, &d, in_place, !in_place);

            if (c->out_extra > in_place)
                in_place = 1;
            assert_near(kernels, found, expected, c->n * step + 1, 1e-6f,
                        1e-6f * (4 + c->segments * c->k));
            conv_data_clear(&d);
        }
}

/* Rows of inputs and of gradients one float wider than they need to be. */
typedef struct {
    float *in, *gradient;
    const float **segment, **gradients;
    AeConvWeights w; /* without weights */
} WeightsData;

static WeightsData weights_data_new(GRand *random, const ConvCase *c, int rows)
{
    const size_t length = (size_t)MAX(c->n - 1, 0) * c->in_step + c->k;
    const size_t width = (size_t)c->n * (c->co + 1);
    WeightsData d;

    d.in = random_floats(random, rows * c->segments * length);
    d.gradient = random_floats(random, rows * width);
    d.segment = g_new(const float *, rows * c->segments);
    d.gradients = g_new(const float *, rows);
    for (int i = 0; i < rows * c->segments; i++)
        d.segment[i] = d.in + i * length;
    for (int i = 0; i < rows; i++)
        d.gradients[i] = d.gradient + i * width;
    d.w = (AeConvWeights){d.segment,  d.gradients, rows, c->segments, c->k,
                          c->in_step, c->co + 1,   c->n, c->co,       NULL};
    return d;
}

static void weights_data_clear(WeightsData *d)
{
    g_free(d->in);
    g_free(d->gradient);
    g_free(d->segment);
    g_free(d->gradients);
}

static void compare_weights(const AeKernels *kernels, GRand *random,
                            const ConvCase *c, int rows, gboolean depthwise)
{
    const size_t size = (size_t)c->segments * (depthwise ? 1 : c->k) * c->co;
    WeightsData d = weights_data_new(random, c, rows);
    g_autofree float *expected = random_floats(random, size + 1);
    g_autofree float *found = g_memdup2(expected, (size + 1) * sizeof(float));

    d.w.weight = expected;
    (depthwise ? plain->depthwise_weights : plain->conv_weights)(&d.w);
    d.w.weight = found;
    (depthwise ? kernels->depthwise_weights : kernels->conv_weights)(&d.w);
    assert_near(kernels, found, expected, size + 1, 1e-6f,
                1e-6f * (4 + rows * c->n));
    if (rows == 3)
        time_conv(kernels, depthwise ? "depthwise-weights" : "conv-weights", c,
                  depthwise ? call_depthwise_weights : call_conv_weights, &d.w,
                  2.0 * size * rows * c->n);
    weights_data_clear(&d);
}

static void test_conv_weights(gconstpointer data)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(2);

    for (size_t i = 0; i < G_N_ELEMENTS(conv_cases); i++)
        for (int rows = 0; rows < 4; rows++)
            compare_weights(data, random, &conv_cases[i], rows, FALSE);
}

static void test_depthwise_weights(gconstpointer data)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(11);

    for (size_t i = 0; i < G_N_ELEMENTS(conv_cases); i++)
        for (int rows = 0; rows < 4; rows++) {
            ConvCase c = conv_cases[i];

            c.k = c.in_step = c.co;
            compare_weights(data, random, &c, rows, TRUE);
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
        AeConvRow row = conv_row_new(&c, &d);

        row.weights = d.weights;
        row.out = expected;
        plain->depthwise_row(&row);
        row.out = found;
        kernels->depthwise_row(&row);
        assert_near(kernels, found, expected, size, 1e-6f, 1e-5f);
        time_conv(kernels, "depthwise-row", &c, call_depthwise_row, &row,
                  2.0 * c.segments * c.co * c.n);
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
    {16, 16, 320, 0, 4, AE_ACTIVATION_RELU, TRUE, FALSE}, /* to be timed */
    {32, 32, 320, 0, 4, AE_ACTIVATION_RELU, TRUE, FALSE},
    {64, 64, 320, 0, 4, AE_ACTIVATION_RELU, TRUE, FALSE},
};

static void call_winograd_input(const AeKernels *kernels, const void *in)
{
    kernels->winograd_input(in);
}

static void call_winograd_multiply(const AeKernels *kernels,
                                   const void *products)
{
    kernels->winograd_multiply(products);
}

static void call_winograd_output(const AeKernels *kernels, const void *out)
{
    kernels->winograd_output(out);
}

/* Of the transforms the bytes count, of the products the operations. */
static void time_winograd(const AeKernels *kernels, const WinogradCase *c,
                          const AeWinogradInput *in,
                          const AeWinogradProducts *products,
                          const AeWinogradOutput *out)
{
    const double positions = 36.0 * in->tiles;
    g_autofree char *detail =
        g_strdup_printf("%d -> %d, %d pixels", c->ci, c->co, c->n);

    time_kernel(kernels, "winograd-input", detail, call_winograd_input, in,
                (Work){0, positions * 2 * c->ci * sizeof(float)});
    time_kernel(kernels, "winograd-multiply", detail, call_winograd_multiply,
                products, (Work){positions * 2 * c->ci * c->co, 0});
    time_kernel(kernels, "winograd-output", detail, call_winograd_output, out,
                (Work){0, (positions * c->co +
                           (double)(c->last - c->first) * c->n * c->co) *
                              sizeof(float)});
}

/* All three steps: four rows of the output, those that are not asked for left
 * alone. */
static float *winograd_run(const AeKernels *kernels, const WinogradCase *c,
                           const float *inputs, const float *weights,
                           const float *others, gboolean timed)
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
    AeWinogradOutput output = {
        .m = m,
        .tiles = tiles,
        .width = width,
        .c = c->co,
        .n = c->n,
        .first = c->first,
        .last = c->last,
        .epilogue =
            epilogue_new(c->activation, c->bias ? others : NULL, others + 1),
    };

    for (int i = 0; i < 6; i++)
        in.row[i] = inputs + i * length;
    for (int i = 0; i < 4; i++) {
        output.residual[i] =
            c->residual ? others + i * (c->n * c->co - 1) : NULL;
        output.out[i] = out + i * c->n * c->co;
    }
    kernels->winograd_pack(u, weights, c->ci, c->co);
    kernels->winograd_input(&in);
    kernels->winograd_multiply(&products);
    kernels->winograd_output(&output);
    if (timed)
        time_winograd(kernels, c, &in, &products, &output);
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
            random_floats(random, (size_t)9 * c->ci * c->co);
        g_autofree float *others = random_floats(random, size + c->co + 1);
        g_autofree float *expected =
            winograd_run(plain, c, inputs, weights, others, FALSE);
        g_autofree float *found =
            winograd_run(kernels, c, inputs, weights, others, TRUE);

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

/* What loops over arrays are timed with. */
typedef struct {
    float *y;
    const float *a, *b;
    int64_t n;
    AeActivation activation;
} Arrays;

static void call_exp(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->exp(d->y, d->a, d->n);
}

static void call_log(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->log(d->y, d->a, d->n);
}

static void call_activate(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->activate(d->y, d->a, d->n, d->activation, 0.3f);
}

static void call_activate_gradient(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->activate_gradient(d->y, d->a, d->b, d->n, d->activation, 0.3f,
                               FALSE);
}

static void call_add(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->add(d->y, d->a, d->b, d->n);
}

static void call_maximum(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->maximum(d->y, d->a, d->b, d->n);
}

static void call_sum_squares(const AeKernels *kernels, const void *data)
{
    const Arrays *d = data;

    kernels->sum_squares(d->a, d->n);
}

/* @moved: floats read and written for each element. */
static void time_arrays(const AeKernels *kernels, const char *name, Call call,
                        const Arrays *arrays, int moved)
{
    g_autofree char *detail = g_strdup_printf("%d floats", (int)arrays->n);

    time_kernel(kernels, name, detail, call, arrays,
                (Work){0, (double)moved * sizeof(float) * arrays->n});
}

static void compare_unary(const AeKernels *kernels, const char *name,
                          Unary expected, Unary found, Call call)
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
        time_arrays(kernels, name, call, &(Arrays){.y = f, .a = e, .n = n}, 2);
    }
}

static void test_exp_log(gconstpointer data)
{
    const AeKernels *kernels = data;

    compare_unary(kernels, "exp", plain->exp, kernels->exp, call_exp);
    compare_unary(kernels, "log", plain->log, kernels->log, call_log);
}

static void time_activation(const AeKernels *kernels, const Arrays *arrays)
{
    static const char *const names[] = {"none",  "relu",    "leaky-relu",
                                        "prelu", "elu",     "sigmoid",
                                        "tanh",  "softplus"};
    const char *name = names[arrays->activation];
    g_autofree char *gradient = g_strconcat(name, "-gradient", NULL);

    time_arrays(kernels, name, call_activate, arrays, 2);
    time_arrays(kernels, gradient, call_activate_gradient, arrays, 3);
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
        time_activation(kernels, &(Arrays){df, dy, dy, n, a});
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
    time_arrays(kernels, "add", call_add, &(Arrays){f, a, b, n, 0}, 3);
    time_arrays(kernels, "maximum", call_maximum, &(Arrays){f, a, b, n, 0}, 3);
}

typedef struct {
    float *dx, *rest;
    const float *x, *y;
    int n, c;
} PassArrays;

static void call_pass_maximum(const AeKernels *kernels, const void *data)
{
    const PassArrays *d = data;

    kernels->pass_maximum(d->dx, d->x, d->c, d->y, d->rest, d->n, d->c, TRUE);
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
            if (c == most && overwrite)
                time_kernel(kernels, "pass-maximum", "7 pixels of 40",
                            call_pass_maximum,
                            &(PassArrays){df, rf, x, y, n, c},
                            (Work){0, 5.0 * sizeof(float) * n * c});
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
    time_arrays(kernels, "sum-squares", call_sum_squares,
                &(Arrays){.a = x, .n = n}, 1);
}

typedef struct {
    float *const *state; /* weights, m and v */
    const float *gradient;
    int64_t n;
    const AeAdam *adam;
} AdamArrays;

static void call_adam(const AeKernels *kernels, const void *data)
{
    const AdamArrays *d = data;

    kernels->adam(d->state[0], d->gradient, d->state[1], d->state[2], d->n,
                  d->adam);
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
    }
    time_kernel(kernels, "adam", "1003 floats", call_adam,
                &(AdamArrays){state[1], gradient, n, &adam},
                (Work){0, 7.0 * sizeof(float) * n});
    for (int j = 0; j < 3; j++)
        g_free(state[1][j]);
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
    plain = ae_kernels_nth(0);
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; ae_kernels_nth(i); i++) {
        const AeKernels *kernels = ae_kernels_nth(i);

        add("conv-row", kernels, test_conv_row);
        add("conv-weights", kernels, test_conv_weights);
        add("depthwise", kernels, test_depthwise);
        add("winograd", kernels, test_winograd);
        add("depthwise-weights", kernels, test_depthwise_weights);
        add("exp-log", kernels, test_exp_log);
        add("activate", kernels, test_activate);
        add("add-maximum", kernels, test_two);
        add("pass-maximum", kernels, test_pass_maximum);
        add("sum-squares", kernels, test_sum_squares);
        add("adam", kernels, test_adam);
    }
    return g_test_run();
}
