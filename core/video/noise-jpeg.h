/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loss of JPEG, without its bit stream. */
#pragma once

#include <stdint.h>

/* Rounds a picture as JPEG does: splits each channel into blocks of 8x8 samples
 * and rounds the coefficients of their cosine transform to the quantisation
 * steps of ITU-T T.81, table K.1, scaled as libjpeg does for a quality of 1 ..
 * 100. No channel is subsampled. @samples: height x width x channels floats in
 * 0 .. 1.
 * @before: where the grid of blocks begins, left of and above the picture, as a
 * fraction of a block's side, 0 .. 1. */
void ae_noise_jpeg(float *samples, int64_t width, int64_t height,
                   int64_t channels, float quality, const float before[2]);
