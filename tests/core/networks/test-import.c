/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Imported weights: the models give the values of PyTorch's networks
 * (import-reference.py), whatever the weights are called in the file, and files
 * that fit no network are refused. Weights follow from their names. */
#include <math.h>
#include <string.h>

#include "ae.h"
#include "model/build.h"
#include "model/metadata.h"
#include "model/safetensors.h"
#include "networks/import.h"

enum { PICKED = 12, H = 8, W = 12 };

static const float srvgg_values[PICKED] = {
    0.253384f, 0.227809f, -0.089019f, 0.712423f, 0.342124f, 0.121829f,
    1.023236f, 0.652193f, 0.525498f,  0.048485f, 1.067945f, 0.561169f};
static const float span_values[PICKED] = {
    -0.014539f, 0.066041f, -0.126388f, -0.466389f, -0.079594f, 0.080551f,
    0.495729f,  0.303307f, 0.161315f,  0.476520f,  0.688648f,  0.395938f};
static const float taesd_values[PICKED] = {
    0.105499f, 0.095808f, 0.121935f,  0.153979f,  0.070944f,  0.079783f,
    0.056006f, 0.067795f, -0.036980f, -0.071325f, -0.114906f, -0.080981f};

/* As values() of import-reference.py. */
static AeTensor *make_tensor(const char *name, AeShape shape, double amplitude,
                             double middle)
{
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    const int64_t n = ae_shape_elements(&shape);
    g_autofree float *values = g_new(float, n);
    int64_t seed = 0;

    for (int i = 0; name[i] != '\0'; i++)
        seed += (i + 1) * name[i];
    for (int64_t i = 0; i < n; i++) {
        int64_t number = (i * 7919 + seed * 12347) % 1009;

        values[i] =
            (float)(((double)number / 1009 - 0.5) * amplitude) + (float)middle;
    }
    ae_tensor_from_row_major(tensor, values);
    return tensor;
}

/* As fill() of import-reference.py. */
static void put(AeSafetensors *file, const char *name, AeShape shape)
{
    double amplitude = 0.5;

    if (shape.rank == 4)
        amplitude =
            3 / sqrt((double)(ae_shape_elements(&shape) / shape.dim[0]));
    if (strcmp(name, "conv_1.sk.weight") == 0 ||
        strcmp(name, "conv_1.conv.0.weight") == 0)
        amplitude /= 128;
    ae_safetensors_add(file, name, make_tensor(name, shape, amplitude, 0));
}

static void put_conv(AeSafetensors *file, const char *layer, int from, int to,
                     int k, gboolean bias)
{
    g_autofree char *weight_name = g_strconcat(layer, ".weight", NULL);
    g_autofree char *bias_name = g_strconcat(layer, ".bias", NULL);

    put(file, weight_name, ae_shape(4, to, from, k, k));
    if (bias)
        put(file, bias_name, ae_shape(1, to));
}

static AeSafetensors *make_srvgg(void)
{
    AeSafetensors *file = ae_safetensors_new();

    put_conv(file, "body.0", 3, 4, 3, TRUE);
    put(file, "body.1.weight", ae_shape(1, 4));
    put_conv(file, "body.2", 4, 4, 3, TRUE);
    put(file, "body.3.weight", ae_shape(1, 4));
    put_conv(file, "body.4", 4, 12, 3, TRUE);
    return file;
}

static void put_conv3xc(AeSafetensors *file, const char *layer, int from)
{
    const struct {
        const char *part;
        int from, to, k;
    } convs[] = {{".sk", from, 4, 1},
                 {".conv.0", from, 2 * from, 1},
                 {".conv.1", 2 * from, 8, 3},
                 {".conv.2", 8, 4, 1},
                 {".eval_conv", from, 4, 3}};

    for (size_t i = 0; i < G_N_ELEMENTS(convs); i++) {
        g_autofree char *name = g_strconcat(layer, convs[i].part, NULL);

        put_conv(file, name, convs[i].from, convs[i].to, convs[i].k, TRUE);
    }
}

