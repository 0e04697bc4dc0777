/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "tools/figure.h"
#include "tools/plot.h"

enum {
    WIDTH = 760,
    HEIGHT = 460,
    LINE = 24,  /* of the legend */
    SAMPLE = 36 /* of a line, there */
};

#define DASH 7.0 /* pixels, and as many between */
#define DASHED "validation"

static const AeCurvePoint *point(const GArray *points, guint i)
{
    return &g_array_index(points, AeCurvePoint, i);
}

/* The lowest value, and the highest after a twentieth of the steps. */
static void extend_values(AeAxis *axis, const GArray *points)
{
    double last = points->len > 0 ? point(points, points->len - 1)->step : 0;

    for (guint i = 0; i < points->len; i++) {
        const AeCurvePoint *p = point(points, i);

        if (!isfinite(p->value))
            continue;
        axis->low = MIN(axis->low, p->value);
        if (p->step >= last / 20)
            axis->high = MAX(axis->high, p->value);
    }
}

static void extend_steps(AeAxis *axis, const GArray *points)
{
    if (points->len > 0)
        axis->high = MAX(axis->high, point(points, points->len - 1)->step);
}

static void set_axes(AePlot *plot, const AeCurve *curves, int n)
{
    double margin;

    plot->x = (AeAxis){0, 1, "step"};
    plot->y = (AeAxis){INFINITY, -INFINITY, "loss"};
    for (int i = 0; i < n; i++) {
        extend_steps(&plot->x, curves[i].training);
        extend_steps(&plot->x, curves[i].validation);
        extend_values(&plot->y, curves[i].training);
        extend_values(&plot->y, curves[i].validation);
    }
    if (!(plot->y.low < plot->y.high)) {
        plot->y.low = isfinite(plot->y.low) ? plot->y.low - 0.5 : 0;
        plot->y.high = plot->y.low + 1;
    }
    margin = 0.05 * (plot->y.high - plot->y.low);
    plot->y.low -= margin;
    plot->y.high += margin;
}

/* The part of a line that is inside; what enters from above begins at the top.
 */
static void draw_segment(const AePlot *plot, double x0, double y0, double x1,
                         double y1, AeColour colour)
{
    const double top = plot->top + 1;

    if (y0 < top && y1 < top)
        return;
    if (y0 < top) {
        x0 += (x1 - x0) * (top - y0) / (y1 - y0);
        y0 = top;
    }
    if (y1 < top) {
        x1 = x0 + (x1 - x0) * (top - y0) / (y1 - y0);
        y1 = top;
    }
    ae_draw_line(plot->image, x0, y0, x1, y1, 2, colour);
}

/* @phase: how long the dashes have been, in pixels. */
static void draw_dashes(const AePlot *plot, double x0, double y0, double x1,
                        double y1, double *phase, AeColour colour)
{
    const double length = hypot(x1 - x0, y1 - y0);
    double at = 0;

    while (at < length) {
        double in_dash = fmod(*phase, 2 * DASH);
        double rest = in_dash < DASH ? DASH - in_dash : 2 * DASH - in_dash;
        double next = MIN(at + MAX(rest, 1e-3), length);

        if (in_dash < DASH)
            draw_segment(plot, x0 + (x1 - x0) * at / length,
                         y0 + (y1 - y0) * at / length,
                         x0 + (x1 - x0) * next / length,
                         y0 + (y1 - y0) * next / length, colour);
        *phase += next - at;
        at = next;
    }
}

static void draw_curve(const AePlot *plot, const GArray *points,
                       gboolean dashed, AeColour colour)
{
    double phase = 0;

    for (guint i = 0; i < points->len; i++) {
        const AeCurvePoint *a = point(points, i > 0 ? i - 1 : 0);
        const AeCurvePoint *b = point(points, i);
        double x0 = ae_plot_x(plot, a->step), y0 = ae_plot_y(plot, a->value);
        double x1 = ae_plot_x(plot, b->step), y1 = ae_plot_y(plot, b->value);

        if (!isfinite(a->value) || !isfinite(b->value))
            continue;
        if (dashed)
            draw_dashes(plot, x0, y0, x1, y1, &phase, colour);
        else
            draw_segment(plot, x0, y0, x1, y1, colour);
    }
}

static void draw_legend_line(const AePlot *plot, int left, int top,
                             const char *text, gboolean dashed, AeColour colour)
{
    const double y = top + LINE / 2;
    double phase = 0;

    if (dashed)
        draw_dashes(plot, left, y, left + SAMPLE, y, &phase, colour);
    else
        draw_segment(plot, left, y, left + SAMPLE, y, colour);
    ae_draw_text(plot->image, left + SAMPLE + 8, top + LINE / 2 - 7, text, 2,
                 AE_INK);
}

static gboolean has_validation(const AeCurve *curves, int n)
{
    for (int i = 0; i < n; i++)
        if (curves[i].validation->len > 0)
            return TRUE;
    return FALSE;
}

static int legend_width(const AeCurve *curves, int n)
{
    int width = has_validation(curves, n) ? ae_draw_text_width(DASHED, 2) : 0;

    for (int i = 0; i < n; i++)
        width = MAX(width, ae_draw_text_width(curves[i].name, 2));
    return width + SAMPLE + 8 + AE_PLOT_EDGE;
}

static void draw_legend(const AePlot *plot, const AeCurve *curves, int n)
{
    int left = plot->left + plot->width + AE_PLOT_EDGE, top = plot->top;

    for (int i = 0; i < n; i++, top += LINE)
        draw_legend_line(plot, left, top, curves[i].name, FALSE,
                         ae_colour_class(i));
    if (has_validation(curves, n))
        draw_legend_line(plot, left, top, DASHED, TRUE, AE_FRAME);
}

AeImage *ae_figure_curves(const AeCurve *curves, int n)
{
    AePlot plot = {.left = AE_PLOT_LEFT,
                   .top = AE_PLOT_EDGE,
                   .width = WIDTH,
                   .height = HEIGHT};
    const int legend = MAX(n + 1, 1) * LINE;

    plot.image = ae_draw_new(
        AE_PLOT_LEFT + WIDTH + AE_PLOT_EDGE + legend_width(curves, n),
        AE_PLOT_EDGE + MAX(HEIGHT + AE_PLOT_BOTTOM, legend), 3);
    set_axes(&plot, curves, n);
    ae_plot_rules(&plot);
    for (int i = 0; i < n; i++) {
        draw_curve(&plot, curves[i].training, FALSE, ae_colour_class(i));
        draw_curve(&plot, curves[i].validation, TRUE, ae_colour_class(i));
    }
    ae_plot_axes(&plot, NULL);
    draw_legend(&plot, curves, n);
    return plot.image;
}
