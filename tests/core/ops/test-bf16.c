/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution from bf16:
 *
 *   kernels  every set against the definition, made here with fmaf() from
 *            numbers rounded by frexpf(): the same bits, on random and extreme
 *            input
 *   steps    plans in bf16 against plans in float32, within what two numbers of
 *            8 bits lose in a product; the same bits for any bands and threads
 *   models   the built-in denoiser is as good as in float32 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "ae.h"

typedef enum { ORDINARY, EXTREME } Kind;

typedef struct {
    int segments, taps, ci, co, n; /* segments of taps pixels */
    int stride;                    /* of the input, in pixels */
    AeActivation activation;
    gboolean bias, residual;
    Kind kind;
} RowCase;

static const RowCase row_cases[] = {
    {1, 1, 1, 1, 1, 1, AE_ACTIVATION_NONE, FALSE, FALSE, ORDINARY},
    {3, 3, 16, 16, 29, 1, AE_ACTIVATION_RELU, TRUE, FALSE, ORDINARY},
    {3, 3, 16, 32, 13, 1, AE_ACTIVATION_NONE, TRUE, TRUE, ORDINARY},
    {3, 3, 3, 19, 11, 1, AE_ACTIVATION_PRELU, TRUE, TRUE, ORDINARY},
    {2, 2, 1, 8, 12, 2, AE_ACTIVATION_RELU, FALSE, FALSE, ORDINARY},
    {3, 3, 5, 7, 6, 1, AE_ACTIVATION_LEAKY_RELU, TRUE, TRUE, ORDINARY},
    {1, 5, 6, 49, 25, 1, AE_ACTIVATION_NONE, TRUE, FALSE, ORDINARY},
    {3, 3, 8, 4, 23, 1, AE_ACTIVATION_RELU, TRUE, FALSE, ORDINARY},
    {3, 3, 16, 1, 22, 1, AE_ACTIVATION_NONE, TRUE, TRUE, ORDINARY},
    {1, 1, 64, 24, 10, 1, AE_ACTIVATION_SIGMOID, TRUE, FALSE, ORDINARY},
    {9, 1, 64, 3, 7, 1, AE_ACTIVATION_NONE, FALSE, TRUE, EXTREME},
    {3, 3, 7, 65, 12, 1, AE_ACTIVATION_RELU, TRUE, FALSE, EXTREME},
    {3, 3, 8, 48, 5, 2, AE_ACTIVATION_NONE, TRUE, TRUE, EXTREME},
    {0, 3, 8, 9, 6, 1, AE_ACTIVATION_RELU, TRUE, TRUE, ORDINARY},
    {3, 3, 8, 8, 0, 1, AE_ACTIVATION_NONE, TRUE, FALSE, ORDINARY},
};

/* With 8 bits of precision, halves to even. */
static float rounded(float x)
{
    int exponent;
    float fraction;

    if (!isfinite(x))
        return x;
    if (fabsf(x) < FLT_MIN)
        return copysignf(0, x);
    fraction = frexpf(x, &exponent);
    return ldexpf(rintf(ldexpf(fraction, 8)), exponent - 8);
}

static float number(GRand *random, Kind kind)
{
    static const float special[] = {0,        -0.0f,       1e-40f,     FLT_MIN,
                                    INFINITY, 1 + 0x1p-8f, 1 + 0x3p-8f};
    const float x = (float)g_rand_double_range(random, -1, 1);

    if (kind == ORDINARY)
        return x;
    if (g_rand_int_range(random, 0, 200) == 0)
        return special[g_rand_int_range(random, 0, G_N_ELEMENTS(special))];
    return ldexpf(x, g_rand_int_range(random, -55, 60));
}

static float *numbers(GRand *random, int n, Kind kind)
{
    float *x = g_new(float, n + 1);

    for (int i = 0; i < n; i++)
        x[i] = number(random, kind);
    return x;
}

