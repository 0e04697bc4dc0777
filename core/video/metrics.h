/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far two images are apart. */
#pragma once

#include "video/picture.h"

G_BEGIN_DECLS

/* Peak signal-to-noise ratio in dB, 10 log10(1 / mse) for samples in [0, 1];
 * infinity for equal images. */
double ae_psnr(double mse);

/* Mean squared error of two planes of the same size and depth, in units of
 * [0, 1]. */
double ae_mse(const AePlane *a, const AePlane *b);

/* Mean SSIM of two planes of the same size and depth (Wang, Bovik, Sheikh and
 * Simoncelli, IEEE TIP 2004, eq. 13): 11 x 11 Gaussian window with sd 1.5, K1
 * 0.01, K2 0.03, L the largest sample; windows wholly inside the plane. A plane
 * of under 11 rows or columns has one window, the whole plane. */
double ae_ssim(const AePlane *a, const AePlane *b);

G_END_DECLS
