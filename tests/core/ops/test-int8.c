/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution in whole numbers:
 *
 *   kernels  every set against sums of the bytes and weights themselves, the
 *            same bits, on random and extreme input
 *   steps    quantised models against their form in floats: at most one step
 *            apart, and that seldom (a tie that rounds the other way); and the
 *            same bits for any bands and threads */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ae.h"
#include "ops/attributes.h"
#include "model/build.h"

typedef enum { TO_BYTES, TO_FLOATS } Target;

typedef struct {
    int segments, taps, ci, co, n; /* segments of taps pixels */
    int stride;                    /* of the input, in pixels */
    int zero, out_zero;
    Target target;
    gboolean relu, residual, extreme;
} RowCase;

static const RowCase row_cases[] = {
    {1, 1, 1, 1, 1, 1, 0, 0, TO_BYTES, FALSE, FALSE, FALSE}, /* smallest */
    {3, 3, 16, 16, 29, 1, 0, 0, TO_BYTES, TRUE, FALSE, FALSE},
    {3, 3, 16, 32, 13, 1, 7, 128, TO_BYTES, FALSE, TRUE, FALSE},
    {3, 3, 3, 19, 11, 1, 255, 255, TO_BYTES, TRUE, TRUE, FALSE},
    {2, 2, 1, 8, 12, 2, 128, 3, TO_BYTES, TRUE, FALSE, FALSE},
    {3, 3, 5, 7, 6, 1, 100, 9, TO_BYTES, FALSE, TRUE, FALSE},
    {1, 5, 6, 40, 25, 1, 0, 17, TO_BYTES, FALSE, FALSE, FALSE},
    {3, 3, 8, 4, 23, 1, 0, 0, TO_FLOATS, FALSE, FALSE, FALSE},
    {3, 3, 8, 48, 5, 2, 9, 0, TO_FLOATS, TRUE, TRUE, FALSE},
    {9, 1, 64, 3, 7, 1, 0, 0, TO_FLOATS, FALSE, TRUE, TRUE},
    {3, 3, 64, 64, 12, 1, 0, 0, TO_BYTES, TRUE, FALSE, TRUE},
    {3, 3, 64, 24, 10, 1, 255, 200, TO_BYTES, FALSE, TRUE, TRUE},
    {0, 3, 8, 9, 6, 1, 5, 5, TO_BYTES, FALSE, FALSE, FALSE}, /* no taps */
};

typedef struct {
    uint8_t *in, *residual, *out;
    int8_t *weights; /* [segment][tap][ci][co] */
    int32_t *bias;
    float *scale, *out_float;
    int width; /* pixels of a segment */
} RowData;

static int random_byte(GRand *random, gboolean extreme)
{
    return extreme ? 255 * g_rand_boolean(random)
                   : g_rand_int_range(random, 0, 256);
}

static RowData row_data_new(GRand *random, const RowCase *c)
{
    const int padded = (c->co + 15) / 8 * 8;
    RowData d;

    d.width = (c->n - 1) * c->stride + c->taps;
    d.in = g_malloc(MAX(c->segments, 1) * d.width * c->ci);
    d.weights = g_malloc(MAX(c->segments, 1) * c->taps * c->ci * c->co);
    d.residual = g_malloc(c->n * c->co);
    d.out = g_malloc(c->n * c->co);
    d.out_float = g_new(float, c->n * c->co);
    d.bias = g_new0(int32_t, padded);
    d.scale = g_new0(float, padded);
    for (int i = 0; i < c->segments * d.width * c->ci; i++)
        d.in[i] = (uint8_t)random_byte(random, c->extreme);
    for (int i = 0; i < c->segments * c->taps * c->ci * c->co; i++)
        d.weights[i] =
            (int8_t)CLAMP(random_byte(random, c->extreme) - 128, -127, 127);
    for (int i = 0; i < c->n * c->co; i++)
        d.residual[i] = (uint8_t)random_byte(random, c->extreme);
    for (int o = 0; o < c->co; o++) {
        d.bias[o] = g_rand_int_range(random, -10000, 10000);
        d.scale[o] = (float)g_rand_double_range(random, 0.0005, 0.01);
    }
    return d;
}

