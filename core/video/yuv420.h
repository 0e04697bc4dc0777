/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 4:2:0 video as models see it: an image of half its size, whose channels are
 * the four lumas of a block, row by row, and its two of chroma. */
#pragma once

#include "model/metadata.h"

G_BEGIN_DECLS

/* @planes: Y, 2 height x 2 width, then U and V, height x width each, one after
 * the other. @image: height x width x AE_YUV420_CHANNELS. */
void ae_yuv420_pack(const float *planes, int width, int height, float *image);

G_END_DECLS