typedef struct {
    float *in, *weights, *bias, *slope, *residual, *out;
    int width; /* pixels of a segment */
} RowData;

static RowData row_data_new(GRand *random, const RowCase *c)
{
    RowData d;

    d.width = MAX(c->n - 1, 0) * c->stride + c->taps;
    d.in = numbers(random, c->segments * d.width * c->ci, c->kind);
    /* [segment][tap][ci][co] */
    d.weights = numbers(random, c->segments * c->taps * c->ci * c->co, c->kind);
    d.bias = numbers(random, c->co, c->kind);
    d.slope = numbers(random, c->co, ORDINARY);
    d.residual = numbers(random, c->n * c->co, c->kind);
    d.out = numbers(random, c->n * c->co, ORDINARY);
    return d;
}

static void row_data_clear(RowData *d)
{
    g_free(d->in);
    g_free(d->weights);
    g_free(d->bias);
    g_free(d->slope);
    g_free(d->residual);
    g_free(d->out);
}

/* Packed, from channels filled up to pairs. */
static float *packed_weights(const AeBf16Kernels *kernels, const RowCase *c,
                             const RowData *d)
{
    const int pairs = (c->ci + 1) / 2, k = c->taps * pairs * kernels->floats;
    const int taps = c->segments * c->taps;
    g_autofree float *sorted = g_new0(float, 2 * taps * pairs * c->co + 1);
    float *packed = ae_alloc_floats(kernels->packed(c->segments, k, c->co) + 1);

    for (int t = 0; t < taps; t++)
        memcpy(sorted + 2 * t * pairs * c->co, d->weights + t * c->ci * c->co,
               (size_t)(c->ci * c->co) * sizeof(float));
    kernels->pack(packed, c->segments, k, c->co, sorted);
    return packed;
}

static void run_row(const AeBf16Kernels *kernels, const RowCase *c,
                    const RowData *d)
{
    const int width = (c->ci + 1) / 2 * kernels->floats;
    g_autofree const float **segment = g_new0(const float *, c->segments + 1);
    float *in = ae_alloc_floats((size_t)(c->segments * d->width * width + 1));
    float *weights = packed_weights(kernels, c, d);
    const AeConvRow row = {
        .segment = segment,
        .segments = c->segments,
        .k = c->taps * width,
        .in_step = (int64_t)c->stride * width,
        .weights = weights,
        .bias = c->bias ? d->bias : NULL,
        .residual = c->residual ? d->out : NULL, /* in place */
        .residual_step = c->co,
        .out = d->out,
        .out_step = c->co,
        .n = c->n,
        .co = c->co,
        .activation = c->activation,
        .alpha = 0.3f,
        .slope = c->activation == AE_ACTIVATION_PRELU ? d->slope : NULL,
    };

    for (int s = 0; s < c->segments; s++) {
        segment[s] = in + s * d->width * width;
        kernels->load((float *)segment[s], d->in + s * d->width * c->ci,
                      d->width, c->ci);
    }
    memcpy(d->out, d->residual, (size_t)(c->n * c->co) * sizeof(float));
    kernels->conv_row(&row);
    ae_free(in);
    ae_free(weights);
}

static float multiply_add(float a, float b, float sum)
{
    sum = fmaf(rounded(a), rounded(b), sum);
    return fabsf(sum) < FLT_MIN ? 0 : sum;
}

/* Adds the pair of channels @i and @i + 1 of tap @t. */
static float add_pair(const RowCase *c, const RowData *d, int x, int t, int i,
                      int o, float sum)
{
    const int s = t / c->taps;
    const float *in =
        d->in + (s * d->width + x * c->stride + t % c->taps) * c->ci;
    const float *weights = d->weights + t * c->ci * c->co + o;

    if (i + 1 < c->ci)
        sum = multiply_add(in[i + 1], weights[(i + 1) * c->co], sum);
    else
        sum = multiply_add(0, 0, sum);
    return multiply_add(in[i], weights[i * c->co], sum);
}