static void row_data_clear(RowData *d)
{
    g_free(d->in);
    g_free(d->weights);
    g_free(d->residual);
    g_free(d->out);
    g_free(d->out_float);
    g_free(d->bias);
    g_free(d->scale);
}

static float *make_weights(const AeKernels *kernels, const RowCase *c,
                           const RowData *d)
{
    const int group = kernels->int8->group, bits = 32 / group;
    const int units = (c->ci + group - 1) / group;
    const int padded = (c->co + 7) / 8 * 8, k = c->taps * units;
    float *sorted = g_new0(float, MAX(c->segments, 1) * k * padded);
    float *packed =
        ae_alloc_floats(kernels->conv_packed(c->segments, k, padded) + 1);

    for (int t = 0; t < c->segments * c->taps; t++)
        for (int i = 0; i < c->ci; i++)
            for (int o = 0; o < c->co; o++) {
                float *unit = &sorted[(t * units + i / group) * padded + o];
                uint32_t all, one;

                one = (uint32_t)d->weights[(t * c->ci + i) * c->co + o];
                memcpy(&all, unit, 4);
                all |= (one & (UINT32_MAX >> (32 - bits)))
                       << (i % group * bits);
                memcpy(unit, &all, 4);
            }
    kernels->conv_pack(packed, c->segments, k, padded, sorted,
                       (int64_t)k * padded, padded, 1);
    g_free(sorted);
    return packed;
}

static AeInt8Row common_row(const RowCase *c, const RowData *d)
{
    AeInt8Row row = {
        .scale = d->scale,
        .residual = c->residual ? d->residual : NULL,
        .residual_step = c->co,
        .residual_scale = 0.37f,
        .residual_zero = 77,
        .low = c->relu ? 0 : -INFINITY,
        .high = INFINITY,
        .zero = c->out_zero,
        .out_step = c->co,
        .n = c->n,
        .co = c->co,
    };

    if (c->target == TO_BYTES) {
        row.out = d->out;
        row.low = c->relu ? 0 : (float)-c->out_zero;
        row.high = (float)(255 - c->out_zero);
    } else {
        row.out_float = d->out_float;
    }
    return row;
}

static void run_row(const AeKernels *kernels, const RowCase *c,
                    const RowData *d)
{
    const int group = kernels->int8->group;
    const int units = (c->ci + group - 1) / group;
    const int padded = (c->co + 7) / 8 * 8;
    g_autofree const float **segment = g_new0(const float *, c->segments + 1);
    g_autofree int32_t *bias = g_memdup2(d->bias, padded * sizeof *bias);
    float *in = ae_alloc_floats((size_t)c->segments * d->width * units + 1);
    float *weights = make_weights(kernels, c, d);
    AeInt8Row row = common_row(c, d);

    for (int s = 0; s < c->segments; s++) {
        segment[s] = in + s * d->width * units;
        kernels->int8->load((float *)segment[s], d->in + s * d->width * c->ci,
                            d->width, c->ci, c->zero);
    }
    for (int o = 0; kernels->int8->biased && o < c->co; o++)
        for (int i = 0; i < c->segments * c->taps * c->ci; i++)
            bias[o] -= c->zero * d->weights[i * c->co + o];
    row.segment = segment;
    row.segments = c->segments;
    row.k = c->taps * units;
    row.in_step = (int64_t)c->stride * units;
    row.weights = weights;
    row.bias = bias;
    kernels->int8->conv_row(&row);
    ae_free(in);
    ae_free(weights);
}

/* What output @o of pixel @x is, before it is rounded. */
static float expected_at(const RowCase *c, const RowData *d, int x, int o)
{
    const AeInt8Row row = common_row(c, d);
    int64_t sum = d->bias[o];
    volatile float y, r; /* each rounded */

    for (int s = 0; s < c->segments; s++)
        for (int i = 0; i < c->taps * c->ci; i++)
            sum +=
                (d->in[(s * d->width + x * c->stride) * c->ci + i] - c->zero) *
                d->weights[(s * c->taps * c->ci + i) * c->co + o];
    y = (float)sum;
    y = y * d->scale[o];
    if (c->residual) {
        r = (float)(d->residual[x * c->co + o] - row.residual_zero);
        r = r * row.residual_scale;
        y = y + r;
    }
    return MIN(MAX(y, row.low), row.high);
}

