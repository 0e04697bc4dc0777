/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models in 8 bits: which operators become what, that the result is near the
 * float model's, and what is refused. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "ae.h"
#include "tools/quantize.h"
#include "ops/ops.h"
#include "model/build.h"
#include "data/png.h"
#include "base/random.h"

static GPtrArray *random_samples(int channels, int n)
{
    GPtrArray *samples =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);
    AeRandom random = ae_random(3, 0);

    for (int i = 0; i < n; i++) {
        const AeShape shape = ae_shape(4, 1, channels, 24, 16 + 8 * (i % 2));
        AeTensor *sample = ae_tensor_new(&shape, NULL);

        for (int64_t j = 0; j < ae_shape_elements(&shape); j++)
            sample->data[j] = ae_random_uniform(&random);
        g_ptr_array_add(samples, sample);
    }
    return samples;
}

static int count(const AeModel *model, const char *op)
{
    int n = 0;

    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);

        n += strcmp(node->op->name, op) == 0;
    }
    return n;
}

static float *run(AeModel *model, const AeTensor *sample, int64_t *n)
{
    const AePlanOptions options = {.shapes = &sample->shape, .n_inputs = 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);

    g_assert_no_error(error);
    memcpy(ae_plan_input(plan, 0), sample->data,
           ae_shape_elements(&sample->shape) * sizeof(float));
    ae_plan_run(plan);
    *n = ae_shape_elements(ae_plan_output_shape(plan, 0));
    return g_memdup2(ae_plan_output(plan, 0), *n * sizeof(float));
}

/* Root mean square of the difference over that of the float result. */
static double difference(AeModel *model, AeModel *quantised,
                         const AeTensor *sample)
{
    int64_t n, m;
    g_autofree float *a = run(model, sample, &n);
    g_autofree float *b = run(quantised, sample, &m);
    double error = 0, sum = 0;

    g_assert_cmpint(n, ==, m);
    for (int64_t i = 0; i < n; i++) {
        error += (a[i] - b[i]) * (a[i] - b[i]);
        sum += a[i] * a[i];
    }
    return sqrt(error / sum);
}

/* Whole numbers in the range of bytes, with one scale an output channel. */
static void check_weight(const AeModel *model, const AeNode *node)
{
    const int at = strcmp(node->op->name, "ConvTranspose") == 0;
    const char *name =
        ae_model_value(model, g_array_index(node->inputs, int, 1))->name;
    const AeNode *maker = NULL;
    const AeTensor *weight, *scale;

    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *other = g_ptr_array_index(model->nodes, i);

        if (g_array_index(other->outputs, int, 0) == ae_model_find(model, name))
            maker = other;
    }
    g_assert_nonnull(maker);
    g_assert_cmpint(ae_node_int(maker, "axis", -1), ==, at);
    weight =
        ae_model_value(model, g_array_index(maker->inputs, int, 0))->constant;
    scale =
        ae_model_value(model, g_array_index(maker->inputs, int, 1))->constant;
    g_assert_cmpint(weight->element, ==, AE_ELEMENT_INT8);
    g_assert_cmpint(scale->shape.dim[0], ==, weight->shape.dim[at]);
    for (int64_t i = 0; i < ae_shape_elements(&weight->shape); i++) {
        g_assert_true(weight->data[i] == rintf(weight->data[i]));
        g_assert_cmpfloat(fabsf(weight->data[i]), <=, 127);
    }
}

