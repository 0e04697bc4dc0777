/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of data. Each function draws one onto an empty canvas. */
#pragma once

#include "base/tensor.h"
#include "tools/canvas.h"

/* Rows of images, each in the middle of a cell, with a caption above each
 * column and at the left of each row. @images has rows * columns entries (NULL
 * leaves a cell empty), @captions columns and @row_captions rows; each of the
 * two may be NULL. */
void ae_figure_grid(cairo_t *canvas, AeImage *const *images, int rows,
                    int columns, const char *const *captions,
                    const char *const *row_captions, int zoom);

/* @count x @count decoded images of a latent (z0, z1), with both axes: z0 goes
 * from -@range in the first row to @range in the last, z1 from -@range in the
 * first column to @range in the last. All images have the size of the first. */
void ae_figure_manifold(cairo_t *canvas, AeImage *const *images, int count,
                        double range, int zoom);

/* The first two columns of @panels (n x 2 or wider) beside each other: a dot a
 * row, coloured by its entry of @labels. Some dots carry their label as text.
 * @captions has one a panel, or is NULL. */
void ae_figure_scatter(cairo_t *canvas, const AeTensor *const *panels, int n,
                       const char *const *captions, const uint8_t *labels);

typedef struct {
    double step, value;
} AeCurvePoint;

typedef struct {
    const char *name;
    GArray *training, *validation; /* of AeCurvePoint, steps ascend */
} AeCurve;

/* Losses against steps: training as lines, validation as dashes. The top of the
 * picture is the highest loss after the first twentieth of a curve's steps. */
void ae_figure_curves(cairo_t *canvas, const AeCurve *curves, int n);

/* @n tiles of height x width numbers, @columns a row: blue below zero, red
 * above, with a colour bar. Its ends are so large that one number in 500 lies
 * beyond. FALSE: AE_ERROR_MEMORY. */
gboolean ae_figure_weights(cairo_t *canvas, const float *tiles, int n,
                           int height, int width, int columns, int zoom,
                           GError **error);