static void test_rows(const void *data)
{
    const AeKernels *kernels = data;
    GRand *random = g_rand_new_with_seed(1);

    for (gsize i = 0; i < G_N_ELEMENTS(row_cases); i++) {
        const RowCase *c = &row_cases[i];
        RowData d = row_data_new(random, c);

        g_test_message("%s, case %" G_GSIZE_FORMAT, kernels->name, i);
        run_row(kernels, c, &d);
        for (int x = 0; x < c->n; x++)
            for (int o = 0; o < c->co; o++) {
                const float y = expected_at(c, &d, x, o);

                if (c->target == TO_FLOATS)
                    g_assert_true(d.out_float[x * c->co + o] == y);
                else
                    g_assert_cmpint(d.out[x * c->co + o], ==,
                                    (int)rintf(y) + c->out_zero);
            }
        row_data_clear(&d);
    }
    g_rand_free(random);
}

static const float special[] = {
    0,      -0.0f, 0.5f,   1.5f,   2.5f,      -0.5f,  -1.5f,  INFINITY, 1e30f,
    -1e30f, NAN,   127.5f, 128.5f, -INFINITY, 254.5f, 255.5f, 1e-40f};

static void test_bytes(const void *data)
{
    const AeInt8Kernels *kernels = ((const AeKernels *)data)->int8;
    static const int zeros[] = {0, 1, 128, 255};
    GRand *random = g_rand_new_with_seed(2);
    float x[1003], back[1003];
    uint8_t y[1003];

    for (int i = 0; i < 1003; i++)
        x[i] = i < (int)G_N_ELEMENTS(special)
                   ? special[i]
                   : (float)g_rand_double_range(random, -300, 300);
    for (gsize z = 0; z < G_N_ELEMENTS(zeros); z++)
        for (float scale = 0.25f; scale < 3; scale += 0.75f) {
            kernels->quantize(y, x, 1003, scale, zeros[z]);
            kernels->dequantize(back, y, 1003, scale, zeros[z]);
            for (int i = 0; i < 1003; i++) {
                const float q = rintf(x[i] / scale) + (float)zeros[z];

                g_assert_cmpint(y[i], ==, q > 0 ? (int)(q < 255 ? q : 255) : 0);
                g_assert_true(back[i] == (float)(y[i] - zeros[z]) * scale);
            }
        }
    g_rand_free(random);
}

typedef struct {
    const char *op;
    int ci, co, k, stride, pad;
    gboolean relu, residual;
    int zero; /* of the input and the output; in signed bytes less 128 */
    AeElement element;
    gboolean per_channel;
    int opset;
} StepCase;

static const StepCase step_cases[] = {
    {"Conv", 1, 16, 2, 2, 0, TRUE, FALSE, 0, AE_ELEMENT_UINT8, FALSE, 11},
    {"Conv", 16, 16, 3, 1, 1, TRUE, FALSE, 0, AE_ELEMENT_UINT8, TRUE, 13},
    {"Conv", 3, 5, 3, 1, 1, FALSE, FALSE, 131, AE_ELEMENT_UINT8, TRUE, 13},
    {"Conv", 7, 7, 5, 1, 2, TRUE, TRUE, 90, AE_ELEMENT_UINT8, TRUE, 17},
    {"Conv", 8, 8, 3, 1, 1, FALSE, TRUE, 128, AE_ELEMENT_INT8, FALSE, 13},
    {"Conv", 6, 33, 3, 2, 1, TRUE, FALSE, 100, AE_ELEMENT_INT8, TRUE, 13},
    {"Conv", 12, 9, 1, 1, 0, FALSE, FALSE, 7, AE_ELEMENT_UINT8, TRUE, 13},
    {"ConvTranspose", 8, 12, 2, 2, 0, FALSE, FALSE, 31, AE_ELEMENT_UINT8, TRUE,
     13},
    {"ConvTranspose", 5, 6, 3, 2, 1, TRUE, FALSE, 200, AE_ELEMENT_UINT8, FALSE,
     13},
    {"ConvTranspose", 4, 4, 3, 1, 1, FALSE, TRUE, 60, AE_ELEMENT_UINT8, TRUE,
     13},
};

