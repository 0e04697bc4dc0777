/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures. */
#include <string.h>

#include "ae-tool.h"

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

static gboolean save_grid(const char *path, int rows, int columns,
                          char *const *names, int n, char **captions, int zoom,
                          GError **error)
{
    int cells = MAX(rows * columns, n);
    AeImage **images = load_images(names, n, error);
    gboolean loaded = n == 0 || images[n - 1] != NULL;
    g_autoptr(AeImage) grid = NULL;

    images = g_renew(AeImage *, images, cells);
    memset(images + n, 0, (gsize)(cells - n) * sizeof *images);
    if (loaded)
        grid = ae_figure_grid(images, rows, columns,
                              (const char *const *)captions, zoom);
    free_images(images, cells);
    return grid != NULL && ae_image_save_png(grid, path, error);
}

/* figure grid OUT.png ROWSxCOLUMNS IMAGE... */
static gboolean run_figure(int argc, char **argv, const char *usage,
                           GError **error)
{
    g_auto(GStrv) captions = NULL;
    g_autofree char *text = NULL;
    int zoom = 1;
    const GOptionEntry entries[] = {{"captions", 0, 0, G_OPTION_ARG_STRING,
                                     &text, "One a column, separated by commas",
                                     "A,B,C"},
                                    {"zoom", 0, 0, G_OPTION_ARG_INT, &zoom,
                                     "Times larger (default: 1)", "N"},
                                    {0}};
    Size grid = {0}; /* rows are its width */

    if (!tool_parse(entries, usage, 3, G_MAXINT, &argc, &argv, error) ||
        !tool_parse_size(argv[3], &grid, error))
        return FALSE;
    if (strcmp(argv[1], "grid") != 0)
        return tool_require(NULL, "the only figure is 'grid'", error);
    if (zoom < 1 || zoom > 64 || grid.width > 1000 || grid.height > 1000)
        return tool_require(NULL, "at most 1000x1000 images, 64 times larger",
                            error);
    if (argc - 4 > grid.width * grid.height)
        return tool_require(NULL, "there are more images than places", error);
    if (text != NULL) {
        captions = g_strsplit(text, ",", -1);
        if (g_strv_length(captions) != (guint)grid.height)
            return tool_require(NULL, "there must be one caption a column",
                                error);
    }
    return save_grid(argv[2], grid.width, grid.height, argv + 4, argc - 4,
                     captions, zoom, error);
}

const Command figure_commands[] = {
    {"figure", "figure grid OUT.png ROWSxCOLUMNS IMAGE...",
     "images side by side", run_figure},
    {0},
};
