/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/plot.h"

#include <math.h>

enum {
    TEXT = 2, /* scale */
    TICK = 6,
    GAP = 4,
    X_SPACING = 64, /* of ticks, at least: numbers must fit */
    Y_SPACING = 48,
    TEXT_SIZE = AE_TEXT_HEIGHT * TEXT,
};

/* Ticks of an axis: at the multiples @first to @last of @step. */
typedef struct {
    double step;
    int first, last;
} Ticks;

/* The step is 1, 2 or 5 times a power of ten. */
static Ticks make_ticks(const AeAxis *axis, int length, int spacing)
{
    static const double nice[] = {1, 2, 5, 10};
    const double least = fabs(axis->high - axis->low) * spacing / length;
    const double power = pow(10, floor(log10(least)));
    Ticks ticks;
    int i = 0;

    while (i < 3 && nice[i] * power < least)
        i++;
    ticks.step = nice[i] * power;
    ticks.first = (int)ceil(MIN(axis->low, axis->high) / ticks.step - 1e-6);
    ticks.last = (int)floor(MAX(axis->low, axis->high) / ticks.step + 1e-6);
    return ticks;
}

static Ticks x_ticks(const AePlot *plot)
{
    return make_ticks(&plot->x, plot->width, X_SPACING);
}

static Ticks y_ticks(const AePlot *plot)
{
    return make_ticks(&plot->y, plot->height, Y_SPACING);
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

static void draw_x_tick(const AePlot *plot, double step, int i)
{
    g_autofree char *text = tick_text(step, i);
    double x = ae_plot_x(plot, i * step);
    int bottom = plot->top + plot->height;

    ae_draw_area(plot->image, (int)x, bottom, 1, TICK, AE_FRAME);
    ae_draw_text(plot->image, (int)x - ae_draw_text_width(text, TEXT) / 2 + 1,
                 bottom + TICK + GAP, text, TEXT, AE_INK);
}

/* Returns where its number begins. */
static int draw_y_tick(const AePlot *plot, double step, int i)
{
    g_autofree char *text = tick_text(step, i);
    double y = ae_plot_y(plot, i * step);
    int left = plot->left - TICK - GAP - ae_draw_text_width(text, TEXT);

    ae_draw_area(plot->image, plot->left - TICK, (int)y, TICK, 1, AE_FRAME);
    ae_draw_text(plot->image, left, (int)y - TEXT_SIZE / 2 + 1, text, TEXT,
                 AE_INK);
    return left;
}

static void draw_frame(const AePlot *plot)
{
    int right = plot->left + plot->width, bottom = plot->top + plot->height;

    ae_draw_area(plot->image, plot->left - 1, plot->top - 1, plot->width + 2, 1,
                 AE_FRAME);
    ae_draw_area(plot->image, plot->left - 1, bottom, plot->width + 2, 1,
                 AE_FRAME);
    ae_draw_area(plot->image, plot->left - 1, plot->top, 1, plot->height,
                 AE_FRAME);
    ae_draw_area(plot->image, right, plot->top, 1, plot->height, AE_FRAME);
}

/* @left: where the numbers of the y axis begin. */
static void draw_labels(const AePlot *plot, int left, const char *title)
{
    const int middle = plot->left + plot->width / 2;
    const char *x = plot->x.label, *y = plot->y.label;

    ae_draw_text(plot->image, middle - ae_draw_text_width(x, TEXT) / 2,
                 plot->top + plot->height + AE_PLOT_BOTTOM - TEXT_SIZE - GAP, x,
                 TEXT, AE_INK);
    ae_draw_text_upwards(plot->image, MAX(left - TEXT_SIZE - 2 * GAP, 0),
                         plot->top +
                             (plot->height - ae_draw_text_width(y, TEXT)) / 2,
                         y, TEXT, AE_INK);
    if (title != NULL)
        ae_draw_text(plot->image, middle - ae_draw_text_width(title, TEXT) / 2,
                     plot->top - TEXT_SIZE - 2 * GAP, title, TEXT, AE_INK);
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

void ae_plot_rules(const AePlot *plot)
{
    Ticks x = x_ticks(plot), y = y_ticks(plot);

    for (int i = x.first; i <= x.last; i++)
        ae_draw_area(plot->image, (int)ae_plot_x(plot, i * x.step), plot->top,
                     1, plot->height, AE_RULE);
    for (int i = y.first; i <= y.last; i++)
        ae_draw_area(plot->image, plot->left, (int)ae_plot_y(plot, i * y.step),
                     plot->width, 1, AE_RULE);
}

void ae_plot_axes(const AePlot *plot, const char *title)
{
    Ticks x = x_ticks(plot), y = y_ticks(plot);
    int left = plot->left;

    draw_frame(plot);
    for (int i = x.first; i <= x.last; i++)
        draw_x_tick(plot, x.step, i);
    for (int i = y.first; i <= y.last; i++)
        left = MIN(left, draw_y_tick(plot, y.step, i));
    draw_labels(plot, left, title);
}
