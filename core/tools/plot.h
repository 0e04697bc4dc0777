/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A rectangle of an image with two axes: where numbers lie in it, and its
 * frame, ticks and labels. */
#pragma once

#include "tools/draw.h"

G_BEGIN_DECLS

enum {
    AE_PLOT_LEFT = 96, /* room that a plot needs around its rectangle */
    AE_PLOT_BOTTOM = 60,
    AE_PLOT_TOP = 36, /* with a title */
    AE_PLOT_EDGE = 16,
};

/* From @low at the left or bottom to @high at the right or top, which may be
 * the lower number. */
typedef struct {
    double low, high;
    const char *label;
} AeAxis;

typedef struct {
    AeImage *image;
    int left, top, width, height;
    AeAxis x, y;
} AePlot;

/* @count numbers from @values, @stride apart, and a little room at both ends;
 * those that are not finite do not count. */
AeAxis ae_axis_of(const float *values, int64_t count, int64_t stride,
                  const char *label);

double ae_plot_x(const AePlot *plot, double value);
double ae_plot_y(const AePlot *plot, double value);

/* With lines across the rectangle at the ticks. */
void ae_plot_rules(const AePlot *plot);

/* Frame, ticks, numbers, labels and title (or NULL). */
void ae_plot_axes(const AePlot *plot, const char *title);

G_END_DECLS
