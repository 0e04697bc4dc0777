/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae figure`: pictures made of files of images, of codes and of messages. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

/* Splits @text at commas into @n captions; NULL leaves @captions as it is. */
static gboolean split_captions(const char *text, int n, char ***captions,
                               GError **error)
{
    if (text == NULL)
        return TRUE;
    *captions = g_strsplit(text, ",", -1);
    if (g_strv_length(*captions) == (guint)n)
        return TRUE;
    return tool_refuse(error, "'%s' are not %d captions, separated by commas",
                       text, n);
}

static void destroy_image(void *image)
{
    ae_image_free(image);
}

static gboolean run_grid(Arguments *args, GError **error)
{
    g_auto(GStrv) captions = NULL, row_captions = NULL;
    g_autofree char *text = NULL, *row_text = NULL;
    int zoom = 1;
    const GOptionEntry entries[] = {
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each column, separated by commas", "A,B,C"},
        {"row-captions", 0, 0, G_OPTION_ARG_STRING, &row_text,
         "One for each row, separated by commas", "A,B"},
        {"zoom", 0, 0, G_OPTION_ARG_INT, &zoom,
         "Enlarges every pixel to NxN (default: 1)", "N"},
        {0}};
    g_autoptr(GPtrArray) images = g_ptr_array_new_with_free_func(destroy_image);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    Size size = {0}; /* its width counts rows, its height columns */

    if (!tool_parse(args, entries, 1, G_MAXINT, error) ||
        !tool_parse_size(args->argv[1], &size, error))
        return FALSE;
    if (zoom < 1 || zoom > 64 || size.width > 1000 || size.height > 1000)
        return tool_refuse(error, "a grid has at most 1000x1000 images, and "
                                  "--zoom is 1 to 64");
    if (args->argc - 2 > size.width * size.height)
        return tool_refuse(error, "there are more images than places");
    if (!split_captions(text, size.height, &captions, error) ||
        !split_captions(row_text, size.width, &row_captions, error))
        return FALSE;
    for (int i = 2; i < args->argc; i++) {
        AeImage *image = ae_image_load_png(args->argv[i], error);

        if (image == NULL)
            return FALSE;
        g_ptr_array_add(images, image);
    }
    g_ptr_array_set_size(images, size.width * size.height);
    ae_figure_grid(canvas, (AeImage *const *)images->pdata, size.width,
                   size.height, (const char *const *)captions,
                   (const char *const *)row_captions, zoom);
    return tool_save_canvas(canvas, args->output, error);
}

static gboolean run_difference(Arguments *args, GError **error)
{
    double gain = 8;
    const GOptionEntry entries[] = {{"gain", 0, 0, G_OPTION_ARG_DOUBLE, &gain,
                                     "Multiplies the differences (default: 8)",
                                     "N"},
                                    {0}};
    g_autoptr(AeImage) a = NULL, b = NULL;

    if (!tool_parse(args, entries, 2, 2, error))
        return FALSE;
    a = ae_image_load_png(args->argv[1], error);
    b = a != NULL ? ae_image_load_png(args->argv[2], error) : NULL;
    if (b == NULL)
        return FALSE;
    if (a->width != b->width || a->height != b->height ||
        a->channels != b->channels) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s and %s are not of the same size and colour",
                    args->argv[1], args->argv[2]);
        return FALSE;
    }
    for (int i = 0; i < a->width * a->height * a->channels; i++) {
        double x = 127.5 + gain * (a->pixels[i] - b->pixels[i]);

        a->pixels[i] = (uint8_t)CLAMP(x + 0.5, 0, 255);
    }
    return ae_image_save_png(a, args->output, error);
}

/* Codes of two values or more, in @n rows. */
static AeTensor *load_codes(const char *path, int64_t n, GError **error)
{
    AeTensor *codes = ae_npy_load(path, error);

    if (codes == NULL || (codes->shape.rank == 2 && codes->shape.dim[0] == n &&
                          codes->shape.dim[1] >= 2))
        return codes;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "%s: %" G_GINT64_FORMAT
                " rows of two numbers or more were expected",
                path, n);
    ae_tensor_free(codes);
    return NULL;
}

static void destroy_tensor(void *tensor)
{
    ae_tensor_free(tensor);
}

static gboolean run_scatter(Arguments *args, GError **error)
{
    g_auto(GStrv) captions = NULL;
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each file of codes, separated by commas", "A,B"},
        {0}};
    g_autoptr(AeIdx) labels = NULL;
    g_autoptr(GPtrArray) panels =
        g_ptr_array_new_with_free_func(destroy_tensor);
    g_autoptr(cairo_t) canvas = ae_canvas_new();

    if (!tool_parse(args, entries, 2, 9, error) ||
        !split_captions(text, args->argc - 2, &captions, error))
        return FALSE;
    labels = ae_idx_load(args->argv[1], error);
    if (labels == NULL)
        return FALSE;
    if (labels->rank != 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s: labels were expected, and images found",
                    args->argv[1]);
        return FALSE;
    }
    for (int i = 2; i < args->argc; i++) {
        AeTensor *codes = load_codes(args->argv[i], labels->dim[0], error);

        if (codes == NULL)
            return FALSE;
        g_ptr_array_add(panels, codes);
    }
    ae_figure_scatter(canvas, (const AeTensor *const *)panels->pdata,
                      (int)panels->len, (const char *const *)captions,
                      labels->data);
    return tool_save_canvas(canvas, args->output, error);
}

/* Reads the number of @field from a message, "field=(type)number". */
static gboolean read_field(const char *line, const char *field, double *number)
{
    g_autofree char *pattern = g_strdup_printf(" %s=", field);
    const char *at = strstr(line, pattern);
    char *end;

    if (at == NULL)
        return FALSE;
    at += strlen(pattern);
    if (*at == '(' && strchr(at, ')') != NULL)
        at = strchr(at, ')') + 1;
    *number = g_ascii_strtod(at, &end);
    return end != at;
}

static void read_point(const char *line, const char *field, double step,
                       GArray *points)
{
    AeCurvePoint point = {.step = step};

    if (read_field(line, field, &point.value))
        g_array_append_val(points, point);
}

/* Reads the messages "ae-training" that gst-launch-1.0 -m has printed. */
static gboolean read_log(const char *path, AeCurve *curve, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);
    g_auto(GStrv) lines = NULL;
    gsize size;
    double step;

    if (bytes == NULL)
        return FALSE;
    const char *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_strndup(data, size);
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (strstr(*line, "ae-training,") && read_field(*line, "step", &step)) {
            read_point(*line, "loss", step, curve->training);
            read_point(*line, "validation-loss", step, curve->validation);
        }
    if (curve->training->len > 0)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "%s: it holds no messages ae-training, as gst-launch-1.0 -m "
                "prints them",
                path);
    return FALSE;
}

static gboolean run_curves(Arguments *args, GError **error)
{
    g_auto(GStrv) captions = NULL;
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each log, separated by commas (default: their names)", "A,B"},
        {0}};
    AeCurve curves[10];
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    gboolean good = TRUE;
    int n;

    if (!tool_parse(args, entries, 1, G_N_ELEMENTS(curves), error) ||
        !split_captions(text, args->argc - 1, &captions, error))
        return FALSE;
    n = args->argc - 1;
    for (int i = 0; i < n; i++) {
        curves[i].name = captions != NULL ? captions[i] : args->argv[1 + i];
        curves[i].training = g_array_new(FALSE, FALSE, sizeof(AeCurvePoint));
        curves[i].validation = g_array_new(FALSE, FALSE, sizeof(AeCurvePoint));
        good = good && read_log(args->argv[1 + i], &curves[i], error);
    }
    if (good)
        ae_figure_curves(canvas, curves, n);
    for (int i = 0; i < n; i++) {
        g_array_unref(curves[i].training);
        g_array_unref(curves[i].validation);
    }
    return good && tool_save_canvas(canvas, args->output, error);
}

const Command figure_commands[] = {
    {"figure grid", "figure grid ROWSxCOLUMNS IMAGE... -o OUT.png",
     "images side by side", run_grid},
    {"figure difference", "figure difference A.png B.png -o OUT.png",
     "the difference of two images: gray where they are equal", run_difference},
    {"figure scatter", "figure scatter LABELS.idx CODES.npy... -o OUT.png",
     "a dot for each code at its first two values, coloured by label",
     run_scatter},
    {"figure curves", "figure curves LOG... -o OUT.png",
     "losses against steps, from logs of gst-launch-1.0 -m", run_curves},
    {0},
};
