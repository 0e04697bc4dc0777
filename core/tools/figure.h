/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of data, legible as they are. */
#pragma once

#include "data/png.h"
#include "base/tensor.h"

G_BEGIN_DECLS

/* Rows of images with a caption above each column and at the left of each row,
 * scaled up by whole factors (nearest) so that small images are legible.
 * @images has rows * columns entries (NULL: empty), @captions columns,
 * @row_captions rows (or both NULL). */
AeImage *ae_figure_grid(AeImage *const *images, int rows, int columns,
                        const char *const *captions,
                        const char *const *row_captions, int zoom);

/* @count x @count images that a code of two values was decoded to, z0 from
 * -@range in the first row to @range in the last, z1 from -@range in the first
 * column to @range in the last, with both axes. All images have the size of the
 * first. */
AeImage *ae_figure_manifold(AeImage *const *images, int count, double range,
                            int zoom);

/* The first two columns of @panels (n x 2 or wider) beside each other, a dot a
 * row, coloured by @labels, of which some are written out. @captions, or NULL:
 * one a panel. */
AeImage *ae_figure_scatter(const AeTensor *const *panels, int n,
                           const char *const *captions, const uint8_t *labels);

typedef struct {
    double step, value;
} AeCurvePoint;

typedef struct {
    const char *name;
    GArray *training, *validation; /* of AeCurvePoint, steps ascend */
} AeCurve;

/* Losses against steps; validation as dashes. The top of the picture is where
 * the highest curve is after a twentieth of its steps. */
AeImage *ae_figure_curves(const AeCurve *curves, int n);

/* @n tiles of height x width numbers, @columns a row: blue below zero, red
 * above, with a colour bar, whose ends are so large that one number in 500 is
 * beyond. */
AeImage *ae_figure_weights(const float *tiles, int n, int height, int width,
                           int columns, int zoom);

G_END_DECLS
