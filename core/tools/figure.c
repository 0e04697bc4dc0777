/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures made of images: grids and manifolds. */
#include "tools/figure.h"

#include "tools/plot.h"

enum { GAP = 4 /* between the cells of a grid, and around them */ };

/* Size of a cell, scale and height of the captions, width of those at the left,
 * channels of a grid. */
typedef struct {
    int width, height, scale, caption, left, channels;
} Cells;

static Cells measure_images(AeImage *const *images, int n, int zoom)
{
    Cells cells = {.channels = 1};

    for (int i = 0; i < n; i++) {
        if (images[i] == NULL)
            continue;
        cells.width = MAX(cells.width, images[i]->width * zoom);
        cells.height = MAX(cells.height, images[i]->height * zoom);
        cells.channels = MAX(cells.channels, images[i]->channels);
    }
    return cells;
}

static int widest(const char *const *captions, int n)
{
    int width = 0;

    for (int i = 0; i < n; i++)
        if (captions[i])
            width = MAX(width, ae_draw_text_width(captions[i], 1));
    return width;
}

/* Captions are drawn twice as large where all fit so, else cells grow to hold
 * them. */
static void measure_captions(Cells *cells, const char *const *captions, int n)
{
    int width = widest(captions, n);

    cells->scale = 2 * width <= cells->width ? 2 : 1;
    cells->width = MAX(cells->width, width * cells->scale);
    cells->caption = AE_TEXT_HEIGHT * cells->scale + GAP;
}

static void measure_row_captions(Cells *cells, const char *const *captions,
                                 int n)
{
    cells->height = MAX(cells->height, AE_TEXT_HEIGHT * 2);
    cells->left = 2 * widest(captions, n) + GAP;
}

AeImage *ae_figure_grid(AeImage *const *images, int rows, int columns,
                        const char *const *captions,
                        const char *const *row_captions, int zoom)
{
    Cells cells = measure_images(images, rows * columns, zoom);
    AeImage *figure;

    if (captions)
        measure_captions(&cells, captions, columns);
    if (row_captions)
        measure_row_captions(&cells, row_captions, rows);
    figure = ae_draw_new(columns * (cells.width + GAP) + GAP + cells.left,
                         rows * (cells.height + GAP) + GAP + cells.caption,
                         cells.channels);
    for (int x = 0; captions && x < columns; x++)
        if (captions[x])
            ae_draw_text(figure, cells.left + GAP + x * (cells.width + GAP),
                         GAP, captions[x], cells.scale, AE_INK);
    for (int y = 0; y < rows; y++) {
        int top = GAP + cells.caption + y * (cells.height + GAP);

        if (row_captions && row_captions[y])
            ae_draw_text(figure, GAP, top + cells.height / 2 - AE_TEXT_HEIGHT,
                         row_captions[y], 2, AE_INK);
        for (int x = 0; x < columns; x++)
            if (images[y * columns + x])
                ae_draw_image(figure,
                              cells.left + GAP + x * (cells.width + GAP), top,
                              images[y * columns + x], zoom);
    }
    return figure;
}

AeImage *ae_figure_manifold(AeImage *const *images, int count, double range,
                            int zoom)
{
    const int w = images[0]->width * zoom, h = images[0]->height * zoom;
    /* Ticks are at the middles of the images: the axes begin half one before.
     */
    const double edge = count > 1 ? range * count / (count - 1) : 0.5;
    AePlot plot = {
        .image = ae_draw_new(AE_PLOT_LEFT + count * w + AE_PLOT_EDGE,
                             AE_PLOT_EDGE + count * h + AE_PLOT_BOTTOM,
                             images[0]->channels),
        .left = AE_PLOT_LEFT,
        .top = AE_PLOT_EDGE,
        .width = count * w,
        .height = count * h,
        .x = {-edge, edge, "z1"},
        .y = {edge, -edge, "z0"},
    };

    for (int i = 0; i < count * count; i++)
        ae_draw_image(plot.image, plot.left + i % count * w,
                      plot.top + i / count * h, images[i], zoom);
    ae_plot_axes(&plot, NULL);
    return plot.image;
}
