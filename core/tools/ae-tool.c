/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-tool.h"

#include <stdio.h>
#include <string.h>

enum { PICTURE_WIDTH = 940 };

/* The declared shape with what it leaves open filled in; 4:2:0 video is half
 * the size of its frames. */
static gboolean complete_shape(const AeValue *value, Size size, AeShape *shape,
                               GError **error)
{
    int64_t fill[4] = {1, AE_UNKNOWN, size.height, size.width};

    *shape = value->shape;
    if (shape->rank == 4 && shape->dim[1] == AE_YUV420_CHANNELS) {
        fill[2] /= 2;
        fill[3] /= 2;
    }
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN && (i == 0 || shape->rank == 4))
            shape->dim[i] = fill[i];
    for (int i = 0; value->has_shape && i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN) {
            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "input '%s' leaves the size of axis %d open",
                        value->name, i);
            return FALSE;
        }
    if (!value->has_shape)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE, "input '%s' has no shape",
                    value->name);
    return value->has_shape;
}

gboolean tool_parse(const GOptionEntry *entries, const char *usage, int min,
                    int max, int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(usage);

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc - 1 >= min && *argc - 1 <= max)
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                "'ae %s' was expected", usage);
    return FALSE;
}

gboolean tool_require(const char *option, const char *problem, GError **error)
{
    if (option == NULL)
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                            problem);
    return option != NULL;
}

gboolean tool_parse_size(const char *text, Size *size, GError **error)
{
    char end;

    if (text == NULL)
        return TRUE;
    if (sscanf(text, "%dx%d%c", &size->width, &size->height, &end) == 2 &&
        size->width > 0 && size->height > 0)
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "'%s' is not a size: 640x480 would be one", text);
    return FALSE;
}

AeModel *tool_load_model(const char *name, GError **error)
{
    if (g_file_test(name, G_FILE_TEST_EXISTS) || strchr(name, '/') != NULL ||
        g_str_has_suffix(name, ".onnx"))
        return ae_onnx_load(name, error);
    return ae_builtin_load(name, error);
}

AePlan *tool_plan(AeModel *model, Size size, AePool *pool, GError **error)
{
    guint n = model->inputs->len;
    g_autofree AeShape *shapes = g_new0(AeShape, n);
    AePlanOptions options = {
        .shapes = shapes, .n_inputs = (int)n, .pool = pool};

    for (guint i = 0; i < n; i++) {
        const AeValue *value =
            ae_model_value(model, ae_model_input(model, (int)i));

        if (!complete_shape(value, size, &shapes[i], error))
            return NULL;
    }
    return ae_plan_new(model, &options, error);
}

gboolean tool_save_canvas(cairo_t *canvas, const char *path, GError **error)
{
    g_autoptr(AeImage) image = ae_canvas_render(canvas, error);

    return image != NULL && ae_image_save_png(image, path, error);
}

int tool_choose_zoom(int width, int columns, int most)
{
    return CLAMP(PICTURE_WIDTH / (width * columns), 1, most);
}