static int constant(AeModel *model, int rank, const int64_t *dim,
                    AeElement element, float (*number)(GRand *), GRand *random)
{
    g_autofree char *name = g_strdup_printf("c%u", model->values->len);
    AeShape shape = {.rank = rank};
    AeTensor *tensor;

    memcpy(shape.dim, dim, (size_t)rank * sizeof *dim);
    tensor = ae_tensor_new(&shape, NULL);
    tensor->integer = element != AE_ELEMENT_DEFAULT;
    tensor->element = element;
    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        tensor->data[i] = number(random);
    return ae_model_add_constant(model, name, tensor, FALSE, NULL);
}

static int scalar(AeModel *model, float value, AeElement element)
{
    g_autofree char *name = g_strdup_printf("c%u", model->values->len);
    const AeShape shape = {.rank = 0};
    AeTensor *tensor = ae_tensor_new(&shape, NULL);

    tensor->integer = element != AE_ELEMENT_DEFAULT;
    tensor->element = element;
    tensor->data[0] = value;
    return ae_model_add_constant(model, name, tensor, FALSE, NULL);
}

static int node(AeModel *model, const char *op, const int *in, int n,
                AeNode **result)
{
    g_autofree char *name = g_strdup_printf("v%u", model->values->len);
    int out = ae_model_add_value(model, name, NULL, NULL);
    AeNode *made = ae_model_add_node(model, op, name, in, n, &out, 1, NULL);

    if (result != NULL)
        *result = made;
    return out;
}

static int pair(AeModel *model, int x, float scale, const StepCase *c)
{
    const int zero = c->element == AE_ELEMENT_INT8 ? c->zero - 128 : c->zero;
    const int s = scalar(model, scale, AE_ELEMENT_DEFAULT);
    const int z = scalar(model, (float)zero, c->element);

    x = node(model, "QuantizeLinear", (int[]){x, s, z}, 3, NULL);
    return node(model, "DequantizeLinear", (int[]){x, s, z}, 3, NULL);
}

static float weight(GRand *random)
{
    return (float)g_rand_int_range(random, -127, 128);
}

static float weight_scale(GRand *random)
{
    return (float)g_rand_double_range(random, 0.001, 0.003);
}

static float bias(GRand *random)
{
    return (float)g_rand_double_range(random, -0.3, 0.3);
}

static float zero(GRand *random G_GNUC_UNUSED)
{
    return 0;
}

static int weights(AeModel *model, const StepCase *c, GRand *random)
{
    const gboolean up = strcmp(c->op, "ConvTranspose") == 0;
    const int64_t dim[] = {up ? c->ci : c->co, up ? c->co : c->ci, c->k, c->k};
    const int64_t co = c->co;
    const int rank = c->per_channel;
    AeNode *made;
    int in[3], out;

    in[0] = constant(model, 4, dim, AE_ELEMENT_INT8, weight, random);
    in[1] =
        constant(model, rank, &co, AE_ELEMENT_DEFAULT, weight_scale, random);
    in[2] = constant(model, rank, &co, AE_ELEMENT_INT8, zero, random);
    out = node(model, "DequantizeLinear", in, 3, &made);
    if (c->per_channel)
        ae_node_set_int(made, "axis", up);
    return out;
}

/* x, quantised, convolved, with itself as residual, quantised. */
static AeModel *step_model(const StepCase *c)
{
    GRand *random = g_rand_new_with_seed(4);
    AeModel *model = ae_model_new(c->opset);
    const AeShape open = {.rank = 4, .dim = {-1, c->ci, -1, -1}};
    const int64_t co = c->co;
    int x = ae_model_add_input(model, "x", &open, NULL), y;
    AeNode *made;

    x = pair(model, x, 0.01f, c);
    y = node(model, c->op,
             (int[]){x, weights(model, c, random),
                     constant(model, 1, &co, AE_ELEMENT_DEFAULT, bias, random)},
             3, &made);
    ae_node_set_ints(made, "strides", (int64_t[]){c->stride, c->stride}, 2);
    ae_node_set_ints(made, "pads", (int64_t[]){c->pad, c->pad, c->pad, c->pad},
                     4);
    if (c->residual)
        y = node(model, "Add", (int[]){x, y}, 2, NULL);
    if (c->relu)
        y = node(model, "Relu", &y, 1, NULL);
    ae_model_add_output(model, pair(model, y, 0.02f, c));
    g_rand_free(random);
    return model;
}