static float activated(float y, AeActivation activation, float slope)
{
    if (activation == AE_ACTIVATION_SIGMOID)
        return 1 / (1 + expf(-y));
    if (activation == AE_ACTIVATION_NONE || !(y < 0))
        return y;
    return activation == AE_ACTIVATION_RELU ? 0 : y * slope;
}

static float expected_at(const RowCase *c, const RowData *d, int x, int o)
{
    float y = c->bias ? d->bias[o] : 0;

    for (int t = 0; t < c->segments * c->taps; t++)
        for (int i = 0; i < c->ci; i += 2)
            y = add_pair(c, d, x, t, i, o, y);
    if (c->residual)
        y += d->residual[x * c->co + o];
    return activated(y, c->activation,
                     c->activation == AE_ACTIVATION_PRELU ? d->slope[o] : 0.3f);
}

/* What the definition makes 0 need not be exactly that. */
static void assert_same(float found, float expected, AeActivation activation)
{
    const float room = activation > AE_ACTIVATION_PRELU ? 1e-6f : 0x1p-125f;

    if (!(found == expected || (isnan(found) && isnan(expected)) ||
          fabsf(found - expected) <= room))
        g_error("%.9g instead of %.9g", found, expected);
}

static void test_rows(const void *data)
{
    const AeBf16Kernels *kernels = ((const AeKernels *)data)->bf16;
    GRand *random = g_rand_new_with_seed(1);

    for (gsize i = 0; i < G_N_ELEMENTS(row_cases); i++) {
        const RowCase *c = &row_cases[i];
        RowData d = row_data_new(random, c);

        g_test_message("case %" G_GSIZE_FORMAT, i);
        run_row(kernels, c, &d);
        for (int x = 0; x < c->n; x++)
            for (int o = 0; o < c->co; o++)
                assert_same(d.out[x * c->co + o], expected_at(c, &d, x, o),
                            c->activation);
        row_data_clear(&d);
    }
    g_rand_free(random);
}

/* Number @i of pairs. */
static float number_of(const AeBf16Kernels *kernels, const float *pairs, int i)
{
    uint32_t bits;
    float x;

    if (kernels->floats == 2)
        return pairs[i ^ 1];
    memcpy(&bits, pairs + i / 2, sizeof bits);
    bits = i % 2 != 0 ? bits & 0xffff0000 : bits << 16;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void check_load(const AeBf16Kernels *kernels, const float *x, int pixels,
                       int c)
{
    const int all = (c + 1) / 2 * 2;
    g_autofree float *pairs = g_new(float, (gsize)(pixels * all + 1));

    kernels->load(pairs, x, pixels, c);
    for (int p = 0; p < pixels; p++)
        for (int i = 0; i < all; i++) {
            const float expected = i < c ? rounded(x[p * c + i]) : 0;
            const float found = number_of(kernels, pairs, p * all + i);

            g_assert_true(isnan(expected) ? isnan(found) : found == expected);
            g_assert_cmpint(signbit(found) != 0, ==, signbit(expected) != 0);
        }
}

static void test_load(const void *data)
{
    static const float special[] = {
        0,           -0.0f,        1e-40f,    -1e-40f,  FLT_MIN,
        FLT_MAX,     INFINITY,     -INFINITY, NAN,      1 + 0x1p-8f,
        1 + 0x3p-8f, -1 - 0x1p-8f, 1e38f,     -FLT_MAX, 1 + 0x1p-9f,
        2 - 0x1p-9f, 2 - 0x1p-8f};
    GRand *random = g_rand_new_with_seed(2);
    float x[1003];

    for (int i = 0; i < 1003; i++)
        x[i] = i < (int)G_N_ELEMENTS(special) ? special[i]
                                              : number(random, EXTREME);
    for (int c = 1; c < 20; c++)
        check_load(((const AeKernels *)data)->bf16, x, 1003 / c, c);
    g_rand_free(random);
}

typedef struct {
    const char *op;
    int ci, co, k, stride, pad, dilation, groups;
    gboolean relu, residual;
} StepCase;

static const StepCase step_cases[] = {
    {"Conv", 1, 16, 2, 2, 0, 1, 1, TRUE, FALSE},
    {"Conv", 16, 16, 3, 1, 1, 1, 1, TRUE, FALSE},
    {"Conv", 3, 5, 3, 1, 1, 1, 1, FALSE, FALSE},
    {"Conv", 7, 7, 5, 1, 2, 1, 1, TRUE, TRUE},
    {"Conv", 6, 33, 3, 2, 1, 1, 1, TRUE, FALSE},
    {"Conv", 12, 2, 1, 1, 0, 1, 1, FALSE, FALSE},
    {"Conv", 9, 8, 3, 1, 2, 2, 1, TRUE, FALSE},
    {"ConvTranspose", 8, 12, 2, 2, 0, 1, 1, FALSE, FALSE},
    {"ConvTranspose", 5, 6, 3, 2, 1, 1, 1, TRUE, FALSE},
    {"ConvTranspose", 4, 4, 3, 1, 1, 1, 1, FALSE, TRUE},
    {"Conv", 8, 6, 3, 1, 1, 1, 2, TRUE, FALSE},  /* not from bf16 */
    {"Conv", 8, 8, 3, 1, 1, 1, 8, FALSE, FALSE}, /* nor these */
};

/* Random numbers, or how large they are. */
static float *fill(float *x, int64_t n, gboolean absolute)
{
    GRand *random = g_rand_new_with_seed(3);

    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)g_rand_double_range(random, -1, 1);
        if (absolute)
            x[i] = fabsf(x[i]);
    }
    g_rand_free(random);
    return x;
}

