/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ae.h"
#include "ops/attributes.h"
#include "model/build.h"

/* x - Relu - latent - Add(w) - y; a second input joins y to z. */
static AeModel *two_inputs(void)
{
    AeModel *model = ae_model_new(17);
    AeShape shape = ae_shape(2, AE_UNKNOWN, 3), row = ae_shape(1, 3);
    AeTensor *tensor = ae_tensor_new(&row, NULL);
    g_autoptr(GError) error = NULL;
    int x = ae_model_add_input(model, "x", &shape, &error);
    int other = ae_model_add_input(model, "other", &shape, &error);
    int w = ae_model_add_constant(model, "w", tensor, TRUE, &error);
    int latent = ae_model_add_value(model, "latent", NULL, &error);
    int y = ae_model_add_value(model, "y", NULL, &error);
    int z = ae_model_add_value(model, "z", NULL, &error);

    ae_model_add_node(model, "Relu", "relu", &x, 1, &latent, 1, &error);
    ae_model_add_node(model, "Add", "add", (int[]){latent, w}, 2, &y, 1,
                      &error);
    ae_model_add_node(model, "Sub", "sub", (int[]){y, other}, 2, &z, 1, &error);
    ae_model_add_output(model, y);
    ae_model_add_output(model, z);
    ae_model_set(model, "ae.latent", "latent");
    g_assert_no_error(error);
    return model;
}

static void test_names_are_unique(void)
{
    static const char *const names[] = {"x", "w", "y", ""};
    g_autoptr(AeModel) model = two_inputs();
    AeShape shape = ae_shape(1, 3);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        AeTensor *tensor = ae_tensor_new(&shape, NULL);
        g_assert_cmpint(
            ae_model_add_constant(model, names[i], tensor, TRUE, &error), ==,
            -1);
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    }
    g_assert_cmpint(ae_model_find(model, "nothing"), ==, -1);
}

static void test_bad_nodes(void)
{
    static const struct {
        const char *op;
        int inputs[4], n_in, outputs[2], n_out;
        AeError code;
        const char *sentence;
    } cases[] = {
        {"Magic", {0}, 1, {4}, 1, AE_ERROR_UNSUPPORTED, "Magic is not"},
        {"relu", {0}, 1, {4}, 1, AE_ERROR_UNSUPPORTED, "operator relu"},
        {"Relu", {0, 1}, 2, {4}, 1, AE_ERROR_FORMAT, "2 inputs"},
        {"Relu", {0}, 0, {4}, 1, AE_ERROR_FORMAT, "0 inputs"},
        {"Relu", {0}, 1, {4}, 0, AE_ERROR_FORMAT, "0 outputs"},
        {"Relu", {-1}, 1, {4}, 1, AE_ERROR_FORMAT, "input 0 is missing"},
        {"Relu", {99}, 1, {4}, 1, AE_ERROR_FORMAT, "input 0 is missing"},
        {"Conv", {0, -1}, 2, {4}, 1, AE_ERROR_FORMAT, "input 1 is missing"},
        {"Concat", {0, -1}, 2, {4}, 1, AE_ERROR_FORMAT, "input 1 is missing"},
        {"Relu", {0}, 1, {-1}, 1, AE_ERROR_FORMAT, "output is missing"},
    };
    g_autoptr(AeModel) model = two_inputs();
    guint nodes = model->nodes->len;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ae_model_add_node(
            model, cases[i].op, "bad", cases[i].inputs, cases[i].n_in,
            cases[i].outputs, cases[i].n_out, &error));
        g_assert_error(error, AE_ERROR, (int)cases[i].code);
        g_assert_nonnull(strstr(error->message, "node 'bad'"));
        g_assert_nonnull(strstr(error->message, cases[i].sentence));
    }
    g_assert_cmpuint(model->nodes->len, ==, nodes);
}