static AePlan *step_plan(AeModel *model, const StepCase *c, AePool *pool,
                         int rows, AePrecision precision)
{
    const AeShape shape = ae_shape(4, 2, c->ci, 37, 23);
    const AePlanOptions options = {.shapes = &shape,
                                   .n_inputs = 1,
                                   .pool = pool,
                                   .band_rows = rows,
                                   .precision = precision};
    g_autoptr(GError) error = NULL;
    AePlan *plan = ae_plan_new(model, &options, &error);
    GRand *random = g_rand_new_with_seed(5);

    g_assert_no_error(error);
    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        ae_plan_input(plan, 0)[i] = (float)g_rand_double_range(random, -2, 3);
    g_rand_free(random);
    ae_plan_run(plan);
    return plan;
}

static void compare_steps(const AePlan *plan, const AePlan *floats)
{
    const int64_t n = ae_shape_elements(ae_plan_output_shape(plan, 0));
    int64_t apart = 0;

    for (int64_t i = 0; i < n; i++) {
        const float difference =
            fabsf(ae_plan_output(plan, 0)[i] - ae_plan_output(floats, 0)[i]);

        g_assert_cmpfloat(difference, <, 0.0201);
        apart += difference > 0.01f;
    }
    g_assert_cmpint(apart, <=, n / 1000);
}

static void test_step(const void *data)
{
    const StepCase *c = &step_cases[GPOINTER_TO_SIZE(data)];
    static const int threads[] = {1, 3}, rows[] = {-1, 1, 5, 16};
    g_autoptr(AeModel) model = step_model(c);
    g_autoptr(AePlan) floats = step_plan(model, c, NULL, 0, AE_PRECISION_FP32);
    g_autoptr(AePlan) plan = step_plan(model, c, NULL, -1, AE_PRECISION_INT8);
    g_autofree char *text = ae_plan_describe(plan);
    const int64_t n = ae_shape_elements(ae_plan_output_shape(plan, 0));

    /* Nothing but the convolution is left between bytes. */
    g_assert_nonnull(strstr(text, "-int8"));
    g_assert_null(strstr(text, "Add"));
    compare_steps(plan, floats);
    for (gsize t = 0; t < G_N_ELEMENTS(threads); t++)
        for (gsize r = 0; r < G_N_ELEMENTS(rows); r++) {
            g_autoptr(AePool) pool = ae_pool_new(threads[t]);
            g_autoptr(AePlan) other =
                step_plan(model, c, pool, rows[r], AE_PRECISION_AUTO);

            g_assert_cmpmem(ae_plan_output(plan, 0), n * sizeof(float),
                            ae_plan_output(other, 0), n * sizeof(float));
        }
}

static void test_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_architecture_new(
        "unet-xs", &(AeArchitectureOptions){.seed = 1}, &error);
    const AeShape shape = ae_shape(4, 1, 1, 16, 16);
    const AePlanOptions options = {
        .shapes = &shape, .n_inputs = 1, .precision = AE_PRECISION_INT8};

    g_assert_no_error(error);
    g_assert_null(ae_plan_new(model, &options, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "ae quantize"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; ae_kernels_nth(i) != NULL; i++) {
        const AeKernels *kernels = ae_kernels_nth(i);
        g_autofree char *rows = g_strdup_printf("/int8/%s/rows", kernels->name);
        g_autofree char *bytes =
            g_strdup_printf("/int8/%s/bytes", kernels->name);

        g_test_add_data_func(rows, kernels, test_rows);
        g_test_add_data_func(bytes, kernels, test_bytes);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(step_cases); i++) {
        g_autofree char *path = g_strdup_printf(
            "/int8/steps/%" G_GSIZE_FORMAT "-%s", i, step_cases[i].op);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_step);
    }
    g_test_add_func("/int8/refused", test_refused);
    return g_test_run();
}