static AeSafetensors *make_span(void)
{
    static const char *const layers[] = {
        "block_1.c1_r", "block_1.c2_r", "block_1.c3_r", "block_2.c1_r",
        "block_2.c2_r", "block_2.c3_r", "conv_2"};
    AeSafetensors *file = ae_safetensors_new();

    put_conv3xc(file, "conv_1", 3);
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        put_conv3xc(file, layers[i], 4);
    put_conv(file, "conv_cat", 16, 4, 1, TRUE);
    put_conv(file, "upsampler.0", 4, 12, 3, TRUE);
    return file;
}

/* The layers of a half of TAESD: b is a residual block, c a convolution, n one
 * without bias, and a dot has no weights. */
static void put_half(AeSafetensors *file, const char *front, const char *layers,
                     int from, int to)
{
    const int last = (int)strlen(layers) - 1;
    gboolean first = TRUE;

    for (int i = 0; i <= last; i++) {
        g_autofree char *layer = g_strdup_printf("%s%d", front, i);

        for (int k = 0; k < 5 && layers[i] == 'b'; k += 2) {
            g_autofree char *part = g_strdup_printf("%s.conv.%d", layer, k);

            put_conv(file, part, 4, 4, 3, TRUE);
        }
        if (layers[i] != 'c' && layers[i] != 'n')
            continue;
        put_conv(file, layer, first ? from : 4, i == last ? to : 4, 3,
                 layers[i] == 'c');
        first = FALSE;
    }
}

static AeSafetensors *make_taesd(void)
{
    AeSafetensors *file = ae_safetensors_new();

    put_half(file, "encoder.", "cbnbnbbc", 3, 2);
    put_half(file, "decoder.", ".c.bb.nb.nbc", 2, 3);
    return file;
}

/* The tensors of @file whose names begin with @from, which becomes @to. Numbers
 * behind it that are not 0 become smaller by @less. */
static AeSafetensors *rename_tensors(const AeSafetensors *file,
                                     const char *from, const char *to, int less)
{
    AeSafetensors *other = ae_safetensors_new();

    for (guint i = 0; i < file->names->len; i++) {
        const char *name = g_ptr_array_index(file->names, i);
        g_autofree char *renamed = NULL;
        char *rest;

        if (!g_str_has_prefix(name, from))
            continue;
        name += strlen(from);
        if (less > 0) {
            guint64 number = g_ascii_strtoull(name, &rest, 10);
            renamed = g_strdup_printf("%s%d%s", to, (int)number - less, rest);
        } else
            renamed = g_strconcat(to, name, NULL);
        ae_safetensors_add(
            other, renamed,
            ae_tensor_copy(g_ptr_array_index(file->tensors, i), NULL));
    }
    return other;
}

static AeModel *import(const AeSafetensors *file)
{
    g_autoptr(GError) error = NULL;
    AeModel *model = ae_import(file, &error);

    g_assert_no_error(error);
    return model;
}

static AeTensor *run(AeModel *model, const AeTensor *input)
{
    const AePlanOptions options = {.shapes = &input->shape, .n_inputs = 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);
    AeTensor *output;

    g_assert_no_error(error);
    memcpy(ae_plan_input(plan, 0), input->data,
           (size_t)ae_shape_elements(&input->shape) * sizeof(float));
    ae_plan_run(plan);
    output = ae_tensor_new(ae_plan_output_shape(plan, 0), NULL);
    memcpy(output->data, ae_plan_output(plan, 0),
           (size_t)ae_shape_elements(&output->shape) * sizeof(float));
    return output;
}

static AeTensor *make_image(void)
{
    return make_tensor("image", ae_shape(4, 1, 3, H, W), 1, 0.5);
}

static void check_values(const AeTensor *output, const float *expected)
{
    const int64_t n = ae_shape_elements(&output->shape), step = n / 11;
    g_autofree float *values = g_new(float, n);

    ae_tensor_to_row_major(output, values);
    for (int i = 0; i * step < n; i++)
        g_assert_cmpfloat_with_epsilon(values[i * step], expected[i], 2e-6f);
}

