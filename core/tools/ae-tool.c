/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PICTURE_WIDTH = 940 };

/* The axes that a shape leaves open, without the batch, which becomes 1. */
static int find_open(AeShape *shape, int *axes)
{
    int n = 0;

    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN)
            axes[n++] = i;
    if (n == 0 || axes[0] > 0 || (shape->rank == 3 && n > 1))
        return n;
    shape->dim[0] = 1;
    memmove(axes, axes + 1, (size_t)--n * sizeof *axes);
    return n;
}

/* The declared shape with what it leaves open filled in: height and width, and
 * before them one frame where there is an axis of frames. 4:2:0 video is half
 * the size of its frames. */
static gboolean complete_shape(const AeValue *value, Size size, AeShape *shape,
                               GError **error)
{
    int axes[AE_MAX_RANK], n, part, most;

    if (!value->has_shape) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE, "input '%s' has no shape",
                    value->name);
        return FALSE;
    }
    *shape = value->shape;
    n = find_open(shape, axes);
    part = shape->rank == 4 && shape->dim[1] == AE_YUV420_CHANNELS ? 2 : 1;
    most = shape->rank > 4 ? AE_MAX_RANK : 2;
    for (int i = n - 1; i >= 0 && n <= most; i--)
        shape->dim[axes[i]] = i == n - 1   ? size.width / part
                              : i == n - 2 ? size.height / part
                                           : 1;
    if (n <= most)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "input '%s' leaves the size of axis %d open", value->name,
                axes[0]);
    return FALSE;
}

GOptionEntry tool_int_option(const char *name, int *value, const char *about)
{
    return (GOptionEntry){name, 0, 0, G_OPTION_ARG_INT, value, about, "N"};
}

GOptionEntry tool_seed_option(gint64 *seed, const char *about)
{
    return (GOptionEntry){"seed", 0, 0, G_OPTION_ARG_INT64, seed, about, "N"};
}

void tool_parse(Arguments *args, const GOptionEntry *entries, int min, int max)
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
    tool_check(
        g_option_context_parse(context, &args->argc, &args->argv, &tool_error));
    tool_usage(args->argc > min && args->argc - 1 <= max,
               "'ae %s' was expected", args->usage);
    tool_usage(output == NULL || args->output != NULL, "--output is missing");
}

void tool_parse_size(const char *text, Size *size)
{
    char end;
    int read;

    if (text == NULL)
        return;
    read = sscanf(text, "%9dx%9d%c", &size->width, &size->height, &end);
    tool_usage(read == 2 && size->width > 0 && size->height > 0,
               "'%s' is not a size: 640x480 would be one", text);
}

AeModel *tool_open_model(const char *name, GError **error)
{
    if (g_file_test(name, G_FILE_TEST_EXISTS) || strchr(name, '/') != NULL ||
        g_str_has_suffix(name, ".onnx"))
        return ae_onnx_load(name, error);
    return ae_builtin_load(name, error);
}

AeModel *tool_load_model(const char *name)
{
    return tool_need(tool_open_model(name, &tool_error));
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

AeIdx *tool_load_idx(const char *path)
{
    return tool_need(ae_idx_load(path, &tool_error));
}

AeImage *tool_load_png(const char *path)
{
    return tool_need(ae_image_load_png(path, &tool_error));
}

AePicture tool_picture_of(AeImage image)
{
    return ae_picture_of_bytes(image.pixels, image.width, image.height,
                               image.channels);
}

void *tool_alloc(int64_t n, size_t size)
{
    return tool_need(ae_alloc((size_t)n, size, &tool_error));
}

AeTensor *tool_new_tensor(AeShape shape)
{
    return tool_need(ae_tensor_new(&shape, &tool_error));
}

AeTensor *tool_new_rows(AeShape one, int64_t count)
{
    one.dim[0] = count;
    return tool_new_tensor(one);
}

void tool_save_model(const AeModel *model, const char *path)
{
    tool_check(ae_onnx_save(model, path, &tool_error));
}

void tool_save_canvas(cairo_t *canvas, const char *path)
{
    g_autoptr(AeImage) image = tool_need(ae_canvas_render(canvas, &tool_error));

    tool_check(ae_image_save_png(image, path, &tool_error));
}

int tool_choose_zoom(int width, int columns, int most)
{
    return CLAMP(PICTURE_WIDTH / (width * columns), 1, most);
}

int tool_compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
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
