/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans that run in bands of rows give the same bits as plans that run step by
 * step, and their memory does not grow with the image. */
#include <string.h>

#include "ae.h"
#include "plan/bands.h"
#include "ops/attributes.h"
#include "model/build.h"
#include "base/random.h"

/* A model under construction: a chain of values, each named v<number>. */
typedef struct {
    AeModel *model;
    AeRandom random;
} Net;

static int constant(Net *net, AeShape shape)
{
    g_autofree char *name = g_strdup_printf("c%u", net->model->values->len);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);

    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        tensor->data[i] = 0.1f + ae_random_uniform(&net->random) / 2;
    return ae_model_add_constant(net->model, name, tensor, FALSE, NULL);
}

static int scales(Net *net, float h, float w)
{
    AeShape shape = ae_shape(1, 4);
    int value = constant(net, shape);
    float *data = ae_model_value(net->model, value)->constant->data;

    data[0] = data[1] = 1;
    data[2] = h;
    data[3] = w;
    return value;
}

static AeNode *append(Net *net, const char *op, const int *in, int n, int *out)
{
    g_autofree char *name = g_strdup_printf("v%u", net->model->values->len);
    g_autoptr(GError) error = NULL;

    *out = ae_model_add_value(net->model, name, NULL, NULL);
    AeNode *node =
        ae_model_add_node(net->model, op, name, in, n, out, 1, &error);
    g_assert_no_error(error);
    return node;
}

static int unary(Net *net, const char *op, int x)
{
    int y;

    append(net, op, &x, 1, &y);
    return y;
}

static int binary(Net *net, const char *op, int a, int b)
{
    int y;

    append(net, op, (int[]){a, b}, 2, &y);
    return y;
}

/* @k x @k, all four pads @pad. */
static int conv(Net *net, const char *op, int x, AeShape weight, int stride,
                int dilation, int pad)
{
    const int64_t pads[] = {pad, pad, pad, pad}, strides[] = {stride, stride};
    const int64_t dilations[] = {dilation, dilation};
    int y, w = constant(net, weight);
    AeNode *node = append(net, op, (int[]){x, w}, 2, &y);

    ae_node_set_ints(node, "pads", pads, 4);
    ae_node_set_ints(node, "strides", strides, 2);
    ae_node_set_ints(node, "dilations", dilations, 2);
    return y;
}

static int pool(Net *net, const char *op, int x, int k, int stride,
                const char *automatic)
{
    int y;
    AeNode *node = append(net, op, &x, 1, &y);

    ae_node_set_ints(node, "kernel_shape", (int64_t[]){k, k}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){stride, stride}, 2);
    ae_node_set_string(node, "auto_pad", automatic);
    return y;
}

static int blocks(Net *net, const char *op, int x, const char *mode)
{
    int y;
    AeNode *node = append(net, op, &x, 1, &y);

    ae_node_set_int(node, "blocksize", 2);
    ae_node_set_string(node, "mode", mode);
    return y;
}

static int resize(Net *net, int x, const char *mode, float h, float w)
{
    int y, factors = scales(net, h, w);
    AeNode *node = append(net, "Resize", (int[]){x, -1, factors}, 3, &y);

    ae_node_set_string(node, "mode", mode);
    return y;
}

/* Every network gets two channels. */
static int strided(Net *net, int x)
{
    x = conv(net, "Conv", x, ae_shape(4, 5, 2, 3, 3), 2, 1, 1);
    x = conv(net, "Conv", unary(net, "Relu", x), ae_shape(4, 4, 5, 2, 2), 3, 1,
             2);
    return conv(net, "Conv", x, ae_shape(4, 3, 4, 1, 1), 1, 1, 0);
}

static int transposed(Net *net, int x)
{
    x = conv(net, "ConvTranspose", x, ae_shape(4, 2, 5, 3, 3), 2, 1, 1);
    x = conv(net, "ConvTranspose", x, ae_shape(4, 5, 4, 2, 2), 3, 1, 0);
    return conv(net, "ConvTranspose", x, ae_shape(4, 4, 3, 3, 3), 1, 2, 2);
}

static int wide(Net *net, int x)
{
    int y = conv(net, "Conv", x, ae_shape(4, 6, 2, 5, 5), 1, 1, 2);

    x = conv(net, "Conv", y, ae_shape(4, 6, 6, 3, 3), 1, 3, 3);
    return conv(net, "Conv", binary(net, "Add", x, y), ae_shape(4, 1, 6, 3, 3),
                1, 1, 0);
}

