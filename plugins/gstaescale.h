/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of video some times larger or smaller. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* @caps with width and height multiplied by numbers from @least to @most:
 * numbers, ranges, lists of them. If these two differ, pixels may have any
 * aspect. Structures whose sizes become too large are left out. Free. */
GstCaps *gst_ae_scale_up(const GstCaps *caps, int least, int most);

/* With width and height divided by them. Structures where no size is such a
 * multiple are left out. Free. */
GstCaps *gst_ae_scale_down(const GstCaps *caps, int least, int most);

/* What downstream should know but @caps, if they are fixed, only imply by their
 * size: colorimetry and chroma-site. Takes and returns @caps. */
GstCaps *gst_ae_scale_name_colours(GstCaps *caps);

/* Chooses width, height and pixel-aspect-ratio in a structure of what frames of
 * @info may become: @scale times as large where that is left open, and without
 * distortion, but for less than a pixel, where that can be. */
void gst_ae_scale_fixate(GstStructure *structure, const GstVideoInfo *info,
                         int scale);

G_END_DECLS