static void test_attributes(void)
{
    g_autoptr(AeModel) model = two_inputs();
    AeNode *node = g_ptr_array_index(model->nodes, 0);
    int n;

    ae_node_set_int(node, "a", 4);
    ae_node_set_ints(node, "a", (int64_t[]){5, 6}, 2);
    ae_node_set_float(node, "b", 0.5f);
    ae_node_set_string(node, "c", "text");
    ae_node_set_strings(node, "d", (const char *[]){"e", "f", NULL});
    g_assert_cmpint(ae_node_ints(node, "a", &n)[1], ==, 6);
    g_assert_cmpint(n, ==, 2);
    g_assert_cmpint(ae_node_int(node, "b", 7), ==, 7);
    g_assert_cmpfloat(ae_node_float(node, "b", 7), ==, 0.5);
    g_assert_cmpfloat(ae_node_float(node, "none", 7), ==, 7);
    g_assert_cmpstr(ae_node_string(node, "c", "d"), ==, "text");
    g_assert_cmpstr(ae_node_string(node, "a", "d"), ==, "d");
    g_assert_null(ae_node_tensor(node, "c"));
    g_assert_null(ae_node_floats(node, "a", &n));
    g_assert_cmpint(n, ==, 0);

    g_autoptr(AeModel) copy = ae_model_copy(model, NULL);
    const AeNode *copied = g_ptr_array_index(copy->nodes, 0);
    ae_node_set_int(node, "a", 1);
    g_assert_cmpint(ae_node_ints(copied, "a", &n)[0], ==, 5);
    g_assert_cmpstr(ae_node_string(copied, "c", NULL), ==, "text");
    g_assert_cmpstr(ae_node_strings(copied, "d", &n)[1], ==, "f");
    g_assert_cmpint(n, ==, 2);
}

static void test_copies_are_deep(void)
{
    g_autoptr(AeModel) model = two_inputs();
    g_autoptr(AeModel) copy = ae_model_copy(model, NULL);
    int w = ae_model_find(copy, "w");

    ae_model_value(copy, w)->constant->data[1] = 3;
    ae_model_set(copy, "ae.latent", "y");
    g_assert_cmpfloat(ae_model_value(model, w)->constant->data[1], ==, 0);
    g_assert_cmpstr(ae_model_get(model, "ae.latent"), ==, "latent");
    g_assert_cmpint(ae_model_parameters(copy), ==, 3);
    g_assert_cmpint(ae_model_input(copy, 1), ==, ae_model_input(model, 1));
    g_assert_cmpint(ae_model_output(copy, 1), ==, ae_model_output(model, 1));
}

