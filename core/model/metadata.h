/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model's metadata says of the images that it takes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Channels of an image of 4:2:0 video at half its size: the four lumas of a
 * block of 2 x 2, row by row, and the two chromas. */
#define AE_YUV420_CHANNELS 6

/* The floats that the lowest and the highest sample of a picture become: low
 * and low + span. */
typedef struct {
    float low, span;
} AeRange;

G_END_DECLS
