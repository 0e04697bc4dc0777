/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that people share, small and with random weights, as PyTorch exports
 * them: their outputs are those of PyTorch, and the element that takes them is
 * the one that docs/user/models.md names. named.py makes the files.
 *
 *     test-named FOLDER
 */
#include <math.h>
#include <string.h>

#include "ae.h"
#include "model/safetensors.h"

static const struct {
    const char *name;
    int scale;        /* 1: aedenoise runs it, 2 to 4: aesuperres, 0: none */
    const char *says; /* why none does */
} networks[] = {
    {"carn", 3, NULL},
    {"convnext", 1, NULL},
    {"dncnn", 1, NULL},
    {"drunet", 1, NULL},
    {"edsr", 2, NULL},
    {"espcn", 3, NULL},
    {"esrgan", 4, NULL},
    {"fastdvdnet", 1, NULL},
    {"ffdnet", 1, NULL},
    {"fsrcnn", 2, NULL},
    {"imdn", 2, NULL},
    {"kl", 1, NULL},
    {"lstm", 1, NULL},
    {"mae", 1, NULL},
    {"nafnet", 1, NULL},
    {"realesr-compact", 4, NULL},
    {"realesrgan-x2", 2, NULL},
    {"recurrent", 1, NULL},
    {"restormer", 1, NULL},
    {"rlfn", 2, NULL},
    {"span", 2, NULL},
    {"srcnn", 1, NULL},
    {"style", 1, NULL},
    {"swinir", 2, NULL},
    {"taesd", 1, NULL},
    {"unet", 1, NULL},
    {"vdsr", 1, NULL},
    {"vqvae", 1, NULL},
    {"waifu2x-cunet", 1, NULL},
    {"waifu2x-upconv7", 2, NULL},
    {"warp", 0, "the operator GridSample is not supported"},
    {"zero-dce", 1, NULL},
};

static const char *folder;

static char *path_of(const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);

    return g_build_filename(folder, file, NULL);
}

static const AeTensor *tensor_of(const AeSafetensors *file,
                                 const AeModel *model, int value)
{
    const AeTensor *tensor =
        ae_safetensors_find(file, ae_model_value(model, value)->name);

    g_assert_nonnull(tensor);
    return tensor;
}

/* A plan whose inputs are those of the file. */
static AePlan *plan_inputs(AeModel *model, const AeSafetensors *file)
{
    AeShape shapes[4];
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)model->inputs->len};
    g_autoptr(GError) error = NULL;
    AePlan *plan;

    for (int i = 0; i < options.n_inputs; i++)
        shapes[i] = tensor_of(file, model, ae_model_input(model, i))->shape;
    plan = ae_plan_new(model, &options, &error);
    g_assert_no_error(error);
    for (int i = 0; i < options.n_inputs; i++)
        memcpy(ae_plan_input(plan, i),
               tensor_of(file, model, ae_model_input(model, i))->data,
               (gsize)ae_shape_elements(&shapes[i]) * sizeof(float));
    return plan;
}

static void check_values(AeModel *model, const AeSafetensors *file)
{
    g_autoptr(AePlan) plan = plan_inputs(model, file);

    ae_plan_run(plan);
    for (int i = 0; i < (int)model->outputs->len; i++) {
        const AeTensor *expected =
            tensor_of(file, model, ae_model_output(model, i));
        const AeShape *shape = ae_plan_output_shape(plan, i);

        g_assert_true(ae_shape_equal(shape, &expected->shape));
        for (int64_t k = 0; k < ae_shape_elements(shape); k++)
            g_assert_cmpfloat_with_epsilon(ae_plan_output(plan, i)[k],
                                           expected->data[k], 1e-4);
    }
}

static void check_scale(AeModel *model, int scale)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeImageModel) images = ae_image_model_new(model, &error);

    g_assert_no_error(error);
    g_assert_cmpint(images->scale, ==, scale);
}

static void test_network(const void *data)
{
    const int i = GPOINTER_TO_INT(data);
    g_autofree char *path = path_of(networks[i].name, ".onnx");
    g_autofree char *values = path_of(networks[i].name, ".safetensors");
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_onnx_load(path, &error);

    if (networks[i].says != NULL) {
        g_assert_null(model);
        g_assert_nonnull(strstr(error->message, networks[i].says));
        return;
    }
    g_assert_no_error(error);
    g_autoptr(AeSafetensors) file = ae_safetensors_load(values, &error);
    g_assert_no_error(error);
    check_values(model, file);
    check_scale(model, networks[i].scale);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = argv[argc - 1];
    for (size_t i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autofree char *path = g_strdup_printf("/named/%s", networks[i].name);

        g_test_add_data_func(path, GINT_TO_POINTER((int)i), test_network);
    }
    return g_test_run();
}
