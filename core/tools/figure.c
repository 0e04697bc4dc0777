/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures made of images: grids and manifolds. */
#include "tools/figure.h"

#include <math.h>

#include "tools/plot.h"

enum { GAP = 4 /* pixels between the cells of a grid */ };

static double widest(cairo_t *canvas, const char *const *captions, int n)
{
    double width = 0;

    for (int i = 0; captions != NULL && i < n; i++)
        if (captions[i] != NULL)
            width = MAX(width, ae_canvas_text_width(canvas, captions[i]));
    return width;
}

void ae_figure_grid(cairo_t *canvas, AeImage *const *images, int rows,
                    int columns, const char *const *captions,
                    const char *const *row_captions, int zoom)
{
    int width = 0, height = row_captions != NULL ? AE_TEXT : 0;

    for (int i = 0; i < rows * columns; i++)
        if (images[i] != NULL) {
            width = MAX(width, images[i]->width * zoom);
            height = MAX(height, images[i]->height * zoom);
        }
    /* Captions that are wider than their cells become smaller first; then
     * cells become wider. */
    if (widest(canvas, captions, columns) > width)
        cairo_set_font_size(canvas, AE_SMALL_TEXT);
    width = MAX(width, (int)ceil(widest(canvas, captions, columns)));
    for (int x = 0; captions != NULL && x < columns; x++)
        if (captions[x] != NULL)
            ae_canvas_text(canvas, x * (width + GAP) + width / 2.0,
                           -AE_TEXT / 2 - GAP, 0.5, captions[x]);
    cairo_set_font_size(canvas, AE_TEXT);
    for (int y = 0; y < rows; y++) {
        const int top = y * (height + GAP);

        if (row_captions != NULL && row_captions[y] != NULL)
            ae_canvas_text(canvas, -2 * GAP, top + height / 2.0, 1,
                           row_captions[y]);
        for (int x = 0; x < columns; x++) {
            const AeImage *image = images[y * columns + x];

            if (image != NULL)
                ae_canvas_image(
                    canvas,
                    x * (width + GAP) + (width - image->width * zoom) / 2,
                    top + (height - image->height * zoom) / 2, image, zoom);
        }
    }
}

void ae_figure_manifold(cairo_t *canvas, AeImage *const *images, int count,
                        double range, int zoom)
{
    const int w = images[0]->width * zoom, h = images[0]->height * zoom;
    /* Ticks mark the middles of the images: an axis begins half an image
     * earlier. */
    const double edge = count > 1 ? range * count / (count - 1) : 0.5;
    const AePlot plot = {
        .width = count * w,
        .height = count * h,
        .x = {-edge, edge, "z1"},
        .y = {edge, -edge, "z0"},
    };

    ae_plot_axes(&plot, canvas, NULL, FALSE);
    for (int i = 0; i < count * count; i++)
        ae_canvas_image(canvas, i % count * w, i / count * h, images[i], zoom);
}
