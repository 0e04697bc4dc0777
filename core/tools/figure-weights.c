/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdlib.h>

#include "tools/figure.h"
#include "tools/plot.h"

enum {
    GAP = 5,
    SATURATED = 500,
    BAR = 20,       /* the colour bar's width */
    BAR_ROOM = 140, /* with its numbers */
    LEAST = 200,    /* height of the picture, so that the bar is one */
};

static void draw_tile(AeImage *image, int left, int top, const float *tile,
                      int height, int width, int zoom, double scale)
{
    ae_draw_area(image, left - 1, top - 1, width * zoom + 2, height * zoom + 2,
                 AE_RULE);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ae_draw_area(image, left + x * zoom, top + y * zoom, zoom, zoom,
                         ae_colour_diverging(tile[y * width + x] / scale));
}

static void draw_number(AeImage *image, int left, int middle, double number)
{
    g_autofree char *text =
        g_strdup_printf(number != 0 ? "%+.3g" : "%g", number);

    ae_draw_text(image, left, middle - AE_TEXT_HEIGHT + 1, text, 2, AE_INK);
}

static void draw_bar(AeImage *image, int left, double scale)
{
    const int top = AE_PLOT_EDGE, height = image->height - 2 * AE_PLOT_EDGE;

    ae_draw_area(image, left - 1, top - 1, BAR + 2, height + 2, AE_FRAME);
    for (int y = 0; y < height; y++)
        ae_draw_area(image, left, top + y, BAR, 1,
                     ae_colour_diverging(1 - 2.0 * y / (height - 1)));
    draw_number(image, left + BAR + 8, top + AE_TEXT_HEIGHT, scale);
    draw_number(image, left + BAR + 8, top + height / 2, 0);
    draw_number(image, left + BAR + 8, top + height - AE_TEXT_HEIGHT, -scale);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Few numbers are far larger than the others: one in SATURATED may be. */
static double choose_scale(const float *numbers, int64_t n)
{
    g_autofree float *sorted = g_new(float, n);
    double scale;

    for (int64_t i = 0; i < n; i++)
        sorted[i] = fabsf(numbers[i]);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    scale = sorted[n - 1 - n / SATURATED];
    return scale > 0 ? scale : 1;
}

AeImage *ae_figure_weights(const float *tiles, int n, int height, int width,
                           int columns, int zoom)
{
    const int w = width * zoom + GAP, h = height * zoom + GAP;
    const int rows = (n + columns - 1) / columns;
    AeImage *image = ae_draw_new(2 * AE_PLOT_EDGE + columns * w + BAR_ROOM,
                                 MAX(2 * AE_PLOT_EDGE + rows * h, LEAST), 3);
    const double scale = choose_scale(tiles, (int64_t)n * height * width);

    for (int i = 0; i < n; i++)
        draw_tile(image, AE_PLOT_EDGE + i % columns * w,
                  AE_PLOT_EDGE + i / columns * h,
                  tiles + (int64_t)i * height * width, height, width, zoom,
                  scale);
    draw_bar(image, 2 * AE_PLOT_EDGE + columns * w, scale);
    return image;
}