/* @file gives a model whose output has @scale times the image's size. */
static void check_file(const AeSafetensors *file, const float *expected,
                       int scale)
{
    const AeShape shape = ae_shape(4, 1, 3, H * scale, W * scale);
    g_autoptr(AeModel) model = import(file);
    g_autoptr(AeTensor) image = make_image();
    g_autoptr(AeTensor) output = run(model, image);

    g_assert_true(ae_shape_equal(&output->shape, &shape));
    check_values(output, expected);
}

static void check_metadata(const AeSafetensors *file, const char *architecture,
                           AeTaskKind task, int scale, int multiple)
{
    g_autoptr(AeModel) model = import(file);
    AeMetadata metadata;

    g_assert_true(ae_metadata_read(model, &metadata, NULL));
    g_assert_cmpstr(metadata.architecture, ==, architecture);
    g_assert_cmpint(metadata.task, ==, task);
    g_assert_cmpint(metadata.scale, ==, scale);
    g_assert_cmpint(metadata.multiple, ==, multiple);
}

static void test_srvgg(void)
{
    g_autoptr(AeSafetensors) file = make_srvgg();

    check_file(file, srvgg_values, 2);
    check_metadata(file, "SRVGGNetCompact", AE_TASK_SUPERRES, 2, 0);
}

/* A network that keeps the size has no scale, nor a task. */
static void test_same_size(void)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();
    g_autoptr(AeTensor) image = make_image(), output = NULL;
    g_autoptr(AeModel) model = NULL;

    put_conv(file, "body.0", 3, 4, 3, TRUE);
    put(file, "body.1.weight", ae_shape(1, 4));
    put_conv(file, "body.2", 4, 3, 3, TRUE);
    check_metadata(file, "SRVGGNetCompact", AE_TASK_UNKNOWN, 0, 0);
    model = import(file);
    output = run(model, image);
    g_assert_true(ae_shape_equal(&output->shape, &image->shape));
}

/* Prefixes are taken off; of two sets of weights the averages count. */
static void test_prefixes(void)
{
    g_autoptr(AeSafetensors) file = make_srvgg();
    g_autoptr(AeSafetensors) module =
        rename_tensors(file, "", "params.module.", 0);
    g_autoptr(AeSafetensors) both = rename_tensors(file, "", "params_ema.", 0);

    check_file(module, srvgg_values, 2);
    for (guint i = 0; i < module->names->len; i++) {
        const AeTensor *tensor = g_ptr_array_index(module->tensors, i);
        const char *name = g_ptr_array_index(module->names, i);

        ae_safetensors_add(both, name, ae_tensor_new(&tensor->shape, NULL));
    }
    check_file(both, srvgg_values, 2);
}

/* A name of a million prefixes needs no more of the stack than another. */
static void test_hostile_prefixes(void)
{
    g_autoptr(AeSafetensors) file = make_srvgg();
    g_autoptr(AeSafetensors) deep = NULL;
    g_autoptr(GString) prefix = g_string_new(NULL);

    for (int i = 0; i < 1000000; i++)
        g_string_append(prefix, "model.");
    deep = rename_tensors(file, "", prefix->str, 0);
    check_file(deep, srvgg_values, 2);
}

static void test_span(void)
{
    g_autoptr(AeSafetensors) file = make_span();

    check_file(file, span_values, 2);
    check_metadata(file, "SPAN", AE_TASK_SUPERRES, 2, 0);
}

/* A file of merged weights alone, under the names of eval_conv. */
static void test_span_merged(void)
{
    g_autoptr(AeSafetensors) file = make_span();
    g_autoptr(AeSafetensors) merged = ae_safetensors_new();
    g_autoptr(AeModel) model = import(file);

    for (guint i = 0; i < model->values->len; i++) {
        const AeValue *value = ae_model_value(model, (int)i);
        const char *part = strrchr(value->name, '.');
        g_autofree char *name = NULL;

        if (!value->trainable)
            continue;
        if (ae_safetensors_find(file, value->name) != NULL)
            name = g_strdup(value->name);
        else
            name =
                g_strdup_printf("%.*s.eval_conv%s", (int)(part - value->name),
                                value->name, part);
        ae_safetensors_add(merged, name, ae_tensor_copy(value->constant, NULL));
    }
    check_file(merged, span_values, 2);
}

