/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads an ONNX file beside a file "data" of zeros. Of a file that is accepted,
 * the metadata are read, and the model is planned for small inputs and run
 * where that is little work. */
#include "fuzz.h"

#include "ae.h"
#include "model/onnx-parse.h"

enum {
    MAX_INPUTS = 4,
    MAX_DIM = 64,
    UNKNOWN_DIM = 5, /* stands for what the file leaves open */
    MAX_WORK = 1 << 22,
};

static gboolean choose_shape(const AeValue *value, AeShape *shape)
{
    *shape = value->has_shape ? value->shape : ae_shape(4, 1, 3, 8, 8);
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == AE_UNKNOWN)
            shape->dim[i] = UNKNOWN_DIM;
        if (shape->dim[i] > MAX_DIM)
            return FALSE;
    }
    return ae_shape_elements(shape) <= MAX_WORK;
}

static void plan(AeModel *model)
{
    AeShape shapes[MAX_INPUTS];
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)model->inputs->len};
    g_autoptr(AePlan) plan = NULL;

    if (model->inputs->len > MAX_INPUTS)
        return;
    for (int i = 0; i < options.n_inputs; i++)
        if (!choose_shape(ae_model_value(model, ae_model_input(model, i)),
                          &shapes[i]))
            return;
    plan = ae_plan_new(model, &options, NULL);
    if (plan != NULL && ae_plan_multiply_adds(plan) < MAX_WORK &&
        ae_plan_memory(plan) < MAX_WORK)
        ae_plan_run(plan);
}

/* A folder with the file "data", for tensors with external data. */
static const char *data_folder(void)
{
    static char *folder;

    if (folder == NULL) {
        static const char zeros[1 << 12];
        g_autofree char *path = NULL;

        folder = g_dir_make_tmp("fuzz-onnx-XXXXXX", NULL);
        path = g_build_filename(folder, "data", NULL);
        g_file_set_contents(path, zeros, sizeof zeros, NULL);
    }
    return folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(AeModel) model =
        ae_onnx_parse(data, size, "fuzz", data_folder(), NULL);
    AeMetadata metadata;

    if (model == NULL)
        return 0;
    ae_metadata_read(model, &metadata, NULL);
    plan(model);
    return 0;
}
