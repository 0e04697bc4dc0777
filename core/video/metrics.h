/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far two images are apart. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Peak signal-to-noise ratio in dB, 10 log10(1 / mse) for samples in [0, 1];
 * infinity for equal images. */
double ae_psnr(double mse);

/* Mean squared error of 8-bit planes in units of [0, 1]; strides in bytes. */
double ae_mse_8bit(const uint8_t *a, int stride_a, const uint8_t *b,
                   int stride_b, int width, int height);

/* Mean SSIM of 8-bit planes (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP
 * 2004, eq. 13): 11 x 11 Gaussian window with sd 1.5, K1 0.01, K2 0.03, windows
 * wholly inside the image; images under 11 samples take one window over the
 * whole. */
double ae_ssim_8bit(const uint8_t *a, int stride_a, const uint8_t *b,
                    int stride_b, int width, int height);

G_END_DECLS