static void test_bind_input(void)
{
    g_autoptr(AeModel) model = two_inputs();
    AeShape shape = ae_shape(2, 1, 3);
    g_autoptr(GError) error = NULL;

    g_assert_true(ae_model_bind_input(model, "other",
                                      ae_tensor_new(&shape, NULL), &error));
    g_assert_cmpuint(model->inputs->len, ==, 1);
    g_assert_false(ae_model_bind_input(model, "other",
                                       ae_tensor_new(&shape, NULL), &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
}

/* What planning reads is no weight, wherever it stood before. */
static void test_settings_are_no_weights(void)
{
    g_autoptr(AeModel) model = two_inputs();
    AeShape scalar = ae_shape(0);
    g_autoptr(GError) error = NULL;
    int low = ae_model_add_constant(model, "low", ae_tensor_new(&scalar, NULL),
                                    TRUE, &error);
    int out = ae_model_add_value(model, "clipped", NULL, &error);

    g_assert_cmpint(ae_model_parameters(model), ==, 4);
    ae_model_add_node(model, "Clip", "clip", (int[]){0, low}, 2, &out, 1,
                      &error);
    g_assert_no_error(error);
    g_assert_cmpint(ae_model_parameters(model), ==, 3);
}

static void test_cuts(void)
{
    static const struct {
        const char *from, *to;
        int code; /* -1: it can be cut */
        guint nodes, inputs, outputs;
    } cases[] = {
        {NULL, NULL, -1, 3, 2, 2},
        {NULL, "latent", -1, 1, 2, 1},
        {"latent", "y", -1, 1, 1, 1},
        {"latent", "latent", -1, 0, 1, 1},
        {"x", "y", -1, 2, 1, 1},
        {"latent", NULL, AE_ERROR_SHAPE, 0, 0, 0},
        {"latent", "z", AE_ERROR_SHAPE, 0, 0, 0},
        {"y", "latent", AE_ERROR_SHAPE, 0, 0, 0},
        {"w", "y", AE_ERROR_VALUE, 0, 0, 0},
        {"x", "w", AE_ERROR_VALUE, 0, 0, 0},
        {"nothing", NULL, AE_ERROR_VALUE, 0, 0, 0},
        {NULL, "nothing", AE_ERROR_VALUE, 0, 0, 0},
    };
    g_autoptr(AeModel) model = two_inputs();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeModel) cut =
            ae_model_cut(model, cases[i].from, cases[i].to, &error);
        if (cases[i].code >= 0) {
            g_assert_error(error, AE_ERROR, cases[i].code);
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpuint(cut->nodes->len, ==, cases[i].nodes);
        g_assert_cmpuint(cut->inputs->len, ==, cases[i].inputs);
        g_assert_cmpuint(cut->outputs->len, ==, cases[i].outputs);
        g_assert_cmpstr(ae_model_get(cut, "ae.latent"), ==, "latent");
    }
}

/* Both halves of a conditional model take the label. */
static void test_cuts_keep_the_label(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_architecture_new(
        "vae", &(AeArchitectureOptions){.classes = 5}, &error);
    const char *code = ae_model_get(model, "ae.latent");
    g_autoptr(AeModel) encoder = ae_model_cut(model, NULL, code, &error);
    g_autoptr(AeModel) decoder = ae_model_cut(model, code, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(encoder->inputs->len, ==, 2);
    g_assert_cmpuint(decoder->inputs->len, ==, 2);
    g_assert_cmpstr(ae_model_value(decoder, ae_model_input(decoder, 0))->name,
                    ==, code);
    g_assert_cmpstr(ae_model_value(decoder, ae_model_input(decoder, 1))->name,
                    ==, "label");
    g_assert_null(ae_model_cut(decoder, "label", NULL, NULL));
}

/* A plan for two images, labels included. */
static AePlan *plan_architecture(AeModel *model, int side)
{
    g_autoptr(GError) error = NULL;
    AeShape shapes[2];
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)model->inputs->len};

    for (int i = 0; i < options.n_inputs; i++) {
        shapes[i] = ae_model_value(model, ae_model_input(model, i))->shape;
        shapes[i].dim[0] = 2;
        for (int j = 0; j < shapes[i].rank; j++)
            if (shapes[i].dim[j] == AE_UNKNOWN)
                shapes[i].dim[j] = side;
    }
    AePlan *plan = ae_plan_new(model, &options, &error);
    g_assert_no_error(error);
    return plan;
}

static int scale_of(const AeModel *model)
{
    const char *scale = ae_model_get(model, "ae.scale");

    return scale != NULL ? atoi(scale) : 1;
}

