/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/figure.h"
#include "tools/plot.h"

enum {
    SIDE = 540,    /* of a panel */
    DOT = 3,       /* its side: soft edges would triple the file */
    LEGEND = 84,   /* its width */
    LINE = 26,     /* of the legend */
    SPACING = 44,  /* between labels that are written out, at least */
    CLASSES = 256, /* that a byte can tell */
};

typedef struct {
    int x, y;
} Place;

/* Codes are drawn where both numbers are finite. */
static gboolean locate(const AePlot *plot, const float *row, double *x,
                       double *y)
{
    *x = ae_plot_x(plot, row[0]);
    *y = ae_plot_y(plot, row[1]);
    return isfinite(row[0]) && isfinite(row[1]);
}

static void draw_label(const AePlot *plot, int x, int y, uint8_t label)
{
    char text[4];
    int width;

    snprintf(text, sizeof text, "%d", label);
    width = ae_draw_text_width(text, 2);
    x -= width / 2;
    y -= AE_TEXT_HEIGHT;
    for (int i = -2; i <= 2; i++)
        for (int j = -2; j <= 2; j++)
            ae_draw_text(plot->image, x + i, y + j, text, 2, AE_PAPER);
    ae_draw_text(plot->image, x, y, text, 2, AE_INK);
}

static gboolean is_free(const GArray *taken, int x, int y)
{
    for (guint i = 0; i < taken->len; i++) {
        const Place *place = &g_array_index(taken, Place, i);

        if (hypot(place->x - x, place->y - y) < SPACING)
            return FALSE;
    }
    return TRUE;
}

static void draw_dots(const AePlot *plot, const AeTensor *codes,
                      const uint8_t *labels)
{
    const int64_t n = codes->shape.dim[0], width = codes->shape.dim[1];
    double x, y;

    for (int64_t i = 0; i < n; i++)
        if (locate(plot, codes->data + i * width, &x, &y))
            ae_draw_area(plot->image, (int)x - DOT / 2, (int)y - DOT / 2, DOT,
                         DOT, ae_colour_class(labels[i]));
}

/* Colours alone do not tell ten classes apart for everybody: some dots carry
 * their label, the first ones that are far enough from each other. */
static void draw_some_labels(const AePlot *plot, const AeTensor *codes,
                             const uint8_t *labels)
{
    const int64_t n = codes->shape.dim[0], width = codes->shape.dim[1];
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(Place));
    double x, y;

    for (int64_t i = 0; i < n; i++) {
        if (!locate(plot, codes->data + i * width, &x, &y))
            continue;
        Place place = {(int)x, (int)y};
        if (!is_free(taken, place.x, place.y))
            continue;
        g_array_append_val(taken, place);
        draw_label(plot, place.x, place.y, labels[i]);
    }
}

static void draw_legend(AeImage *image, int left, int top,
                        const uint8_t *labels, int64_t n)
{
    gboolean found[CLASSES] = {FALSE};

    for (int64_t i = 0; i < n; i++)
        found[labels[i]] = TRUE;
    for (int i = 0; i < CLASSES && top + LINE < image->height; i++) {
        char text[4];

        if (!found[i])
            continue;
        snprintf(text, sizeof text, "%d", i);
        ae_draw_line(image, left + 8, top + LINE / 2, left + 8, top + LINE / 2,
                     14, ae_colour_class(i));
        ae_draw_text(image, left + 24, top + LINE / 2 - AE_TEXT_HEIGHT + 1,
                     text, 2, AE_INK);
        top += LINE;
    }
}

AeImage *ae_figure_scatter(const AeTensor *const *panels, int n,
                           const char *const *captions, const uint8_t *labels)
{
    const int step = AE_PLOT_LEFT + SIDE + AE_PLOT_EDGE;
    const int top = captions != NULL ? AE_PLOT_TOP : AE_PLOT_EDGE;
    AeImage *image =
        ae_draw_new(n * step + LEGEND, top + SIDE + AE_PLOT_BOTTOM, 3);

    for (int i = 0; i < n; i++) {
        const AeTensor *codes = panels[i];
        const int64_t rows = codes->shape.dim[0], width = codes->shape.dim[1];
        AePlot plot = {
            .image = image,
            .left = i * step + AE_PLOT_LEFT,
            .top = top,
            .width = SIDE,
            .height = SIDE,
            .x = ae_axis_of(codes->data, rows, width, "z0"),
            .y = ae_axis_of(codes->data + 1, rows, width, "z1"),
        };

        ae_plot_rules(&plot);
        draw_dots(&plot, codes, labels);
        draw_some_labels(&plot, codes, labels);
        ae_plot_axes(&plot, captions != NULL ? captions[i] : NULL);
    }
    draw_legend(image, n * step, top, labels, panels[0]->shape.dim[0]);
    return image;
}
