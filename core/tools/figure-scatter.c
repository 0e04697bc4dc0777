/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdio.h>

#include "tools/figure.h"
#include "tools/plot.h"

enum {
    SIDE = 540,    /* of a panel */
    STEP = 660,    /* from one panel to the next */
    DOT = 3,       /* its side: soft edges would triple the size of the file */
    LINE = 26,     /* of the legend */
    SPACING = 44,  /* least distance of dots that carry their label */
    CLASSES = 256, /* that a byte can tell apart */
};

typedef struct {
    double x, y;
} Place;

static gboolean is_free(const GArray *taken, const Place *place)
{
    for (guint i = 0; i < taken->len; i++) {
        const Place *other = &g_array_index(taken, Place, i);

        if (hypot(other->x - place->x, other->y - place->y) < SPACING)
            return FALSE;
    }
    return TRUE;
}

/* The label as text with a white rim. */
static void draw_label(cairo_t *canvas, const Place *place, uint8_t label)
{
    char text[4];

    snprintf(text, sizeof text, "%d", label);
    cairo_move_to(canvas, place->x - ae_canvas_text_width(canvas, text) / 2,
                  place->y + AE_TEXT * 0.36);
    cairo_text_path(canvas, text);
    cairo_set_line_width(canvas, 4);
    ae_canvas_set_gray(canvas, 1);
    cairo_stroke_preserve(canvas);
    ae_canvas_set_gray(canvas, 0);
    cairo_fill(canvas);
}

static Place place_of(const AePlot *plot, const AeTensor *codes, int64_t i)
{
    const float *row = codes->data + i * codes->shape.dim[1];

    return (Place){ae_plot_x(plot, row[0]), ae_plot_y(plot, row[1])};
}

/* Not all people can tell ten classes apart by colours alone: some dots carry
 * their label, the first ones that are far enough from each other. */
static void draw_codes(const AePlot *plot, cairo_t *canvas,
                       const AeTensor *codes, const uint8_t *labels)
{
    const int64_t n = codes->shape.dim[0];
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(Place));

    for (int64_t i = 0; i < n; i++) {
        Place place = place_of(plot, codes, i);

        if (!isfinite(place.x) || !isfinite(place.y))
            continue;
        ae_canvas_set_class(canvas, labels[i]);
        ae_canvas_box(canvas, (int)place.x - DOT / 2, (int)place.y - DOT / 2,
                      DOT, DOT);
    }
    for (int64_t i = 0; i < n; i++) {
        Place place = place_of(plot, codes, i);

        if (isfinite(place.x) && isfinite(place.y) && is_free(taken, &place)) {
            g_array_append_val(taken, place);
            draw_label(canvas, &place, labels[i]);
        }
    }
}

static void draw_legend(cairo_t *canvas, int left, const uint8_t *labels,
                        int64_t n)
{
    gboolean found[CLASSES] = {FALSE};
    double middle = LINE / 2.0;

    for (int64_t i = 0; i < n; i++)
        found[labels[i]] = TRUE;
    for (int i = 0; i < CLASSES && middle < SIDE; i++) {
        char text[4];

        if (!found[i])
            continue;
        snprintf(text, sizeof text, "%d", i);
        ae_canvas_set_class(canvas, i);
        cairo_arc(canvas, left, middle, 7, 0, 2 * G_PI);
        cairo_fill(canvas);
        ae_canvas_text(canvas, left + 14, middle, 0, text);
        middle += LINE;
    }
}

void ae_figure_scatter(cairo_t *canvas, const AeTensor *const *panels, int n,
                       const char *const *captions, const uint8_t *labels)
{
    for (int i = 0; i < n; i++) {
        const AeTensor *codes = panels[i];
        const int64_t rows = codes->shape.dim[0], width = codes->shape.dim[1];
        const AePlot plot = {
            .left = i * STEP,
            .width = SIDE,
            .height = SIDE,
            .x = ae_axis_of(codes->data, rows, width, "z0"),
            .y = ae_axis_of(codes->data + 1, rows, width, "z1"),
        };

        ae_plot_axes(&plot, canvas, captions != NULL ? captions[i] : NULL,
                     TRUE);
        draw_codes(&plot, canvas, codes, labels);
    }
    draw_legend(canvas, (n - 1) * STEP + SIDE + 24, labels,
                panels[0]->shape.dim[0]);
}