static void test_architectures(void)
{
    const char *const *names = ae_architecture_names();
    g_autoptr(GError) error = NULL;

    for (int i = 0; names[i] != NULL; i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            g_autoptr(AeModel) model = ae_architecture_new(
                names[i], &(AeArchitectureOptions){.channels = channels},
                &error);
            g_assert_no_error(error);
            g_autoptr(AePlan) plan = plan_architecture(model, 32);
            const AeValue *output =
                ae_model_value(model, ae_model_output(model, 0));
            AeShape shape = ae_shape(4, 2, channels, 28, 28);
            if (output->shape.dim[2] == AE_UNKNOWN)
                shape.dim[2] = shape.dim[3] = 32 * scale_of(model);
            g_assert_true(
                ae_shape_equal(ae_plan_output_shape(plan, 0), &shape));
            g_assert_nonnull(ae_architecture_describe(names[i]));
        }
    g_assert_null(
        ae_architecture_new("none", &(AeArchitectureOptions){0}, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
    g_assert_nonnull(strstr(error->message, names[0]));
}

/* The sources' counts: docs/user/models.md. */
static void test_architectures_have_their_weights(void)
{
    static const struct {
        const char *name;
        AeArchitectureOptions options;
        int64_t weights;
    } cases[] = {
        {"keras", {0}, 4385},
        {"keras-denoise", {0}, 28353},
        {"keras-superres", {0}, 3801},
        {"shallow", {0}, 50992},
        {"shallow", {.latent_size = 64}, 101200},
        {"deep", {0}, 222384},
        {"dense", {0}, 806674},
        {"vae", {0}, 807700},
        {"vae", {.hidden_size = 256}, 404244},
        {"vae", {.hidden_size = 64}, 101652},
        {"adversarial", {0}, 2937150 + 2937784},
        {"kvfrans", {0}, 122136},
        {"lstm", {0}, 24064 + 99328 + 3612},
        /* c -> n, 2 * blocks of n -> n and one n -> c scale^2, all biased */
        {"superres-s", {0}, 160 + 2 * 2320 + 580},
        {"superres-s", {.scale = 3}, 160 + 4 * 2320 + 1305},
        {"superres-s", {.channels = 3, .scale = 4}, 448 + 6 * 2320 + 6960},
        {"superres-l", {0}, 240 + 12 * 5208 + 868},
        {"superres-l", {.scale = 4}, 240 + 18 * 5208 + 3472},
        {"nearest", {0}, 0},
        {"bicubic", {.scale = 3}, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AeModel) model =
            ae_architecture_new(cases[i].name, &cases[i].options, NULL);
        g_assert_cmpint(ae_model_parameters(model), ==, cases[i].weights);
    }
    g_autoptr(AeModel) adversary = ae_architecture_discriminator(150, 1, NULL);
    g_assert_cmpint(ae_model_parameters(adversary), ==, 827501);
}

static void test_architecture_options(void)
{
    static const struct {
        const char *name;
        AeArchitectureOptions options;
        const char *code; /* its shape; NULL: refused */
    } cases[] = {
        {"keras", {0}, "?x8x4x4"},
        {"keras", {.latent_noise = 0.1f}, "?x8x4x4"},
        {"keras", {.latent_size = 2}, NULL},
        {"keras", {.classes = 10}, NULL},
        {"keras", {.form = AE_VAE_LOG_SD}, NULL},
        {"shallow", {.width = 7, .height = 5, .latent_size = 3}, "?x3"},
        {"shallow", {.hidden_size = 3}, NULL},
        {"shallow", {.width = 1 << 20}, NULL},
        {"vae", {.classes = 10, .latent_size = 8}, "?x8"},
        {"vae", {.form = AE_VAE_AS_PUBLISHED}, "?x2"},
        {"conv-vae", {.classes = 3, .form = AE_VAE_LOG_SD}, "?x2"},
        {"lstm", {.width = 7, .height = 5, .hidden_size = 9}, "?x64"},
        {"lstm", {.classes = 10}, NULL},
        {"unet-s", {.channels = 5}, NULL},
        {"keras", {.channels = 6}, NULL},
        {"keras-superres", {.scale = 2}, "?x8x4x4"},
        {"keras-superres", {.scale = 3}, NULL},
        {"unet-s", {.scale = 2}, NULL},
        {"superres-s", {.scale = 1}, NULL},
        {"superres-s", {.scale = 5}, NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeModel) model =
            ae_architecture_new(cases[i].name, &cases[i].options, &error);
        if (cases[i].code == NULL) {
            g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
            continue;
        }
        g_assert_no_error(error);
        int code = ae_model_find(model, ae_model_get(model, "ae.latent"));
        g_autofree char *shape =
            ae_shape_to_string(&ae_model_value(model, code)->shape);
        g_assert_cmpstr(shape, ==, cases[i].code);
        ae_plan_free(plan_architecture(model, 28));
    }
}

/* A network of nothing but zeros enlarges by the nearest pixel. */
static void test_superres_adds_to_the_nearest_pixel(void)
{
    for (int scale = 2; scale <= 4; scale++) {
        g_autoptr(AeModel) model = ae_architecture_new(
            "superres-s",
            &(AeArchitectureOptions){.channels = 3, .scale = scale}, NULL);
        for (guint i = 0; i < model->values->len; i++) {
            AeValue *value = ae_model_value(model, (int)i);
            if (value->trainable)
                memset(value->constant->data, 0,
                       (size_t)ae_shape_elements(&value->constant->shape) *
                           sizeof(float));
        }
        g_autoptr(AePlan) plan = plan_architecture(model, 6);
        int side = 6 * scale;
        for (int i = 0; i < 2 * 6 * 6 * 3; i++)
            ae_plan_input(plan, 0)[i] = (float)i;
        ae_plan_run(plan);
        g_assert_cmpint(scale_of(model), ==, scale);
        for (int i = 0; i < 2 * side * side * 3; i++) {
            int column = i / 3 % side / scale, row = i / 3 / side / scale;
            g_assert_cmpfloat(ae_plan_output(plan, 0)[i], ==,
                              (float)((row * 6 + column) * 3 + i % 3));
        }
    }
}

/* Even areas stay even, and no sample leaves 0 .. 1. */
static void test_interpolation_keeps_levels(void)
{
    static const char *const names[] = {"bilinear", "bicubic"};
    static const float levels[][2] = {{0.25f, 0.25f}, {-3, 0}, {7, 1}};

    for (size_t i = 0; i < G_N_ELEMENTS(names) * G_N_ELEMENTS(levels); i++) {
        const float *level = levels[i % G_N_ELEMENTS(levels)];
        g_autoptr(AeModel) model = ae_architecture_new(
            names[i / G_N_ELEMENTS(levels)],
            &(AeArchitectureOptions){.channels = 3, .scale = 3}, NULL);
        g_autoptr(AePlan) plan = plan_architecture(model, 5);
        for (int j = 0; j < 2 * 5 * 5 * 3; j++)
            ae_plan_input(plan, 0)[j] = level[0];
        ae_plan_run(plan);
        for (int j = 0; j < 2 * 15 * 15 * 3; j++)
            g_assert_cmpfloat_with_epsilon(ae_plan_output(plan, 0)[j], level[1],
                                           1e-6f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/names-are-unique", test_names_are_unique);
    g_test_add_func("/model/bad-nodes", test_bad_nodes);
    g_test_add_func("/model/attributes", test_attributes);
    g_test_add_func("/model/copies-are-deep", test_copies_are_deep);
    g_test_add_func("/model/bind-input", test_bind_input);
    g_test_add_func("/model/settings-are-no-weights",
                    test_settings_are_no_weights);
    g_test_add_func("/model/cuts", test_cuts);
    g_test_add_func("/model/cuts-keep-the-label", test_cuts_keep_the_label);
    g_test_add_func("/model/architectures", test_architectures);
    g_test_add_func("/model/architectures-have-their-weights",
                    test_architectures_have_their_weights);
    g_test_add_func("/model/architecture-options", test_architecture_options);
    g_test_add_func("/model/superres-adds-to-the-nearest-pixel",
                    test_superres_adds_to_the_nearest_pixel);
    g_test_add_func("/model/interpolation-keeps-levels",
                    test_interpolation_keeps_levels);
    return g_test_run();
}
