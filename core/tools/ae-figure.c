/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae figure`: the kinds of pictures, and those of files of images, codes and
 * messages. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

/* @text split at commas, of which there are @n parts; NULL leaves @captions. */
static gboolean split_captions(const char *text, int n, char ***captions,
                               GError **error)
{
    if (text == NULL)
        return TRUE;
    *captions = g_strsplit(text, ",", -1);
    if (g_strv_length(*captions) == (guint)n)
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "'%s' are not %d captions, separated by commas", text, n);
    return FALSE;
}

static AeImage **load_images(char *const *paths, int n, GError **error)
{
    AeImage **images = g_new0(AeImage *, n + 1);

    for (int i = 0; i < n; i++) {
        images[i] = ae_image_load_png(paths[i], error);
        if (images[i] == NULL)
            break;
    }
    return images;
}

static void free_images(AeImage **images, int n)
{
    for (int i = 0; i < n; i++)
        ae_image_free(images[i]);
    g_free(images);
}

typedef struct {
    int rows, columns, zoom;
    char **captions, **row_captions;
} Grid;

static gboolean save_grid(const Grid *grid, const char *path,
                          char *const *names, int n, GError **error)
{
    int cells = MAX(grid->rows * grid->columns, n);
    AeImage **images = load_images(names, n, error);
    gboolean loaded = n == 0 || images[n - 1] != NULL;
    g_autoptr(cairo_t) canvas = ae_canvas_new();

    images = g_renew(AeImage *, images, cells);
    memset(images + n, 0, (gsize)(cells - n) * sizeof *images);
    if (loaded)
        ae_figure_grid(canvas, images, grid->rows, grid->columns,
                       (const char *const *)grid->captions,
                       (const char *const *)grid->row_captions, grid->zoom);
    free_images(images, cells);
    return loaded && tool_save_canvas(canvas, path, error);
}

static gboolean run_grid(int argc, char **argv, const char *usage,
                         GError **error)
{
    g_auto(GStrv) captions = NULL, row_captions = NULL;
    g_autofree char *path = NULL, *text = NULL, *row_text = NULL;
    Grid grid = {.zoom = 1};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "File to write",
         "OUT.png"},
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One a column, separated by commas", "A,B,C"},
        {"row-captions", 0, 0, G_OPTION_ARG_STRING, &row_text,
         "One a row, separated by commas", "A,B"},
        {"zoom", 0, 0, G_OPTION_ARG_INT, &grid.zoom,
         "Times larger (default: 1)", "N"},
        {0}};
    Size size = {0}; /* rows are its width */

    if (!tool_parse(entries, usage, 1, G_MAXINT, &argc, &argv, error) ||
        !tool_require(path, "--output is missing", error) ||
        !tool_parse_size(argv[1], &size, error))
        return FALSE;
    grid.rows = size.width;
    grid.columns = size.height;
    if (grid.zoom < 1 || grid.zoom > 64 || grid.rows > 1000 ||
        grid.columns > 1000)
        return tool_require(NULL, "at most 1000x1000 images, 64 times larger",
                            error);
    if (argc - 2 > grid.rows * grid.columns)
        return tool_require(NULL, "there are more images than places", error);
    if (!split_captions(text, grid.columns, &captions, error) ||
        !split_captions(row_text, grid.rows, &row_captions, error))
        return FALSE;
    grid.captions = captions;
    grid.row_captions = row_captions;
    return save_grid(&grid, path, argv + 2, argc - 2, error);
}

/* Where and how much two images differ: gray where they do not, and lighter
 * where the first is lighter, @gain times as much. NULL: of other size or
 * colour. */
static AeImage *difference(const AeImage *a, const AeImage *b, double gain)
{
    AeImage *figure;

    if (a->width != b->width || a->height != b->height ||
        a->channels != b->channels)
        return NULL;
    figure = ae_image_new(a->width, a->height, a->channels);
    for (gsize i = 0;
         i < (gsize)a->width * (gsize)a->height * (gsize)a->channels; i++) {
        double x = 127.5 + gain * (a->pixels[i] - b->pixels[i]);

        figure->pixels[i] = (uint8_t)CLAMP(x + 0.5, 0, 255);
    }
    return figure;
}

static gboolean run_difference(int argc, char **argv, const char *usage,
                               GError **error)
{
    g_autofree char *path = NULL;
    double gain = 8;
    const GOptionEntry entries[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME,
                                     &path, "File to write", "OUT.png"},
                                    {"gain", 0, 0, G_OPTION_ARG_DOUBLE, &gain,
                                     "Times stronger than it is (default: 8)",
                                     "N"},
                                    {0}};
    g_autoptr(AeImage) a = NULL, b = NULL, figure = NULL;

    if (!tool_parse(entries, usage, 2, 2, &argc, &argv, error) ||
        !tool_require(path, "--output is missing", error))
        return FALSE;
    a = ae_image_load_png(argv[1], error);
    b = a != NULL ? ae_image_load_png(argv[2], error) : NULL;
    if (b == NULL)
        return FALSE;
    figure = difference(a, b, gain);
    if (figure == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s and %s are not of the same size and colour", argv[1],
                    argv[2]);
        return FALSE;
    }
    return ae_image_save_png(figure, path, error);
}

/* Codes of at least two values; @n rows, or any number where it is 0. */
static AeTensor *load_codes(const char *path, int64_t n, GError **error)
{
    AeTensor *codes = ae_npy_load(path, error);

    if (codes == NULL)
        return NULL;
    if (codes->shape.rank == 2 && codes->shape.dim[0] == n &&
        codes->shape.dim[1] >= 2)
        return codes;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "%s: %" G_GINT64_FORMAT
                " rows of two numbers or more were expected",
                path, n);
    ae_tensor_free(codes);
    return NULL;
}

static gboolean save_scatter(const AeIdx *labels, char **paths, int n,
                             char **captions, const char *path, GError **error)
{
    g_autoptr(GPtrArray) panels =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);
    g_autoptr(cairo_t) canvas = ae_canvas_new();

    for (int i = 0; i < n; i++) {
        AeTensor *codes = load_codes(paths[i], labels->dim[0], error);

        if (codes == NULL)
            return FALSE;
        g_ptr_array_add(panels, codes);
    }
    ae_figure_scatter(canvas, (const AeTensor *const *)panels->pdata, n,
                      (const char *const *)captions, labels->data);
    return tool_save_canvas(canvas, path, error);
}

static gboolean run_scatter(int argc, char **argv, const char *usage,
                            GError **error)
{
    g_auto(GStrv) captions = NULL;
    g_autofree char *path = NULL, *text = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "File to write",
         "OUT.png"},
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each file of codes, separated by commas", "A,B"},
        {0}};
    g_autoptr(AeIdx) labels = NULL;

    if (!tool_parse(entries, usage, 2, 9, &argc, &argv, error) ||
        !tool_require(path, "--output is missing", error) ||
        !split_captions(text, argc - 2, &captions, error))
        return FALSE;
    labels = ae_idx_load(argv[1], error);
    if (labels == NULL)
        return FALSE;
    if (labels->rank != 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s: labels were expected, and images found", argv[1]);
        return FALSE;
    }
    return save_scatter(labels, argv + 2, argc - 2, captions, path, error);
}

/* The number of @field, "name=(type)number", in a message. */
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

/* The messages "ae-training" that gst-launch-1.0 -m wrote. */
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

static gboolean save_curves(char **paths, int n, char **captions,
                            const char *path, GError **error)
{
    g_autofree AeCurve *curves = g_new0(AeCurve, n);
    gboolean good = TRUE;

    for (int i = 0; i < n; i++) {
        curves[i].name = captions != NULL ? captions[i] : paths[i];
        curves[i].training = g_array_new(FALSE, FALSE, sizeof(AeCurvePoint));
        curves[i].validation = g_array_new(FALSE, FALSE, sizeof(AeCurvePoint));
        good = good && read_log(paths[i], &curves[i], error);
    }
    if (good) {
        g_autoptr(cairo_t) canvas = ae_canvas_new();

        ae_figure_curves(canvas, curves, n);
        good = tool_save_canvas(canvas, path, error);
    }
    for (int i = 0; i < n; i++) {
        g_array_unref(curves[i].training);
        g_array_unref(curves[i].validation);
    }
    return good;
}

static gboolean run_curves(int argc, char **argv, const char *usage,
                           GError **error)
{
    g_auto(GStrv) captions = NULL;
    g_autofree char *path = NULL, *text = NULL;
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "File to write",
         "OUT.png"},
        {"captions", 0, 0, G_OPTION_ARG_STRING, &text,
         "One for each log, separated by commas (default: their names)", "A,B"},
        {0}};

    if (!tool_parse(entries, usage, 1, 10, &argc, &argv, error) ||
        !tool_require(path, "--output is missing", error) ||
        !split_captions(text, argc - 1, &captions, error))
        return FALSE;
    return save_curves(argv + 1, argc - 1, captions, path, error);
}

static const Command data_figures[] = {
    {"grid", "figure grid ROWSxCOLUMNS IMAGE... -o OUT.png",
     "images side by side", run_grid},
    {"difference", "figure difference A.png B.png -o OUT.png",
     "how two images differ: gray where they do not", run_difference},
    {"scatter", "figure scatter LABELS.idx CODES.npy... -o OUT.png",
     "the first two values of codes, coloured by label", run_scatter},
    {"curves", "figure curves LOG... -o OUT.png",
     "losses against steps, from what gst-launch-1.0 -m printed", run_curves},
    {0},
};

static const Command *const groups[] = {data_figures, weight_figures,
                                        decode_figures};

static gboolean list_kinds(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const Command *kind = groups[i]; kind->name; kind++)
            printf("  ae %-52s %s\n", kind->arguments, kind->summary);
    return TRUE;
}

static gboolean run_figure(int argc, char **argv, const char *usage,
                           GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return list_kinds();
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const Command *kind = groups[i]; kind->name; kind++) {
            if (argc > 1 && strcmp(argv[1], kind->name) == 0)
                return kind->run(argc - 1, argv + 1, kind->arguments, error);
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   kind->name);
        }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                "the kinds of figures are %s", names->str);
    return FALSE;
}

const Command figure_commands[] = {
    {"figure", "figure KIND ... -o OUT.png",
     "pictures; 'ae figure --help' lists the kinds", run_figure},
    {0},
};
