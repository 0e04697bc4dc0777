/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Estimates the noise of area means in video from differences between frames.
 *
 * An area is a set of samples at a fixed place, such as 2x2 pixels. If the
 * noise of neighbouring samples is independent, the mean of k samples has the
 * noise variance V / k. A camera's samples are not independent (demosaicing,
 * compression), so the mean has more noise. This file estimates how many times
 * more, from many areas of one size.
 *
 * Input is the mean of each area in three consecutive frames: its difference b
 * from the first frame to the second, and a from the second to the third. With
 * noise alone, (a - b)^2 / 3 and (a + b)^2 have the same expectation, the
 * variance of a. A steady change of brightness (a fade) cancels in a - b and
 * raises a + b; most motion raises a + b more than a - b, too. Areas that move
 * are left out by taking a low quantile over all areas instead of a mean, and
 * the ratio of both quantiles lowers the estimate further where motion is
 * common. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

#define AE_AREA_NOISE_BINS 256

/* Two histograms of squared differences, relative to the expected variance.
 * All zeros: no areas yet. */
typedef struct {
    uint32_t steady[AE_AREA_NOISE_BINS];  /* of (a - b)^2 / 3 */
    uint32_t changed[AE_AREA_NOISE_BINS]; /* of (a + b)^2 */
} AeAreaNoise;

/* Adds an area with the difference @b and the next difference @a. @expected:
 * the variance of @a if the noise of neighbouring samples were independent,
 * above 0. */
void ae_area_noise_add(AeAreaNoise *noise, float a, float b, float expected);

/* Adds the areas of @other to @noise. */
void ae_area_noise_merge(AeAreaNoise *noise, const AeAreaNoise *other);

/* The noise variance of the areas, divided by the expected variance. Motion in
 * many areas makes the estimate smaller, never larger than what a - b shows. 0
 * if fewer than 32 areas were added. */
float ae_area_noise_estimate(const AeAreaNoise *noise);

G_END_DECLS
