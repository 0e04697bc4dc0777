/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tools/figure.h"

enum {
    GAP = 5,         /* pixels between tiles */
    SATURATED = 500, /* one number in so many lies beyond the colours */
    BAR = 20,        /* width of the colour bar */
    BAR_GAP = 16,
    LEAST = 200, /* height of the colour bar */
};

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Few numbers are far larger than the others: one in SATURATED may be. 0: there
 * is no memory. */
static double choose_scale(const float *numbers, int64_t n, GError **error)
{
    ae_autofree float *sorted = ae_alloc((size_t)n, sizeof *sorted, error);
    double scale;

    if (sorted == NULL)
        return 0;
    for (int64_t i = 0; i < n; i++)
        sorted[i] = fabsf(numbers[i]);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    scale = sorted[n - 1 - n / SATURATED];
    return scale > 0 ? scale : 1;
}

/* @numbers as colours, in a thin gray frame. */
static gboolean draw_tile(cairo_t *canvas, int left, int top,
                          const float *numbers, int height, int width, int zoom,
                          double scale, GError **error)
{
    ae_autofree uint8_t *pixels =
        ae_alloc((size_t)width * (size_t)height, 3, error);
    const AeImage image = {width, height, 3, pixels};

    if (pixels == NULL)
        return FALSE;
    for (int i = 0; i < width * height; i++)
        ae_colour_diverging(numbers[i] / scale, pixels + 3 * i);
    ae_canvas_set_gray(canvas, 0.9);
    ae_canvas_box(canvas, left - 1, top - 1, width * zoom + 2,
                  height * zoom + 2);
    ae_canvas_image(canvas, left, top, &image, zoom);
    return TRUE;
}

static void draw_number(cairo_t *canvas, int left, double middle, double number)
{
    g_autofree char *text =
        g_strdup_printf(number != 0 ? "%+.3g" : "%g", number);

    ae_canvas_text(canvas, left, middle, 0, text);
}

static gboolean draw_bar(cairo_t *canvas, int left, int height, double scale,
                         GError **error)
{
    ae_autofree float *shades =
        ae_alloc((size_t)height, BAR * sizeof *shades, error);

    if (shades == NULL)
        return FALSE;
    for (int i = 0; i < height * BAR; i++)
        shades[i] = 1 - 2.0f * (float)(i / BAR) / (float)(height - 1);
    if (!draw_tile(canvas, left, 0, shades, height, BAR, 1, 1, error))
        return FALSE;
    draw_number(canvas, left + BAR + 8, AE_TEXT / 2, scale);
    draw_number(canvas, left + BAR + 8, height / 2.0, 0);
    draw_number(canvas, left + BAR + 8, height - AE_TEXT / 2, -scale);
    return TRUE;
}

gboolean ae_figure_weights(cairo_t *canvas, const float *tiles, int n,
                           int height, int width, int columns, int zoom,
                           GError **error)
{
    const int w = width * zoom + GAP, h = height * zoom + GAP;
    const int rows = (n + columns - 1) / columns;
    const double scale =
        choose_scale(tiles, (int64_t)n * height * width, error);

    if (scale == 0)
        return FALSE;
    for (int i = 0; i < n; i++)
        if (!draw_tile(canvas, i % columns * w, i / columns * h,
                       tiles + (int64_t)i * height * width, height, width, zoom,
                       scale, error))
            return FALSE;
    return draw_bar(canvas, columns * w - GAP + BAR_GAP,
                    MAX(rows * h - GAP, LEAST), scale, error);
}
