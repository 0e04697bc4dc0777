/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/plot.h"

#include <math.h>

enum {
    TICK = 6,       /* its length */
    GAP = 6,        /* between tick, number and label */
    X_SPACING = 64, /* least distance of ticks: numbers must fit */
    Y_SPACING = 48,
};

#define FRAME 0.43 /* shades of gray */
#define RULE 0.9

/* The step between ticks: 1, 2 or 5 times a power of ten. */
static double choose_step(const AeAxis *axis, int length, int spacing)
{
    const double least = fabs(axis->high - axis->low) * spacing / length;
    const double power = pow(10, floor(log10(least)));

    return least <= power       ? power
           : least <= 2 * power ? 2 * power
           : least <= 5 * power ? 5 * power
                                : 10 * power;
}

/* As many decimals as the step has; thousands as k. Free. */
static char *tick_text(double step, int i)
{
    gboolean thousands = step >= 1000;
    double unit = thousands ? step / 1000 : step;
    int decimals = (int)MAX(0, -floor(log10(unit) + 1e-6));

    if (i == 0)
        return g_strdup("0");
    return g_strdup_printf("%.*f%s", decimals, unit * i, thousands ? "k" : "");
}

/* Ticks of the x axis, or, if @upright, of the y axis, with their numbers.
 * Returns the width of the widest number. */
static double draw_ticks(const AePlot *plot, cairo_t *canvas, gboolean upright,
                         gboolean rules)
{
    const AeAxis *axis = upright ? &plot->y : &plot->x;
    const double step = upright ? choose_step(axis, plot->height, Y_SPACING)
                                : choose_step(axis, plot->width, X_SPACING);
    const int last = (int)floor(MAX(axis->low, axis->high) / step + 1e-6);
    const int bottom = plot->top + plot->height;
    double widest = 0;

    for (int i = (int)ceil(MIN(axis->low, axis->high) / step - 1e-6); i <= last;
         i++) {
        g_autofree char *text = tick_text(step, i);
        const int x = (int)ae_plot_x(plot, i * step);
        const int y = (int)ae_plot_y(plot, i * step);

        widest = MAX(widest, ae_canvas_text_width(canvas, text));
        ae_canvas_set_gray(canvas, RULE);
        if (rules && upright)
            ae_canvas_box(canvas, plot->left, y, plot->width, 1);
        else if (rules)
            ae_canvas_box(canvas, x, plot->top, 1, plot->height);
        ae_canvas_set_gray(canvas, FRAME);
        if (upright)
            ae_canvas_box(canvas, plot->left - TICK, y, TICK, 1);
        else
            ae_canvas_box(canvas, x, bottom, 1, TICK);
        if (upright)
            ae_canvas_text(canvas, plot->left - TICK - GAP, y + 0.5, 1, text);
        else
            ae_canvas_text(canvas, x + 0.5, bottom + TICK + GAP + AE_TEXT / 2,
                           0.5, text);
    }
    return widest;
}

AeAxis ae_axis_of(const float *values, int64_t count, int64_t stride,
                  const char *label)
{
    AeAxis axis = {INFINITY, -INFINITY, label};
    double margin;

    for (int64_t i = 0; i < count; i++) {
        double value = values[i * stride];

        if (isfinite(value)) {
            axis.low = MIN(axis.low, value);
            axis.high = MAX(axis.high, value);
        }
    }
    if (!(axis.low <= axis.high))
        axis.low = axis.high = 0;
    margin = 0.03 * (axis.high - axis.low);
    if (!(margin > 1e-6 * MAX(fabs(axis.low), fabs(axis.high))))
        margin = MAX(1, fabs(axis.low)) / 2;
    axis.low -= margin;
    axis.high += margin;
    return axis;
}

double ae_plot_x(const AePlot *plot, double value)
{
    return plot->left +
           (value - plot->x.low) / (plot->x.high - plot->x.low) * plot->width;
}

double ae_plot_y(const AePlot *plot, double value)
{
    return plot->top +
           (plot->y.high - value) / (plot->y.high - plot->y.low) * plot->height;
}

void ae_plot_axes(const AePlot *plot, cairo_t *canvas, const char *title,
                  gboolean rules)
{
    const double middle = plot->left + plot->width / 2.0;
    const double numbers = draw_ticks(plot, canvas, TRUE, rules);

    draw_ticks(plot, canvas, FALSE, rules);
    ae_canvas_set_gray(canvas, FRAME);
    cairo_set_line_width(canvas, 1);
    cairo_rectangle(canvas, plot->left - 0.5, plot->top - 0.5, plot->width + 1,
                    plot->height + 1);
    cairo_stroke(canvas);
    ae_canvas_text(canvas, middle,
                   plot->top + plot->height + TICK + 2 * GAP + 1.5 * AE_TEXT,
                   0.5, plot->x.label);
    cairo_save(canvas);
    cairo_translate(canvas,
                    plot->left - TICK - 2 * GAP - numbers - AE_TEXT / 2.0,
                    plot->top + plot->height / 2.0);
    cairo_rotate(canvas, -G_PI / 2);
    ae_canvas_text(canvas, 0, 0, 0.5, plot->y.label);
    cairo_restore(canvas);
    if (title != NULL)
        ae_canvas_text(canvas, middle, plot->top - GAP - AE_TEXT / 2.0, 0.5,
                       title);
}