/* The tensor no_norm takes mean and range away. */
static void test_span_no_norm(void)
{
    g_autoptr(AeSafetensors) file = make_span();
    g_autoptr(AeModel) model = NULL;

    put(file, "no_norm", ae_shape(1, 1));
    model = import(file);
    g_assert_cmpint(ae_model_find(model, "mean"), ==, -1);
    g_assert_cmpint(ae_model_find(model, "range"), ==, -1);
}

static void test_taesd(void)
{
    g_autoptr(AeSafetensors) file = make_taesd();
    g_autoptr(AeModel) model = import(file);
    const AeValue *code = ae_metadata_value(model, AE_NAME_LATENT, NULL);

    check_file(file, taesd_values, 1);
    check_metadata(file, "TAESD", AE_TASK_AUTOENCODE, 0, 4);
    g_assert_cmpint(code->shape.dim[1], ==, 2);
}

/* Both halves, each from a file of its own, make the image of the whole. */
static void check_halves(const AeSafetensors *front, const AeSafetensors *back)
{
    const AeShape shape = ae_shape(4, 1, 2, H / 4, W / 4);
    g_autoptr(AeModel) encoder = import(front);
    g_autoptr(AeModel) decoder = import(back);
    g_autoptr(AeTensor) image = make_image();
    g_autoptr(AeTensor) code = run(encoder, image);
    g_autoptr(AeTensor) output = run(decoder, code);

    g_assert_true(ae_shape_equal(&code->shape, &shape));
    check_values(output, taesd_values);
    g_assert_cmpstr(ae_metadata_value(encoder, AE_NAME_LATENT, NULL)->name, ==,
                    ae_model_value(encoder, ae_model_output(encoder, 0))->name);
    g_assert_cmpstr(ae_metadata_value(decoder, AE_NAME_LATENT, NULL)->name, ==,
                    "latent");
}

static void test_halves(void)
{
    g_autoptr(AeSafetensors) file = make_taesd();
    g_autoptr(AeSafetensors) front = rename_tensors(file, "encoder.", "", 0);
    g_autoptr(AeSafetensors) back = rename_tensors(file, "decoder.", "", 0);

    check_halves(front, back);
}

/* diffusers' decoder does not count its clamp. */
static void test_diffusers(void)
{
    g_autoptr(AeSafetensors) file = make_taesd();
    g_autoptr(AeSafetensors) front =
        rename_tensors(file, "encoder.", "encoder.layers.", 0);
    g_autoptr(AeSafetensors) back =
        rename_tensors(file, "decoder.", "decoder.layers.", 1);

    check_halves(front, back);
    for (guint i = 0; i < back->names->len; i++)
        ae_safetensors_add(
            front, g_ptr_array_index(back->names, i),
            ae_tensor_copy(g_ptr_array_index(back->tensors, i), NULL));
    check_file(front, taesd_values, 1);
}

/* A file in which tensor @name is missing, has another @shape (rank > 0) or is
 * new. */
static const struct {
    AeSafetensors *(*make)(void);
    const char *name;
    AeShape shape;
    const char *message;
} refused[] = {
    {make_srvgg,
     "body.1.weight",
     {0},
     "'body.1.weight' (4) is missing: without slopes of PReLU"},
    {make_srvgg, "body.2.bias", {0}, "SRVGGNetCompact: tensor 'body.2.bias'"},
    {make_srvgg,
     "body.0.weight",
     {0},
     "its tensors (7, the first is 'body.0.bias')"},
    {make_srvgg,
     "body.2.weight",
     {4, {4, 5, 3, 3}},
     "'body.2.weight' is 4x5x3x3, where ?x4x3x3 was expected"},
    {make_srvgg, "body.0.weight", {2, {4, 27}}, "is 4x27"},
    {make_srvgg, "body.0.weight", {4, {4, 0, 3, 3}}, "is 4x0x3x3"},
    {make_srvgg, "body.4.weight", {4, {13, 4, 3, 3}}, "'body.4.bias' is 12"},
    {make_srvgg, "body.0.weight", {4, {4, 4, 3, 3}}, "makes 12 channels"},
    {make_srvgg, "body.5.weight", {1, {12}}, "'body.5.weight' is 12, where"},
    {make_srvgg, "body.99999999999.weight", {1, {4}}, "is missing"},
    {make_srvgg, "head.weight", {1, {4}}, "'head.weight' is no part of it"},
    {make_span, "conv_cat.bias", {0}, "SPAN: tensor 'conv_cat.bias' (4)"},
    {make_span, "block_2.c2_r.conv.1.bias", {0}, "c2_r.conv.1.bias' (8)"},
    {make_span, "conv_1.sk.weight", {0}, "no part of it"},
    {make_span, "block_4.c1_r.sk.bias", {1, {4}}, "block_3.c1_r"},
    {make_span,
     "block_1.c1_r.conv.1.weight",
     {4, {8, 9, 3, 3}},
     "8x9x3x3, where ?x8x3x3"},
    {make_taesd, "encoder.1.conv.2.bias", {0}, "TAESD: tensor 'encoder.1.conv"},
    {make_taesd, "encoder.2.weight", {0}, "'encoder.2.weight' (?x4x3x3)"},
    {make_taesd,
     "decoder.1.weight",
     {4, {4, 3, 3, 3}},
     "is 4x3x3x3, where ?x2x3x3 was expected"},
    {make_taesd, "decoder.6.bias", {1, {4}}, "'decoder.6.bias' is no part"},
};