static int skips(Net *net, int x)
{
    int a = unary(net, "Elu",
                  conv(net, "Conv", x, ae_shape(4, 4, 2, 3, 3), 1, 1, 1));
    int b = conv(net, "Conv", a, ae_shape(4, 6, 4, 2, 2), 2, 1, 0);
    int c = conv(net, "Conv", b, ae_shape(4, 6, 6, 3, 3), 1, 1, 1);
    int up = conv(net, "ConvTranspose", binary(net, "Mul", b, c),
                  ae_shape(4, 6, 3, 2, 2), 2, 1, 0);
    int both = binary(net, "Concat", a, up);
    return binary(net, "Sub", x,
                  conv(net, "Conv", both, ae_shape(4, 2, 7, 3, 3), 1, 1, 1));
}

static int shuffled(Net *net, int x)
{
    x = blocks(net, "SpaceToDepth", x, "DCR");
    x = conv(net, "Conv", x, ae_shape(4, 16, 8, 3, 3), 1, 1, 1);
    x = blocks(net, "DepthToSpace", x, "CRD");
    x = conv(net, "Conv", x, ae_shape(4, 8, 4, 3, 3), 1, 1, 1);
    return unary(net, "Sigmoid", blocks(net, "DepthToSpace", x, "DCR"));
}

static int resized(Net *net, int x)
{
    int y = resize(net, x, "nearest", 2, 3);

    y = conv(net, "Conv", y, ae_shape(4, 3, 2, 3, 3), 1, 1, 1);
    return resize(net, resize(net, y, "linear", 1.5f, 0.5f), "cubic", 2, 1);
}

static int pooled(Net *net, int x)
{
    x = pool(net, "MaxPool", x, 2, 2, "SAME_UPPER");
    x = conv(net, "Conv", x, ae_shape(4, 5, 2, 3, 3), 1, 1, 1);
    x = pool(net, "AveragePool", unary(net, "Identity", x), 3, 1, "SAME_LOWER");
    return pool(net, "MaxPool", x, 3, 2, "SAME_UPPER");
}

/* The same image again, and its second channel backwards. */
static int sliced(Net *net, int x)
{
    const float bounds[3][2] = {{1, -1}, {2, -99}, {1, 3}};
    int in[5] = {x}, y;

    for (int i = 0; i < 3; i++) {
        in[1 + i] = constant(net, ae_shape(1, 2));
        memcpy(ae_model_value(net->model, in[1 + i])->constant->data, bounds[i],
               sizeof bounds[i]);
    }
    in[4] = constant(net, ae_shape(1, 2));
    memcpy(ae_model_value(net->model, in[4])->constant->data, (float[]){1, -1},
           2 * sizeof(float));
    append(net, "Slice", in, 5, &y);
    return conv(net, "Conv", binary(net, "Concat", y, x),
                ae_shape(4, 2, 3, 3, 3), 1, 1, 1);
}

/* One operator after the other that changes no size. */
static int even(Net *net, int x)
{
    int norm[5] = {binary(net, "Add", x, constant(net, ae_shape(3, 2, 1, 1)))};
    int y;

    for (int i = 1; i < 5; i++)
        norm[i] = constant(net, ae_shape(1, 2));
    append(net, "BatchNormalization", norm, 5, &y);
    y = binary(net, "PRelu", y, constant(net, ae_shape(3, 2, 1, 1)));
    y = binary(net, "Max", y, constant(net, ae_shape(1, 1)));
    y = unary(net, "Tanh", binary(net, "Add", unary(net, "Neg", y), x));
    return unary(net, "Softplus", y);
}

static const struct {
    const char *name;
    int (*build)(Net *net, int x); /* NULL: the architecture of that name */
    int multiple;                  /* of height and width */
} nets[] = {
    {"strided", strided, 1},   {"transposed", transposed, 1},
    {"wide", wide, 1},         {"skips", skips, 2},
    {"shuffled", shuffled, 2}, {"resized", resized, 1},
    {"pooled", pooled, 1},     {"even", even, 1},
    {"sliced", sliced, 1},     {"unet-s", NULL, 8},
    {"unet-xs", NULL, 8},      {"keras", NULL, 28},
};

/* Those that no network divides are rounded up. */
static const struct {
    int n, h, w;
} sizes[] = {{1, 8, 8}, {1, 16, 8}, {1, 8, 64}, {1, 37, 11}, {3, 23, 9}};

static AeModel *model_new(int net)
{
    Net new = {.random = ae_random(7, (uint64_t)net)};
    AeShape shape = ae_shape(4, AE_UNKNOWN, 2, AE_UNKNOWN, AE_UNKNOWN);

    if (nets[net].build == NULL)
        return ae_architecture_new(
            nets[net].name, &(AeArchitectureOptions){.channels = 2, .seed = 1},
            NULL);
    new.model = ae_model_new(17);
    int x = ae_model_add_input(new.model, "image", &shape, NULL);
    ae_model_add_output(new.model, nets[net].build(&new, x));
    return new.model;
}

