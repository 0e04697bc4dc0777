/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a scene stands still, seen through noise of any kind. */
#pragma once

#include <stdint.h>

/* About the differences b - a and c - b of three images in turn. */
typedef struct {
    /* Their correlation, on means of 4 x 4 pixels. Noise that every image has
     * for itself makes the differences of a scene that stands still a moving
     * average: -1/2, whatever the noise's strength, and however it depends on
     * brightness or on neighbours. Slow motion and light that changes go on,
     * and lift it. 1 where two images are equal: their noise is the same. */
    double correlation;
    /* The part of their energy that such means keep. Of noise a constant:
     * 1/16 (of RGB 1/48) where samples are independent, more where they share
     * it. What pictures are made of has most of its energy there, so that fast
     * motion, which the correlation overlooks, raises it. */
    double coarse;
} AeStill;

/* Images of height x width x channels samples of any number of bits. On 64 x 64
 * samples without motion the correlation strays by about 0.05, the other by a
 * tenth of itself. */
AeStill ae_still_measure(const uint16_t *a, const uint16_t *b,
                         const uint16_t *c, int width, int height,
                         int channels);
