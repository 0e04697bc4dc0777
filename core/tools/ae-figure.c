/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae figure`: pictures made of files of images, of codes and of messages. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

/* Splits @text (NULL: there are none) at commas into @n captions. */
static char **split_captions(const char *text, int n)
{
    char **captions = text != NULL ? g_strsplit(text, ",", -1) : NULL;

    tool_usage(captions == NULL || g_strv_length(captions) == (guint)n,
               "'%s' are not %d captions, separated by commas", text, n);
    return captions;
}

void run_grid(Arguments *args)
{
    g_autofree char *text = NULL, *row_text = NULL;
    int zoom = 1;
    const GOptionEntry entries[] = {
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each column, separated by commas", "A,B,C"},
        {"row-captions", 0, 0, G_OPTION_ARG_STRING, &row_text,
         "One for each row, separated by commas", "A,B"},
        tool_int_option("zoom", &zoom,
                        "Enlarges every pixel to NxN (default: 1)"),
        {0}};
    g_autoptr(GPtrArray) images =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_image_free);
    Size size = {0}; /* its width counts rows, its height columns */

    tool_parse(args, entries, 1, G_MAXINT);
    tool_parse_size(args->argv[1], &size);
    tool_usage(zoom > 0 && zoom <= 64 && size.width <= 1000 &&
                   size.height <= 1000,
               "a grid has at most 1000x1000 images, and --zoom is 1 to 64");
    tool_usage(args->argc - 2 <= size.width * size.height,
               "there are more images than places");
    g_auto(GStrv) captions = split_captions(text, size.height);
    g_auto(GStrv) row_captions = split_captions(row_text, size.width);
    for (int i = 2; i < args->argc; i++)
        g_ptr_array_add(images, tool_load_png(args->argv[i]));
    g_ptr_array_set_size(images, size.width * size.height);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    ae_figure_grid(canvas, (AeImage *const *)images->pdata, size.width,
                   size.height, (const char *const *)captions,
                   (const char *const *)row_captions, zoom);
    tool_save_canvas(canvas, args->output);
}

void run_difference(Arguments *args)
{
    double gain = 8;
    const GOptionEntry entries[] = {{"gain", 0, 0, G_OPTION_ARG_DOUBLE, &gain,
                                     "Multiplies the differences (default: 8)",
                                     "N"},
                                    {0}};

    tool_parse(args, entries, 2, 2);
    g_autoptr(AeImage) a = tool_load_png(args->argv[1]);
    g_autoptr(AeImage) b = tool_load_png(args->argv[2]);
    tool_require(a->width == b->width && a->height == b->height &&
                     a->channels == b->channels,
                 "%s and %s are not of the same size and colour", args->argv[1],
                 args->argv[2]);
    for (int i = 0; i < a->width * a->height * a->channels; i++) {
        double x = 127.5 + gain * (a->pixels[i] - b->pixels[i]);

        a->pixels[i] = (uint8_t)CLAMP(x + 0.5, 0, 255);
    }
    tool_check(ae_image_save_png(a, args->output, &tool_error));
}

/* Codes of two values or more, in @n rows. */
static AeTensor *load_codes(const char *path, int64_t n)
{
    AeTensor *codes = tool_need(ae_npy_load(path, &tool_error));

    tool_require(codes->shape.rank == 2 && codes->shape.dim[0] == n &&
                     codes->shape.dim[1] >= 2,
                 "%s: %" G_GINT64_FORMAT
                 " rows of two numbers or more were expected",
                 path, n);
    return codes;
}

void run_scatter(Arguments *args)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each file of codes, separated by commas", "A,B"},
        {0}};
    g_autoptr(GPtrArray) panels =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);

    tool_parse(args, entries, 2, 9);
    g_auto(GStrv) captions = split_captions(text, args->argc - 2);
    g_autoptr(AeIdx) labels = tool_load_idx(args->argv[1]);
    tool_require(labels->rank == 1,
                 "%s: labels were expected, and images found", args->argv[1]);
    for (int i = 2; i < args->argc; i++)
        g_ptr_array_add(panels, load_codes(args->argv[i], labels->dim[0]));
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    ae_figure_scatter(canvas, (const AeTensor *const *)panels->pdata,
                      (int)panels->len, (const char *const *)captions,
                      labels->data);
    tool_save_canvas(canvas, args->output);
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
static void read_log(const char *path, AeCurve *curve)
{
    g_autoptr(GBytes) bytes = tool_need(ae_file_read(path, &tool_error));
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_strndup(data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    double step;

    for (char **line = lines; *line != NULL; line++)
        if (strstr(*line, "ae-training,") && read_field(*line, "step", &step)) {
            read_point(*line, "loss", step, curve->training);
            read_point(*line, "validation-loss", step, curve->validation);
        }
    tool_require(curve->training->len > 0,
                 "%s: it holds no messages ae-training, as gst-launch-1.0 -m "
                 "prints them",
                 path);
}

void run_curves(Arguments *args)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each log, separated by commas (default: their names)", "A,B"},
        {0}};
    AeCurve curves[10];

    tool_parse(args, entries, 1, G_N_ELEMENTS(curves));
    const int n = args->argc - 1;
    g_auto(GStrv) captions = split_captions(text, n);
    for (int i = 0; i < n; i++) {
        curves[i].name = captions != NULL ? captions[i] : args->argv[1 + i];
        curves[i].training = g_array_new(FALSE, FALSE, sizeof(AeCurvePoint));
        curves[i].validation = g_array_new(FALSE, FALSE, sizeof(AeCurvePoint));
        read_log(args->argv[1 + i], &curves[i]);
    }
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    ae_figure_curves(canvas, curves, n);
    for (int i = 0; i < n; i++) {
        g_array_unref(curves[i].training);
        g_array_unref(curves[i].validation);
    }
    tool_save_canvas(canvas, args->output);
}