static AeShape shape_for(int net, int size)
{
    int m = nets[net].multiple;

    if (m == 28)
        return ae_shape(4, sizes[size].n, 2, 28, 28);
    return ae_shape(4, sizes[size].n, 2, (sizes[size].h + m - 1) / m * m,
                    (sizes[size].w + m - 1) / m * m);
}

static AePlan *plan_new(AeModel *model, AeShape shape, AePool *pool, int rows)
{
    g_autoptr(GError) error = NULL;
    AePlanOptions options = {
        .shapes = &shape, .n_inputs = 1, .pool = pool, .band_rows = rows};
    AePlan *plan = ae_plan_new(model, &options, &error);

    g_assert_no_error(error);
    return plan;
}

static void fill(AePlan *plan, uint64_t seed)
{
    AeRandom random = ae_random(seed, 0);
    int64_t n = ae_shape_elements(ae_plan_input_shape(plan, 0));

    for (int64_t i = 0; i < n; i++)
        ae_plan_input(plan, 0)[i] = 2 * ae_random_uniform(&random) - 1;
}

/* Twice, so that what the first run leaves behind would show. */
static void assert_same(AePlan *plan, AePlan *whole)
{
    size_t n = (size_t)ae_shape_elements(ae_plan_output_shape(whole, 0));

    for (uint64_t seed = 1; seed <= 2; seed++) {
        fill(plan, seed);
        fill(whole, seed);
        ae_plan_run(plan);
        ae_plan_run(whole);
        g_assert_true(memcmp(ae_plan_output(plan, 0), ae_plan_output(whole, 0),
                             n * sizeof(float)) == 0);
    }
}

static void test_same_bits(const void *data)
{
    /* Also more threads than some outputs have rows. */
    static const int threads[] = {1, 2, 3, 7, 20}, rows[] = {0, 1, 2, 3, 8, 64};
    int net = GPOINTER_TO_INT(data);
    g_autoptr(AeModel) model = model_new(net);

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (size_t t = 0; t < G_N_ELEMENTS(threads); t++)
            for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
                AeShape shape = shape_for(net, (int)s);
                g_autoptr(AePool) pool = ae_pool_new(threads[t]);
                g_autoptr(AePlan) whole = plan_new(model, shape, NULL, -1);
                g_autoptr(AePlan) bands = plan_new(model, shape, pool, rows[r]);

                g_assert_cmpint(ae_plan_band_rows(whole), ==, 0);
                if (rows[r] > 0)
                    g_assert_cmpint(ae_plan_band_rows(bands), ==, rows[r]);
                assert_same(bands, whole);
            }
}

/* What a plan holds beside its input and output. */
static size_t inner_memory(AeModel *model, int height, AePool *pool, int rows)
{
    g_autoptr(AePlan) plan =
        plan_new(model, ae_shape(4, 1, 2, height, 64), pool, rows);
    int64_t ends = ae_shape_elements(ae_plan_input_shape(plan, 0)) +
                   ae_shape_elements(ae_plan_output_shape(plan, 0));

    return ae_plan_memory(plan) - (size_t)ends * sizeof(float);
}

static void test_memory(void)
{
    g_autoptr(AePool) pool = ae_pool_new(2);

    for (int net = 0; net < (int)G_N_ELEMENTS(nets); net++) {
        g_autoptr(AeModel) model = model_new(net);

        if (nets[net].multiple == 28)
            continue;
        /* Buffers are aligned to 64 bytes. */
        g_assert_cmpuint(inner_memory(model, 4000, pool, 8), <,
                         inner_memory(model, 2000, pool, 8) + 1024);
        g_assert_cmpuint(inner_memory(model, 8000, pool, 8), <,
                         inner_memory(model, 8000, pool, -1) / 2);
    }
}

/* What needs whole images, or delivers more than one value, runs as before. */
static void test_whole(void)
{
    Net net = {ae_model_new(17), ae_random(1, 0)};
    g_autoptr(AeModel) model = net.model;
    AeShape shape = ae_shape(4, 1, 2, 40, 8);
    int x = ae_model_add_input(model, "image", &shape, NULL);
    int y = binary(&net, "Sub", x, unary(&net, "GlobalAveragePool", x));

    ae_model_add_output(model, y);
    g_autoptr(AePlan) mean = plan_new(model, shape, NULL, 8);
    g_assert_cmpint(ae_plan_band_rows(mean), ==, 0);
    ae_model_add_output(model, x);
    g_autoptr(AePlan) two = plan_new(model, shape, NULL, 8);
    g_assert_cmpint(ae_plan_band_rows(two), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int i = 0; i < (int)G_N_ELEMENTS(nets); i++) {
        g_autofree char *path = g_strdup_printf("/bands/%s", nets[i].name);

        g_test_add_data_func(path, GINT_TO_POINTER(i), test_same_bits);
    }
    g_test_add_func("/bands/memory", test_memory);
    g_test_add_func("/bands/whole", test_whole);
    return g_test_run();
}