static void test_network(const void *architecture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_architecture_new(
        architecture, &(AeArchitectureOptions){.channels = 3, .seed = 5},
        &error);
    g_autoptr(GPtrArray) samples = random_samples(3, 3);
    g_autoptr(AeModel) quantised = ae_quantize(model, samples, NULL, &error);
    g_autofree char *path = NULL;
    g_autoptr(AeModel) back = NULL;
    const int convolutions =
        count(model, "Conv") + count(model, "ConvTranspose");

    g_assert_no_error(error);
    /* Skips are read by two convolutions; inputs, weights and biases. */
    g_assert_cmpint(count(quantised, "QuantizeLinear"), ==, convolutions - 1);
    g_assert_cmpint(count(quantised, "DequantizeLinear"), ==,
                    3 * (convolutions - 1));
    g_assert_cmpint(count(quantised, "Relu"), ==, count(model, "Relu"));
    for (guint i = 0; i + 5 < quantised->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(quantised->nodes, i);

        if (strncmp(node->op->name, "Conv", 4) == 0)
            check_weight(quantised, node);
    }
    g_assert_cmpfloat(
        difference(model, quantised, g_ptr_array_index(samples, 0)), <, 0.02);

    path = g_build_filename(g_get_tmp_dir(), "ae-quantised.onnx", NULL);
    g_assert_true(ae_onnx_save(quantised, path, &error));
    back = ae_onnx_load(path, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(
        difference(quantised, back, g_ptr_array_index(samples, 1)), ==, 0);
    g_remove(path);

    g_clear_pointer(&back, ae_model_unref);
    back = ae_quantize(quantised, samples, NULL, &error);
    g_assert_null(back);
    g_assert_nonnull(strstr(error->message, "quantised already"));
}

/* A chain of nodes of one input each; convolutions have weights. */
static AeModel *chain(const char *const *ops, int opset)
{
    const AeShape image = ae_shape(4, 1, 2, 24, -1);
    const AeShape weight = ae_shape(4, 2, 2, 3, 3);
    AeModel *model = ae_model_new(opset);
    int input[2] = {ae_model_add_input(model, "x", &image, NULL), -1};
    AeTensor *tensor = ae_tensor_new(&weight, NULL);

    for (int i = 0; i < 36; i++)
        tensor->data[i] = (float)(i % 7) - 3;
    input[1] = ae_model_add_constant(model, "w", tensor, TRUE, NULL);
    for (int i = 0; ops[i] != NULL; i++) {
        g_autofree char *name = g_strdup_printf("y%d", i);
        int output = ae_model_add_value(model, name, NULL, NULL);

        ae_model_add_node(model, ops[i], name, input,
                          g_str_has_prefix(ops[i], "Conv") ? 2 : 1, &output, 1,
                          NULL);
        input[0] = output;
    }
    ae_model_add_output(model, input[0]);
    return model;
}

static const struct {
    const char *ops[4];
    int opset, samples;
    const char *message; /* NULL: no error */
} chains[] = {
    {{"Conv", "Relu", "Conv"}, 17, 1, NULL},
    {{"Conv", "Tanh", "ConvTranspose"}, 11, 1, NULL},
    {{"Conv", "Relu", "Conv"}, 9, 1, "opset 9 cannot"},
    {{"Conv", "Softmax", "Conv"}, 12, 1, "opset 12 with Softmax"},
    {{"Conv", "Relu"}, 17, 1, "no convolution"},
    {{"Relu"}, 17, 1, "no convolution"},
    {{"Conv", "Relu", "Conv"}, 17, 0, "without samples"},
};

static void test_chains(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(chains); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeModel) model = chain(chains[i].ops, chains[i].opset);
        g_autoptr(GPtrArray) samples = random_samples(2, chains[i].samples);
        g_autoptr(AeModel) quantised =
            ae_quantize(model, samples, NULL, &error);

        g_test_message("chain %" G_GSIZE_FORMAT, i);
        if (chains[i].message != NULL) {
            g_assert_null(quantised);
            g_assert_nonnull(strstr(error->message, chains[i].message));
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpint(quantised->opset, >=, 13);
        g_assert_cmpfloat(
            difference(model, quantised, g_ptr_array_index(samples, 0)), <,
            0.02);
    }
}

/* A block of white, black, red and blue as 4:2:0: BT.601's luma, and the means
 * of its chroma. */
static void test_yuv420(void)
{
    static uint8_t pixels[] = {255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255};
    static const float wanted[] = {235,
                                   16,
                                   81.481f,
                                   40.966f,
                                   128 + (112 - 37.797f) / 4,
                                   128 + (112 - 18.214f) / 4};
    const AeImage image = {2, 2, 3, pixels};
    const AeShape shape = ae_shape(4, 1, 6, AE_UNKNOWN, AE_UNKNOWN);
    g_autofree char *folder = g_dir_make_tmp("quantize-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "block.png", NULL);
    char *const paths[] = {path, NULL};
    g_autoptr(AeModel) model = ae_model_new(17);
    g_autoptr(GPtrArray) samples = NULL;
    g_autoptr(GError) error = NULL;
    const AeTensor *sample;

    ae_model_add_input(model, "image", &shape, NULL);
    ae_model_set(model, "ae.multiple", "1");
    g_assert_true(ae_image_save_png(&image, path, NULL));
    samples = ae_calibration_load(model, paths, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(samples->len, ==, 1);
    sample = g_ptr_array_index(samples, 0);
    g_assert_cmpint(ae_shape_elements(&sample->shape), ==, 6);
    for (int i = 0; i < 6; i++)
        g_assert_cmpfloat_with_epsilon(sample->data[i] * 255, wanted[i], 0.01);
    g_unlink(path);
    g_rmdir(folder);
}

/* A gray U-Net wants RGB as luma and chroma; in 8 bits it does not. */
static void test_components(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_architecture_new(
        "unet-xs", &(AeArchitectureOptions){.channels = 1, .seed = 5}, &error);
    g_autoptr(GPtrArray) samples = random_samples(1, 1);
    g_autoptr(AeModel) quantised = ae_quantize(model, samples, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ae_model_get(model, "ae.components"), ==, "yuv");
    g_assert_null(ae_model_get(quantised, "ae.components"));
    g_assert_cmpstr(ae_model_get(quantised, "ae.multiple"), ==, "8");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/quantize/unet-xs", "unet-xs", test_network);
    g_test_add_data_func("/quantize/unet-s", "unet-s", test_network);
    g_test_add_func("/quantize/chains", test_chains);
    g_test_add_func("/quantize/yuv420", test_yuv420);
    g_test_add_func("/quantize/components", test_components);
    return g_test_run();
}
