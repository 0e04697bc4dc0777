/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of models: one copy for all who use a file, a new one when the file
 * has changed, none when nobody is left. */
#include <glib/gstdio.h>

#include "gstaemodel.h"
#include "model/build.h"

static char *folder, *path;

static void save(const char *mark)
{
    g_autoptr(AeModel) model = ae_model_new(17);
    AeShape shape = ae_shape(4, 1, 1, 2, 2);
    int in = ae_model_add_input(model, "in", &shape, NULL);
    int out = ae_model_add_value(model, "out", NULL, NULL);
    GError *error = NULL;

    ae_model_add_node(model, "Identity", "", &in, 1, &out, 1, &error);
    g_assert_no_error(error);
    ae_model_add_output(model, out);
    ae_model_set(model, "mark", mark);
    ae_onnx_save(model, path, &error);
    g_assert_no_error(error);
}

static GstAeModel *load(const char *file, const char *name)
{
    GError *error = NULL;
    GstAeModel *model =
        gst_ae_model_load(file, name, AE_PRECISION_AUTO, &error);

    g_assert_no_error(error);
    g_assert_nonnull(model);
    return model;
}

static void test_shared(void)
{
    g_autoptr(GstAeModel) first = load(path, NULL);
    g_autoptr(GstAeModel) second = load(path, "unused");
    g_autoptr(GstAeModel) named = load(NULL, "shared");

    g_assert_true(first == second);
    g_assert_true(first == named);
    g_assert_cmpstr(first->label, ==, path);
}

static void test_changed(void)
{
    g_autoptr(GstAeModel) old = load(path, NULL);
    g_autoptr(GstAeModel) new = NULL;

    save("new");
    new = load(path, NULL);
    g_assert_true(old != new);
    g_assert_cmpstr(ae_model_get(old->model, "mark"), ==, "old");
    g_assert_cmpstr(ae_model_get(new->model, "mark"), ==, "new");
    save("old");
}

static void *load_often(void *unused G_GNUC_UNUSED)
{
    for (int i = 0; i < 200; i++) {
        g_autoptr(GstAeModel) model = load(path, NULL);

        g_assert_cmpstr(ae_model_get(model->model, "mark"), ==, "old");
    }
    return NULL;
}

static void test_threads(void)
{
    GThread *threads[4];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("load", load_often, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

static void test_errors(void)
{
    static const struct {
        const char *file, *name;
        AeError code;
        const char *says;
    } cases[] = {
        {"/nowhere/x.onnx", NULL, AE_ERROR_FILE, "/nowhere/x.onnx"},
        {NULL, "no-such-name", AE_ERROR_VALUE, "no-such-name"},
        {NULL, "a/path.onnx", AE_ERROR_VALUE, "model-file"},
        {NULL, NULL, AE_ERROR_VALUE, "model-file"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(gst_ae_model_load(cases[i].file, cases[i].name,
                                        AE_PRECISION_AUTO, &error));
        g_assert_error(error, AE_ERROR, (int)cases[i].code);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

/* The built-in model in 8 bits stands for the built-in one alone. */
static void test_precision(void)
{
    const struct {
        const char *file, *name;
        AePrecision precision;
        const char *label;
    } cases[] = {
        {NULL, "medium", AE_PRECISION_FP32, "medium"},
        {NULL, "medium", AE_PRECISION_INT8, "medium-int8"},
        {NULL, "medium", AE_PRECISION_AUTO, "medium"},
        {NULL, "medium-int8", AE_PRECISION_FP32, "medium-int8"},
        {NULL, "medium-int8", AE_PRECISION_INT8, "medium-int8"},
        {NULL, "shared", AE_PRECISION_INT8, path},
        {path, "medium", AE_PRECISION_INT8, path},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GstAeModel) model = gst_ae_model_load(
            cases[i].file, cases[i].name, cases[i].precision, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(model->label, ==, cases[i].label);
    }
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aemodel-XXXXXX", NULL);
    path = g_build_filename(folder, "shared.onnx", NULL);
    g_setenv("GST_AE_MODEL_PATH", folder, TRUE);
    save("old");
    g_test_add_func("/aemodel/shared", test_shared);
    g_test_add_func("/aemodel/changed", test_changed);
    g_test_add_func("/aemodel/precision", test_precision);
    g_test_add_func("/aemodel/threads", test_threads);
    g_test_add_func("/aemodel/errors", test_errors);
    result = g_test_run();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
    return result;
}