static int constant(AeModel *model, const char *name, AeShape shape,
                    gboolean absolute)
{
    AeTensor *tensor = ae_tensor_new(&shape, NULL);

    fill(tensor->data, ae_shape_elements(&shape), absolute);
    return ae_model_add_constant(model, name, tensor, FALSE, NULL);
}

static int node(AeModel *model, const char *op, const int *in, int n,
                AeNode **result)
{
    g_autofree char *name = g_strdup_printf("v%u", model->values->len);
    const int out = ae_model_add_value(model, name, NULL, NULL);
    AeNode *made = ae_model_add_node(model, op, name, in, n, &out, 1, NULL);

    if (result != NULL)
        *result = made;
    return out;
}

/* The convolution; @absolute: how large its sums' summands are together. */
static AeModel *step_model(const StepCase *c, gboolean absolute)
{
    const gboolean up = strcmp(c->op, "ConvTranspose") == 0;
    const int ci = c->ci / c->groups;
    AeModel *model = ae_model_new(13);
    const AeShape open = {.rank = 4, .dim = {-1, c->ci, -1, -1}};
    const AeShape shape = up ? ae_shape(4, c->ci, c->co, c->k, c->k)
                             : ae_shape(4, c->co, ci, c->k, c->k);
    const int x = ae_model_add_input(model, "x", &open, NULL);
    const int in[] = {x, constant(model, "w", shape, absolute),
                      constant(model, "b", ae_shape(1, c->co), absolute)};
    AeNode *made;
    int y = node(model, c->op, in, 3, &made);

    ae_node_set_ints(made, "strides", (int64_t[]){c->stride, c->stride}, 2);
    ae_node_set_ints(made, "dilations", (int64_t[]){c->dilation, c->dilation},
                     2);
    ae_node_set_ints(made, "pads", (int64_t[]){c->pad, c->pad, c->pad, c->pad},
                     4);
    ae_node_set_int(made, "group", c->groups);
    if (c->residual)
        y = node(model, "Add", (int[]){x, y}, 2, NULL);
    if (c->relu)
        y = node(model, "Relu", &y, 1, NULL);
    ae_model_add_output(model, y);
    return model;
}

