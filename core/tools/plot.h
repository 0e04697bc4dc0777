/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A rectangle on a canvas with two axes: where numbers lie in it, and its
 * frame, ticks and labels. */
#pragma once

#include "tools/canvas.h"

/* From @low at the left or bottom to @high at the right or top; @low may be the
 * larger number. */
typedef struct {
    double low, high;
    const char *label;
} AeAxis;

typedef struct {
    int left, top, width, height; /* pixels of the canvas */
    AeAxis x, y;
} AePlot;

/* An axis that holds the finite ones of @count numbers, which lie @stride
 * apart from @values on, with a little room at both ends. */
AeAxis ae_axis_of(const float *values, int64_t count, int64_t stride,
                  const char *label);

/* Where a number lies on the canvas. */
double ae_plot_x(const AePlot *plot, double value);
double ae_plot_y(const AePlot *plot, double value);

/* Frame, ticks, numbers and labels outside of the rectangle, @title (or NULL)
 * above it, and, if @rules, lines across it at the ticks. */
void ae_plot_axes(const AePlot *plot, cairo_t *canvas, const char *title,
                  gboolean rules);
