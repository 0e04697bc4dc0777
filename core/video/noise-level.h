/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The level of the noise in a picture, measured from the picture alone: the
 * standard deviation of white noise where 255 is white.
 *
 * Blocks of 8x8 samples on a grid are transformed (DCT). Noise is white: it has
 * as much energy at low as at high frequencies, and both are independent.
 * Pictures have little at high frequencies where they have little at low ones.
 * So the blocks with the least energy at low frequencies are taken, and the
 * median of their energy at high ones is the noise's (after Ponomarenko,
 * Lukin, Zriakhov, Kaarna and Astola, "An automatic approach to lossy
 * compression of AVIRIS images", IGARSS 2007). Noise that clipping at black and
 * white has cut off is added again.
 *
 * Noise that lacks high frequencies, because a codec or a scaler took them
 * away, is found to be less than it is. */
#pragma once

#include "video/picture.h"

G_BEGIN_DECLS

typedef struct AeNoiseLevel AeNoiseLevel;

/* For planes of up to @width samples a row. AE_ERROR_MEMORY. */
AeNoiseLevel *ae_noise_level_new(int width, GError **error);
void ae_noise_level_free(AeNoiseLevel *level);

/* The standard deviation in @plane, from 0 to some 150; 0 if a side has fewer
 * than 8 samples. Allocates nothing. */
float ae_noise_level_measure(AeNoiseLevel *level, const AePlane *plane);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeNoiseLevel, ae_noise_level_free)

G_END_DECLS
