/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures of the difference between two images. */
#pragma once

#include "video/picture.h"

G_BEGIN_DECLS

/* Peak signal-to-noise ratio in dB, 10 log10(1 / mse) for samples in [0, 1];
 * infinity for equal images. */
double ae_psnr(double mse);

/* The mean squared error of two planes of the same size and depth, for samples
 * in [0, 1]. */
double ae_mse(const AePlane *a, const AePlane *b);

/* Mean SSIM of two planes of the same size and depth (Wang, Bovik, Sheikh and
 * Simoncelli, IEEE TIP 2004, eq. 13): Gaussian windows of 11 x 11 samples with
 * standard deviation 1.5, wholly inside the plane; K1 = 0.01, K2 = 0.03, L the
 * largest sample. A plane with fewer than 11 rows or columns is one window.
 * FALSE if there is no memory. */
gboolean ae_ssim(const AePlane *a, const AePlane *b, double *result,
                 GError **error);

G_END_DECLS
