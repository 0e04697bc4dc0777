/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "tools/figure.h"
#include "tools/plot.h"

enum {
    WIDTH = 760,
    HEIGHT = 460,
    LINE = 24,   /* of the legend */
    SAMPLE = 36, /* length of a line there */
    GAP = 16,    /* between plot, line and text there */
};

#define DASH 7.0     /* pixels, and as many between two dashes */
#define FARTHEST 1e5 /* pixels; points outside of the plot lie no farther */

static const AeCurvePoint *point(const GArray *points, guint i)
{
    return &g_array_index(points, AeCurvePoint, i);
}

/* Makes room for a curve: for all of its steps, its lowest value, and its
 * highest after the first twentieth of the steps. */
static void extend_axes(AePlot *plot, const GArray *points)
{
    double last = points->len > 0 ? point(points, points->len - 1)->step : 0;

    plot->x.high = MAX(plot->x.high, last);
    for (guint i = 0; i < points->len; i++) {
        const AeCurvePoint *p = point(points, i);

        if (!isfinite(p->value))
            continue;
        plot->y.low = MIN(plot->y.low, p->value);
        if (p->step >= last / 20)
            plot->y.high = MAX(plot->y.high, p->value);
    }
}

static void set_axes(AePlot *plot, const AeCurve *curves, int n)
{
    double margin;

    plot->x = (AeAxis){0, 1, "step"};
    plot->y = (AeAxis){INFINITY, -INFINITY, "loss"};
    for (int i = 0; i < n; i++) {
        extend_axes(plot, curves[i].training);
        extend_axes(plot, curves[i].validation);
    }
    if (!(plot->y.low < plot->y.high)) {
        plot->y.low = isfinite(plot->y.low) ? plot->y.low - 0.5 : 0;
        plot->y.high = plot->y.low + 1;
    }
    margin = 0.05 * (plot->y.high - plot->y.low);
    plot->y.low -= margin;
    plot->y.high += margin;
}

/* Strokes the path that has been made. */
static void stroke(cairo_t *canvas, gboolean dashed)
{
    cairo_set_dash(canvas, (double[]){DASH}, dashed ? 1 : 0, 0);
    cairo_set_line_width(canvas, 2);
    cairo_set_line_join(canvas, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(canvas);
}

/* A line through all points that are finite, broken at the others. */
static void draw_curve(const AePlot *plot, cairo_t *canvas,
                       const GArray *points, gboolean dashed)
{
    cairo_save(canvas);
    cairo_rectangle(canvas, plot->left, plot->top, plot->width, plot->height);
    cairo_clip(canvas);
    for (guint i = 0; i < points->len; i++) {
        const AeCurvePoint *p = point(points, i);

        if (isfinite(p->value))
            cairo_line_to(
                canvas, ae_plot_x(plot, p->step),
                CLAMP(ae_plot_y(plot, p->value), -FARTHEST, FARTHEST));
        else
            cairo_new_sub_path(canvas);
    }
    stroke(canvas, dashed);
    cairo_restore(canvas);
}

static void draw_legend_line(cairo_t *canvas, int line, const char *text,
                             gboolean dashed)
{
    const double y = line * LINE + LINE / 2.0;

    cairo_move_to(canvas, WIDTH + GAP, y);
    cairo_rel_line_to(canvas, SAMPLE, 0);
    stroke(canvas, dashed);
    ae_canvas_text(canvas, WIDTH + GAP + SAMPLE + GAP / 2, y, 0, text);
}

void ae_figure_curves(cairo_t *canvas, const AeCurve *curves, int n)
{
    AePlot plot = {.width = WIDTH, .height = HEIGHT};
    gboolean validated = FALSE;

    set_axes(&plot, curves, n);
    ae_plot_axes(&plot, canvas, NULL, TRUE);
    for (int i = 0; i < n; i++) {
        ae_canvas_set_class(canvas, i);
        draw_curve(&plot, canvas, curves[i].training, FALSE);
        draw_curve(&plot, canvas, curves[i].validation, TRUE);
        draw_legend_line(canvas, i, curves[i].name, FALSE);
        validated = validated || curves[i].validation->len > 0;
    }
    ae_canvas_set_gray(canvas, 0.43);
    if (validated)
        draw_legend_line(canvas, n, "validation", TRUE);
}