/* Run on random images, or on how large they are. */
static AePlan *run_plan(AeModel *model, const AeShape *shape, AePool *pool,
                        int rows, AePrecision precision, gboolean absolute)
{
    const AePlanOptions options = {.shapes = shape,
                                   .n_inputs = 1,
                                   .pool = pool,
                                   .band_rows = rows,
                                   .precision = precision};
    g_autoptr(GError) error = NULL;
    AePlan *plan = ae_plan_new(model, &options, &error);

    g_assert_no_error(error);
    fill(ae_plan_input(plan, 0), ae_shape_elements(shape), absolute);
    ae_plan_run(plan);
    return plan;
}

/* The same bits for any bands and threads. */
static void check_bands(AeModel *model, const AeShape *shape)
{
    static const int threads[] = {1, 3}, rows[] = {0, 1, 5, 16};
    g_autoptr(AePlan) plan =
        run_plan(model, shape, NULL, -1, AE_PRECISION_BF16, FALSE);
    const int64_t n = ae_shape_elements(ae_plan_output_shape(plan, 0));

    for (gsize t = 0; t < G_N_ELEMENTS(threads); t++)
        for (gsize r = 0; r < G_N_ELEMENTS(rows); r++) {
            g_autoptr(AePool) pool = ae_pool_new(threads[t]);
            g_autoptr(AePlan) other =
                run_plan(model, shape, pool, rows[r], AE_PRECISION_BF16, FALSE);

            g_assert_cmpmem(ae_plan_output(plan, 0), n * sizeof(float),
                            ae_plan_output(other, 0), n * sizeof(float));
        }
}

/* Both factors of a product are at most a 256th off, their product two; a tenth
 * of that is room for what the sums of floats lose. */
static void compare_steps(const AePlan *plan, const AePlan *floats,
                          const AePlan *absolute, gboolean equal)
{
    const int64_t n = ae_shape_elements(ae_plan_output_shape(plan, 0));
    float most = 0;

    for (int64_t i = 0; i < n; i++) {
        const float off =
            fabsf(ae_plan_output(plan, 0)[i] - ae_plan_output(floats, 0)[i]);

        g_assert_cmpfloat(off, <=, 2.2f / 256 * ae_plan_output(absolute, 0)[i]);
        most = MAX(most, off);
    }
    g_assert_true((most == 0) == equal);
}

static void test_step(const void *data)
{
    const StepCase *c = &step_cases[GPOINTER_TO_SIZE(data)];
    const AeShape shape = ae_shape(4, 2, c->ci, 37, 23);
    const gboolean floats_only = c->groups > 1;
    g_autoptr(AeModel) model = step_model(c, FALSE);
    g_autoptr(AeModel) absolute = step_model(c, TRUE);
    g_autoptr(AePlan) plan =
        run_plan(model, &shape, NULL, -1, AE_PRECISION_BF16, FALSE);
    g_autoptr(AePlan) floats =
        run_plan(model, &shape, NULL, -1, AE_PRECISION_FP32, FALSE);
    g_autoptr(AePlan) bounds =
        run_plan(absolute, &shape, NULL, -1, AE_PRECISION_FP32, TRUE);
    g_autofree char *text = ae_plan_describe(plan);

    g_assert_true((strstr(text, "-bf16") == NULL) == floats_only);
    compare_steps(plan, floats, bounds, floats_only);
    check_bands(model, &shape);
}

/* Networks whose weights could be trained too. */
static void test_bands(void)
{
    static const char *const names[] = {"unet-xs", "unet-s"};
    const AeArchitectureOptions options = {.seed = 1};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const AeShape shape = ae_shape(4, 2, 1, 72, 40);
        g_autoptr(AeModel) model =
            ae_architecture_new(names[i], &options, NULL);

        check_bands(model, &shape);
    }
}