static AeSafetensors *change(size_t i)
{
    const AeShape *shape = &refused[i].shape;
    g_autoptr(AeSafetensors) file = refused[i].make();
    AeSafetensors *changed = ae_safetensors_new();

    for (guint k = 0; k < file->names->len; k++) {
        const char *name = g_ptr_array_index(file->names, k);

        if (strcmp(name, refused[i].name) != 0)
            ae_safetensors_add(
                changed, name,
                ae_tensor_copy(g_ptr_array_index(file->tensors, k), NULL));
    }
    if (shape->rank > 0)
        ae_safetensors_add(changed, refused[i].name,
                           ae_tensor_new(shape, NULL));
    return changed;
}

static void test_refused(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(AeSafetensors) file = change(i);
        g_autoptr(GError) error = NULL;

        g_test_message("%s", refused[i].message);
        g_assert_null(ae_import(file, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, refused[i].message));
    }
}

static void test_unknown(void)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_import(file, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED);
    g_clear_error(&error);
    put_conv(file, "conv_first", 3, 4, 3, TRUE);
    g_assert_null(ae_import(file, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "'conv_first.weight'"));
    g_assert_nonnull(strstr(error->message, "SRVGGNetCompact, SPAN, TAESD"));
}

/* Each allocation in turn fails: that is an error, and nothing leaks. */
static void check_memory(const AeSafetensors *file)
{
    for (int n = 1;; n++) {
        g_autoptr(GError) error = NULL;

        ae_alloc_fail(n);
        g_autoptr(AeModel) model = ae_import(file, &error);
        if (ae_alloc_fail(0) < n) {
            g_assert_no_error(error);
            return;
        }
        g_assert_null(model);
        g_assert_error(error, AE_ERROR, AE_ERROR_MEMORY);
    }
}

static void test_memory(void)
{
    g_autoptr(AeSafetensors) srvgg = make_srvgg();
    g_autoptr(AeSafetensors) span = make_span();
    g_autoptr(AeSafetensors) taesd = make_taesd();

    check_memory(srvgg);
    check_memory(span);
    check_memory(taesd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/import/srvgg", test_srvgg);
    g_test_add_func("/import/same-size", test_same_size);
    g_test_add_func("/import/prefixes", test_prefixes);
    g_test_add_func("/import/hostile-prefixes", test_hostile_prefixes);
    g_test_add_func("/import/span", test_span);
    g_test_add_func("/import/span-merged", test_span_merged);
    g_test_add_func("/import/span-no-norm", test_span_no_norm);
    g_test_add_func("/import/taesd", test_taesd);
    g_test_add_func("/import/halves", test_halves);
    g_test_add_func("/import/diffusers", test_diffusers);
    g_test_add_func("/import/refused", test_refused);
    g_test_add_func("/import/unknown", test_unknown);
    g_test_add_func("/import/memory", test_memory);
    return g_test_run();
}
