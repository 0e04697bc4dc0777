/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

gboolean tool_parse(Arguments *args, const GOptionEntry *entries, int min,
                    int max, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(args->usage);
    const char *output = strstr(args->usage, "-o ");
    const GOptionEntry entry[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME,
                                   &args->output, "File to write",
                                   output != NULL ? output + 3 : NULL},
                                  {0}};

    if (output != NULL)
        g_option_context_add_main_entries(context, entry, NULL);
    if (entries != NULL)
        g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &args->argc, &args->argv, error))
        return FALSE;
    if (args->argc <= min || args->argc - 1 > max)
        return tool_refuse(error, "'ae %s' was expected", args->usage);
    if (output != NULL && args->output == NULL)
        return tool_refuse(error, "--output is missing");
    return TRUE;
}

gboolean tool_refuse(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list values;

    va_start(values, format);
    message = g_strdup_vprintf(format, values);
    va_end(values);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, message);
    return FALSE;
}

gboolean tool_parse_size(const char *text, Size *size, GError **error)
{
    char end;

    if (text == NULL)
        return TRUE;
    if (sscanf(text, "%dx%d%c", &size->width, &size->height, &end) == 2 &&
        size->width > 0 && size->height > 0)
        return TRUE;
    return tool_refuse(error, "'%s' is not a size: 640x480 would be one", text);
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

void tool_progress(int64_t done, int64_t all)
{
    static gint64 begin;
    const gint64 now = g_get_monotonic_time();

    if (!isatty(STDERR_FILENO))
        return;
    if (done == 0)
        begin = now;
    if (done == all)
        fputs("\r\x1b[K", stderr);
    else if (done > 0)
        fprintf(stderr, "\r%3.0f %%, %.0f s left \x1b[K",
                100.0 * (double)done / (double)all,
                (double)(now - begin) * 1e-6 * (double)(all - done) /
                    (double)done);
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