static void test_gradients(void)
{
    const AeArchitectureOptions none = {0};
    const AeShape shape = ae_shape(4, 1, 1, 16, 16);
    const AePlanOptions options = {.shapes = &shape,
                                   .n_inputs = 1,
                                   .gradients = TRUE,
                                   .precision = AE_PRECISION_BF16};
    g_autoptr(AeModel) model = ae_architecture_new("unet-xs", &none, NULL);
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, NULL);
    g_autofree char *text = ae_plan_describe(plan);

    g_assert_null(strstr(text, "-bf16"));
}

/* A quantised model rounds as its file says, and multiplies in bf16. */
static void test_quantized(void)
{
    const AeShape shape = ae_shape(4, 1, 1, 32, 32);
    g_autoptr(AeModel) model = ae_builtin_load("medium-int8", NULL);
    g_autoptr(AePlan) plan =
        run_plan(model, &shape, NULL, 0, AE_PRECISION_BF16, TRUE);
    g_autofree char *text = ae_plan_describe(plan);

    g_assert_nonnull(strstr(text, "-bf16"));
    g_assert_nonnull(strstr(text, "QuantizeLinear"));
    g_assert_null(strstr(text, "-int8"));
}

enum { SIDE = 192 };

/* Smooth shades with edges, in [0, 1]. */
static float clean_pixel(int x, int y)
{
    const float waves = sinf((float)x / 9) * cosf((float)y / 13);

    return 0.5f + 0.2f * waves + ((x / 24 + y / 40) % 2 ? 0.2f : -0.2f);
}

/* Decibels of what the denoiser makes of noise of a tenth. */
static double denoised_psnr(AePrecision precision)
{
    const AeShape shape = ae_shape(4, 1, 1, SIDE, SIDE);
    const AePlanOptions options = {
        .shapes = &shape, .n_inputs = 1, .precision = precision};
    g_autoptr(AeModel) model = ae_builtin_load("medium", NULL);
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, NULL);
    AeRandom random = ae_random(7, 0);
    double error = 0;

    for (int i = 0; i < SIDE * SIDE; i++)
        ae_plan_input(plan, 0)[i] =
            clean_pixel(i % SIDE, i / SIDE) + 0.1f * ae_random_normal(&random);
    ae_plan_run(plan);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const double off =
            ae_plan_output(plan, 0)[i] - clean_pixel(i % SIDE, i / SIDE);

        error += off * off;
    }
    return -10 * log10(error / (SIDE * SIDE));
}

static void test_quality(void)
{
    const double floats = denoised_psnr(AE_PRECISION_FP32);
    const double bf16 = denoised_psnr(AE_PRECISION_BF16);

    g_test_message("float32 %.3f dB, bf16 %.3f dB", floats, bf16);
    g_assert_cmpfloat(floats, >, 24); /* 20: nothing done */
    g_assert_cmpfloat(fabs(floats - bf16), <, 0.1);
    g_assert_cmpfloat(fabs(floats - bf16), >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; ae_kernels_nth(i) != NULL; i++) {
        const AeKernels *kernels = ae_kernels_nth(i);
        g_autofree char *rows = g_strdup_printf("/bf16/%s/rows", kernels->name);
        g_autofree char *load = g_strdup_printf("/bf16/%s/load", kernels->name);

        g_test_add_data_func(rows, kernels, test_rows);
        g_test_add_data_func(load, kernels, test_load);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(step_cases); i++) {
        g_autofree char *path = g_strdup_printf(
            "/bf16/steps/%" G_GSIZE_FORMAT "-%s", i, step_cases[i].op);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_step);
    }
    g_test_add_func("/bf16/bands", test_bands);
    g_test_add_func("/bf16/gradients", test_gradients);
    g_test_add_func("/bf16/quantized", test_quantized);
    g_test_add_func("/bf16/quality", test_quality);
    return g_test_run();
}
